//! What a deployment strategy asks for: how fast to grow, and how long to watch before calling it done.

use crate::text::Constraint;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use yardarm_flags::Exposure;

/// How exposure grows from step to step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrowthType {
    /// By the growth factor each step: 20, 40, 60, 80, 100 percent.
    Linear,
    /// The growth factor doubled each step: 10, 20, 40, 80, 100 percent.
    Exponential,
}

/// Percent of clients in one step, 1 to 100, in ten-thousandths of a percent (which are parts per million of everyone).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct GrowthFactor(u32);

impl GrowthFactor {
    /// Everyone in one step.
    pub const ALL: Self = Self(1_000_000);

    /// From a percentage as the wire gives it, rounded to four digits after the point.
    ///
    /// # Errors
    /// Below 1 or above 100, or not a number.
    pub fn from_percent(percent: f64) -> Result<Self, Constraint> {
        if percent.is_nan() || percent < 1.0 {
            Err(Constraint::Min(1))
        } else if percent > 100.0 {
            Err(Constraint::Max(100))
        } else {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "1.0 to 100.0, checked above"
            )]
            let millionths = (percent * 10_000.0).round() as u32;
            Ok(Self(millionths))
        }
    }

    /// From parts per million: 10,000 to 1,000,000.
    #[must_use]
    pub const fn from_parts_per_million(ppm: u32) -> Option<Self> {
        if ppm >= 10_000 && ppm <= 1_000_000 { Some(Self(ppm)) } else { None }
    }

    /// The percentage, for printing.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl TryFrom<u32> for GrowthFactor {
    type Error = Constraint;

    fn try_from(ppm: u32) -> Result<Self, Constraint> {
        Self::from_parts_per_million(ppm).ok_or(Constraint::Min(10_000))
    }
}

impl From<GrowthFactor> for u32 {
    fn from(factor: GrowthFactor) -> Self {
        factor.0
    }
}

/// When the first step is taken. The service's documentation tells both stories; waiting is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Begin {
    /// One interval after the start: nobody has the new version before that.
    #[default]
    AfterInterval,
    /// At the start; the last interval is then spent at 100 percent.
    AtOnce,
}

/// A strategy's figures, copied into each deployment when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// From start to the end of growth, seconds. At most 24 hours.
    pub duration_s: u32,
    /// How long everyone has the new version before the deployment is complete, seconds. At most 24 hours.
    pub bake_s: u32,
    /// How exposure grows.
    pub growth: GrowthType,
    /// By how much.
    pub factor: GrowthFactor,
    /// When the first step is taken.
    pub begin: Begin,
}

impl Plan {
    /// The longest duration and the longest bake, seconds (1,440 minutes on the wire).
    pub const LONGEST_S: u32 = 86_400;

    /// Everyone at once, nothing to watch.
    #[must_use]
    pub fn is_instant(&self) -> bool {
        self.duration_s == 0 && self.bake_s == 0
    }

    /// How many steps it takes to reach everyone: 1 to 100.
    #[must_use]
    pub fn steps(&self) -> u32 {
        if self.duration_s == 0 {
            return 1;
        }
        match self.growth {
            GrowthType::Linear => Exposure::ALL.parts_per_million().div_ceil(self.factor.0),
            GrowthType::Exponential => {
                (1..).find(|step| self.exposure_after(*step) == Exposure::ALL).unwrap_or(1)
            }
        }
    }

    /// How many have the new version after `step` steps. Everyone from the last step on.
    #[must_use]
    pub fn exposure_after(&self, step: u32) -> Exposure {
        let factor = u64::from(self.factor.0);
        let ppm = match (step, self.growth) {
            (0, _) => 0,
            _ if self.duration_s == 0 => u64::MAX,
            (_, GrowthType::Linear) => factor.saturating_mul(u64::from(step)),
            (_, GrowthType::Exponential) => {
                factor.saturating_mul(1_u64.checked_shl(step.saturating_sub(1)).unwrap_or(u64::MAX))
            }
        };
        u32::try_from(ppm).ok().and_then(Exposure::from_parts_per_million).unwrap_or(Exposure::ALL)
    }

    /// Time between two steps: the duration shared evenly.
    #[must_use]
    pub fn interval(&self) -> SignedDuration {
        let millis = i64::from(self.duration_s).saturating_mul(1_000).checked_div(i64::from(self.steps()));
        SignedDuration::from_millis(millis.unwrap_or(0))
    }

    /// How long everyone has the new version before the deployment is complete.
    #[must_use]
    pub fn bake(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.bake_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(minutes: u32, growth: GrowthType, percent: f64) -> Plan {
        Plan {
            duration_s: minutes * 60,
            bake_s: 0,
            growth,
            factor: GrowthFactor::from_percent(percent).unwrap(),
            begin: Begin::AfterInterval,
        }
    }

    fn percents(plan: &Plan) -> Vec<f64> {
        (0..=plan.steps()).map(|n| f64::from(plan.exposure_after(n).parts_per_million()) / 10_000.0).collect()
    }

    #[test]
    fn linear_growth_adds_and_exponential_growth_doubles() {
        assert_eq!(percents(&plan(30, GrowthType::Linear, 20.0)), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(percents(&plan(20, GrowthType::Exponential, 10.0)), [0.0, 10.0, 20.0, 40.0, 80.0, 100.0]);
        let doubling = [0.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0];
        assert_eq!(percents(&plan(20, GrowthType::Exponential, 2.0)), doubling);
    }

    #[test]
    fn a_factor_that_does_not_divide_a_hundred_is_capped() {
        assert_eq!(percents(&plan(10, GrowthType::Linear, 30.0)), [0.0, 30.0, 60.0, 90.0, 100.0]);
    }

    #[test]
    fn the_duration_is_shared_evenly_among_the_steps() {
        assert_eq!(plan(20, GrowthType::Exponential, 10.0).interval(), SignedDuration::from_mins(4));
        assert_eq!(plan(1, GrowthType::Linear, 50.0).interval(), SignedDuration::from_secs(30));
        assert_eq!(plan(30, GrowthType::Linear, 20.0).interval(), SignedDuration::from_mins(6));
    }

    #[test]
    fn without_duration_everyone_is_reached_in_one_step() {
        assert_eq!(percents(&plan(0, GrowthType::Linear, 1.0)), [0.0, 100.0]);
    }

    #[test]
    fn the_slowest_growth_has_a_hundred_steps() {
        assert_eq!(plan(1, GrowthType::Linear, 1.0).steps(), 100);
        assert_eq!(plan(1, GrowthType::Exponential, 1.0).steps(), 8);
    }

    #[test]
    fn growth_factors_keep_four_digits() {
        assert_eq!(GrowthFactor::from_percent(33.3).unwrap().percent(), 33.3);
        assert_eq!(GrowthFactor::from_percent(0.99), Err(Constraint::Min(1)));
        assert_eq!(GrowthFactor::from_percent(f64::NAN), Err(Constraint::Min(1)));
        assert_eq!(GrowthFactor::from_percent(100.1), Err(Constraint::Max(100)));
    }
}
