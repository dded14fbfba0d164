//! What the rules of a document speak of: the context keys they read, and the texts they compare each of them with.
//!
//! Both are numbered once. A value of a context is looked up among the texts of its key when the first test asks, and
//! from then on an equality or a list of texts compares numbers; a value that no rule names is out everywhere at once.

use std::collections::BTreeMap;

use crate::context::Value;
use crate::text_table::TextTable;

/// The number of a text among those that a key is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Symbol(u32);

impl Symbol {
    /// The value of a key that is missing, or that no rule names.
    pub(crate) const NONE: Self = Self(u32::MAX);
    /// Not looked up yet.
    pub(crate) const UNKNOWN: Self = Self(u32::MAX - 1);
}

/// The keys and texts of a document's rules.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    keys: Box<[Key]>,
    places: TextTable,
}

#[derive(Debug)]
struct Key {
    name: Box<str>,
    sieve: Sieve,
    symbols: TextTable,
}

impl Vocabulary {
    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key at a place.
    #[inline]
    pub(crate) fn name(&self, place: u32) -> Option<&str> {
        self.keys.get(place as usize).map(|key| &*key.name)
    }

    /// The place of a key.
    #[inline]
    pub(crate) fn place(&self, name: &str) -> Option<u32> {
        self.places.get(name)
    }

    /// The number of a value's text among those that the key at `place` is compared with.
    #[inline]
    pub(crate) fn symbol_of(&self, place: u32, value: &Value<'_>) -> Symbol {
        let Some(key) = self.keys.get(place as usize) else { return Symbol::NONE };
        let symbol = value.with_text(|text| if key.sieve.lets(text) { key.symbols.get(text) } else { None });
        symbol.map_or(Symbol::NONE, Symbol)
    }
}

/// What nearly every text that is not among some others is stopped by, whatever its length, at the cost of two bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Sieve([u64; 4]);

impl Sieve {
    fn new<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut sieve = Self::default();
        for (word, bit) in texts.map(Self::hole) {
            if let Some(holes) = sieve.0.get_mut(word) {
                *holes |= bit;
            }
        }
        sieve
    }

    /// Which of the four words, and which bit of it: of the length, the first and the last byte.
    #[inline]
    fn hole(text: &str) -> (usize, u64) {
        let end = |byte: Option<&u8>| byte.map_or(0, |byte| u64::from(*byte));
        let bytes = text.as_bytes();
        let ends = end(bytes.first()) << 16 | end(bytes.last()) << 8 | bytes.len() as u64 & 0xFF;
        let mixed = ends.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed >> 62) as usize, 1 << (mixed >> 56 & 63))
    }

    #[inline]
    fn lets(&self, text: &str) -> bool {
        let (word, bit) = Self::hole(text);
        self.0.get(word).is_some_and(|holes| holes & bit != 0)
    }
}

/// A vocabulary while rules are compiled.
#[derive(Debug, Default)]
pub(crate) struct Speech {
    places: BTreeMap<Box<str>, u32>,
    /// The texts of each key, numbered in the order in which they came.
    texts: Vec<BTreeMap<Box<str>, u32>>,
}

impl Speech {
    /// The place of a key.
    pub(crate) fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = small(self.texts.len());
        self.places.insert(name.into(), place);
        self.texts.push(BTreeMap::new());
        place
    }

    /// The number of a text that the key at `place` is compared with.
    pub(crate) fn symbol(&mut self, place: u32, text: &str) -> Symbol {
        let Some(texts) = self.texts.get_mut(place as usize) else { return Symbol::NONE };
        if let Some(number) = texts.get(text) {
            return Symbol(*number);
        }
        let number = small(texts.len());
        texts.insert(text.into(), number);
        Symbol(number)
    }

    /// The vocabulary, when all rules are compiled.
    pub(crate) fn finish(self) -> Vocabulary {
        let names = in_order(&self.places);
        let keys = names.iter().zip(&self.texts).map(|(name, texts)| {
            let texts = in_order(texts);
            let (sieve, symbols) = (Sieve::new(texts.iter().copied()), TextTable::new(texts.iter().copied()));
            Key { name: (*name).into(), sieve, symbols }
        });
        Vocabulary { keys: keys.collect(), places: TextTable::new(names.iter().copied()) }
    }
}

/// Texts in the order of their numbers.
fn in_order(numbered: &BTreeMap<Box<str>, u32>) -> Vec<&str> {
    let mut texts: Vec<(u32, &str)> = numbered.iter().map(|(text, number)| (*number, &**text)).collect();
    texts.sort_unstable();
    texts.into_iter().map(|(_, text)| text).collect()
}

/// Counts of keys, texts, steps and rules: a document of 4 MB holds far fewer than 2^31.
pub(crate) fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
