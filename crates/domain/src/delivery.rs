//! Deliveries: what extensions are to be told about a deployment, until they have been.
//!
//! A delivery is not written to the log: it follows from the event that it tells of, when that is applied. So none can be
//! lost between an event and its delivery, and its id, made of the event's position, is the same on every node and after
//! every restart. What is written is how it ended. **Invariants:** a delivery ends once; what waits is bounded, and so is
//! what is remembered of those that failed.

use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::extension::{ActionPoint, AppliedExtension};
use crate::ids::{ApplicationId, DeploymentNumber, EnvironmentId, InvocationId};
use crate::invocation::{Failure, Invocation};
use crate::refusal::{Missing, Refusal};
use crate::text::Constraint;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Names a delivery: the position in the log of the event that it tells of, and whose turn it is among those told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryId {
    /// The event's position.
    pub position: u64,
    /// From zero.
    pub index: u32,
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.position, self.index)
    }
}

impl FromStr for DeliveryId {
    type Err = Constraint;

    fn from_str(text: &str) -> Result<Self, Constraint> {
        let parts = text
            .split_once('-')
            .and_then(|(position, index)| Some((position.parse().ok()?, index.parse().ok()?)));
        let (position, index) = parts.ok_or(Constraint::Pattern("[0-9]+-[0-9]+"))?;
        Ok(Self { position, index })
    }
}

/// Something that an extension is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id: what receivers know it again by.
    pub id: DeliveryId,
    /// About a deployment of which application.
    pub application: ApplicationId,
    /// Where.
    pub environment: EnvironmentId,
    /// Which deployment.
    pub deployment: DeploymentNumber,
    /// The entry of the deployment's log that it tells of.
    pub entry: u32,
    /// Who is told, with what parameters.
    pub applied: AppliedExtension,
    /// What is called, when it came to be.
    pub invocation: Invocation,
    /// When what it tells of happened.
    pub at: Timestamp,
}

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// What was to be told.
    pub delivery: Arc<Delivery>,
    /// Why it was not.
    pub failure: Failure,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was given up.
    pub at: Timestamp,
}

/// Deliveries that may wait. More are given up at once.
pub(crate) const MOST_WAITING: usize = 10_000;

/// Given-up deliveries that are remembered; the oldest are forgotten.
pub(crate) const MOST_UNDELIVERED: usize = 1_000;

/// How long and how often it is tried to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// After the first failure.
    pub first: SignedDuration,
    /// After any failure at most.
    pub longest: SignedDuration,
    /// How often it is tried, the first time included.
    pub attempts: u32,
    /// How old a delivery may become.
    pub within: SignedDuration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first: SignedDuration::from_secs(5),
            longest: SignedDuration::from_hours(1),
            attempts: 12,
            within: SignedDuration::from_hours(24),
        }
    }
}

impl RetryPolicy {
    /// When to try again what has failed `failures` times, the last time at `now`, and tells of something at `since`.
    /// Waiting doubles each time; between half of it and all of it is taken, as `jitter` says, so that receivers who come
    /// back do not meet everybody at once. `None`: give up.
    #[must_use]
    pub fn again_at(
        &self,
        failures: u32,
        since: Timestamp,
        now: Timestamp,
        jitter: u32,
    ) -> Option<Timestamp> {
        if failures >= self.attempts {
            return None;
        }
        let doublings = failures.saturating_sub(1).min(30);
        let wait = self.first.saturating_mul(1 << doublings).min(self.longest).max(SignedDuration::ZERO);
        let half = wait / 2;
        let part = half.as_millis().saturating_mul(i128::from(jitter)) / i128::from(u32::MAX);
        let wait = half.saturating_add(SignedDuration::from_millis(i64::try_from(part).unwrap_or(i64::MAX)));
        let at = now.saturating_add(wait).ok()?;
        (at <= since.saturating_add(self.within).unwrap_or(Timestamp::MAX)).then_some(at)
    }
}

/// Records how a delivery ended. One that has ended already stays as it is.
#[derive(Clone, Debug)]
pub struct EndDelivery {
    /// Which.
    pub delivery: DeliveryId,
    /// Why it was given up, if it was.
    pub failure: Option<Failure>,
    /// How often it was tried.
    pub attempts: u32,
}

impl Command for EndDelivery {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if !world.deliveries().contains_key(&self.delivery) {
            return Decision::new((), vec![]);
        }
        let (delivery, failure, attempts) = (self.delivery, self.failure.clone(), self.attempts);
        Decision::new((), vec![Event::DeliveryEnded { delivery, failure, attempts }])
    }
}

/// Tries a delivery again that was given up.
#[derive(Clone, Debug)]
pub struct DeliverAgain {
    /// Which.
    pub delivery: DeliveryId,
}

impl Command for DeliverAgain {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if !world.undelivered().contains_key(&self.delivery) {
            return Err(Refusal::NotFound(Missing::Delivery(self.delivery)));
        }
        Decision::new((), vec![Event::DeliveryResumed { delivery: self.delivery }])
    }
}

impl World {
    /// Adds what the extensions of a deployment are to be told about the event at `position`.
    pub(crate) fn tell_extensions(
        &mut self,
        (application, environment, number): (&ApplicationId, &EnvironmentId, DeploymentNumber),
        point: ActionPoint,
        position: u64,
        at: Timestamp,
    ) {
        let Ok(place) = self.environment(application, environment) else { return };
        let Ok(deployment) = place.deployment(application, number) else { return };
        let deployment = deployment.clone();
        let entry = u32::try_from(deployment.log.len().saturating_sub(1)).unwrap_or(u32::MAX);
        for (index, applied) in (0..).zip(&deployment.extensions) {
            let run = InvocationId::of(position, index);
            let Some(invocation) = self.invocation(applied, point, run) else { continue };
            let id = DeliveryId { position, index };
            let delivery = Arc::new(Delivery {
                id,
                application: application.clone(),
                environment: environment.clone(),
                deployment: number,
                entry,
                applied: applied.clone(),
                invocation,
                at,
            });
            if self.deliveries.len() < MOST_WAITING {
                self.deliveries.insert(id, delivery);
            } else {
                let message = format!("{MOST_WAITING} deliveries are waiting already.");
                self.give_up(delivery, Failure { code: "QueueFull".into(), message }, 0, at);
            }
        }
    }

    /// The effect of a delivery's end.
    pub(crate) fn end_delivery(
        &mut self,
        id: DeliveryId,
        failure: Option<Failure>,
        attempts: u32,
        at: Timestamp,
    ) {
        let Some(delivery) = self.deliveries.remove(&id) else { return };
        match failure {
            Some(failure) => self.give_up(delivery, failure, attempts, at),
            None => self.log_delivery(&delivery, None),
        }
    }

    /// The effect of trying a delivery again.
    pub(crate) fn resume_delivery(&mut self, id: DeliveryId, at: Timestamp) {
        if let Some(undelivered) = self.undelivered.remove(&id) {
            // Its time begins anew.
            let delivery = Delivery { at, ..Delivery::clone(&undelivered.delivery) };
            self.deliveries.insert(id, Arc::new(delivery));
        }
    }

    fn give_up(&mut self, delivery: Arc<Delivery>, failure: Failure, attempts: u32, at: Timestamp) {
        self.log_delivery(&delivery, Some(failure.clone()));
        self.undelivered.insert(delivery.id, Undelivered { delivery, failure, attempts, at });
        while self.undelivered.len() > MOST_UNDELIVERED {
            let Some(oldest) = self.undelivered.keys().next().copied() else { return };
            self.undelivered.remove(&oldest);
        }
    }

    /// Writes how a delivery ended into its deployment's log, over what stood there.
    fn log_delivery(&mut self, delivery: &Delivery, failure: Option<Failure>) {
        let invocation = Invocation { failure, ..delivery.invocation.clone() };
        self.log_invocations(
            (&delivery.application, &delivery.environment, delivery.deployment),
            Some(delivery.entry),
            vec![invocation],
        );
    }

    /// Forgets what is to be told because of what `gone` says is gone.
    pub(crate) fn drop_deliveries(&mut self, gone: impl Fn(&Delivery) -> bool) {
        let waiting: Vec<_> = self.deliveries.values().filter(|one| gone(one)).map(|one| one.id).collect();
        for id in waiting {
            self.deliveries.remove(&id);
        }
        let given_up: Vec<_> =
            self.undelivered.iter().filter(|(_, one)| gone(&one.delivery)).map(|(id, _)| *id).collect();
        for id in given_up {
            self.undelivered.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn waiting_doubles_up_to_an_hour_and_ends() {
        let policy = RetryPolicy::default();
        let wait = |failures| policy.again_at(failures, START, START, u32::MAX).map(|at| at.as_second());
        assert_eq!([1, 2, 3, 4].map(wait), [Some(5), Some(10), Some(20), Some(40)]);
        assert_eq!(wait(11), Some(3_600));
        assert_eq!(wait(12), None);
        let late = START + SignedDuration::from_hours(24);
        assert_eq!(policy.again_at(1, START, late, 0), None);
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = DeliveryId { position: 17, index: 2 };
        assert_eq!(id.to_string(), "17-2");
        assert_eq!("17-2".parse(), Ok(id));
        for bad in ["", "17", "17-", "-2", "a-b", "17-2-3"] {
            assert!(bad.parse::<DeliveryId>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_retry_is_never_in_the_past_never_too_late_and_never_sooner_than_half_the_wait(
            failures in 1_u32..40, age_s in 0_i64..200_000, jitter: u32,
        ) {
            let policy = RetryPolicy::default();
            let now = START + SignedDuration::from_secs(age_s);
            if let Some(at) = policy.again_at(failures, START, now, jitter) {
                let full = SignedDuration::from_secs(5).saturating_mul(1 << failures.min(20).saturating_sub(1));
                let full = full.min(policy.longest);
                prop_assert!(at >= now + full / 2);
                prop_assert!(at <= now + full);
                prop_assert!(at <= START + policy.within);
                prop_assert!(failures < policy.attempts);
            }
        }
    }
}
