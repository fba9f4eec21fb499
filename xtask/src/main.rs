//! `cargo xtask gen`: man pages, completions, schemas and the field tables of docs/records.md.

#![allow(
    clippy::print_stdout,
    reason = "a developer's program, which speaks to a person"
)]

mod completions;
mod config;
mod fields;
mod generated;
mod man;
mod records;
mod schemas;
mod tools;

use std::path::Path;

use anyhow::{Context, bail};
use clap::Parser;

use generated::Generated;

/// Generate the committed files that are made from the source
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
enum Args {
    /// Write man/, completions/, schemas/ and the field tables of docs/records.md
    Gen {
        /// Write nothing; name what is stale and fail
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let Args::Gen { check } = Args::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no workspace")?;
    let mut generated = Generated::new(root);
    let schemas = schemas::all();
    for schema in &schemas {
        generated.add(format!("schemas/{}.v1.json", schema.name), schema.json()?);
    }
    for tool in tools::all() {
        man::add(&tool, &mut generated)?;
        completions::add(&tool, &mut generated)?;
    }
    config::add(&mut generated)?;
    records::add(&schemas, &mut generated)?;

    let stale = generated.stale()?;
    if !check {
        return generated.write(&stale);
    }
    for path in &stale {
        println!("stale: {}", path.display());
    }
    if !stale.is_empty() {
        bail!("{} stale files: run `cargo xtask gen`", stale.len());
    }
    Ok(())
}
