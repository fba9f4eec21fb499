//! A tool's man page: its command line, the exit statuses, and the tool's own man.roff.

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;
use th_record::Exit;

use crate::generated::Generated;

/// The day of the release, so that a page is the same on every day it is generated.
pub(crate) const DATE: &str = "2026-11-24";

/// Adds the page of `tool`.
pub(crate) fn add(tool: &Command, generated: &mut Generated) -> anyhow::Result<()> {
    let name = tool.get_name();
    let man = Man::new(tool.clone())
        .title(name.to_uppercase())
        .section("1")
        .date(DATE)
        .source(source())
        .manual("th manual");
    let mut page = part(|out| man.render_title(out))?;
    page += &part(|out| man.render_name_section(out))?;
    page += &synopsis(tool);
    page += &part(|out| man.render_description_section(out))?;
    page += &options(tool, true)?;
    if tool.has_subcommands() {
        page += ".SH COMMANDS\n";
    }
    for command in tool.get_subcommands() {
        page += &subcommand(command)?;
    }
    page += &exit_status();
    page += &generated.source(&format!("tools/{name}/man.roff"))?;
    generated.add(format!("man/{name}.1"), page);
    Ok(())
}

/// Returns the name of the release.
pub(crate) fn source() -> String {
    concat!("th ", env!("CARGO_PKG_VERSION")).to_owned()
}

/// Returns the section that lists every exit status.
pub(crate) fn exit_status() -> String {
    let mut section = ".SH EXIT STATUS\n".to_owned();
    for (exit, meaning) in Exit::ALL {
        section += &format!(".TP 5\n.B {}\n{meaning}\n", exit.code());
    }
    section += ".PP\nWith 1, 2 and 10 to 13, nothing was changed; with 14, nothing live was: \
                a set may have been stored,\nor what was proven of one noted, as \\fBchanged\\fR says.\n";
    section += "The status is also in the record's\n.IR error.exit .\n";
    section
}

/// Escapes `text` for a line of its own.
pub(crate) fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}

fn synopsis(tool: &Command) -> String {
    let mut section = ".SH SYNOPSIS\n".to_owned();
    if tool.has_subcommands() {
        // What it does without a command.
        let alone = (!tool.is_subcommand_required_set()).then_some(tool);
        for (n, command) in alone.into_iter().chain(tool.get_subcommands()).enumerate() {
            section += if n == 0 { "" } else { ".br\n" };
            section += &usage(command);
        }
    } else {
        section += &usage(tool);
    }
    section
}

/// Returns the usage line, the words that are typed as they are in bold.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    // Others of the tool are those of its commands.
    let usage = usage.lines().next().unwrap_or_default();
    let usage = usage.trim_start_matches("Usage: ");
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let rest = usage.strip_prefix(name).unwrap_or(usage).trim();
    let rest = rest.replace("[OPTIONS]", "[\\fIoptions\\fR]");
    format!(
        "\\fB{}\\fR {}\n",
        escape(name),
        rest.replace('-', "\\-")
            .replace("[\\-]", "[\\fB\\-\\fR]")
            .replace("<\\->", "\\fB\\-\\fR")
    )
}

fn subcommand(command: &Command) -> anyhow::Result<String> {
    let about = command
        .get_about()
        .context("a command says what it does")?
        .to_string();
    let own = command.clone().disable_help_flag(true).mut_args(|arg| {
        let everywhere = arg.is_global_set() || arg.get_id() == "help";
        arg.hide(everywhere)
    });
    let about = escape(&about);
    Ok(format!(
        ".SS {}\n{about}.\n{}",
        escape(command.get_name()),
        options(&own, false)?
    ))
}

/// Returns the options. Their headings become subsections of OPTIONS, or of a command nothing.
fn options(command: &Command, headings: bool) -> anyhow::Result<String> {
    // `-` as the only value is named already.
    let man = Man::new(command.clone().mut_args(|arg| {
        let alone = arg.get_possible_values().len() == 1;
        arg.hide_possible_values(alone)
    }));
    let mut section = if headings {
        ".SH OPTIONS\n".to_owned()
    } else {
        String::new()
    };
    for line in part(|out| man.render_options_section(out))?.lines() {
        match line.strip_prefix(".SH ") {
            Some("OPTIONS") => {}
            Some(heading) if headings => {
                let (first, rest) = heading.trim_matches('"').split_at(1);
                section += &format!(".SS {first}{}\n", rest.to_lowercase());
            }
            Some(_) => {}
            None => section += &format!("{}\n", line.trim_end()),
        }
    }
    Ok(section)
}

/// Returns what `render` writes, without the preamble that each part repeats.
fn part(
    render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> anyhow::Result<String> {
    let mut out = Vec::new();
    render(&mut out)?;
    let text = String::from_utf8(out)?;
    let preamble = |line: &&str| line.starts_with(".ie \\n(.g") || line.starts_with(".el .ds Aq");
    let text: String = text
        .lines()
        .filter(|line| !preamble(line))
        .fold(String::new(), |text, line| text + line + "\n");
    // Without the preamble there is no string Aq; one empty line before a list will do.
    Ok(text
        .replace("\\*(Aq", "\\(aq")
        .replace(".br\n\n.br\n", ".sp\n"))
}
