//! Who is in a split: arithmetic that every implementation must get the same.
//!
//! A value falls into one of 2^53 buckets: the first eight bytes, big-endian, of SHA-256(salt ‖ 0x00 ‖ value), without
//! the last 11 bits. The salt is `s` ‖ 0x00 ‖ seed, or without a seed `l` ‖ 0x00 ‖ flag key; several values are joined
//! by 0x1F. A split takes the buckets below its share. **Invariants:** the draw does not know the share, so a larger
//! share never loses anybody; with a seed it does not know the flag either.
//!
//! The function is frozen by `conformance/rules/split.tsv`. Changing it moves real users.

use sha2::{Digest as _, Sha256};

/// Number of buckets: every one of them is exact as a 64-bit float.
const BUCKETS: u64 = 1 << 53;

/// What a split draws with.
#[derive(Clone, Debug)]
pub(crate) struct Salt(Sha256);

impl Salt {
    pub(crate) fn new(seed: Option<&str>, flag_key: &str) -> Self {
        let (kind, text) = match seed {
            Some(seed) => (b"s", seed),
            None => (b"l", flag_key),
        };
        Self(Sha256::new().chain_update(kind).chain_update([0]).chain_update(text).chain_update([0]))
    }

    pub(crate) fn draw(&self) -> Draw {
        Draw(self.0.clone())
    }
}

/// One drawing: values go in, a bucket comes out.
pub(crate) struct Draw(Sha256);

impl Draw {
    pub(crate) fn separate(&mut self) {
        self.0.update([0x1F]);
    }

    pub(crate) fn value(&mut self, text: &str) {
        self.0.update(text);
    }

    /// 0 up to 2^53.
    pub(crate) fn bucket(self) -> u64 {
        let digest: [u8; 32] = self.0.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 11
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
    use super::{BUCKETS, percent_of, threshold};

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
}
