//! th-restore: list, verify, restore and undo sets.

use std::process::ExitCode;

use th_restore::{Args, TOOL};

fn main() -> ExitCode {
    let args = Args::from_command_line();
    th_cli::execute(TOOL, &args.output, &args.input(), |run| th_restore::run(&args, run))
}
