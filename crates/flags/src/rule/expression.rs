//! What a rule means: the tree in which operators have the operands they take.
//!
//! An [`Expression`] exists only for a rule without errors; everything after the checker works on it, so nothing after
//! the checker can fail.

use super::number::Number;
use super::syntax::Span;
use super::timestamp::Timestamp;
use crate::document::Pattern;

/// A part of a rule that is true or false, and where it stands. Equality does not look at where.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Constant(bool),
    /// A bare context value where a boolean belongs: its text compared with `true`.
    Flag(Box<str>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Comparison, Operand, Operand),
    Text(TextTest, Operand, Operand),
    In(Operand, Vec<Constant>),
    Matches(Operand, Pattern),
    Exists(Box<str>),
    Split(Split),
}

/// How two values are compared. `ne` is the negation of `eq`, whatever its operands, a missing one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextTest {
    BeginsWith,
    EndsWith,
    Contains,
}

impl TextTest {
    pub(crate) fn holds(self, text: &str, part: &str) -> bool {
        match self {
            Self::BeginsWith => text.starts_with(part),
            Self::EndsWith => text.ends_with(part),
            Self::Contains => text.contains(part),
        }
    }
}

/// What is given to an operator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// The value of a context key.
    Context(Box<str>),
    Constant(Constant),
}

/// A value written in a rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Text(Box<str>),
    Integer(i64),
    Float(f64),
    Timestamp(Timestamp),
    Boolean(bool),
}

impl Constant {
    /// The number it is, if it is written as one.
    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Self::Integer(integer) => Some(Number::Integer(*integer)),
            Self::Float(float) => Some(Number::Float(*float)),
            Self::Text(_) | Self::Timestamp(_) | Self::Boolean(_) => None,
        }
    }

    /// As text: numbers and booleans like context values of the same type, timestamps as Ion writes them.
    pub(crate) fn to_text(&self) -> Box<str> {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(integer) => integer.to_string().into(),
            Self::Float(float) => float.to_string().into(),
            Self::Timestamp(timestamp) => timestamp.as_str().into(),
            Self::Boolean(boolean) => boolean.to_string().into(),
        }
    }
}

/// A share of everybody, drawn by hashing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Split {
    /// What is hashed; at least one.
    pub(crate) by: Vec<Operand>,
    /// 0 to 100.
    pub(crate) percent: f64,
    /// Splits with equal seeds draw alike; without one a flag draws for itself.
    pub(crate) seed: Option<Box<str>>,
}
