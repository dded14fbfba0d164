//! What comparing two values means, in one place for the compiler, the explainer and the linter.
//!
//! The constant decides the type: the value of a context key is read as what it is compared with. What cannot be read
//! that way is neither equal nor in any order, so every comparison but `ne` is false.

use std::cmp::Ordering;

use super::expression::{Comparison, Constant};
use crate::context::Value;

/// How two values stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// One comes before the other, or they are equal.
    Ordered(Ordering),
    /// Booleans are equal or not, and have no order.
    Equal(bool),
    /// They are not values of one type.
    None,
}

impl Comparison {
    pub(crate) fn holds(self, relation: Relation) -> bool {
        match self {
            Self::Equal => matches!(relation, Relation::Ordered(Ordering::Equal) | Relation::Equal(true)),
            Self::NotEqual => !Self::Equal.holds(relation),
            Self::Greater => relation == Relation::Ordered(Ordering::Greater),
            Self::GreaterOrEqual => {
                matches!(relation, Relation::Ordered(Ordering::Greater | Ordering::Equal))
            }
            Self::Less => relation == Relation::Ordered(Ordering::Less),
            Self::LessOrEqual => matches!(relation, Relation::Ordered(Ordering::Less | Ordering::Equal)),
        }
    }

    /// The same comparison with its sides exchanged.
    pub(crate) const fn mirrored(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
        }
    }
}

/// The value of a context key against a constant.
pub(crate) fn with_constant(value: &Value<'_>, constant: &Constant) -> Relation {
    let ordering = match constant {
        Constant::Text(text) => Some(value.with_text(|value| value.cmp(text))),
        Constant::Integer(_) | Constant::Float(_) => {
            value.number().zip(constant.number()).map(|(value, number)| value.compare(number))
        }
        Constant::Timestamp(timestamp) => value.instant().map(|instant| instant.cmp(&timestamp.instant())),
        Constant::Boolean(boolean) => {
            return value.boolean().map_or(Relation::None, |value| Relation::Equal(value == *boolean));
        }
    };
    ordering.map_or(Relation::None, Relation::Ordered)
}

/// The values of two context keys: as numbers if both are, else as texts.
#[inline]
pub(crate) fn values(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    if let (Some(left), Some(right)) = (left.number(), right.number()) {
        return left.compare(right);
    }
    left.with_text(|left| right.with_text(|right| left.cmp(right)))
}

/// Two constants: a text is read as what the other one is.
pub(crate) fn constants(left: &Constant, right: &Constant) -> Relation {
    match (left, right) {
        (Constant::Text(text), _) => with_constant(&Value::Text(text), right),
        (_, Constant::Text(text)) => mirrored(with_constant(&Value::Text(text), left)),
        (Constant::Timestamp(left), Constant::Timestamp(right)) => {
            Relation::Ordered(left.instant().cmp(&right.instant()))
        }
        (Constant::Boolean(left), Constant::Boolean(right)) => Relation::Equal(left == right),
        _ => match left.number().zip(right.number()) {
            Some((left, right)) => Relation::Ordered(left.compare(right)),
            None => Relation::None,
        },
    }
}

/// The relation with its sides exchanged.
pub(crate) const fn mirrored(relation: Relation) -> Relation {
    match relation {
        Relation::Ordered(ordering) => Relation::Ordered(ordering.reverse()),
        Relation::Equal(equal) => Relation::Equal(equal),
        Relation::None => Relation::None,
    }
}
