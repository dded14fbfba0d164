//! The list of an `in`, ordered once so that looking up takes a few comparisons however long it is.
//!
//! Each constant compares by its own type: texts exactly, numbers as numbers, and so on. Texts of equal length lie
//! side by side in one block, so a lookup follows no pointers, and most values are out by their length alone.

use super::expression::Constant;
use super::number::Number;
use super::timestamp::Instant;
use crate::context::Value;

/// What a value may be equal to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    /// Bit `n` is set when there is a text of `n` bytes; bit 63 stands for longer ones too.
    lengths: u64,
    /// By length.
    groups: Box<[Group]>,
    /// The texts of the groups, one after the other, sorted within a group.
    bytes: Box<[u8]>,
    integers: Box<[i64]>,
    floats: Box<[f64]>,
    instants: Box<[Instant]>,
    allows_true: bool,
    allows_false: bool,
}

/// The texts of one length.
#[derive(Clone, Copy, Debug)]
struct Group {
    length: usize,
    /// Where they are among the bytes.
    start: usize,
    end: usize,
}

impl Set {
    pub(crate) fn new(constants: &[Constant]) -> Self {
        let mut set = Self::default();
        let mut texts: Vec<&str> = Vec::new();
        let (mut integers, mut floats, mut instants) = (Vec::new(), Vec::new(), Vec::new());
        for constant in constants {
            match constant {
                Constant::Text(text) => texts.push(text),
                Constant::Integer(integer) => integers.push(*integer),
                // Minus zero becomes zero, so that order and equality agree.
                Constant::Float(float) => floats.push(*float + 0.0),
                Constant::Timestamp(timestamp) => instants.push(timestamp.instant()),
                Constant::Boolean(true) => set.allows_true = true,
                Constant::Boolean(false) => set.allows_false = true,
            }
        }
        texts.sort_unstable_by_key(|text| (text.len(), *text));
        texts.dedup();
        integers.sort_unstable();
        floats.sort_unstable_by(f64::total_cmp);
        instants.sort_unstable();
        let mut bytes = Vec::with_capacity(texts.iter().map(|text| text.len()).sum());
        let mut groups = Vec::new();
        for same in texts.chunk_by(|left, right| left.len() == right.len()) {
            let start = bytes.len();
            same.iter().for_each(|text| bytes.extend_from_slice(text.as_bytes()));
            let length = same.first().map_or(0, |text| text.len());
            set.lengths |= length_bit(length);
            groups.push(Group { length, start, end: bytes.len() });
        }
        Self {
            groups: groups.into(),
            bytes: bytes.into(),
            integers: integers.into(),
            floats: floats.into(),
            instants: instants.into(),
            ..set
        }
    }

    #[inline]
    pub(crate) fn contains(&self, value: &Value<'_>) -> bool {
        (self.lengths != 0 && value.with_text(|text| self.has_text(text)))
            || self.has_numbers() && value.number().is_some_and(|number| self.has_number(number))
            || !self.instants.is_empty()
                && value.instant().is_some_and(|instant| self.instants.binary_search(&instant).is_ok())
            || (self.allows_true || self.allows_false)
                && value.boolean().is_some_and(|is| if is { self.allows_true } else { self.allows_false })
    }

    #[inline]
    fn has_text(&self, text: &str) -> bool {
        let length = text.len();
        if self.lengths & length_bit(length) == 0 {
            return false;
        }
        let Ok(group) = self.groups.binary_search_by_key(&length, |group| group.length) else { return false };
        let Some(Group { start, end, .. }) = self.groups.get(group).copied() else { return false };
        if length == 0 {
            return true;
        }
        let block = self.bytes.get(start..end).unwrap_or_default();
        let (mut low, mut high) = (0, block.len() / length);
        while low < high {
            let middle = low + (high - low) / 2;
            let member = block.get(middle * length..(middle + 1) * length).unwrap_or_default();
            match member.cmp(text.as_bytes()) {
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        false
    }

    fn has_numbers(&self) -> bool {
        !self.integers.is_empty() || !self.floats.is_empty()
    }

    fn has_number(&self, number: Number) -> bool {
        self.integers.binary_search_by(|integer| Number::Integer(*integer).compare(number)).is_ok()
            || self.floats.binary_search_by(|float| Number::Float(*float).compare(number)).is_ok()
    }
}

fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}
