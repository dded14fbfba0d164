//! How two documents differ, flag by flag, for people.
//!
//! Stamps do not count: they say when something changed, not what. **Invariants:** nothing is listed exactly when the
//! documents mean the same; the order is stable.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::document::{FlagDocument, FlagKey};
use crate::facts::{Fact, facts};

/// How one flag differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagDifference {
    /// The flag.
    pub flag: FlagKey,
    /// Whether it is there before and after.
    pub kind: DifferenceKind,
    /// What differs, in the order of the flag's lines.
    pub differences: Vec<Difference>,
}

/// Whether a flag is there before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Only after.
    Added,
    /// Only before.
    Removed,
    /// Both times.
    Changed,
}

impl DifferenceKind {
    /// The word for it, such as `added`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One difference: a text that was, one that is, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// About what: `enabled`, `value colour`, `variant beta: rule`.
    pub subject: String,
    /// What was.
    pub before: Option<String>,
    /// What is.
    pub after: Option<String>,
}

/// `subject: before → after`, where one of them may be missing.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.subject)?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{before} → {after}"),
            (Some(only), None) | (None, Some(only)) => f.write_str(only),
            (None, None) => Ok(()),
        }
    }
}

/// The flags that differ between two documents, in the order of their keys.
#[must_use]
pub fn diff(before: &FlagDocument, after: &FlagDocument) -> Vec<FlagDifference> {
    let keys: BTreeSet<&FlagKey> = [before, after].iter().flat_map(|document| document.keys()).collect();
    keys.into_iter().filter_map(|key| of_flag(key, before, after)).collect()
}

impl FlagDocument {
    /// The keys of all flags, defined or set; a key that is both comes twice.
    fn keys(&self) -> impl Iterator<Item = &FlagKey> {
        self.flags.keys().chain(self.values.keys())
    }

    fn has(&self, key: &FlagKey) -> bool {
        self.flags.contains_key(key) || self.values.contains_key(key)
    }
}

fn of_flag(key: &FlagKey, before: &FlagDocument, after: &FlagDocument) -> Option<FlagDifference> {
    let kind = match (before.has(key), after.has(key)) {
        (false, _) => DifferenceKind::Added,
        (true, false) => DifferenceKind::Removed,
        (true, true) => DifferenceKind::Changed,
    };
    let differences = compare(facts(before, key.as_str()), facts(after, key.as_str()));
    let same = kind == DifferenceKind::Changed && differences.is_empty();
    (!same).then(|| FlagDifference { flag: key.clone(), kind, differences })
}

fn compare(before: Vec<Fact>, after: Vec<Fact>) -> Vec<Difference> {
    let mut gone: BTreeMap<String, String> =
        before.iter().map(|fact| (fact.subject.clone(), fact.text.clone())).collect();
    let mut differences: Vec<Difference> = Vec::new();
    for Fact { subject, text } in after {
        let before = gone.remove(&subject);
        if before.as_ref() != Some(&text) {
            differences.push(Difference { subject, before, after: Some(text) });
        }
    }
    let in_order = before.into_iter().filter(|fact| gone.contains_key(&fact.subject));
    differences.extend(in_order.map(|Fact { subject, text }| Difference {
        subject,
        before: Some(text),
        after: None,
    }));
    differences
}
