//! What is written: a verdict for each claim, then the figures behind them.

use crate::machine::Machine;
use std::fmt::Write;

/// A claim and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    what: String,
    target: String,
    measured: String,
    met: bool,
}

impl Verdict {
    /// `measured` should be at most `target`.
    pub(crate) fn at_most(what: impl Into<String>, target: f64, unit: &str, measured: f64) -> Self {
        Self::new(what, format!("≤ {target}{unit}"), measured, unit, measured <= target)
    }

    /// `measured` should be at least `target`.
    pub(crate) fn at_least(what: impl Into<String>, target: f64, unit: &str, measured: f64) -> Self {
        Self::new(what, format!("≥ {target}{unit}"), measured, unit, measured >= target)
    }

    fn new(what: impl Into<String>, target: String, measured: f64, unit: &str, met: bool) -> Self {
        Self { what: what.into(), target, measured: format!("{measured:.2}{unit}"), met }
    }
}

/// The figures of one part.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// Its heading.
    pub(crate) title: &'static str,
    /// How it was measured; Markdown.
    pub(crate) method: String,
    /// Column heads.
    pub(crate) columns: Vec<&'static str>,
    /// Rows.
    pub(crate) rows: Vec<Vec<String>>,
    /// What it says about the claims.
    pub(crate) verdicts: Vec<Verdict>,
}

/// The report of a run, Markdown.
pub(crate) fn render(machine: &Machine, setting: &str, sections: &[Section]) -> String {
    let mut text =
        String::from("# Results\n\nWritten by `make bench`; how to read them: [README](README.md).\n\n");
    text.push_str("| | |\n|---|---|\n");
    for (name, value) in &machine.lines {
        row(&mut text, &[(*name).to_owned(), value.clone()]);
    }
    let _ = writeln!(text, "\n{setting}\n\n| claim | target | measured | |\n|---|---|---|---|");
    for verdict in sections.iter().flat_map(|section| &section.verdicts) {
        let met = if verdict.met { "met" } else { "**missed**" };
        row(&mut text, &[verdict.what.clone(), verdict.target.clone(), verdict.measured.clone(), met.into()]);
    }
    for section in sections {
        let _ = writeln!(text, "\n## {}\n\n{}\n", section.title, section.method);
        let columns: Vec<String> = section.columns.iter().map(|&column| column.to_owned()).collect();
        row(&mut text, &columns);
        let _ = writeln!(text, "|{}", "---|".repeat(columns.len()));
        for cells in &section.rows {
            row(&mut text, cells);
        }
    }
    text
}

fn row(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}
