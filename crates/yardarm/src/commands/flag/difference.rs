//! Differences of documents: lines for people, coloured for terminals, and members for programs.

use crate::terminal::{Colour, Palette, printable};
use serde::Serialize;
use yardarm_flags::{Difference, DifferenceKind, FlagDifference};

/// One line for each flag and for each difference: `+` for what is new, `-` for what is gone, `~` for what is different.
pub(super) fn lines(differences: &[FlagDifference], palette: Palette) -> Vec<String> {
    differences.iter().flat_map(|flag| of_flag(flag, palette)).collect()
}

fn of_flag(flag: &FlagDifference, palette: Palette) -> Vec<String> {
    let (mark, colour) = match flag.kind {
        DifferenceKind::Added => ('+', Colour::Green),
        DifferenceKind::Removed => ('-', Colour::Red),
        DifferenceKind::Changed => ('~', Colour::Yellow),
    };
    let head = palette.paint(colour, &format!("{mark} {} ({})", flag.flag, flag.kind.as_str()));
    let below = flag.differences.iter().map(|difference| {
        let (mark, colour) = match (&difference.before, &difference.after) {
            (None, _) => ('+', Colour::Green),
            (Some(_), None) => ('-', Colour::Red),
            (Some(_), Some(_)) => ('~', Colour::Yellow),
        };
        format!("  {}", palette.paint(colour, &format!("{mark} {}", printable(&difference.to_string()))))
    });
    [head].into_iter().chain(below).collect()
}

/// How one flag differs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FlagReport<'d> {
    flag: &'d str,
    kind: &'static str,
    differences: Vec<DifferenceReport<'d>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DifferenceReport<'d> {
    subject: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'d str>,
}

/// For programs.
pub(super) fn report(differences: &[FlagDifference]) -> Vec<FlagReport<'_>> {
    differences
        .iter()
        .map(|flag| FlagReport {
            flag: flag.flag.as_str(),
            kind: flag.kind.as_str(),
            differences: flag.differences.iter().map(DifferenceReport::of).collect(),
        })
        .collect()
}

impl<'d> DifferenceReport<'d> {
    fn of(difference: &'d Difference) -> Self {
        let Difference { subject, before, after } = difference;
        Self { subject, before: before.as_deref(), after: after.as_deref() }
    }
}
