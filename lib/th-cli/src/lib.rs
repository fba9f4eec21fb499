//! The process edge: the only crate that touches stdout, stderr, exit statuses, signals and
//! progress bars.

mod args;
mod finish;
mod outcome;
mod patience;
mod progress;
mod run;
mod signals;

pub use args::{InputArgs, OutputArgs};
pub use finish::{Tool, execute};
pub use outcome::Outcome;
pub use progress::Progress;
pub use run::Run;

/// Writes `bytes` with a unit for people: `215.3 MiB`.
pub fn human_bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// Makes a text of several lines safe for a terminal.
pub(crate) fn printable_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n")
}

/// Makes `name` safe for a terminal: control characters are escaped.
pub fn printable(name: &str) -> String {
    name.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = (!c.is_control()).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}
