//! Several measurements of one thing: least, median and most.

use std::fmt;
use std::time::Duration;

/// Measurements of one thing, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    /// The smallest; zero when nothing was measured.
    pub(crate) fn min(&self) -> f64 {
        self.0.first().copied().unwrap_or(0.0)
    }

    /// The one in the middle; of an even number the mean of the two.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        let at = |index: usize| self.0.get(index).copied().unwrap_or(0.0);
        if self.0.len().is_multiple_of(2) {
            f64::midpoint(at(middle.saturating_sub(1)), at(middle))
        } else {
            at(middle)
        }
    }

    /// The largest; zero when nothing was measured.
    pub(crate) fn max(&self) -> f64 {
        self.0.last().copied().unwrap_or(0.0)
    }
}

impl FromIterator<f64> for Spread {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

/// `min / median / max`, with as many digits as the precision says.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        write!(f, "{:.digits$} / **{:.digits$}** / {:.digits$}", self.min(), self.median(), self.max())
    }
}

/// Milliseconds, with their fractions.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Microseconds, with their fractions.
pub(crate) fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000_000.0
}

/// Binary megabytes.
#[expect(clippy::cast_precision_loss, reason = "sizes of files and processes")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1_024.0 * 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let spread: Spread = [3.0, 1.0, 2.0].into_iter().collect();
        assert_eq!((spread.min(), spread.median(), spread.max()), (1.0, 2.0, 3.0));
        let even: Spread = [4.0, 1.0, 2.0, 3.0].into_iter().collect();
        assert_eq!(even.median(), 2.5);
        assert_eq!(format!("{even:.1}"), "1.0 / **2.5** / 4.0");
        assert_eq!(Spread::default().median(), 0.0);
    }
}
