//! The table of figures and bounds.

use anyhow::{Result, ensure};

/// Rows of a Markdown table.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 3]>,
    missed: Vec<String>,
}

impl Table {
    /// Adds a figure that has a bound.
    pub(crate) fn row(&mut self, what: &str, measured: &str, bound: &str, holds: bool) {
        let measured = measured.trim_end_matches(" {}").trim_end_matches(" []");
        if !holds {
            self.missed.push(format!("{what}: {measured}, not {bound}"));
        }
        let measured = if holds {
            measured.to_owned()
        } else {
            format!("**{measured}**")
        };
        self.rows
            .push([what.to_owned(), measured, bound.to_owned()]);
    }

    /// Adds a figure without one.
    pub(crate) fn info(&mut self, what: &str, measured: String) {
        self.rows.push([what.to_owned(), measured, String::new()]);
    }

    pub(crate) fn print(&self) {
        println!("| figure | measured | bound |\n|---|---|---|");
        for [what, measured, bound] in &self.rows {
            println!("| {what} | {measured} | {bound} |");
        }
    }

    /// Fails when a bound was missed.
    pub(crate) fn verdict(&self) -> Result<()> {
        ensure!(self.missed.is_empty(), "missed: {}", self.missed.join("; "));
        Ok(())
    }
}

/// Returns the middle one; of none it is no number, which is within no bound.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
