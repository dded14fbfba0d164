//! Rules as they are evaluated: a flat list of tests, each of which says which test comes next.
//!
//! `and`, `or` and `not` leave no trace but the arrows, and the rules of one flag follow each other in one list.
//! **Invariants:** arrows only lead forwards, so no test runs twice and evaluating ends; everything that can be parsed,
//! hashed or compiled beforehand has been; nothing is allocated.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::compare;
use super::draw::Salt;
use super::expression::TextTest;
use super::number::Number;
use super::set::{Set, is_among};
use super::timestamp::Instant;
use super::vocabulary::{Symbol, Vocabulary};
use crate::context::{Context, Value};
use crate::document::Pattern;

/// The rules of one flag, in the order in which they are tried.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(super) instructions: Arc<Instructions>,
    /// Of the document.
    pub(super) vocabulary: Arc<Vocabulary>,
}

/// What rules come to, whichever flag they are of. Flags of a document with the same rules share it: then it is in the
/// nearest cache, also for a flag that nobody has asked for in a while.
#[derive(Debug)]
pub(super) struct Instructions {
    pub(super) steps: Box<[Step]>,
    pub(super) entry: Arrow,
    /// What lists of texts hold, one list after the other, each sorted.
    pub(super) members: Box<[Symbol]>,
    pub(super) drawings: Box<[Drawing]>,
    /// The context keys the rules read: the places in the vocabulary, by slot.
    pub(super) reads: Box<[u32]>,
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

/// A context key that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    /// Its place among the keys of the program.
    pub(super) slot: u32,
    /// Its place in the vocabulary.
    pub(super) place: u32,
}

/// A question; small, so that a few rules fit into a few lines of cache. What is rare or large lies elsewhere.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Present(Read),
    Equal(Read, Symbol),
    /// Is among these of the program's members.
    OneOf(Read, Range<u32>),
    Boolean(Read, bool),
    Text(Read, Box<(Orders, Box<str>)>),
    Number(Read, Box<(Orders, Number)>),
    Instant(Read, Box<(Orders, Instant)>),
    Pair(Box<(Read, Orders, Read)>),
    Part(Box<(TextTest, Source, Source)>),
    Member(Read, Box<Set>),
    Matches(Read, Box<Pattern>),
    Split {
        /// The first bucket that is out.
        threshold: u64,
        /// Which drawing.
        drawing: u32,
        /// The rule it stands in.
        rule: u32,
    },
}

/// A text from either side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Key(Read),
    Constant(Box<str>),
}

/// What splits with equal salts and values draw once.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    pub(super) salt: Salt,
    pub(super) by: By,
}

/// What is hashed.
#[derive(Clone, Debug)]
pub(super) enum By {
    /// The value of one key, as nearly always.
    One(Read),
    Several(Box<[Source]>),
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
    /// What the rules say; those of the flag `flag_key`, by which splits draw.
    #[inline]
    pub(crate) fn run<'c>(&self, flag_key: &str, attributes: &mut impl Attributes<'c>) -> Verdict {
        let instructions = &*self.instructions;
        let mut draws = Draws { buckets: [Draws::UNKNOWN; KEPT_DRAWS] };
        let mut asked = None;
        let mut next = instructions.entry.0;
        while let Some(step) = instructions.steps.get(next as usize) {
            let holds = match &step.test {
                Test::Equal(read, symbol) => attributes.symbol(*read) == *symbol,
                Test::OneOf(read, members) => match attributes.symbol(*read) {
                    // Nothing is read of the list of somebody whom no list names.
                    Symbol::NONE => false,
                    symbol => instructions.is_member(symbol, members),
                },
                Test::Split { threshold, drawing, rule } => {
                    asked = Some(*rule);
                    draws.bucket(&instructions.drawings, *drawing, flag_key, attributes) < *threshold
                }
                test => test.holds(attributes),
            };
            next = if holds { step.yes.0 } else { step.no.0 };
        }
        let rule = next & !Arrow::OUT;
        Verdict { rule: rule as usize, by_split: asked == Some(rule) }
    }

    /// What the rules say for a context, each of whose keys is looked up when it is asked for.
    #[inline]
    pub(crate) fn scan(&self, flag_key: &str, context: Context<'_>) -> Verdict {
        self.run(flag_key, &mut Scan::new(&self.vocabulary, context))
    }

    /// Takes the vocabulary that it was compiled with.
    pub(crate) fn speak(&mut self, vocabulary: Arc<Vocabulary>) {
        self.vocabulary = vocabulary;
    }

    /// The context keys the rules read.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.instructions.reads.iter().filter_map(|place| self.vocabulary.name(*place))
    }

    /// The context keys splits draw by.
    pub(crate) fn split_keys(&self) -> impl Iterator<Item = &str> {
        let reads = self.instructions.drawings.iter().flat_map(|drawing| {
            let (one, several): (_, &[Source]) = match &drawing.by {
                By::One(read) => (Some(*read), &[]),
                By::Several(sources) => (None, sources),
            };
            one.into_iter().chain(several.iter().filter_map(Source::read))
        });
        reads.filter_map(|read| self.vocabulary.name(read.place))
    }
}

impl Instructions {
    fn is_member(&self, symbol: Symbol, members: &Range<u32>) -> bool {
        let members = self.members.get(members.start as usize..members.end as usize);
        members.is_some_and(|members| is_among(symbol, members))
    }
}

impl Test {
    fn holds<'c>(&self, attributes: &mut impl Attributes<'c>) -> bool {
        match self {
            Self::Present(read) => attributes.get(*read).is_some(),
            Self::Boolean(read, expected) => {
                attributes.get(*read).and_then(|value| value.boolean()) == Some(*expected)
            }
            Self::Text(read, test) => {
                let (orders, text) = &**test;
                attributes
                    .get(*read)
                    .is_some_and(|value| orders.allow(value.with_text(|value| value.cmp(text))))
            }
            Self::Number(read, test) => {
                let (orders, number) = &**test;
                let value = attributes.get(*read).and_then(|value| value.number());
                value.is_some_and(|value| orders.allow(value.compare(*number)))
            }
            Self::Instant(read, test) => {
                let (orders, instant) = &**test;
                let value = attributes.get(*read).and_then(|value| value.instant());
                value.is_some_and(|value| orders.allow(value.cmp(instant)))
            }
            Self::Pair(test) => {
                let (left, orders, right) = &**test;
                match (attributes.get(*left), attributes.get(*right)) {
                    (Some(left), Some(right)) => orders.allow(compare::values(left, right)),
                    _ => false,
                }
            }
            Self::Part(test) => {
                let (test, text, part) = &**test;
                text.with_text(text.value(attributes), |text| {
                    part.with_text(part.value(attributes), |part| test.holds(text, part))
                })
                .flatten()
                .unwrap_or(false)
            }
            Self::Member(read, set) => {
                let symbol = attributes.symbol(*read);
                attributes.get(*read).is_some_and(|value| set.contains(symbol, value))
            }
            Self::Matches(read, pattern) => {
                attributes.get(*read).is_some_and(|value| value.with_text(|text| pattern.is_match(text)))
            }
            // Answered where members and draws are kept.
            Self::Equal(..) | Self::OneOf(..) | Self::Split { .. } => false,
        }
    }
}

impl Source {
    fn read(&self) -> Option<Read> {
        match self {
            Self::Key(read) => Some(*read),
            Self::Constant(_) => None,
        }
    }

    /// The value of the key, if it is one.
    fn value<'c>(&self, attributes: &mut impl Attributes<'c>) -> Option<&'c Value<'c>> {
        attributes.get(self.read()?)
    }

    /// Does something with the text, `value` being that of the key; `None` when it is missing.
    fn with_text<R>(&self, value: Option<&Value<'_>>, then: impl FnOnce(&str) -> R) -> Option<R> {
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

    #[inline]
    fn bucket<'c>(
        &mut self,
        drawings: &[Drawing],
        which: u32,
        flag_key: &str,
        attributes: &mut impl Attributes<'c>,
    ) -> u64 {
        let which = which as usize;
        if let Some(bucket) = self.buckets.get(which)
            && *bucket != Self::UNKNOWN
        {
            return *bucket;
        }
        let drawing = drawings.get(which);
        let bucket = drawing.and_then(|one| one.bucket(flag_key, attributes)).unwrap_or(Self::MISSING);
        if let Some(kept) = self.buckets.get_mut(which) {
            *kept = bucket;
        }
        bucket
    }
}

impl Drawing {
    #[inline]
    fn bucket<'c>(&self, flag_key: &str, attributes: &mut impl Attributes<'c>) -> Option<u64> {
        let mut draw = self.salt.draw(flag_key);
        match &self.by {
            By::One(read) => attributes.get(*read)?.with_text(|text| draw.value(text)),
            By::Several(sources) => {
                for (index, source) in sources.iter().enumerate() {
                    if index > 0 {
                        draw.separate();
                    }
                    source.with_text(source.value(attributes), |text| draw.value(text))?;
                }
            }
        }
        Some(draw.bucket())
    }
}

/// Where a program finds the values of its keys.
pub(crate) trait Attributes<'c> {
    /// The value of a key.
    fn get(&mut self, read: Read) -> Option<&'c Value<'c>>;

    /// The number of its text among those that the key is compared with.
    fn symbol(&mut self, read: Read) -> Symbol;
}

/// For how many keys a scan notes what it found; others are looked up anew.
const KEPT_READS: usize = 16;

/// Looks keys up in a context, each once.
struct Scan<'v, 'c> {
    vocabulary: &'v Vocabulary,
    context: Context<'c>,
    /// For the first slots, the place in the context plus 2.
    places: [u16; KEPT_READS],
    symbols: [Symbol; KEPT_READS],
}

impl<'v, 'c> Scan<'v, 'c> {
    const UNKNOWN: u16 = 0;
    const MISSING: u16 = 1;

    #[inline]
    fn new(vocabulary: &'v Vocabulary, context: Context<'c>) -> Self {
        let (places, symbols) = ([Self::UNKNOWN; KEPT_READS], [Symbol::UNKNOWN; KEPT_READS]);
        Self { vocabulary, context, places, symbols }
    }
}

impl<'c> Attributes<'c> for Scan<'_, 'c> {
    #[inline]
    fn get(&mut self, read: Read) -> Option<&'c Value<'c>> {
        let kept = self.places.get_mut(read.slot as usize);
        match kept.as_deref().copied() {
            Some(Self::MISSING) => return None,
            Some(Self::UNKNOWN) | None => {}
            Some(place) => return self.context.at(usize::from(place) - 2),
        }
        let place = self.vocabulary.name(read.place).and_then(|key| self.context.position(key));
        if let Some(kept) = kept {
            *kept = match place {
                None => Self::MISSING,
                Some(place) => u16::try_from(place + 2).unwrap_or(Self::UNKNOWN),
            };
        }
        self.context.at(place?)
    }

    #[inline]
    fn symbol(&mut self, read: Read) -> Symbol {
        if let Some(symbol) = self.symbols.get(read.slot as usize).copied()
            && symbol != Symbol::UNKNOWN
        {
            return symbol;
        }
        let symbol =
            self.get(read).map_or(Symbol::NONE, |value| self.vocabulary.symbol_of(read.place, value));
        if let Some(kept) = self.symbols.get_mut(read.slot as usize) {
            *kept = symbol;
        }
        symbol
    }
}

/// The values of a context in the places of a vocabulary, for all programs that speak it.
pub(crate) struct Bound<'c>(Vec<BoundValue<'c>>);

#[derive(Clone, Copy)]
struct BoundValue<'c> {
    value: Option<&'c Value<'c>>,
    symbol: Symbol,
}

impl<'c> Bound<'c> {
    /// Puts the values of `context` in their places.
    pub(crate) fn new(vocabulary: &Vocabulary, context: Context<'c>) -> Self {
        let missing = BoundValue { value: None, symbol: Symbol::NONE };
        let mut values = vec![missing; vocabulary.len()];
        for (key, value) in context.attributes() {
            if let Some(place) = vocabulary.place(key)
                && let Some(bound) = values.get_mut(place as usize)
                && bound.value.is_none()
            {
                *bound = BoundValue { value: Some(value), symbol: vocabulary.symbol_of(place, value) };
            }
        }
        Self(values)
    }
}

impl<'c> Attributes<'c> for &Bound<'c> {
    #[inline]
    fn get(&mut self, read: Read) -> Option<&'c Value<'c>> {
        self.0.get(read.place as usize).and_then(|bound| bound.value)
    }

    #[inline]
    fn symbol(&mut self, read: Read) -> Symbol {
        self.0.get(read.place as usize).map_or(Symbol::NONE, |bound| bound.symbol)
    }
}
