//! What a client makes of a server's answers: what it serves from now on, how fresh that is, and when it asks again.
//!
//! **Invariants:** pure; what was good stays until something better has been read; whatever a server answers, and
//! however fast, it is not asked more often than every [`PACE`].

use crate::backoff::Backoff;
use crate::rollout::{Rollout, UnreadableRollout};
use crate::server::ApiError;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// The least time between two requests.
pub(crate) const PACE: Duration = Duration::from_millis(100);

/// How fresh the flags are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The server has not been heard of yet. A copy from the disk may be served already.
    Starting,
    /// What the server has.
    Current,
    /// The server may have something newer. What was good is served.
    Stale(Arc<str>),
}

/// What a server has answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Something new, and how to name it.
    New { etag: Option<Box<str>>, body: Bytes },
    /// What was named is what there is.
    Unchanged,
}

/// What is to be done about an answer.
#[derive(Debug)]
pub(crate) struct Step {
    /// To be served from now on.
    pub(crate) serve: Option<Arc<Rollout>>,
    /// How fresh what is served is.
    pub(crate) freshness: Freshness,
    /// What is wrong with an answer.
    pub(crate) unreadable: Option<UnreadableRollout>,
    /// How long to wait before asking again.
    pub(crate) pause: Duration,
}

/// Follows one configuration.
#[derive(Debug)]
pub(crate) struct Follower {
    serving: Option<Arc<Rollout>>,
    /// Names the last answer, readable or not, so that the next one is another.
    etag: Option<Box<str>>,
    /// Why the last answer is not served.
    unreadable: Option<Arc<str>>,
    backoff: Backoff,
    /// How long a server is asked to hold a request for which there is nothing new.
    wait: Duration,
    /// Whether the last request was answered.
    in_touch: bool,
}

impl Follower {
    pub(crate) fn new(backoff: Backoff, wait: Duration) -> Self {
        Self { serving: None, etag: None, unreadable: None, backoff, wait, in_touch: false }
    }

    /// Begins with an answer that was kept.
    pub(crate) fn resume(
        &mut self,
        etag: Option<&str>,
        answer: &[u8],
    ) -> Result<Arc<Rollout>, UnreadableRollout> {
        let rollout = Arc::new(Rollout::read(answer, None)?);
        self.serving = Some(rollout.clone());
        self.etag = etag.map(Into::into);
        Ok(rollout)
    }

    /// What to ask for something other than.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// How long to ask the server to wait for it. Not at all before it was heard of: whether what is served is current
    /// must not take that long.
    pub(crate) const fn wait(&self) -> Duration {
        if self.in_touch { self.wait } else { Duration::ZERO }
    }

    /// Takes an answer that has taken `took`. `draw`: any random number.
    pub(crate) fn heard(&mut self, answer: Result<Answer, &ApiError>, took: Duration, draw: u64) -> Step {
        let early = took < self.wait() / 2;
        self.in_touch = match &answer {
            Ok(_) => true,
            Err(error) => error.is_not_found(),
        };
        match answer {
            Ok(Answer::New { etag, body }) => self.news(etag, &body, took, draw),
            Ok(Answer::Unchanged) if early => {
                // A server that ends, or one that does not wait.
                let pause = self.backoff.failed(draw).max(PACE);
                self.step(self.freshness(), pause)
            }
            Ok(Answer::Unchanged) => {
                self.backoff.succeeded();
                self.step(self.freshness(), PACE.saturating_sub(took))
            }
            // Nothing is deployed, which a server is asked to wait out; or the place does not exist, and it does not wait.
            Err(error) if error.is_not_found() => {
                // Whoever names something is told at once that it is gone. What is served stays.
                self.etag = None;
                let pause = if early {
                    self.backoff.failed(draw).max(PACE)
                } else {
                    self.backoff.succeeded();
                    PACE.saturating_sub(took)
                };
                self.step(Freshness::Stale(error.to_string().into()), pause)
            }
            Err(error) => {
                let told = match error {
                    ApiError::Refused { retry_after, .. } => retry_after.unwrap_or_default(),
                    _ => Duration::ZERO,
                };
                let pause = self.backoff.failed(draw).max(told).max(PACE);
                self.step(Freshness::Stale(error.to_string().into()), pause)
            }
        }
    }

    fn news(&mut self, etag: Option<Box<str>>, body: &[u8], took: Duration, draw: u64) -> Step {
        let named = etag.is_some();
        self.etag = etag;
        let read = Rollout::read(body, self.serving.as_deref());
        // Without a name for it the same answer comes at once again.
        let pause = if named {
            self.backoff.succeeded();
            PACE.saturating_sub(took)
        } else {
            self.backoff.failed(draw).max(PACE)
        };
        match read {
            Ok(rollout) => {
                let rollout = Arc::new(rollout);
                self.serving = Some(rollout.clone());
                self.unreadable = None;
                Step { serve: Some(rollout), ..self.step(Freshness::Current, pause) }
            }
            Err(error) => {
                self.unreadable = Some(error.to_string().into());
                Step { unreadable: Some(error), ..self.step(self.freshness(), pause) }
            }
        }
    }

    /// How fresh what is served is while the server answers.
    fn freshness(&self) -> Freshness {
        self.unreadable.clone().map_or(Freshness::Current, Freshness::Stale)
    }

    const fn step(&self, freshness: Freshness, pause: Duration) -> Step {
        Step { serve: None, freshness, unreadable: None, pause }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Follower, Freshness, PACE};
    use crate::backoff::Backoff;
    use crate::server::ApiError;
    use http::StatusCode;
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::Duration;

    const WAIT: Duration = Duration::from_secs(30);
    const LONGEST: Duration = Duration::from_secs(15);

    fn follower() -> Follower {
        Follower::new(Backoff::new(Duration::from_millis(250), LONGEST), WAIT)
    }

    fn news(number: u32) -> Answer {
        let stable =
            json!({"version": number, "contentType": "application/json", "content": "{\"version\":\"1\"}"});
        let body = json!({"type": "AWS.AppConfig.FeatureFlags", "seq": 1, "stable": stable});
        Answer::New { etag: Some(format!("\"{number}\"").into()), body: body.to_string().into() }
    }

    fn nonsense() -> Answer {
        Answer::New { etag: Some("\"nonsense\"".into()), body: "nonsense".into() }
    }

    fn down() -> ApiError {
        ApiError::Refused {
            status: StatusCode::SERVICE_UNAVAILABLE,
            detail: "down".into(),
            retry_after: None,
        }
    }

    fn missing() -> ApiError {
        ApiError::Refused { status: StatusCode::NOT_FOUND, detail: "nothing".into(), retry_after: None }
    }

    fn served(follower: &Follower) -> Option<u32> {
        follower.serving.as_ref()?.version_for(None).map(|version| version.number())
    }

    #[test]
    fn what_was_good_is_served_until_something_better_is_read() {
        let mut follower = follower();
        let step = follower.heard(Ok(news(1)), WAIT, 0);
        assert_eq!((step.freshness, served(&follower)), (Freshness::Current, Some(1)));

        let step = follower.heard(Err(&down()), WAIT, 0);
        assert_eq!((step.freshness, served(&follower)), (Freshness::Stale("down".into()), Some(1)));

        let step = follower.heard(Ok(nonsense()), WAIT, 0);
        assert!(step.serve.is_none() && step.unreadable.is_some());
        assert!(matches!(step.freshness, Freshness::Stale(_)));
        assert_eq!((served(&follower), follower.etag()), (Some(1), Some("\"nonsense\"")));

        let step = follower.heard(Ok(Answer::Unchanged), WAIT, 0);
        assert!(matches!(step.freshness, Freshness::Stale(_)), "the server still has what cannot be read");

        let step = follower.heard(Ok(news(2)), WAIT, 0);
        assert_eq!((step.freshness, served(&follower)), (Freshness::Current, Some(2)));
    }

    #[test]
    fn a_change_is_asked_for_at_once_and_trouble_is_waited_out() {
        let mut follower = follower();
        assert_eq!(follower.heard(Ok(news(1)), WAIT, u64::MAX).pause, Duration::ZERO);
        assert_eq!(follower.heard(Ok(Answer::Unchanged), WAIT, u64::MAX).pause, Duration::ZERO);
        for bound in [250, 500, 1_000] {
            let pause = follower.heard(Err(&down()), WAIT, u64::MAX).pause;
            assert!(pause > Duration::from_millis(bound - 1) && pause <= Duration::from_millis(bound));
        }
        let busy = ApiError::Refused {
            status: StatusCode::TOO_MANY_REQUESTS,
            detail: "busy".into(),
            retry_after: Some(Duration::from_secs(60)),
        };
        assert_eq!(follower.heard(Err(&busy), WAIT, 0).pause, Duration::from_secs(60));
        follower.heard(Ok(news(2)), WAIT, 0);
        assert!(follower.heard(Err(&down()), WAIT, u64::MAX).pause <= Duration::from_millis(250));
    }

    #[test]
    fn a_server_that_was_away_is_not_asked_to_wait() {
        let mut follower = follower();
        assert_eq!(follower.wait(), Duration::ZERO);
        follower.heard(Ok(news(1)), Duration::ZERO, 0);
        assert_eq!(follower.wait(), WAIT);
        follower.heard(Err(&down()), Duration::ZERO, 0);
        assert_eq!(follower.wait(), Duration::ZERO);
        let step = follower.heard(Ok(Answer::Unchanged), Duration::ZERO, u64::MAX);
        assert_eq!((step.freshness, step.pause, follower.wait()), (Freshness::Current, PACE, WAIT));
    }

    #[test]
    fn a_first_deployment_is_waited_for_and_a_place_that_does_not_exist_is_not() {
        let nothing = missing();
        let mut follower = follower();
        let step = follower.heard(Err(&nothing), Duration::ZERO, u64::MAX);
        assert_eq!((step.pause, follower.wait()), (PACE, WAIT), "the next request waits");
        assert!(matches!(step.freshness, Freshness::Stale(_)));
        let step = follower.heard(Err(&nothing), WAIT, u64::MAX);
        assert_eq!((step.pause, follower.wait()), (Duration::ZERO, WAIT));
        let pauses: Vec<Duration> =
            (0..10).map(|_| follower.heard(Err(&nothing), Duration::ZERO, u64::MAX).pause).collect();
        assert!(pauses.is_sorted() && pauses.last() > Some(&Duration::from_secs(14)), "{pauses:?}");

        follower.heard(Ok(news(1)), WAIT, 0);
        follower.heard(Err(&nothing), Duration::ZERO, 0);
        assert_eq!((served(&follower), follower.etag()), (Some(1), None), "what was good stays");
    }

    #[test]
    fn a_server_that_does_not_wait_is_not_asked_without_pause() {
        let mut follower = follower();
        follower.heard(Ok(news(1)), WAIT, 0);
        let pauses: Vec<Duration> =
            (0..10).map(|_| follower.heard(Ok(Answer::Unchanged), Duration::ZERO, u64::MAX).pause).collect();
        assert!(pauses.is_sorted() && pauses.last() > Some(&Duration::from_secs(14)), "{pauses:?}");
    }

    proptest! {
        #[test]
        fn a_server_is_never_asked_more_often_than_the_pace(
            story in proptest::collection::vec((0_u8..5, 0_u64..40_000, any::<u64>()), 1..50),
        ) {
            let mut follower = follower();
            for (what, took, draw) in story {
                let took = Duration::from_millis(took);
                let down = if what == 4 { missing() } else { down() };
                let step = follower.heard(
                    match what {
                        0 => Ok(news(1)),
                        1 => Ok(nonsense()),
                        2 => Ok(Answer::Unchanged),
                        _ => Err(&down),
                    },
                    took,
                    draw,
                );
                prop_assert!(took + step.pause >= PACE);
                prop_assert!(step.pause <= LONGEST);
                prop_assert_eq!(follower.serving.is_some(), served(&follower).is_some());
            }
        }
    }
}
