//! th-backup: back up a database and its files as one proven set.

use std::process::ExitCode;

use clap::Parser;
use th_backup::{Args, TOOL};

fn main() -> ExitCode {
    let args = Args::parse();
    th_cli::execute(TOOL, &args.output, &args.input, |run| {
        th_backup::run(&args, run)
    })
}
