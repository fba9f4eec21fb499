//! What was typed.

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, Subcommand, ValueEnum};
use th_cli::{InputArgs, OutputArgs};
use th_config::TargetArgs;

/// Move the traffic of a web app to another release, and back, without losing a request
///
/// Two slots, blue and green, are copies of the app's services; one has the traffic. A release
/// starts in the other, is probed there, and gets the traffic by one rename of symlinks, with no
/// reload. The old slot is kept warm, watched, and gets the traffic back when the new one is worse.
#[derive(Debug, Parser)]
#[command(name = "th-swap", version)]
pub struct Args {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// How to say what was done.
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Release a tag: start it beside, prove it, move all traffic, watch, stop the old one
    To {
        #[command(flatten)]
        release: ReleaseArgs,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Release a tag in steps, each compared with the old one
    Canary {
        #[command(flatten)]
        release: ReleaseArgs,
        #[command(flatten)]
        canary: CanaryArgs,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Go back to the release before, or to one that is named
    Rollback {
        /// Go back to this release [default: the one before]
        #[arg(long, value_name = "TAG", value_parser = NonEmptyStringValueParser::new())]
        to: Option<String>,
        /// Keep the slot that is left warm for this long; not used while a release is in its hold
        /// [default: it is stopped at once]
        #[arg(long, value_name = "TIME", value_parser = time)]
        hold: Option<humantime::Duration>,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Say what is on disk, what runs, what is served, and whether they agree
    Status,
    /// List the releases, newest first
    History,
    /// Finish or take back what a run that died has left
    Resume {
        #[command(flatten)]
        input: InputArgs,
    },
    /// Look for what will make a release lose requests
    Doctor,
    /// Lay the slots' directories, the lanes, and the file that nginx includes
    Init,
    /// Turn the maintenance page on or off
    Maintenance {
        /// on or off
        #[arg(value_enum, value_name = "on|off")]
        switch: Switch,
        /// What clients are told to wait before they come back
        #[arg(long, value_name = "TIME", default_value = "2m", value_parser = retry_after)]
        retry_after: humantime::Duration,
    },
}

/// What to release, and how patiently.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ReleaseArgs {
    /// The tag of the images to release
    #[arg(long, value_name = "TAG", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) tag: String,
    /// Keep the old slot warm and watch for this long [default: slots.hold]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) hold: Option<humantime::Duration>,
    /// Wait this long for the old slot's connections to end [default: slots.drain]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) drain: Option<humantime::Duration>,
    /// Wait this long for the new slot to be healthy [default: slots.ready]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) ready: Option<humantime::Duration>,
    /// Probes in a row that must succeed before the switch [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) probes: Option<u32>,
    /// A service that must not run twice: stopped before the switch, started after it
    #[arg(long, value_name = "SERVICE")]
    pub(crate) exclusive: Vec<String>,
}

/// How a canary goes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Canary")]
pub(crate) struct CanaryArgs {
    /// Shares of the clients, in percent, in rising order
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "5,25,50,100",
          value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) steps: Vec<u8>,
    /// Stay on each step for this long
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    pub(crate) every: humantime::Duration,
    /// Compare what users met, or what the tool's own probes meet [default: users, if
    /// slots.nginx.access_log is set]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) compare: Option<Compare>,
    /// Fewer requests than this to the new slot say nothing: the canary pauses
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) min_requests: u64,
    /// Go back when this many percent more of the new slot's requests fail than of the old one's
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, value_parser = margin)]
    pub(crate) error_margin: f64,
    /// Go back when 19 of 20 requests take this many times as long as in the old slot, and 50 ms
    #[arg(long, value_name = "FACTOR", default_value_t = 1.5, value_parser = factor)]
    pub(crate) latency_factor: f64,
    /// Go back within a step after this many bad comparisons in a row
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) failures: u32,
}

/// Reads a time, which has an end.
fn time(text: &str) -> Result<humantime::Duration, String> {
    th_config::duration(text).map(Into::into)
}

/// Reads a share in percent. Compared with a NaN, nothing is ever worse.
fn margin(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok();
    let sound = percent.filter(|percent| (0.0..=100.0).contains(percent));
    sound.ok_or_else(|| "not between 0 and 100".to_owned())
}

/// Reads a factor. Below 1, a release as quick as the old one would be worse.
fn factor(text: &str) -> Result<f64, String> {
    let factor: Option<f64> = text.parse().ok();
    let sound = factor.filter(|factor| factor.is_finite() && *factor >= 1.0);
    sound.ok_or_else(|| "not a number of 1 or more".to_owned())
}

/// Reads a time to wait, which HTTP knows in whole seconds.
fn retry_after(text: &str) -> Result<humantime::Duration, String> {
    let time: humantime::Duration = text.parse().map_err(|error| format!("{error}"))?;
    match time.as_secs() {
        0 => Err("less than a second".to_owned()),
        _ => Ok(time),
    }
}

/// What a canary compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compare {
    /// What users met, from the access log
    Users,
    /// What the tool's own probes meet
    Probes,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// On
    On,
    /// Off
    Off,
}

impl Args {
    /// Parses the command line.
    pub fn from_command_line() -> Self {
        Self::parse()
    }

    /// Returns the place in a chain; a command that only looks has none.
    pub fn input(&self) -> InputArgs {
        match &self.command {
            Command::To { input, .. }
            | Command::Canary { input, .. }
            | Command::Rollback { input, .. }
            | Command::Resume { input } => input.clone(),
            Command::Status
            | Command::History
            | Command::Doctor
            | Command::Init
            | Command::Maintenance { .. } => InputArgs::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn nobody_is_told_to_come_back_at_once() {
        assert!(retry_after("500ms").is_err() && retry_after("0s").is_err());
        assert_eq!(retry_after("1s").map(|time| time.as_secs()), Ok(1));
    }

    #[test]
    fn limits_that_nothing_exceeds_are_refused() {
        for text in ["NaN", "nan", "-1", "101", "inf", "x"] {
            assert!(margin(text).is_err(), "{text}");
        }
        for text in ["NaN", "-2", "0", "0.9", "inf", "x"] {
            assert!(factor(text).is_err(), "{text}");
        }
        assert_eq!((margin("0"), factor("1")), (Ok(0.0), Ok(1.0)));
        assert_eq!((margin("2.5"), factor("3.5")), (Ok(2.5), Ok(3.5)));
    }

    #[test]
    fn what_an_unset_variable_leaves_is_no_tag() {
        for args in [
            ["to", "--tag", ""],
            ["canary", "--tag", ""],
            ["rollback", "--to", ""],
        ] {
            assert!(
                Args::try_parse_from([&["th-swap"], &args[..]].concat()).is_err(),
                "{args:?}"
            );
        }
    }

    #[test]
    fn a_time_has_an_end() {
        let to = |flag, time| Args::try_parse_from(["th-swap", "to", "--tag", "v2", flag, time]);
        for flag in ["--hold", "--drain", "--ready"] {
            assert!(
                to(flag, "1y").is_ok() && to(flag, "300000y").is_err(),
                "{flag}"
            );
        }
    }
}
