//! What follows from what: rules that can never be true, and rules that a rule above leaves nothing to.
//!
//! Everything found is so; not everything that is so is found. **Invariant:** the work is bounded by a [`Budget`],
//! whatever the rules; when it is spent, nothing more is found.

use std::cmp::Ordering;

use super::compare::{self, Relation};
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::expression::{Comparison, Constant, Expression, Kind, Operand, Split, TextTest};
use crate::context::Value;
use crate::document::Pattern;

/// How many questions may still be asked.
#[derive(Debug)]
pub(crate) struct Budget(u32);

impl Budget {
    /// For one rule.
    const RULE: u32 = 20_000;

    /// For the rules of one flag against each other.
    pub(crate) const fn of_flag() -> Self {
        Self(200_000)
    }

    fn spend(&mut self) -> bool {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

/// Whether everybody whom `rule` selects is selected by `above` already.
pub(crate) fn is_covered(rule: &Expression, above: &Expression, budget: &mut Budget) -> bool {
    let (rule, above) = (Claim::of(rule), Claim::of(above));
    !rule.never(budget) && rule.implies(above, budget)
}

/// Warns of parts that are never true, and of a rule that is never or always true.
pub(super) fn warn(rule: &Expression, found: &mut Diagnostics) {
    let mut budget = Budget(Budget::RULE);
    let mut warned = false;
    warn_within(rule, found, &mut budget, &mut warned);
    let claim = Claim::of(rule);
    if claim.never(&mut budget) && !warned {
        found.add(Diagnostic::new(Code::NeverTrue, rule.span, "this rule is never true"));
    }
    if claim.negated().never(&mut budget) {
        let message = "this rule is always true, so no variant after it is reached";
        found.add(Diagnostic::new(Code::AlwaysTrue, rule.span, message));
    }
}

fn warn_within(expression: &Expression, found: &mut Diagnostics, budget: &mut Budget, warned: &mut bool) {
    let mut never = |message: String, hint: Option<&str>| {
        *warned = true;
        let diagnostic = Diagnostic::new(Code::NeverTrue, expression.span, message);
        found.add(match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    };
    match &expression.kind {
        Kind::All(parts) => {
            let mut part_warned = false;
            for part in parts {
                warn_within(part, found, budget, &mut part_warned);
            }
            if let Some(part) = parts.iter().find(|part| matches!(part.kind, Kind::Constant(false))) {
                part_warned = true;
                found.add(Diagnostic::new(
                    Code::NeverTrue,
                    part.span,
                    "this makes the whole condition false",
                ));
            }
            *warned |= part_warned;
            if !part_warned && let Some((one, other)) = conflict(parts, budget) {
                *warned = true;
                let both_split = [one, other].iter().all(|part| Claim::of(part).is_split());
                let message = if both_split {
                    "this split can never fill: one part takes only who the other leaves out"
                } else {
                    "these conditions are never true together"
                };
                let diagnostic = Diagnostic::new(Code::NeverTrue, expression.span, message);
                found.add(diagnostic.hint(if both_split {
                    "the percentage of the negated split must be the smaller one"
                } else {
                    "join alternatives with (or … …)"
                }));
            }
        }
        Kind::Any(parts) => {
            for part in parts {
                warn_within(part, found, budget, warned);
            }
        }
        Kind::Not(negated) => warn_within(negated, found, budget, &mut false),
        Kind::Split(split) if split.percent <= 0.0 => {
            never("a split of 0 percent takes nobody".to_owned(), None);
        }
        Kind::In(_, list) if list.is_empty() => never("nothing is in an empty list".to_owned(), None),
        Kind::Compare(comparison, left, right) => match (left, right) {
            (Operand::Constant(left), Operand::Constant(right))
                if !comparison.holds(compare::constants(left, right)) =>
            {
                never("these constants never compare so".to_owned(), Some("one side is a context key, $key"));
            }
            (Operand::Constant(Constant::Boolean(_)), _) | (_, Operand::Constant(Constant::Boolean(_)))
                if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) =>
            {
                never("booleans have no order".to_owned(), Some("compare them with eq or ne"));
            }
            _ => {}
        },
        Kind::Split(_)
        | Kind::In(..)
        | Kind::Constant(_)
        | Kind::Flag(_)
        | Kind::Text(..)
        | Kind::Matches(..)
        | Kind::Exists(_) => {}
    }
}

/// Two parts that are never true together.
fn conflict<'e>(parts: &'e [Expression], budget: &mut Budget) -> Option<(&'e Expression, &'e Expression)> {
    for (index, one) in parts.iter().enumerate() {
        for other in parts.iter().skip(index + 1) {
            if Claim::of(one).implies(Claim::of(other).negated(), budget) {
                return Some((one, other));
            }
            if budget.0 == 0 {
                return None;
            }
        }
    }
    None
}

/// That an expression is true, or that it is not.
#[derive(Clone, Copy)]
struct Claim<'e> {
    expression: &'e Expression,
    positive: bool,
}

/// A claim, seen from outside.
enum Shape<'e> {
    Constant(bool),
    /// All of them, each with the polarity of the claim.
    All(&'e [Expression]),
    Any(&'e [Expression]),
    Atom(Atom<'e>, bool),
}

/// An expression without parts.
#[derive(Clone, Copy)]
enum Atom<'e> {
    Compared { key: &'e str, comparison: Comparison, constant: &'e Constant },
    Member { key: &'e str, list: &'e [Constant] },
    Part { test: TextTest, key: &'e str, part: &'e str },
    Matches { key: &'e str, pattern: &'e Pattern },
    Present { key: &'e str },
    Split(&'e Split),
    Other(&'e Kind),
}

static TRUE: Constant = Constant::Boolean(true);

impl<'e> Claim<'e> {
    /// That `expression` is true.
    fn of(expression: &'e Expression) -> Self {
        let mut claim = Self { expression, positive: true };
        while let Kind::Not(negated) = &claim.expression.kind {
            claim = Self { expression: negated, positive: !claim.positive };
        }
        claim
    }

    fn negated(self) -> Self {
        Self { positive: !self.positive, ..self }
    }

    fn part(self, part: &'e Expression) -> Self {
        let claim = Self::of(part);
        if self.positive { claim } else { claim.negated() }
    }

    fn is_split(self) -> bool {
        matches!(self.expression.kind, Kind::Split(_))
    }

    fn shape(self) -> Shape<'e> {
        match (&self.expression.kind, self.positive) {
            (Kind::Constant(constant), positive) => Shape::Constant(*constant == positive),
            (Kind::All(parts), true) | (Kind::Any(parts), false) => Shape::All(parts),
            (Kind::All(parts), false) | (Kind::Any(parts), true) => Shape::Any(parts),
            (kind, positive) => {
                if let Some(constant) = constant(kind) {
                    return Shape::Constant(constant == positive);
                }
                let (atom, flipped) = atom(kind);
                Shape::Atom(atom, positive != flipped)
            }
        }
    }

    fn never(self, budget: &mut Budget) -> bool {
        if !budget.spend() {
            return false;
        }
        match self.shape() {
            Shape::Constant(constant) => !constant,
            Shape::Any(parts) => parts.iter().all(|part| self.part(part).never(budget)),
            Shape::All(parts) => {
                parts.iter().any(|part| self.part(part).never(budget))
                    || parts.iter().enumerate().any(|(index, one)| {
                        parts
                            .iter()
                            .skip(index + 1)
                            .any(|other| self.part(one).implies(self.part(other).negated(), budget))
                    })
            }
            Shape::Atom(..) => false,
        }
    }

    /// Whether `other` is true whenever this is.
    fn implies(self, other: Self, budget: &mut Budget) -> bool {
        if !budget.spend() {
            return false;
        }
        let (from, to) = (self.shape(), other.shape());
        match (&from, &to) {
            (Shape::Constant(false), _) | (_, Shape::Constant(true)) => return true,
            (_, Shape::All(parts)) => return parts.iter().all(|part| self.implies(other.part(part), budget)),
            (Shape::Any(parts), _) => return parts.iter().all(|part| self.part(part).implies(other, budget)),
            _ => {}
        }
        if let Shape::Any(parts) = &to
            && parts.iter().any(|part| self.implies(other.part(part), budget))
        {
            return true;
        }
        match (from, to) {
            (Shape::All(parts), _) => parts.iter().any(|part| self.part(part).implies(other, budget)),
            (Shape::Atom(from, true), Shape::Atom(to, true)) => from.implies(to),
            (Shape::Atom(from, false), Shape::Atom(to, false)) => to.implies(from),
            (Shape::Atom(from, true), Shape::Atom(to, false)) => from.excludes(to),
            _ => false,
        }
    }
}

/// Whether an expression without parts is the same for everybody.
fn constant(kind: &Kind) -> Option<bool> {
    match kind {
        Kind::Constant(constant) => Some(*constant),
        Kind::Compare(comparison, Operand::Constant(left), Operand::Constant(right)) => {
            Some(comparison.holds(compare::constants(left, right)))
        }
        Kind::Compare(comparison, Operand::Constant(Constant::Boolean(_)), _)
        | Kind::Compare(comparison, _, Operand::Constant(Constant::Boolean(_)))
            if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) =>
        {
            Some(false)
        }
        Kind::Text(test, Operand::Constant(text), Operand::Constant(part)) => {
            Some(test.holds(&text.to_text(), &part.to_text()))
        }
        Kind::In(_, list) if list.is_empty() => Some(false),
        Kind::In(Operand::Constant(value), list) => {
            Some(list.iter().any(|one| Comparison::Equal.holds(compare::constants(value, one))))
        }
        Kind::Matches(Operand::Constant(text), pattern) => Some(pattern.is_match(&text.to_text())),
        Kind::Split(split) if split.percent <= 0.0 => Some(false),
        Kind::Flag(_)
        | Kind::All(_)
        | Kind::Any(_)
        | Kind::Not(_)
        | Kind::Compare(..)
        | Kind::Text(..)
        | Kind::In(..)
        | Kind::Matches(..)
        | Kind::Exists(_)
        | Kind::Split(_) => None,
    }
}

/// The atom, and whether it stands for its negation.
fn atom(kind: &Kind) -> (Atom<'_>, bool) {
    let compared = |key, comparison, constant| match comparison {
        Comparison::NotEqual => (Atom::Compared { key, comparison: Comparison::Equal, constant }, true),
        comparison => (Atom::Compared { key, comparison, constant }, false),
    };
    match kind {
        Kind::Flag(key) => compared(key, Comparison::Equal, &TRUE),
        Kind::Compare(comparison, Operand::Context(key), Operand::Constant(constant)) => {
            compared(key, *comparison, constant)
        }
        Kind::Compare(comparison, Operand::Constant(constant), Operand::Context(key)) => {
            compared(key, comparison.mirrored(), constant)
        }
        Kind::In(Operand::Context(key), list) => (Atom::Member { key, list }, false),
        Kind::Text(test, Operand::Context(key), Operand::Constant(Constant::Text(part))) => {
            (Atom::Part { test: *test, key, part }, false)
        }
        Kind::Matches(Operand::Context(key), pattern) => (Atom::Matches { key, pattern }, false),
        Kind::Exists(key) => (Atom::Present { key }, false),
        Kind::Split(split) => (Atom::Split(split), false),
        other => (Atom::Other(other), false),
    }
}

impl<'e> Atom<'e> {
    /// The key that must be there for the atom to be true.
    fn key(self) -> Option<&'e str> {
        match self {
            Self::Compared { key, .. }
            | Self::Member { key, .. }
            | Self::Part { key, .. }
            | Self::Matches { key, .. }
            | Self::Present { key } => Some(key),
            Self::Split(_) | Self::Other(_) => None,
        }
    }

    fn reads(self, wanted: &str) -> bool {
        match self {
            Self::Split(split) => {
                split.by.iter().any(|by| matches!(by, Operand::Context(key) if **key == *wanted))
            }
            _ => self.key() == Some(wanted),
        }
    }

    /// The constants one of which the key's value equals when the atom is true.
    fn values(self) -> Option<&'e [Constant]> {
        match self {
            Self::Compared { comparison: Comparison::Equal, constant, .. } => {
                Some(std::slice::from_ref(constant))
            }
            Self::Member { list, .. } => Some(list),
            _ => None,
        }
    }

    fn implies(self, other: Self) -> bool {
        if let Self::Present { key } = other {
            return self.reads(key);
        }
        match (self, other) {
            (Self::Split(one), Self::Split(other)) => {
                return one.seed == other.seed && one.by == other.by && one.percent <= other.percent;
            }
            (Self::Other(one), Self::Other(other)) => return one == other,
            _ => {}
        }
        if self.key().is_none() || self.key() != other.key() {
            return false;
        }
        if let Some(values) = self.values() {
            return values.iter().all(|value| other.on(value) == Some(true));
        }
        match (self, other) {
            (
                Self::Compared { comparison: one, constant: from, .. },
                Self::Compared { comparison: other, constant: to, .. },
            ) => order(from, to).is_some_and(|order| Region(one).is_within(Region(other), order)),
            (Self::Part { test: one, part: longer, .. }, Self::Part { test: other, part: shorter, .. }) => {
                (one == other || other == TextTest::Contains) && other.holds(longer, shorter)
            }
            (Self::Matches { pattern: one, .. }, Self::Matches { pattern: other, .. }) => one == other,
            _ => false,
        }
    }

    fn excludes(self, other: Self) -> bool {
        if self.key().is_none() || self.key() != other.key() {
            return false;
        }
        let none_of =
            |values: &[Constant], atom: Self| values.iter().all(|value| atom.on(value) == Some(false));
        if self.values().is_some_and(|values| none_of(values, other))
            || other.values().is_some_and(|values| none_of(values, self))
        {
            return true;
        }
        match (self, other) {
            (
                Self::Compared { comparison: one, constant: from, .. },
                Self::Compared { comparison: other, constant: to, .. },
            ) => order(from, to).is_some_and(|order| Region(one).is_apart_from(Region(other), order)),
            (Self::Part { test: one, part: left, .. }, Self::Part { test: other, part: right, .. }) => {
                one == other
                    && one != TextTest::Contains
                    && !one.holds(left, right)
                    && !one.holds(right, left)
            }
            _ => false,
        }
    }

    /// Whether the atom is true when the key's value equals `value`, if that alone says so.
    fn on(self, value: &Constant) -> Option<bool> {
        match self {
            Self::Present { .. } => Some(true),
            Self::Compared { comparison, constant, .. } => {
                relation(value, constant).map(|relation| comparison.holds(relation))
            }
            Self::Member { list, .. } => {
                let equal: Option<Vec<bool>> = list
                    .iter()
                    .map(|one| relation(value, one).map(|relation| Comparison::Equal.holds(relation)))
                    .collect();
                equal.map(|equal| equal.contains(&true))
            }
            Self::Part { test, part, .. } => text(value).map(|text| test.holds(text, part)),
            Self::Matches { pattern, .. } => text(value).map(|text| pattern.is_match(text)),
            Self::Split(_) | Self::Other(_) => None,
        }
    }
}

fn text(constant: &Constant) -> Option<&str> {
    match constant {
        Constant::Text(text) => Some(text),
        Constant::Integer(_) | Constant::Float(_) | Constant::Timestamp(_) | Constant::Boolean(_) => None,
    }
}

/// How a context value that equals `value` stands to `constant`. Of a text everything is known, of anything else only
/// what it is among its own kind.
fn relation(value: &Constant, constant: &Constant) -> Option<Relation> {
    match (value, constant) {
        (Constant::Text(text), _) => Some(compare::with_constant(&Value::Text(text), constant)),
        (_, Constant::Text(_)) => None,
        _ => Some(compare::constants(value, constant)).filter(|relation| *relation != Relation::None),
    }
}

/// The order of two constants of one kind.
fn order(left: &Constant, right: &Constant) -> Option<Ordering> {
    let same_kind = matches!(left, Constant::Text(_)) == matches!(right, Constant::Text(_));
    match compare::constants(left, right) {
        Relation::Ordered(ordering) if same_kind => Some(ordering),
        Relation::Ordered(_) | Relation::Equal(_) | Relation::None => None,
    }
}

/// The values on one side of a constant.
#[derive(Clone, Copy)]
struct Region(Comparison);

impl Region {
    const fn has(self, ordering: Ordering) -> bool {
        match ordering {
            Ordering::Less => matches!(self.0, Comparison::Less | Comparison::LessOrEqual),
            Ordering::Equal => {
                matches!(self.0, Comparison::Equal | Comparison::LessOrEqual | Comparison::GreaterOrEqual)
            }
            Ordering::Greater => matches!(self.0, Comparison::Greater | Comparison::GreaterOrEqual),
        }
    }

    /// `order` is that of this region's constant to the other's.
    fn is_within(self, other: Self, order: Ordering) -> bool {
        match order {
            Ordering::Equal => [Ordering::Less, Ordering::Equal, Ordering::Greater]
                .iter()
                .all(|at| !self.has(*at) || other.has(*at)),
            // No region has both sides, so what is open towards the other constant reaches beyond it.
            _ => !self.has(order.reverse()) && other.has(order),
        }
    }

    fn is_apart_from(self, other: Self, order: Ordering) -> bool {
        match order {
            Ordering::Equal => [Ordering::Less, Ordering::Equal, Ordering::Greater]
                .iter()
                .all(|at| !(self.has(*at) && other.has(*at))),
            _ => !self.has(order.reverse()) && !other.has(order),
        }
    }
}
