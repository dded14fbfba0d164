//! What is wrong with a rule, said so that its author can act on it.
//!
//! An error keeps a document from being stored, and its code is the service's `Reason`. A warning is about a rule that
//! is legal but hardly meant; it keeps nothing from anybody. **Invariant:** bounded, whatever the rule: at most
//! [`MAX_DIAGNOSTICS`], and quoted text is cut short.

use std::fmt;

use super::syntax::Span;
use crate::json_position::{TextPosition, position_at};

/// Diagnostics given for one rule; more are not told.
pub const MAX_DIAGNOSTICS: usize = 20;

/// Longest quotation of the rule in a message, in characters.
const MAX_QUOTED_CHARS: usize = 40;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The text is not one well-formed s-expression.
    NotAnExpression,
    /// An operator that does not exist, or a bare word where a value belongs.
    UnknownSymbol,
    /// An operator has too few operands.
    TooFewOperands,
    /// An operator has too many operands, or a list too many members.
    TooManyOperands,
    /// An operand the operator cannot take.
    InvalidOperand,
    /// A named operand is missing.
    MissingOperand,
    /// A regular expression that does not compile.
    InvalidPattern,
    /// A percentage that is not a number from 0 to 100.
    InvalidPercentage,
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// Warning: this can never be true.
    NeverTrue,
    /// Warning: this is always true, so nothing after it is reached.
    AlwaysTrue,
    /// Warning: a variant above takes everybody whom this rule would select.
    NeverReached,
    /// Warning: a number in quotation marks is ordered as text.
    OrderedAsText,
    /// Warning: a split by something that is the same for everybody.
    ConstantSplit,
    /// Warning: a number, boolean or timestamp where text is compared.
    ComparedAsText,
    /// Warning: `exists` is asked for a key that is written like `$key`.
    SuspiciousKey,
}

impl Code {
    /// The word on the wire, where errors go; the name of a warning.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnExpression => "NotAnExpression",
            Self::UnknownSymbol => "UnknownSymbol",
            Self::TooFewOperands => "TooFewOperands",
            Self::TooManyOperands => "TooManyOperands",
            Self::InvalidOperand => "InvalidOperand",
            Self::MissingOperand => "MissingOperand",
            Self::InvalidPattern => "InvalidPattern",
            Self::InvalidPercentage => "InvalidPercentage",
            Self::TooDeep => "TooDeep",
            Self::NeverTrue => "NeverTrue",
            Self::AlwaysTrue => "AlwaysTrue",
            Self::NeverReached => "NeverReached",
            Self::OrderedAsText => "OrderedAsText",
            Self::ConstantSplit => "ConstantSplit",
            Self::ComparedAsText => "ComparedAsText",
            Self::SuspiciousKey => "SuspiciousKey",
        }
    }

    /// Whether the rule is refused.
    #[must_use]
    pub const fn is_error(self) -> bool {
        match self {
            Self::NotAnExpression
            | Self::UnknownSymbol
            | Self::TooFewOperands
            | Self::TooManyOperands
            | Self::InvalidOperand
            | Self::MissingOperand
            | Self::InvalidPattern
            | Self::InvalidPercentage
            | Self::TooDeep => true,
            Self::NeverTrue
            | Self::AlwaysTrue
            | Self::NeverReached
            | Self::OrderedAsText
            | Self::ConstantSplit
            | Self::ComparedAsText
            | Self::SuspiciousKey => false,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of thing.
    pub code: Code,
    /// Where in the text of the rule.
    pub span: Span,
    /// The service's dotted path from the rule: operators and operand numbers from 1, such as `and.2.eq`; empty for
    /// the rule itself.
    pub location: String,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, location: String::new(), message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Line and column in `rule`, the text that was read.
    #[must_use]
    pub fn at(&self, rule: &str) -> TextPosition {
        position_at(rule, self.span.start)
    }

    /// Whether the rule is refused for this.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        self.code.is_error()
    }
}

/// The message and, after a semicolon, the hint.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// Collects diagnostics up to the limit; an error takes the place of a warning.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    listed: Vec<Diagnostic>,
    has_errors: bool,
}

impl Diagnostics {
    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        self.has_errors |= diagnostic.is_error();
        // The reader may look at the same place twice.
        if self.listed.contains(&diagnostic) {
            return;
        }
        if self.listed.len() >= MAX_DIAGNOSTICS {
            let warning = self.listed.iter().rposition(|listed| !listed.is_error());
            match warning.filter(|_| diagnostic.is_error()) {
                Some(warning) => drop(self.listed.remove(warning)),
                None => return,
            }
        }
        self.listed.push(diagnostic);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// In the order of the text.
    pub(crate) fn into_vec(mut self) -> Vec<Diagnostic> {
        self.listed.sort_by_key(|diagnostic| diagnostic.span);
        self.listed
    }
}

/// `text` in backticks, shortened.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}
