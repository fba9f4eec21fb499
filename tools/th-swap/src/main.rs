//! th-swap: releases that lose no request, and the way back.

use std::process::ExitCode;

use th_swap::{Args, run, tool};

fn main() -> ExitCode {
    let args = Args::from_command_line();
    th_cli::execute(tool(&args), &args.output, &args.input(), |context| {
        run(&args, context)
    })
}
