//! Alarms: whether what is being deployed does harm, as told by somebody who measures it.
//!
//! An environment's monitors name alarms by ARN; the registry says where each alarm's evidence comes from. What an alarm
//! *is* at a given time is a pure function of its last evidence and that time: evidence that is too old says nothing.
//! **Invariant:** evidence belongs to the definition it was gathered for; a new definition begins without any.

mod change;
mod report;
mod watch;

pub use change::{ChangeAlarm, DeleteAlarm, PutAlarm};
pub use report::{AlarmReport, ReportAlarms};
pub use watch::Verdict;
pub(crate) use watch::{obstacles, verdict};

use crate::account::Region;
use crate::bearer_token::TokenHash;
use crate::rollout::CLOCK_DISAGREEMENT;
use crate::text::{
    AlarmArn, AlarmReason, CloudWatchAlarmName, Constraint, Description, FiringGroup, Query, SourceUrl,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What an alarm says. The names are CloudWatch's, because monitors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlarmState {
    /// Nothing is wrong.
    Ok,
    /// Something is.
    Alarm,
    /// Nobody knows.
    InsufficientData,
}

/// The words for [`AlarmState`], in its order.
pub const ALARM_STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

impl AlarmState {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

impl FromStr for AlarmState {
    type Err = Constraint;

    fn from_str(word: &str) -> Result<Self, Constraint> {
        [Self::Ok, Self::Alarm, Self::InsufficientData]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(Constraint::OneOf(&ALARM_STATES))
    }
}

/// How old an alarm's evidence may be before it counts as none: 5 seconds to 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct FreshFor(u32);

impl FreshFor {
    /// For sources that are asked every few seconds.
    pub const POLLED: Self = Self(60);
    /// For sources that tell by themselves.
    pub const PUSHED: Self = Self(300);

    /// As a duration.
    #[must_use]
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.0))
    }

    /// In seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for FreshFor {
    type Error = Constraint;

    fn try_from(seconds: u32) -> Result<Self, Constraint> {
        match seconds {
            0..5 => Err(Constraint::Min(5)),
            5..=604_800 => Ok(Self(seconds)),
            604_801.. => Err(Constraint::Max(604_800)),
        }
    }
}

impl From<FreshFor> for u32 {
    fn from(fresh: FreshFor) -> Self {
        fresh.0
    }
}

/// Where a breach begins: a finite number. Written as text in events, so that it is read back as it was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threshold(f64);

impl Threshold {
    /// From a number.
    ///
    /// # Errors
    /// It is not finite.
    pub fn new(number: f64) -> Result<Self, Constraint> {
        if number.is_finite() { Ok(Self(number)) } else { Err(Constraint::Finite) }
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> f64 {
        self.0
    }
}

impl TryFrom<String> for Threshold {
    type Error = Constraint;

    fn try_from(text: String) -> Result<Self, Constraint> {
        text.parse().map_err(|_| Constraint::Finite).and_then(Self::new)
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> Self {
        threshold.0.to_string()
    }
}

/// How a value stands to the threshold when it breaches it. Written as in PromQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Above.
    #[serde(rename = ">")]
    Above,
    /// Above or equal.
    #[serde(rename = ">=")]
    AtLeast,
    /// Below.
    #[serde(rename = "<")]
    Below,
    /// Below or equal.
    #[serde(rename = "<=")]
    AtMost,
}

/// The words for [`Comparison`], in its order.
pub const COMPARISONS: [&str; 4] = [">", ">=", "<", "<="];

impl Comparison {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    /// Whether `value` breaches `threshold`. What is no number breaches nothing.
    #[must_use]
    pub fn breaches(self, value: f64, threshold: Threshold) -> bool {
        match self {
            Self::Above => value > threshold.0,
            Self::AtLeast => value >= threshold.0,
            Self::Below => value < threshold.0,
            Self::AtMost => value <= threshold.0,
        }
    }
}

impl FromStr for Comparison {
    type Err = Constraint;

    fn from_str(word: &str) -> Result<Self, Constraint> {
        [Self::Above, Self::AtLeast, Self::Below, Self::AtMost]
            .into_iter()
            .find(|comparison| comparison.as_str() == word)
            .ok_or(Constraint::OneOf(&COMPARISONS))
    }
}

/// What a query without any result means. The names are CloudWatch's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingData {
    /// Nobody knows.
    #[default]
    Missing,
    /// Nothing is wrong: for queries that hold the comparison themselves.
    NotBreaching,
    /// Something is.
    Breaching,
}

/// The words for [`MissingData`], in its order.
pub const MISSING_DATA: [&str; 3] = ["missing", "notBreaching", "breaching"];

impl MissingData {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotBreaching => "notBreaching",
            Self::Breaching => "breaching",
        }
    }
}

impl FromStr for MissingData {
    type Err = Constraint;

    fn from_str(word: &str) -> Result<Self, Constraint> {
        [Self::Missing, Self::NotBreaching, Self::Breaching]
            .into_iter()
            .find(|missing| missing.as_str() == word)
            .ok_or(Constraint::OneOf(&MISSING_DATA))
    }
}

/// A question to a Prometheus server, and which answers are a breach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusAlarm {
    /// The server.
    pub url: SourceUrl,
    /// An instant query. Any of the series it yields may breach the threshold.
    pub query: Query,
    /// How a value stands to the threshold when it breaches it.
    pub comparison: Comparison,
    /// Where a breach begins.
    pub threshold: Threshold,
    /// How long a breach lasts before it is an alarm, seconds. Until then it holds a rollout up without taking it back.
    pub for_s: u32,
    /// What no result means.
    pub missing_data: MissingData,
}

/// An alarm of Amazon CloudWatch, or of something that speaks its protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudWatchAlarm {
    /// Its name.
    pub name: CloudWatchAlarmName,
    /// In which region.
    pub region: Region,
    /// Where to ask instead of the region's usual address.
    pub endpoint: Option<SourceUrl>,
}

/// Where an alarm's evidence comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmSource {
    /// A Prometheus server is asked.
    Prometheus(PrometheusAlarm),
    /// Somebody tells: Alertmanager, Grafana, or a program.
    Pushed,
    /// CloudWatch is asked.
    CloudWatch(CloudWatchAlarm),
}

impl AlarmSource {
    /// Whether it has to be asked.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        !matches!(self, Self::Pushed)
    }

    /// How long a breach lasts before it is an alarm.
    #[must_use]
    pub fn for_duration(&self) -> SignedDuration {
        match self {
            Self::Prometheus(alarm) => SignedDuration::from_secs(i64::from(alarm.for_s)),
            Self::Pushed | Self::CloudWatch(_) => SignedDuration::ZERO,
        }
    }

    /// How old evidence may be unless somebody says otherwise.
    #[must_use]
    pub fn usually_fresh_for(&self) -> FreshFor {
        if self.is_polled() { FreshFor::POLLED } else { FreshFor::PUSHED }
    }

    /// The CloudWatch alarm that an ARN names. `None`: it names something else.
    #[must_use]
    pub fn named_by(arn: &AlarmArn) -> Option<Self> {
        let mut parts = arn.as_str().splitn(7, ':');
        let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, kind, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_it = scheme == "arn"
            && partition.starts_with("aws")
            && service == "cloudwatch"
            && !account.is_empty()
            && kind == "alarm";
        let (name, region) = (name.parse().ok()?, region.parse().ok()?);
        is_it.then_some(Self::CloudWatch(CloudWatchAlarm { name, region, endpoint: None }))
    }
}

/// What was last heard of an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// What it says.
    pub state: AlarmState,
    /// When it was last known to say so.
    pub at: Timestamp,
    /// From when on it has said so.
    pub since: Timestamp,
    /// From when on the threshold has been breached. With [`AlarmState::Ok`]: not yet for long enough.
    #[serde(default)]
    pub breaching_since: Option<Timestamp>,
    /// Whether the source would act on it.
    pub actions_enabled: bool,
    /// Why, in the source's words.
    #[serde(default)]
    pub reason: Option<AlarmReason>,
    /// Groups of a pushing source that are firing, in order. Each is told of by itself, so that the end of one is not
    /// the end of all.
    #[serde(default)]
    pub firing: Vec<FiringGroup>,
}

/// An alarm of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// What monitors call it.
    pub arn: AlarmArn,
    /// What it watches.
    pub description: Option<Description>,
    /// Where its evidence comes from.
    pub source: AlarmSource,
    /// How old that may be.
    pub fresh_for: FreshFor,
    /// Whether deployments are to be rolled back because of it.
    pub actions_enabled: bool,
    /// What whoever pushes its state has to show, hashed.
    pub secret: Option<TokenHash>,
    /// Which definition this is: the place in the log where its source was last set.
    pub revision: u64,
    /// What was last heard.
    pub evidence: Option<Evidence>,
    /// Position in the log at which it was made: the order of listings.
    pub ordinal: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed. What is heard of it does not count.
    pub changed_at: Timestamp,
}

impl Alarm {
    /// What it says at `now`: what its evidence says, unless that is too old or from a time that has not come.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> AlarmState {
        self.fresh_evidence(now).map_or(AlarmState::InsufficientData, |evidence| evidence.state)
    }

    /// Whether deployments are rolled back because of it: neither it nor its source has its actions disabled.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.actions_enabled && self.evidence.as_ref().is_none_or(|evidence| evidence.actions_enabled)
    }

    /// Its evidence, unless that is too old or from a time that has not come.
    pub(crate) fn fresh_evidence(&self, now: Timestamp) -> Option<&Evidence> {
        self.evidence.as_ref().filter(|evidence| {
            let age = now.duration_since(evidence.at);
            age <= self.fresh_for.duration() && age >= -CLOCK_DISAGREEMENT
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloudwatch_arn_names_its_alarm() {
        let named = |arn: &str| AlarmSource::named_by(&arn.parse().unwrap());
        let found = named("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:too many: errors");
        let Some(AlarmSource::CloudWatch(alarm)) = found else { panic!("{found:?}") };
        assert_eq!((alarm.name.as_str(), alarm.region.as_str()), ("too many: errors", "eu-west-1"));
        assert!(named("arn:aws-cn:cloudwatch:cn-north-1:123456789012:alarm:errors").is_some());
        for other in [
            "errors",
            "arn:aws:cloudwatch:eu-west-1:123456789012:dashboard:errors",
            "arn:aws:sns:eu-west-1:123456789012:alarm:errors",
            "arn:aws:cloudwatch::123456789012:alarm:errors",
            "arn:aws:cloudwatch:eu-west-1::alarm:errors",
            "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:",
            "arn:aws:cloudwatch:eu-west-1:123456789012:alarm",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_number_breaches_nothing() {
        let threshold = Threshold::new(1.0).unwrap();
        for word in COMPARISONS {
            let comparison: Comparison = word.parse().unwrap();
            assert_eq!(comparison.as_str(), word);
            assert!(!comparison.breaches(f64::NAN, threshold), "{word}");
        }
        assert!(Comparison::Above.breaches(f64::INFINITY, threshold));
        assert!(Comparison::AtLeast.breaches(1.0, threshold) && !Comparison::Above.breaches(1.0, threshold));
        assert!(Comparison::AtMost.breaches(1.0, threshold) && !Comparison::Below.breaches(1.0, threshold));
    }

    #[test]
    fn a_threshold_is_written_as_it_was_read() {
        for number in [0.1, 1e300, -2.5e-9, 0.0, 123_456_789.123_456_78] {
            let threshold = Threshold::new(number).unwrap();
            assert_eq!(Threshold::try_from(String::from(threshold)), Ok(threshold));
        }
        for bad in ["", "NaN", "inf", "1,5", "x"] {
            assert!(Threshold::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn freshness_has_bounds() {
        assert_eq!(FreshFor::try_from(4), Err(Constraint::Min(5)));
        assert_eq!(FreshFor::try_from(604_801), Err(Constraint::Max(604_800)));
        assert_eq!(FreshFor::try_from(60), Ok(FreshFor::POLLED));
    }
}
