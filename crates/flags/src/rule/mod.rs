//! The language of rules: who gets which variant.
//!
//! - [`read`] turns a text into a tree of [`Node`]s, which print as legal Ion; reading what was printed gives the tree.
//! - [`check`] says everything that is wrong with a rule, errors and warnings, and gives the [`Rule`] if it has no errors.
//! - [`CompiledRule`] answers for a context, in time bounded by the rule and without allocating.
//!
//! **Invariants:** a [`Rule`] exists only without errors, so compiling and evaluating cannot fail: a key that is missing
//! or a value that does not fit makes the operator that reads it false; `ne` is `not` `eq`, and so true then. Only regular expressions have a memory of their
//! own, which they keep from one use to the next.

mod check;
mod compare;
mod compile;
mod diagnostic;
mod draw;
mod expression;
mod imply;
mod literal;
mod location;
mod number;
mod operator;
mod print;
mod program;
mod reader;
mod set;
mod syntax;
mod timestamp;
mod vocabulary;
mod walk;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub(crate) use compile::Compilation;
pub use compile::CompiledRule;
use diagnostic::Diagnostics;
pub use diagnostic::{Code, Diagnostic, MAX_DIAGNOSTICS};
pub(crate) use expression::Expression;
pub(crate) use imply::{Budget, is_covered};
pub(crate) use number::Number;
pub(crate) use program::{Bound, Program, Verdict};
pub use reader::{MAX_DEPTH, MAX_LIST_MEMBERS, Reading, Values, read, read_values};
pub use syntax::{Node, NodeKind, Span};
pub(crate) use timestamp::Instant;
pub use timestamp::Timestamp;
pub(crate) use vocabulary::Vocabulary;
pub use walk::Clause;
pub(crate) use walk::walk;

/// A rule without errors. Cheap to clone; equal when its text is.
#[derive(Clone)]
pub struct Rule(Arc<Whole>);

struct Whole {
    text: Box<str>,
    expression: Expression,
}

impl Rule {
    /// Reads and checks a rule.
    ///
    /// # Errors
    /// Everything that is wrong with it, warnings included; at least one of them is an error.
    pub fn read(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let Checked { rule, diagnostics } = check(text);
        rule.ok_or(diagnostics)
    }

    /// The rule of a tree that did not come from the text of a rule. Its text is the tree printed, and may be longer
    /// than authors may write.
    ///
    /// # Errors
    /// As [`Self::read`], with places in the printed text.
    pub fn of_tree(tree: &Node) -> Result<Self, Vec<Diagnostic>> {
        let text = tree.to_string();
        let mut found = Diagnostics::default();
        let node = reader::read_printed(&text, &mut found);
        let expression = meaning(node.as_ref(), &mut found);
        let rule = expression.map(|expression| Self(Arc::new(Whole { text: text.into(), expression })));
        rule.ok_or_else(|| found.into_vec())
    }

    /// What the rule looks like.
    #[must_use]
    pub fn tree(&self) -> Node {
        let node = reader::read_printed(self.as_str(), &mut Diagnostics::default());
        // There is one, for the text has been read before.
        node.unwrap_or(Node { kind: NodeKind::Unreadable, span: Span::default() })
    }

    /// The rule as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether the rule is nothing but a split.
    pub(crate) fn is_split(&self) -> bool {
        matches!(self.0.expression.kind, expression::Kind::Split(_))
    }

    pub(crate) fn expression(&self) -> &Expression {
        &self.0.expression
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Rule {}

impl Hash for Rule {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.as_str()).finish()
    }
}

/// What checking a rule found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The rule; `None` exactly if there is an error among the diagnostics.
    pub rule: Option<Rule>,
    /// Errors and warnings in the order of the text, at most [`MAX_DIAGNOSTICS`].
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks a rule.
#[must_use]
pub fn check(text: &str) -> Checked {
    let mut found = Diagnostics::default();
    let node = reader::read_into(text, &mut found);
    let expression = meaning(node.as_ref(), &mut found);
    if let Some(expression) = &expression {
        imply::warn(expression, &mut found);
    }
    let mut diagnostics = found.into_vec();
    for diagnostic in &mut diagnostics {
        diagnostic.location = location::of(node.as_ref(), diagnostic.span);
    }
    let rule = expression.map(|expression| Rule(Arc::new(Whole { text: text.into(), expression })));
    Checked { rule, diagnostics }
}

/// What a tree means, if nothing about it is wrong.
fn meaning(node: Option<&Node>, found: &mut Diagnostics) -> Option<Expression> {
    node.and_then(|node| check::check(node, found)).filter(|_| !found.has_errors())
}
