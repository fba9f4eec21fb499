//! What was typed.

use clap::{Parser, Subcommand};
use th_cli::{InputArgs, OutputArgs};
use th_config::TargetArgs;

use crate::free::TargetFree;
use crate::images::ImagesArgs;
use crate::policy_args::PolicyArgs;

/// Prune what is no longer needed, and never the last good backup
///
/// Only sets of one environment and one database, with files or without, count as each other's like.
/// Sets go to the store's trash first and are gone two days later; undelete brings them back. What
/// no policy can delete: the newest complete set, the newest proven one, pinned ones, whatever is
/// younger than --min-age, and --min-keep sets.
#[derive(Debug, Parser)]
#[command(
    name = "th-prune",
    version,
    override_usage = "th-prune [OPTIONS] --target-free <P%|SIZE>\n       th-prune [OPTIONS] <COMMAND>"
)]
pub struct Args {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// How to say what was done.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Without a command: prune images, databases, logs and builds, in this order, until so much
    /// of the root's disk and of Docker's is free, such as 20% or 10GB. The rules of each command
    /// hold; when they do not let enough go, the answer is no, status 4
    #[arg(long, value_name = "P%|SIZE")]
    pub(crate) target_free: Option<TargetFree>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prune the sets of the store, and the packs that no set needs any more
    Sets {
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Decide about JSON lines with id and started_at from stdin, and touch nothing
    Plan {
        #[command(flatten)]
        policy: PolicyArgs,
        /// Read stdin
        #[arg(value_name = "-", value_parser = ["-"], required = true)]
        input: String,
    },
    /// Bring a set back from the trash
    Undelete {
        /// Its id, or the unique beginning of it
        #[arg(value_name = "SET")]
        set: String,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Prune the app's images
    Images {
        #[command(flatten)]
        keep: ImagesArgs,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Prune the databases that restores and releases have left
    Databases {
        /// Keep what is younger than this [default: 7d]
        #[arg(long, value_name = "DURATION")]
        older_than: Option<humantime::Duration>,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Prune logs
    Logs {
        /// Keep what is younger than this [default: 30d]
        #[arg(long, value_name = "DURATION")]
        older_than: Option<humantime::Duration>,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Prune Docker's build cache
    Builds {
        /// Keep what was used within this time [default: 7d]
        #[arg(long, value_name = "DURATION")]
        older_than: Option<humantime::Duration>,
        #[command(flatten)]
        input: InputArgs,
    },
}

impl Args {
    /// Parses the command line.
    pub fn from_command_line() -> Self {
        Self::parse()
    }

    /// Returns the place in a chain; the filter reads stdin itself.
    pub fn input(&self) -> InputArgs {
        match &self.command {
            None | Some(Command::Plan { .. }) => InputArgs::default(),
            Some(
                Command::Sets { input, .. }
                | Command::Undelete { input, .. }
                | Command::Images { input, .. }
                | Command::Databases { input, .. }
                | Command::Logs { input, .. }
                | Command::Builds { input, .. },
            ) => input.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
