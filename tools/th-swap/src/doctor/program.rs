//! The app's server program, as far as its command line tells. Pure.

use std::time::Duration;

/// What matters of a server program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) name: &'static str,
    /// How long it keeps an idle connection.
    pub(super) keep_alive: Duration,
    /// How long it lets requests end after SIGTERM; `None` is for ever.
    pub(super) graceful: Option<Duration>,
}

impl Program {
    /// Recognises the program in `argv`; `variable` looks up the container's environment.
    pub(super) fn of<'a>(
        argv: &[String],
        variable: impl Fn(&str) -> Option<&'a str>,
    ) -> Option<Self> {
        // A shell's script holds the command in one word.
        let words: Vec<&str> = argv
            .iter()
            .flat_map(|word| word.split_whitespace())
            .collect();
        let runs = |name: &str| {
            let mut first = words.iter().take(6);
            first.any(|word| word.rsplit('/').next() == Some(name))
        };
        let seconds = |option: &str, name: &str| {
            let given = words.iter().enumerate().find_map(|(n, word)| {
                let rest = word.strip_prefix(option)?;
                rest.strip_prefix('=')
                    .or_else(|| words.get(n + 1).copied().filter(|_| rest.is_empty()))
            });
            let text = given.or_else(|| variable(name))?;
            Some(Duration::from_secs(
                text.trim_end_matches(';').parse().ok()?,
            ))
        };
        if runs("gunicorn") {
            Some(Self {
                name: "gunicorn",
                keep_alive: seconds("--keep-alive", "").unwrap_or(Duration::from_secs(2)),
                graceful: Some(
                    seconds("--graceful-timeout", "").unwrap_or(Duration::from_secs(30)),
                ),
            })
        } else if runs("uvicorn") {
            let keep_alive = seconds("--timeout-keep-alive", "UVICORN_TIMEOUT_KEEP_ALIVE");
            Some(Self {
                name: "uvicorn",
                keep_alive: keep_alive.unwrap_or(Duration::from_secs(5)),
                graceful: seconds(
                    "--timeout-graceful-shutdown",
                    "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN",
                ),
            })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(line: &str) -> Option<Program> {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Program::of(&argv, |_| None)
    }

    #[test]
    fn flags_and_defaults() {
        let seconds = Duration::from_secs;
        let uvicorn = program("python -m uvicorn app:app --uds /run/th/api.sock").unwrap();
        assert_eq!((uvicorn.keep_alive, uvicorn.graceful), (seconds(5), None));
        let line =
            "/usr/bin/uvicorn app:app --timeout-keep-alive 75 --timeout-graceful-shutdown=20";
        let uvicorn = program(line).unwrap();
        assert_eq!(
            (uvicorn.keep_alive, uvicorn.graceful),
            (seconds(75), Some(seconds(20)))
        );
        let gunicorn = program("gunicorn -k uvicorn.workers.UvicornWorker app").unwrap();
        assert_eq!(
            (gunicorn.name, gunicorn.graceful),
            ("gunicorn", Some(seconds(30)))
        );
        assert_eq!(program("python -m tracehub serve"), None);
        assert_eq!(program("nginx -g daemon off;"), None);
    }

    #[test]
    fn a_script_and_the_environment_count() {
        let argv = ["sh", "-c", "uvicorn app:app"].map(str::to_owned);
        let value = |name: &str| (name == "UVICORN_TIMEOUT_KEEP_ALIVE").then_some("65");
        assert_eq!(
            Program::of(&argv, value).unwrap().keep_alive,
            Duration::from_secs(65)
        );
    }
}
