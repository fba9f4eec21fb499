//! What was typed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use th_cli::{InputArgs, OutputArgs};
use th_config::TargetArgs;
use th_record::{Level, Upstream};
use th_store::Selector;

/// List, verify, restore and undo the sets that th-backup made
///
/// A restore goes into a database beside the live one, is compared there with what the manifest
/// says, and then takes the live one's place in one transaction. The old database and every
/// replaced file are kept until gc, and undo brings them back. th-prune databases and --target-free
/// take the database too, after 7 days by default.
///
/// Where a store has sets of several environments or databases, the latest is that of the one that is
/// given; an id names any set.
#[derive(Debug, Parser)]
#[command(name = "th-restore", version)]
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
    /// List the sets of the store, newest first
    List,
    /// Show the manifest and the proof of a set
    Show {
        #[command(flatten)]
        set: SetArgs,
    },
    /// Prove a set by reading, decoding, restoring and comparing it
    Verify {
        #[command(flatten)]
        set: SetArgs,
        /// Prove to this level: bytes, decode, restore, content, app
        #[arg(long, value_name = "LEVEL", default_value = "content")]
        level: Level,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Restore a set, and put it live once it is proven
    Apply {
        #[command(flatten)]
        set: SetArgs,
        /// Restore only this part [default: the database and the files]
        #[arg(long, value_enum, value_name = "PART")]
        only: Option<Part>,
        /// Restore into this database or directory instead, and leave the live one alone
        #[arg(long, value_name = "DB|DIR", requires = "only")]
        into: Option<String>,
        /// Restore only this table, and nothing it depends on
        #[arg(long, value_name = "SCHEMA.TABLE", requires = "into")]
        table: Option<String>,
        #[command(flatten)]
        input: InputArgs,
    },
    /// Take the last restore back
    Undo {
        #[command(flatten)]
        input: InputArgs,
    },
    /// Drop the databases and files that restores have kept
    Gc {
        /// Keep what is younger than this
        #[arg(long, value_name = "TIME", default_value = "7d", value_parser = th_config::duration)]
        older_than: Duration,
        #[command(flatten)]
        input: InputArgs,
    },
}

/// Which set is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    /// An id or its unique beginning, latest, or latest-proven [default: latest]
    #[arg(value_name = "SET")]
    set: Option<String>,
    /// The newest set not after this time, such as 2026-11-23T02:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
}

/// A part of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The database
    Db,
    /// The files
    Files,
    /// The configuration files
    Config,
}

impl Args {
    /// Parses the command line. `th-restore verify -` names no set but the input.
    pub fn from_command_line() -> Self {
        Self::parse()
            .understood()
            .unwrap_or_else(|error| error.exit())
    }

    fn understood(mut self) -> Result<Self, clap::Error> {
        if let Command::Verify { set, input, .. } | Command::Apply { set, input, .. } =
            &mut self.command
            && set.set.as_deref() == Some("-")
            && input.input.is_none()
        {
            input.input = set.set.take();
        }
        if let Command::Show { set } | Command::Verify { set, .. } | Command::Apply { set, .. } =
            &self.command
            && let (Some(id), Some(_)) = (&set.set, set.at)
        {
            let message = format!("the argument '--at <TIME>' cannot be used with '{id}'");
            return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(self)
    }

    /// Returns the place in a chain; a command that only looks has none.
    pub fn input(&self) -> InputArgs {
        match &self.command {
            Command::List | Command::Show { .. } => InputArgs::default(),
            Command::Verify { input, .. }
            | Command::Apply { input, .. }
            | Command::Undo { input }
            | Command::Gc { input, .. } => input.clone(),
        }
    }
}

impl SetArgs {
    /// Returns which set is meant. None is the one that the tool before this one made, or else the
    /// newest.
    pub(crate) fn selector(&self, upstream: Option<&Upstream>) -> Selector {
        let made = || {
            let record = upstream?.last("backup")?;
            Some(record.data.as_ref()?.get("set")?.as_str()?.to_owned())
        };
        match (&self.set, self.at) {
            (_, Some(at)) => Selector::At(at),
            (Some(set), _) => set.parse().unwrap_or(Selector::Latest),
            (None, None) => made().map_or(Selector::Latest, Selector::Id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn nothing_is_older_than_a_date_can_be() {
        for (time, good) in [("7d", true), ("100y", true), ("300000y", false)] {
            let args = Args::try_parse_from(["th-restore", "gc", "--older-than", time]);
            assert_eq!(args.is_ok(), good, "{time}");
        }
    }

    #[test]
    fn a_set_and_a_time_exclude_each_other_but_not_the_input() {
        let understood = |args: &[&str]| {
            let line = ["th-restore"].iter().chain(args);
            Args::try_parse_from(line).and_then(Args::understood)
        };
        let at = ["--at", "2026-11-23T02:00:00Z"];
        for command in ["verify", "apply"] {
            for args in [&[command, at[0], at[1], "-"], &[command, "-", at[0], at[1]]] {
                let args = understood(args).unwrap();
                assert_eq!(args.input().input.as_deref(), Some("-"));
            }
        }
        for command in ["show", "verify", "apply"] {
            let error = understood(&[command, "latest", at[0], at[1]]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
        }
    }
}
