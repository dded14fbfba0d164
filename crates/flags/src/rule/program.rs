//! Rules as they are evaluated: a flat list of tests, each of which says which test comes next.
//!
//! `and`, `or` and `not` leave no trace but the arrows, and the rules of one flag follow each other in one list.
//! **Invariants:** arrows only lead forwards, so no test runs twice and evaluating ends; everything that can be parsed,
//! hashed or compiled beforehand has been; nothing is allocated.

use std::cmp::Ordering;

use super::compare;
use super::draw::Salt;
use super::expression::TextTest;
use super::number::Number;
use super::set::Set;
use super::timestamp::Instant;
use crate::context::{Context, Value};
use crate::document::Pattern;

/// The rules of one flag, in the order in which they are tried.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(super) steps: Box<[Step]>,
    pub(super) entry: Arrow,
    /// The context keys the rules read; tests call them by their place here.
    pub(super) keys: Box<[Box<str>]>,
    pub(super) drawings: Box<[Drawing]>,
}

/// Where to go next: a step, or with [`Arrow::OUT`] the number of the rule that is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrow(pub(super) u32);

impl Arrow {
    pub(super) const OUT: u32 = 1 << 31;
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) test: Test,
    pub(super) yes: Arrow,
    pub(super) no: Arrow,
}

/// The place of a key among the keys of a program.
pub(super) type Slot = u32;

#[derive(Clone, Debug)]
pub(super) enum Test {
    Present(Slot),
    Text(Slot, Orders, Box<str>),
    Number(Slot, Orders, Number),
    Instant(Slot, Orders, Instant),
    Boolean(Slot, bool),
    Pair(Slot, Orders, Slot),
    Part(TextTest, Source, Source),
    Member(Slot, Box<Set>),
    Matches(Slot, Box<Pattern>),
    Split {
        /// Which drawing.
        drawing: usize,
        /// The first bucket that is out.
        threshold: u64,
        /// The rule it stands in.
        rule: u32,
    },
}

/// A text from either side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Key(Slot),
    Constant(Box<str>),
}

/// What splits with equal salts and values draw once.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    pub(super) salt: Salt,
    pub(super) by: Box<[Source]>,
}

/// Which orders satisfy a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orders(u8);

impl Orders {
    pub(super) const EQUAL: Self = Self(0b010);
    pub(super) const GREATER: Self = Self(0b100);
    pub(super) const GREATER_OR_EQUAL: Self = Self(0b110);
    pub(super) const LESS: Self = Self(0b001);
    pub(super) const LESS_OR_EQUAL: Self = Self(0b011);

    #[inline]
    const fn allow(self, ordering: Ordering) -> bool {
        let bit = match ordering {
            Ordering::Less => 0b001,
            Ordering::Equal => 0b010,
            Ordering::Greater => 0b100,
        };
        self.0 & bit != 0
    }
}

/// What evaluating found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The first rule that is true, from 0; the number of rules if none is.
    pub(crate) rule: usize,
    /// Whether that rule asked a split on its way.
    pub(crate) by_split: bool,
}

impl Program {
    #[inline]
    pub(crate) fn run<'c>(&self, attributes: &mut impl Attributes<'c>) -> Verdict {
        let mut draws = Draws { buckets: [Draws::UNKNOWN; KEPT_DRAWS] };
        let mut asked = None;
        let mut next = self.entry.0;
        while let Some(step) = self.steps.get(next as usize) {
            let holds = match &step.test {
                Test::Split { drawing, threshold, rule } => {
                    asked = Some(*rule);
                    draws.bucket(&self.drawings, *drawing, attributes) < *threshold
                }
                test => test.holds(attributes),
            };
            next = if holds { step.yes.0 } else { step.no.0 };
        }
        let rule = next & !Arrow::OUT;
        Verdict { rule: rule as usize, by_split: asked == Some(rule) }
    }

    pub(crate) fn keys(&self) -> &[Box<str>] {
        &self.keys
    }

    /// The context keys splits draw by.
    pub(crate) fn split_keys(&self) -> impl Iterator<Item = &str> {
        self.drawings.iter().flat_map(|drawing| &drawing.by).filter_map(|source| match source {
            Source::Key(slot) => self.keys.get(*slot as usize).map(|key| &**key),
            Source::Constant(_) => None,
        })
    }
}

impl Test {
    #[inline]
    fn holds<'c>(&self, attributes: &mut impl Attributes<'c>) -> bool {
        match self {
            Self::Present(slot) => attributes.get(*slot).is_some(),
            Self::Text(slot, orders, text) => match attributes.get(*slot) {
                Some(Value::Text(value)) if *orders == Orders::EQUAL => value == &**text,
                Some(value) => orders.allow(value.with_text(|value| value.cmp(text))),
                None => false,
            },
            Self::Number(slot, orders, number) => attributes
                .get(*slot)
                .and_then(|value| value.number())
                .is_some_and(|value| orders.allow(value.compare(*number))),
            Self::Instant(slot, orders, instant) => attributes
                .get(*slot)
                .and_then(|value| value.instant())
                .is_some_and(|value| orders.allow(value.cmp(instant))),
            Self::Boolean(slot, expected) => {
                attributes.get(*slot).and_then(|value| value.boolean()) == Some(*expected)
            }
            Self::Pair(left, orders, right) => match (attributes.get(*left), attributes.get(*right)) {
                (Some(left), Some(right)) => orders.allow(compare::values(&left, &right)),
                _ => false,
            },
            Self::Part(test, text, part) => text
                .with_text(text.value(attributes), |text| {
                    part.with_text(part.value(attributes), |part| test.holds(text, part))
                })
                .flatten()
                .unwrap_or(false),
            Self::Member(slot, set) => attributes.get(*slot).is_some_and(|value| set.contains(&value)),
            Self::Matches(slot, pattern) => {
                attributes.get(*slot).is_some_and(|value| value.with_text(|text| pattern.is_match(text)))
            }
            // Answered where the draws are kept.
            Self::Split { .. } => false,
        }
    }
}

impl Source {
    /// The value of the key, if it is one.
    fn value<'c>(&self, attributes: &mut impl Attributes<'c>) -> Option<Value<'c>> {
        match self {
            Self::Key(slot) => attributes.get(*slot),
            Self::Constant(_) => None,
        }
    }

    /// Does something with the text, `value` being that of the key; `None` when it is missing.
    fn with_text<R>(&self, value: Option<Value<'_>>, then: impl FnOnce(&str) -> R) -> Option<R> {
        match self {
            Self::Key(_) => value.map(|value| value.with_text(then)),
            Self::Constant(text) => Some(then(text)),
        }
    }
}

/// Flags rarely draw more often; what is not kept is drawn again.
const KEPT_DRAWS: usize = 4;

/// The buckets that were drawn, so that nested splits hash once.
struct Draws {
    buckets: [u64; KEPT_DRAWS],
}

impl Draws {
    const UNKNOWN: u64 = u64::MAX;
    /// A value is missing: beyond every threshold.
    const MISSING: u64 = u64::MAX - 1;

    fn bucket<'c>(
        &mut self,
        drawings: &[Drawing],
        which: usize,
        attributes: &mut impl Attributes<'c>,
    ) -> u64 {
        if let Some(bucket) = self.buckets.get(which)
            && *bucket != Self::UNKNOWN
        {
            return *bucket;
        }
        let bucket =
            drawings.get(which).and_then(|drawing| drawing.bucket(attributes)).unwrap_or(Self::MISSING);
        if let Some(kept) = self.buckets.get_mut(which) {
            *kept = bucket;
        }
        bucket
    }
}

impl Drawing {
    fn bucket<'c>(&self, attributes: &mut impl Attributes<'c>) -> Option<u64> {
        let mut draw = self.salt.draw();
        for (index, source) in self.by.iter().enumerate() {
            if index > 0 {
                draw.separate();
            }
            source.with_text(source.value(attributes), |text| draw.value(text))?;
        }
        Some(draw.bucket())
    }
}

/// Where a program finds the values of its keys.
pub(crate) trait Attributes<'c> {
    /// The value of the key at `slot` of the program.
    fn get(&mut self, slot: u32) -> Option<Value<'c>>;
}

/// For how many keys a scan notes where they are; others are looked up anew.
const KEPT_PLACES: usize = 16;

/// Looks keys up in a context, each once.
pub(crate) struct Scan<'k, 'c> {
    keys: &'k [Box<str>],
    context: Context<'c>,
    /// For the first slots, the place in the context plus 2.
    places: [u16; KEPT_PLACES],
}

impl<'k, 'c> Scan<'k, 'c> {
    const UNKNOWN: u16 = 0;
    const MISSING: u16 = 1;

    #[inline]
    pub(crate) fn new(keys: &'k [Box<str>], context: Context<'c>) -> Self {
        Self { keys, context, places: [Self::UNKNOWN; KEPT_PLACES] }
    }
}

impl<'c> Attributes<'c> for Scan<'_, 'c> {
    #[inline]
    fn get(&mut self, slot: u32) -> Option<Value<'c>> {
        let slot = slot as usize;
        match self.places.get(slot).copied() {
            Some(Self::MISSING) => return None,
            Some(Self::UNKNOWN) | None => {}
            Some(place) => return self.context.at(usize::from(place) - 2),
        }
        let place = self.keys.get(slot).and_then(|key| self.context.position(key));
        if let Some(kept) = self.places.get_mut(slot) {
            *kept = match place {
                None => Self::MISSING,
                Some(place) => u16::try_from(place + 2).unwrap_or(Self::UNKNOWN),
            };
        }
        self.context.at(place?)
    }
}

/// Values that were put in the places of a whole document's keys before.
pub(crate) struct Bound<'b, 'c> {
    /// For each slot of the program, the key's place in the document.
    pub(crate) places: &'b [u32],
    pub(crate) values: &'b [Option<Value<'c>>],
}

impl<'c> Attributes<'c> for Bound<'_, 'c> {
    #[inline]
    fn get(&mut self, slot: u32) -> Option<Value<'c>> {
        let place = self.places.get(slot as usize)?;
        self.values.get(*place as usize).copied().flatten()
    }
}
