//! Running a tool on a terminal.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::Tool;
use crate::tool::code;

/// How a run on a terminal ended.
#[derive(Debug)]
pub struct Shown {
    /// The exit status; 128 and the number if a signal ended it.
    pub code: i32,
    /// All that appeared, with its control sequences.
    pub text: String,
}

impl Tool {
    /// Runs the tool with all its streams on a pseudo-terminal 200 columns wide, but for what
    /// `redirect` sends elsewhere, such as `>file` or `| head -0`.
    ///
    /// # Errors
    /// When `script` cannot be run.
    pub fn run_on_terminal(self, redirect: &str) -> Result<Shown> {
        let mut words = vec![quoted(self.command.get_program())?];
        for arg in self.command.get_args() {
            words.push(quoted(arg)?);
        }
        let line = format!("stty cols 200; {} {redirect}", words.join(" "));
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-c", &line, "/dev/null"]);
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let output = script
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .context("cannot run script: it is in the package bsdutils")?;
        Ok(Shown {
            code: code(output.status),
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
        })
    }
}

fn quoted(word: &std::ffi::OsStr) -> Result<String> {
    let word = word.to_str().context("not UTF-8")?;
    Ok(format!("'{}'", word.replace('\'', r"'\''")))
}
