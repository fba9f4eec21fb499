//! The tools that have a man page and completions.

use clap::{Command, CommandFactory};

/// Every tool's command line, with global options and usage lines worked out.
pub(crate) fn all() -> Vec<Command> {
    let mut tools = vec![
        th_backup::Args::command(),
        th_restore::Args::command(),
        th_prune::Args::command(),
        th_swap::Args::command(),
    ];
    for tool in &mut tools {
        *tool = std::mem::take(tool).disable_help_subcommand(true);
        tool.build();
    }
    tools
}
