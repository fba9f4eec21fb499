//! What was typed.

use std::time::Duration;

use clap::Parser;
use th_archive::{BadCompression, Compression, Exclude};
use th_cli::{InputArgs, OutputArgs};
use th_config::{Environment, TargetArgs};
use th_record::{Level, Tag};

use crate::Error;

const DEFAULT_COMPRESSION: &str = "zstd:3";

/// Back up a PostgreSQL database and its files as one set of one instant, and prove it
///
/// The set holds a dump of one snapshot, the roles, the files, the configuration, and a manifest
/// with the row count and a digest of every table. Files that an earlier set holds are not stored
/// again. Nothing of a set is visible before all of it is on disk.
#[derive(Debug, Parser)]
#[command(name = "th-backup", version)]
pub struct Args {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Leave the database out
    #[arg(long, conflicts_with = "no_files")]
    pub(crate) no_db: bool,
    /// Leave the files out
    #[arg(long)]
    pub(crate) no_files: bool,
    /// Leave out files whose path matches, besides those of the configuration
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Prove the set to this level: bytes, decode, restore, content, app, or none
    #[arg(long, value_name = "LEVEL", default_value = "decode", value_parser = level)]
    pub(crate) prove: Wanted,
    /// Label the set; may be repeated
    #[arg(long, value_name = "K=V", value_parser = tag)]
    pub(crate) tag: Vec<Tag>,
    /// Let no retention policy delete the set
    #[arg(long)]
    pub(crate) pin: bool,
    /// Compress by zstd:1 to zstd:19, gzip:1 to gzip:9, or none [default: zstd:3]
    #[arg(long, value_name = "METHOD")]
    pub(crate) compression: Option<String>,
    /// Read no more than this many bytes a second, as 500k, 20M or 1G
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) bandwidth: Option<u64>,
    /// Give up on a table that another session keeps locked for this long
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = th_config::duration)]
    pub(crate) lock_wait: Duration,
    /// How to say what was done.
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub(crate) input: InputArgs,
}

impl Args {
    /// Parses the command line.
    pub fn from_command_line() -> Self {
        Self::parse()
    }

    /// Returns the place in a chain.
    pub fn input(&self) -> InputArgs {
        self.input.clone()
    }

    /// Resolves the target, less what the flags leave out.
    pub(crate) fn resolve(&self) -> Result<Environment, Error> {
        let mut env = self.target.resolve()?;
        if self.no_db {
            env.database = None;
            env.files.references = None;
        }
        if self.no_files {
            env.files.uploads = None;
            env.files.references = None;
        }
        Ok(env)
    }

    /// Returns what to leave out: what the configuration names, and what the flags do.
    pub(crate) fn exclude(&self, env: &Environment) -> Result<Exclude, Error> {
        let configured = &env.files.exclude;
        Exclude::new(configured).map_err(|error| {
            let (setting, message) = ("files.exclude", error.to_string());
            env.locate(th_config::Error::Value { setting, message })
        })?;
        let all: Vec<&String> = configured.iter().chain(&self.exclude).collect();
        Ok(Exclude::new(&all)?)
    }

    /// Returns how to compress: the flag, else the configuration, else the default.
    pub(crate) fn compression(&self, env: &Environment) -> Result<Compression, Error> {
        let (setting, text) = match (&self.compression, &env.backup.compression) {
            (Some(flag), _) => ("--compression", flag.as_str()),
            (None, Some(key)) => ("backup.compression", key.as_str()),
            (None, None) => ("--compression", DEFAULT_COMPRESSION),
        };
        text.parse().map_err(|error: BadCompression| {
            let message = error.to_string();
            env.locate(th_config::Error::Value { setting, message })
                .into()
        })
    }
}

/// The level to prove, if any. Its own type, since clap takes `Option` for an optional flag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted(pub(crate) Option<Level>);

fn level(text: &str) -> Result<Wanted, String> {
    if text == "none" {
        Ok(Wanted(None))
    } else {
        text.parse().map(|level| Wanted(Some(level)))
    }
}

fn tag(text: &str) -> Result<Tag, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(Tag {
            name: name.to_owned(),
            value: value.to_owned(),
        }),
        _ => Err("a tag is written name=value".to_owned()),
    }
}

fn rate(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    match number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
    {
        Some(rate @ 1..) => Ok(rate),
        _ => Err("a rate is a number of bytes a second, as 500k, 20M or 1G".to_owned()),
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
    fn rates_and_tags_are_checked() {
        assert_eq!(rate("20M"), Ok(20 << 20));
        assert_eq!(rate("17"), Ok(17));
        for bad in ["", "0", "M", "-1", "1T", "99999999999G"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        assert!(tag("a=b=c").is_ok_and(|tag| tag.value == "b=c"));
        assert!(tag("=b").is_err() && tag("ab").is_err());
    }
}
