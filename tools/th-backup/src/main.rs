//! th-backup: back up a database and its files as one proven set.

use std::process::ExitCode;

use th_backup::{Args, run, tool};

fn main() -> ExitCode {
    let args = Args::from_command_line();
    th_cli::execute(tool(&args), &args.output, &args.input(), |context| {
        run(&args, context)
    })
}
