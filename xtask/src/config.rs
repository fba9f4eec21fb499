//! th.toml(5), from docs/configuration.md.

use std::fmt::Write;

use anyhow::Context;

use crate::generated::Generated;
use crate::man;

const PATH: &str = "docs/configuration.md";

/// Adds the page.
pub(crate) fn add(generated: &mut Generated) -> anyhow::Result<()> {
    let manual = generated.source(PATH)?;
    let mut page = format!(
        ".TH TH.TOML 5 {} \"{}\" \"th manual\"\n\
         .SH NAME\nth.toml \\- what th tools act on\n.SH DESCRIPTION\n",
        man::DATE,
        man::source(),
    );
    // The title is the NAME already.
    for block in manual.split("\n\n").skip(1) {
        write_block(&mut page, block.trim())?;
    }
    page += ".SH SEE ALSO\n.BR th\\-backup (1),\n.BR th\\-prune (1),\n.BR th\\-restore (1),\n.BR th\\-swap (1)\n";
    generated.add("man/th.toml.5", page);
    Ok(())
}

/// Writes a heading, a table of keys or a paragraph.
fn write_block(page: &mut String, block: &str) -> anyhow::Result<()> {
    if let Some(heading) = block.strip_prefix("## ") {
        writeln!(page, ".SH {}", man::escape(&heading.replace('`', "")))?;
        return Ok(());
    }
    let Some(table) = block.strip_prefix("| key ") else {
        writeln!(page, ".PP\n{}", words(&block.replace('\n', " ")))?;
        return Ok(());
    };
    for row in table.lines().skip(2) {
        let row = row.trim_matches('|').trim();
        let cells = row
            .split_once(" | ")
            .and_then(|(key, rest)| Some((key, rest.split_once(" | ")?)));
        let (key, (default, text)) = cells.context("a row has three cells")?;
        let default = words(default);
        writeln!(page, ".TP\n{} ({default})\n{}", words(key), words(text))?;
    }
    Ok(())
}

/// Returns Markdown's words with what is in backticks bold.
fn words(text: &str) -> String {
    let parts = text.split('`').map(man::escape).enumerate();
    parts
        .map(|(n, part)| match n % 2 {
            0 => part,
            _ => format!("\\fB{part}\\fR"),
        })
        .collect()
}
