//! What is wrong with a flag document, and where.
//!
//! The service names a place by a dotted path (`values.feature.color`), and clients match on its beginning; people and
//! editors need the place in their text. So every [`Violation`] carries both. While a document is read a place is a
//! [`Place`], a chain on the stack that costs nothing until something is wrong; [`Report`] collects and, at the end,
//! looks up all positions in one pass.
//!
//! **Invariant:** the answer is bounded, whatever the document: at most [`MAX_VIOLATIONS`], each text cut short.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::json_position::{self, Step, Target, TextPosition};
use crate::rule::Diagnostic;

/// Violations listed for one document; more are counted, not listed.
pub const MAX_VIOLATIONS: usize = 100;

/// Longest text of a value, a location or a pointer in a violation, in characters.
const MAX_TEXT_CHARS: usize = 2048;

/// Longest text of a rule beside each of its errors, in characters.
const MAX_CUT_CHARS: usize = 100;

/// Why bytes are not a flag document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// More bytes than any document may have.
    #[error("a flag document has at most {limit} bytes, this one has {size}")]
    TooLarge {
        /// The most that is read, in bytes.
        limit: usize,
        /// What was given, in bytes.
        size: usize,
    },
    /// Not JSON, not UTF-8, or nested deeper than 128.
    #[error("malformed JSON at {at}: {message}")]
    Malformed {
        /// What the parser expected.
        message: String,
        /// Where it stopped.
        at: TextPosition,
    },
    /// JSON, but not a legal flag document.
    #[error(transparent)]
    Invalid(#[from] Violations),
}

/// Everything found wrong with one document, in the order of checking. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations {
    /// The first [`MAX_VIOLATIONS`].
    pub listed: Vec<Violation>,
    /// How many more there are.
    pub omitted: usize,
}

impl std::error::Error for Violations {}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.listed.len() + self.omitted;
        write!(f, "{total} {} in the flag document", if total == 1 { "violation" } else { "violations" })?;
        match self.listed.first() {
            Some(first) => write!(f, "; first: {first}"),
            None => Ok(()),
        }
    }
}

/// One broken constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The constraint by the service's name, such as `OneOf(blue, green)`.
    pub constraint: String,
    /// The service's dotted path, such as `values.feature.color`. It may name something the text has not, for example
    /// a missing attribute.
    pub location: String,
    /// Whether the value has the wrong JSON type or breaks a constraint.
    pub kind: ViolationKind,
    /// The offending value: a string as it is, anything else as JSON, nothing as the empty string.
    pub value: String,
    /// More detail, where the constraint has any: for a rule the service's word for what is wrong with it.
    pub reason: Option<String>,
    /// What is wrong and what to do about it, in words, where the constraint does not say it all.
    pub message: Option<String>,
    /// JSON pointer (RFC 6901) to the offending value or, when something is missing, to where it is missing.
    pub pointer: String,
    /// Where that is in the text: the key for a bad key, else the beginning of the value.
    pub at: Option<TextPosition>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at {}",
            self.constraint,
            if self.location.is_empty() { "the top" } else { &self.location }
        )?;
        match self.at {
            Some(at) => write!(f, " ({at})"),
            None => Ok(()),
        }
    }
}

/// The service's two types of violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationKind {
    /// A constraint is not satisfied.
    NotSatisfied,
    /// `enabled` has the wrong JSON type.
    Invalid,
}

impl ViolationKind {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSatisfied => "NotSatisfied",
            Self::Invalid => "Invalid",
        }
    }
}

/// A place in the document: how the service calls it, and how the text gets there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    /// The segment of the dotted path; `None` at the top.
    name: Option<Name<'a>>,
    step: Option<InText<'a>>,
}

#[derive(Clone, Copy, Debug)]
enum Name<'a> {
    Text(&'a str),
    Index(usize),
}

#[derive(Clone, Copy, Debug)]
enum InText<'a> {
    Member(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    pub(crate) const TOP: Place<'static> = Place { parent: None, name: None, step: None };

    /// The member `key`.
    pub(crate) fn member(&'a self, key: &'a str) -> Place<'a> {
        Place { parent: Some(self), name: Some(Name::Text(key)), step: Some(InText::Member(key)) }
    }

    /// The element at `index`.
    pub(crate) fn index(&'a self, index: usize) -> Place<'a> {
        Place { parent: Some(self), name: Some(Name::Index(index)), step: Some(InText::Index(index)) }
    }

    /// The element at `index`, which the service calls `name`.
    pub(crate) fn index_named(&'a self, index: usize, name: &'a str) -> Place<'a> {
        Place { parent: Some(self), name: Some(Name::Text(name)), step: Some(InText::Index(index)) }
    }

    /// A segment of the service's path that has no counterpart in the text.
    pub(crate) fn named(&'a self, name: &'a str) -> Place<'a> {
        Place { parent: Some(self), name: Some(Name::Text(name)), step: None }
    }

    fn chain(&self) -> Vec<&Place<'a>> {
        let mut chain = vec![self];
        let mut next = self.parent;
        while let Some(place) = next {
            chain.push(place);
            next = place.parent;
        }
        chain.reverse();
        chain
    }

    fn location(&self) -> String {
        let names = self.chain().into_iter().filter_map(|place| place.name);
        let texts: Vec<Cow<'_, str>> = names
            .map(|name| match name {
                Name::Text(text) => Cow::Borrowed(text),
                Name::Index(index) => Cow::Owned(index.to_string()),
            })
            .collect();
        texts.join(".")
    }

    fn steps(&self) -> Vec<Step<'static>> {
        let steps = self.chain().into_iter().filter_map(|place| place.step);
        steps
            .map(|step| match step {
                InText::Member(key) => Step::Member(Cow::Owned(key.to_owned())),
                InText::Index(index) => Step::Index(index),
            })
            .collect()
    }
}

/// Collects violations while a document is read.
#[derive(Debug, Default)]
pub(crate) struct Report {
    listed: Vec<(Violation, Vec<Step<'static>>, Target)>,
    omitted: usize,
}

impl Report {
    /// `value` breaks `constraint`.
    pub(crate) fn add(&mut self, place: &Place<'_>, constraint: impl fmt::Display, value: &Value) {
        self.push(place, constraint, ViolationKind::NotSatisfied, || text_of(value), Target::Value);
    }

    /// `value` has the wrong JSON type.
    pub(crate) fn add_invalid(&mut self, place: &Place<'_>, constraint: impl fmt::Display, value: &Value) {
        self.push(place, constraint, ViolationKind::Invalid, || text_of(value), Target::Value);
    }

    /// The key of the member at `place` breaks `constraint`.
    pub(crate) fn add_key(&mut self, place: &Place<'_>, constraint: impl fmt::Display, key: &str) {
        self.push(place, constraint, ViolationKind::NotSatisfied, || key.to_owned(), Target::Key);
    }

    /// The rule at `place` has errors: once for the rule, and once for each of them.
    pub(crate) fn add_rule(&mut self, place: &Place<'_>, rule: &str, diagnostics: &[Diagnostic]) {
        self.push(place, "Empty", ViolationKind::NotSatisfied, || rule.to_owned(), Target::Value);
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
            let within = place.named(&diagnostic.location);
            let location = if diagnostic.location.is_empty() { place } else { &within };
            let target = Target::Inside(diagnostic.span.start);
            let added = self.push(location, "RuleIsValid", ViolationKind::NotSatisfied, || cut(rule), target);
            if let Some(violation) = added {
                violation.reason = Some(diagnostic.code.as_str().to_owned());
                violation.message = Some(diagnostic.to_string());
            }
        }
    }

    /// Something is missing at `place`.
    pub(crate) fn add_missing(&mut self, place: &Place<'_>, constraint: impl fmt::Display) {
        self.push(place, constraint, ViolationKind::NotSatisfied, String::new, Target::Value);
    }

    fn push(
        &mut self,
        place: &Place<'_>,
        constraint: impl fmt::Display,
        kind: ViolationKind,
        value: impl FnOnce() -> String,
        target: Target,
    ) -> Option<&mut Violation> {
        if self.listed.len() >= MAX_VIOLATIONS {
            self.omitted += 1;
            return None;
        }
        let steps = place.steps();
        let violation = Violation {
            constraint: shortened(constraint.to_string()),
            location: shortened(place.location()),
            kind,
            value: shortened(value()),
            reason: None,
            message: None,
            pointer: shortened(json_position::pointer(&steps)),
            at: None,
        };
        self.listed.push((violation, steps, target));
        self.listed.last_mut().map(|(violation, ..)| violation)
    }

    /// All violations with their places in `text`; `None` if there are none.
    pub(crate) fn into_violations(self, text: &str) -> Option<Violations> {
        if self.listed.is_empty() {
            return None;
        }
        let wanted: Vec<(&[Step<'_>], Target)> =
            self.listed.iter().map(|(_, steps, target)| (steps.as_slice(), *target)).collect();
        let positions = json_position::locate_nearest(text, &wanted);
        let listed = self
            .listed
            .into_iter()
            .zip(positions)
            .map(|((violation, ..), at)| Violation { at, ..violation })
            .collect();
        Some(Violations { listed, omitted: self.omitted })
    }
}

/// A rule as the service repeats it beside its errors.
fn cut(rule: &str) -> String {
    match rule.char_indices().nth(MAX_CUT_CHARS) {
        Some(_) => rule.chars().take(MAX_CUT_CHARS - 3).collect::<String>() + "...",
        None => rule.to_owned(),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some(_) => {
            let kept: String = text.chars().take(MAX_TEXT_CHARS - 3).collect();
            kept + "..."
        }
        None => text,
    }
}
