//! th-prune: retention that cannot delete the last good backup.

use std::process::ExitCode;

use th_prune::{Args, run, tool};

fn main() -> ExitCode {
    let args = Args::from_command_line();
    th_cli::execute(tool(&args), &args.output, &args.input(), |context| {
        run(&args, context)
    })
}
