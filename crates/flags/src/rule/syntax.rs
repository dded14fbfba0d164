//! What a rule looks like: the tree that is read from its text and printed back to it.
//!
//! A rule is one Amazon Ion s-expression, so the tree is Ion's, narrowed to what rules use. It says nothing about
//! whether the operators exist or take these operands; that is the checker's. **Invariant:** reading what was printed
//! gives an equal tree. Equality is that of meaning: two trees are equal wherever their nodes stand in their texts.

use super::timestamp::Timestamp;

/// Where in the text of a rule something stands: byte offsets, the end excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// From `start` up to `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Whether `other` lies within.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The part of `text` that is meant; empty when it is not there.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// A piece of a rule, and where it stands. Equality does not look at where.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// What a piece of a rule is. Equality does not look at where its parts stand.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// `(operator operand …)`, the operator being the first node.
    Expression(Vec<Node>),
    /// `[constant, …]`.
    List(Vec<Node>),
    /// `name::value`.
    Named {
        /// The name.
        name: Box<str>,
        /// Where the name stands.
        name_span: Span,
        /// What is named; never itself named when it was read.
        value: Box<Node>,
    },
    /// A word that is neither a boolean nor a context key, such as an operator.
    Symbol(Box<str>),
    /// `$key`: the value of a context key, without the `$`. Not empty when it was read.
    Context(Box<str>),
    /// `"text"`.
    Text(Box<str>),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent. Finite when it was read.
    Float(f64),
    /// A date or an instant.
    Timestamp(Timestamp),
    /// `true` or `false`.
    Boolean(bool),
    /// Stands for what could not be read, and has been reported. Only in trees that come with errors.
    Unreadable,
}

impl PartialEq for NodeKind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Expression(one), Self::Expression(other)) | (Self::List(one), Self::List(other)) => {
                one == other
            }
            (
                Self::Named { name, value, name_span: _ },
                Self::Named { name: other, value: other_value, name_span: _ },
            ) => name == other && value == other_value,
            (Self::Symbol(one), Self::Symbol(other))
            | (Self::Context(one), Self::Context(other))
            | (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Integer(one), Self::Integer(other)) => one == other,
            (Self::Float(one), Self::Float(other)) => one == other,
            (Self::Timestamp(one), Self::Timestamp(other)) => one == other,
            (Self::Boolean(one), Self::Boolean(other)) => one == other,
            (Self::Unreadable, Self::Unreadable) => true,
            _ => false,
        }
    }
}
