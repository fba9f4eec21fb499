//! RESTORE.md: the commands that restore a set by hand, should these tools not be at hand.

mod database;

use std::fmt::Write;

use th_archive::LISTING;
use th_record::{CONFIG, Manifest};

/// The shell script that restores the files of a set by hand. It is run in the set's directory;
/// the variables `to` and `work` say where to.
pub const RESTORE_FILES: &str = include_str!("notes/files.sh");

/// Returns RESTORE.md for a set: what to type, with the names of this very set.
pub fn restore_notes(manifest: &Manifest) -> String {
    let mut notes = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut notes, manifest);
    notes
}

fn write(notes: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let app = manifest.app.as_deref().unwrap_or("an application");
    let environment = manifest.environment.as_deref();
    let of = environment.map_or(String::new(), |name| format!(", environment {name}"));
    writeln!(notes, "# Restore the set {} by hand\n", manifest.id)?;
    writeln!(
        notes,
        "A backup of {app}{of}, as it was at {}, written by {}.",
        manifest.started_at.format("%Y-%m-%d %H:%M:%S UTC"),
        manifest.writer
    )?;
    writeln!(
        notes,
        "`th-restore` does all of this and checks it. Without it, run the commands below in the \
         directory that this file is in.\n"
    )?;
    sums(notes, manifest)?;
    if let Some(database) = &manifest.database {
        database::write(notes, manifest, database)?;
    }
    if let Some(files) = &manifest.files
        && manifest.object(LISTING).is_some()
    {
        writeln!(notes, "## Files\n")?;
        writeln!(
            notes,
            "{} files, {} bytes, that were in `{}`. Set `to` and `work` first.\n",
            files.count, files.total_bytes, files.root
        )?;
        writeln!(notes, "```sh\n{RESTORE_FILES}```\n")?;
    }
    if let Some(config) = &manifest.config
        && let Some(object) = manifest.object(CONFIG)
    {
        writeln!(notes, "## Configuration\n")?;
        writeln!(
            notes,
            "{} files that were in `{}`. Look at them before they replace others.\n",
            config.names.len(),
            config.root
        )?;
        let plain = plain(&object.name);
        writeln!(
            notes,
            "```sh\nmkdir config\n{plain} | tar -x -f - -C config\n```\n"
        )?;
    }
    Ok(())
}

fn sums(notes: &mut String, manifest: &Manifest) -> std::fmt::Result {
    writeln!(notes, "## Check that nothing is damaged\n")?;
    writeln!(notes, "```sh\nsha256sum -c SHA256SUMS")?;
    if manifest.files.is_some() {
        writeln!(
            notes,
            "# A pack is named by its hash; one that was rewritten is a link to another.\n\
             jq -r '.files.packs[].name' manifest.json | while read -r pack; do\n  \
             pack=$(realpath \"../../packs/$pack\") && name=${{pack##*/}} && \
             echo \"${{name%%.*}}  $pack\"\n\
             done | sha256sum -c -"
        )?;
    }
    writeln!(notes, "```\n")
}

/// Returns the command that prints what the object `name` held before compression.
fn plain(name: &str) -> String {
    let program = match name.rsplit_once('.') {
        Some((_, "zst")) => "zstd -dc",
        Some((_, "gz")) => "gzip -dc",
        _ => "cat",
    };
    format!("{program} {name}")
}
