//! What is going on, on stderr: bars on a terminal, a line a phase elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

/// The progress of one phase. Clones show on the same bar, from any thread.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts a phase called `label` of `total` bytes, if that is known.
    pub(crate) fn start(label: &str, total: Option<u64>, quiet: bool) -> Self {
        // Of 80 columns, the message gets what is left.
        let template = match total {
            Some(_) => {
                "{prefix:7} {bar:10} {bytes:>10}/{total_bytes:10} {bytes_per_sec:>12} eta {eta:4} {wide_msg}"
            }
            None => "{prefix:7} {spinner} {bytes:>10} {bytes_per_sec:>12} {elapsed} {wide_msg}",
        };
        Self::show(label, total, template, quiet)
    }

    /// Starts a phase called `label` that moves no bytes.
    pub(crate) fn wait(label: &str, quiet: bool) -> Self {
        Self::show(
            label,
            None,
            "{prefix} {spinner} {elapsed} {wide_msg}",
            quiet,
        )
    }

    fn show(label: &str, total: Option<u64>, template: &str, quiet: bool) -> Self {
        let bar = if quiet {
            ProgressBar::hidden()
        } else if std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(8))
        } else {
            let _ = writeln!(std::io::stderr(), "{label}");
            ProgressBar::hidden()
        }
        .with_finish(ProgressFinish::AndClear);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_owned());
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar }
    }

    /// Adds `bytes` that were dealt with.
    pub fn add(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Shows the name of what is being dealt with.
    pub fn at(&self, name: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_message(crate::printable(name));
        }
    }
}
