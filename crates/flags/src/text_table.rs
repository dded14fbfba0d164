//! Texts that are numbered once and looked up for ever after: keys of flags, keys of contexts, constants of rules.
//!
//! A lookup hashes the text, reads one slot of sixteen bytes, and compares bytes only where the hash is right. The hash is
//! fast and has no secret, which is safe here: only what authors wrote is in a table, so nobody who asks can lengthen
//! the way to an answer.

/// A table from texts to numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextTable {
    /// A power of two of them, at most half of them taken; none in a table without texts.
    slots: Box<[Slot]>,
    /// The texts, one after the other.
    bytes: Box<[u8]>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Half of the hash; the other half says where to begin looking.
    tag: u32,
    number: u32,
    /// Where the text is among the bytes.
    start: u32,
    length: u32,
}

impl Slot {
    /// The number of a slot that is free.
    const FREE: u32 = u32::MAX;
}

impl TextTable {
    /// Numbers texts in their order, from 0. Of equal ones the first counts.
    pub(crate) fn new<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> Self {
        let mut table = Self::default();
        if texts.len() == 0 {
            return table;
        }
        let free = Slot { tag: 0, number: Slot::FREE, start: 0, length: 0 };
        table.slots = vec![free; (texts.len() * 2).next_power_of_two()].into();
        let mut bytes = Vec::new();
        for (number, text) in (0..Slot::FREE).zip(texts) {
            let hash = hash(text.as_bytes());
            let mut at = table.first(hash);
            while let Some(slot) = table.slots.get_mut(at) {
                let known = bytes.get(slot.start as usize..(slot.start + slot.length) as usize);
                if slot.number == Slot::FREE {
                    // A document holds at most four million bytes.
                    let start = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                    *slot = Slot { tag: tag(hash), number, start, length };
                    bytes.extend_from_slice(text.as_bytes());
                    break;
                }
                if known == Some(text.as_bytes()) {
                    break;
                }
                at = table.next(at);
            }
        }
        table.bytes = bytes.into();
        table
    }

    /// The number of a text.
    #[inline]
    pub(crate) fn get(&self, text: &str) -> Option<u32> {
        let hash = hash(text.as_bytes());
        let mut at = self.first(hash);
        while let Some(slot) = self.slots.get(at) {
            if slot.number == Slot::FREE {
                return None;
            }
            if slot.tag == tag(hash) && slot.length as usize == text.len() {
                let start = slot.start as usize;
                if self.bytes.get(start..start + text.len()).is_some_and(|known| same(known, text.as_bytes()))
                {
                    return Some(slot.number);
                }
            }
            at = self.next(at);
        }
        None
    }

    #[inline]
    fn first(&self, hash: u64) -> usize {
        hash as u32 as usize & self.slots.len().wrapping_sub(1)
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & self.slots.len().wrapping_sub(1)
    }
}

#[inline]
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Whether two texts are equal, without a call for the short ones that names and values are.
#[inline]
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    if left.len() <= 16 { ends(left) == ends(right) } else { left == right }
}

/// The bytes of a text of at most sixteen: its first and its last ones, which together are all of them.
#[inline]
fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
    } else {
        let all = bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        (all, 0)
    }
}

/// Multiplies in 128 bits and folds the halves together, the way of wyhash.
#[inline]
fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the product")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

#[inline]
fn hash(bytes: &[u8]) -> u64 {
    const ONE: u64 = 0x9E37_79B9_7F4A_7C15;
    const OTHER: u64 = 0xD6E8_FEB8_6659_FD93;
    let mut state = bytes.len() as u64;
    let mut rest = bytes;
    while rest.len() > 16 {
        let (chunk, after) = rest.split_at(16);
        let (first, last) = ends(chunk);
        state = mix(state ^ first ^ ONE, last ^ OTHER);
        rest = after;
    }
    let (first, last) = ends(rest);
    mix(state ^ first ^ ONE, last ^ OTHER)
}

#[cfg(test)]
mod tests {
    use super::{TextTable, ends, same};

    #[test]
    fn every_text_has_its_number_and_no_other_has_one() {
        let texts: Vec<String> =
            (0..2_000).map(|number| "x".repeat(number % 40) + &number.to_string()).collect();
        let table = TextTable::new(texts.iter().map(String::as_str));
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(table.get(text), u32::try_from(number).ok(), "{text}");
            assert_eq!(table.get(&format!("{text}y")), None);
        }
        assert_eq!(table.get(""), None);
        assert_eq!(TextTable::default().get("a"), None);
        assert_eq!(TextTable::new([""].into_iter()).get(""), Some(0));
    }

    #[test]
    fn of_equal_texts_the_first_counts() {
        let table = TextTable::new(["a", "b", "a", "c"].into_iter());
        assert_eq!(["a", "b", "c"].map(|text| table.get(text)), [Some(0), Some(1), Some(3)]);
    }

    #[test]
    fn short_texts_are_the_same_only_if_all_bytes_are() {
        let text = b"abcdefghijklmnopqrst";
        for length in 0..=text.len() {
            let whole = &text[..length];
            assert!(same(whole, String::from_utf8_lossy(whole).as_bytes()));
            for at in 0..length {
                let mut other = whole.to_vec();
                other[at] ^= 1;
                assert!(!same(whole, &other), "{length} {at}");
                assert!(length > 16 || ends(whole) != ends(&other), "{length} {at}");
            }
            assert!(!same(whole, &text[..length.saturating_sub(1)]) || length == 0);
        }
    }
}
