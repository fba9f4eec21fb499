//! th-restore: list, verify, restore and undo sets.

use std::process::ExitCode;

use th_restore::{Args, run, tool};

fn main() -> ExitCode {
    let args = Args::from_command_line();
    th_cli::execute(tool(&args), &args.output, &args.input(), |context| {
        run(&args, context)
    })
}
