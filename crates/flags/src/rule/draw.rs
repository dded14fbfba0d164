//! Who is in a split: arithmetic that every implementation must get the same.
//!
//! A value falls into one of 2^53 buckets: the first eight bytes, big-endian, of SHA-256(salt ‖ 0x00 ‖ value), without
//! the last 11 bits. The salt is `s` ‖ 0x00 ‖ seed, or without a seed `l` ‖ 0x00 ‖ flag key; several values are joined
//! by 0x1F. A split takes the buckets below its share. **Invariants:** the draw does not know the share, so a larger
//! share never loses anybody; with a seed it does not know the flag either.
//!
//! The function is frozen by `conformance/rules/split.tsv`. Changing it moves real users.
//!
//! Salt and value nearly always fit into one block of SHA-256, so drawing is filling the block up and compressing it
//! once.

use sha2::block_api::compress256;

/// Number of buckets: every one of them is exact as a 64-bit float.
const BUCKETS: u64 = 1 << 53;

/// Bytes that SHA-256 compresses at a time.
const BLOCK: usize = 64;

/// Where SHA-256 begins.
const BEGINNING: [u32; 8] =
    [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];

/// What a split draws with.
#[derive(Clone, Debug)]
pub(crate) enum Salt {
    /// Its seed: as far as it can be drawn beforehand.
    Seed(Box<Draw>),
    /// The key of the flag it stands in, whichever that is.
    Flag,
}

impl Salt {
    pub(crate) fn new(seed: Option<&str>) -> Self {
        seed.map_or(Self::Flag, |seed| Self::Seed(Box::new(Draw::of("s\0", seed))))
    }

    /// Begins to draw for the flag `flag_key`.
    #[inline]
    pub(crate) fn draw(&self, flag_key: &str) -> Draw {
        match self {
            Self::Seed(draw) => (**draw).clone(),
            Self::Flag => Draw::of("l\0", flag_key),
        }
    }
}

/// One drawing: values go in, a bucket comes out.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    state: [u32; 8],
    /// What is not compressed yet; zero behind what is filled.
    block: [u8; BLOCK],
    filled: usize,
    /// How many blocks were compressed.
    compressed: u64,
}

impl Draw {
    #[inline]
    fn of(kind: &str, salt: &str) -> Self {
        let mut draw = Self { state: BEGINNING, block: [0; BLOCK], filled: 0, compressed: 0 };
        draw.value(kind);
        draw.value(salt);
        draw.value("\0");
        draw
    }

    pub(crate) fn separate(&mut self) {
        self.value("\u{1F}");
    }

    #[inline]
    pub(crate) fn value(&mut self, text: &str) {
        let mut bytes = text.as_bytes();
        loop {
            let room = self.block.get_mut(self.filled..).unwrap_or_default();
            if let Some(free) = room.get_mut(..bytes.len())
                && bytes.len() < BLOCK - self.filled
            {
                free.copy_from_slice(bytes);
                self.filled += bytes.len();
                return;
            }
            let (fitting, rest) = bytes.split_at(room.len().min(bytes.len()));
            room.copy_from_slice(fitting);
            self.compress();
            bytes = rest;
        }
    }

    fn compress(&mut self) {
        compress256(&mut self.state, &[self.block]);
        self.block = [0; BLOCK];
        self.filled = 0;
        self.compressed += 1;
    }

    /// 0 up to 2^53; nothing can go in any more. In place, because copying what was just written in pieces is slow.
    #[inline]
    pub(crate) fn bucket(&mut self) -> u64 {
        /// Where the length stands in the last block.
        const LENGTH_AT: usize = BLOCK - 8;
        let bits = (self.compressed * BLOCK as u64 + self.filled as u64) * 8;
        if let Some(end) = self.block.get_mut(self.filled) {
            *end = 0x80;
        }
        if self.filled >= LENGTH_AT {
            self.compress();
        }
        if let Some(length) = self.block.last_chunk_mut() {
            *length = bits.to_be_bytes();
        }
        compress256(&mut self.state, &[self.block]);
        let [high, low, ..] = self.state;
        (u64::from(high) << 32 | u64::from(low)) >> 11
    }
}
/// Where a bucket lies on the way from 0 to 100.
#[expect(clippy::cast_precision_loss, reason = "both are at most 2^53")]
pub(crate) fn percent_of(bucket: u64) -> f64 {
    bucket as f64 / BUCKETS as f64 * 100.0
}

/// The first bucket that is not within `percent`, 0 to 2^53: so that comparing integers says what comparing
/// [`percent_of`] with `percent` would, to the last bucket.
pub(crate) fn threshold(percent: f64) -> u64 {
    let (mut low, mut high) = (0, BUCKETS);
    while low < high {
        let middle = low + (high - low) / 2;
        if percent_of(middle) < percent {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::{BUCKETS, Salt, percent_of, threshold};

    #[test]
    fn nobody_is_within_0_and_everybody_within_100() {
        assert_eq!(threshold(0.0), 0);
        assert_eq!(threshold(-0.0), 0);
        assert_eq!(threshold(100.0), BUCKETS);
        assert!(percent_of(BUCKETS - 1) < 100.0);
    }

    #[test]
    fn a_threshold_is_the_first_bucket_that_is_out() {
        for percent in [1e-300, 1e-14, 0.1, 1.0, 7.0, 33.3, 50.0, 99.9, 99.999_999_999_999_99] {
            let threshold = threshold(percent);
            assert!(percent_of(threshold) >= percent, "{percent}");
            assert!(percent_of(threshold - 1) < percent, "{percent}");
        }
        assert_eq!(threshold(50.0), BUCKETS / 2);
    }
    #[test]
    fn a_draw_is_the_hash_of_salt_and_values_wherever_blocks_end() {
        let text = "x".repeat(200);
        for seed in [0, 1, 20, 50, 60, 61, 62, 125, 126, 200] {
            for value in 0..=140 {
                let (seed, value) = (&text[..seed], &text[..value]);
                for (salt, flag, kind) in [(Some(seed), "flag", "s"), (None, seed, "l")] {
                    let mut draw = Salt::new(salt).draw(flag);
                    draw.value(value);
                    draw.separate();
                    draw.value("é");
                    let digest = Sha256::digest(format!("{kind}\0{seed}\0{value}\u{1F}é"));
                    let expected = u64::from_be_bytes(*digest.first_chunk().unwrap()) >> 11;
                    assert_eq!(draw.bucket(), expected, "{kind} {} {}", seed.len(), value.len());
                }
            }
        }
    }
}
