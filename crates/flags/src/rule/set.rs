//! The list of an `in` that holds more than texts, ordered once so that looking up takes a few comparisons however long
//! it is.
//!
//! Each constant compares by its own type: texts exactly, numbers as numbers, and so on.

use super::expression::Constant;
use super::number::Number;
use super::timestamp::Instant;
use super::vocabulary::Symbol;
use crate::context::Value;

/// What a value may be equal to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    texts: Box<[Symbol]>,
    integers: Box<[i64]>,
    floats: Box<[f64]>,
    instants: Box<[Instant]>,
    allows_true: bool,
    allows_false: bool,
}

impl Set {
    /// `symbol` numbers the texts.
    pub(crate) fn new(constants: &[Constant], mut symbol: impl FnMut(&str) -> Symbol) -> Self {
        let mut set = Self::default();
        let mut texts = Vec::new();
        let (mut integers, mut floats, mut instants) = (Vec::new(), Vec::new(), Vec::new());
        for constant in constants {
            match constant {
                Constant::Text(text) => texts.push(symbol(text)),
                Constant::Integer(integer) => integers.push(*integer),
                // Minus zero becomes zero, so that order and equality agree.
                Constant::Float(float) => floats.push(*float + 0.0),
                Constant::Timestamp(timestamp) => instants.push(timestamp.instant()),
                Constant::Boolean(true) => set.allows_true = true,
                Constant::Boolean(false) => set.allows_false = true,
            }
        }
        texts.sort_unstable();
        texts.dedup();
        integers.sort_unstable();
        floats.sort_unstable_by(f64::total_cmp);
        instants.sort_unstable();
        Self {
            texts: texts.into(),
            integers: integers.into(),
            floats: floats.into(),
            instants: instants.into(),
            ..set
        }
    }

    /// The texts, if there is nothing else.
    pub(crate) fn only_texts(&self) -> Option<&[Symbol]> {
        let others = self.has_numbers() || !self.instants.is_empty() || self.allows_true || self.allows_false;
        (!others).then_some(&self.texts)
    }

    /// Whether the value is one of them; `symbol` is that of its text.
    pub(crate) fn contains(&self, symbol: Symbol, value: &Value<'_>) -> bool {
        is_among(symbol, &self.texts)
            || self.has_numbers() && value.number().is_some_and(|number| self.has_number(number))
            || !self.instants.is_empty()
                && value.instant().is_some_and(|instant| self.instants.binary_search(&instant).is_ok())
            || (self.allows_true || self.allows_false)
                && value.boolean().is_some_and(|is| if is { self.allows_true } else { self.allows_false })
    }

    fn has_numbers(&self) -> bool {
        !self.integers.is_empty() || !self.floats.is_empty()
    }

    fn has_number(&self, number: Number) -> bool {
        self.integers.binary_search_by(|integer| Number::Integer(*integer).compare(number)).is_ok()
            || self.floats.binary_search_by(|float| Number::Float(*float).compare(number)).is_ok()
    }
}

/// Whether a text is among others, which are sorted.
#[inline]
pub(super) fn is_among(symbol: Symbol, texts: &[Symbol]) -> bool {
    symbol != Symbol::NONE && texts.binary_search(&symbol).is_ok()
}
