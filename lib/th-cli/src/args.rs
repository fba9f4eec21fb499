//! The flags about input and output that every tool has.

use clap::Args;

/// How to say what was done.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Print the record even on a terminal
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print what would be done, and stop
    #[arg(long, global = true)]
    pub plan: bool,
}

/// The place in a chain.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chain")]
pub struct InputArgs {
    /// Read the records of the tools before this one from stdin, and act only if all succeeded
    #[arg(value_name = "-", value_parser = ["-"])]
    pub input: Option<String>,
    /// Refuse input records older than this
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub max_age: humantime::Duration,
}

impl Default for InputArgs {
    fn default() -> Self {
        Self {
            input: None,
            max_age: std::time::Duration::from_secs(3600).into(),
        }
    }
}
