//! What a client makes of a server's answers: what it serves from now on, how fresh that is, and when it asks again.
//!
//! A server that has streams tells of changes; one that has none, or that something on the way keeps from it, is asked
//! again and again (a long poll). An event of a stream leaves out the contents that the client has: they are filled in from
//! the state before, so that everything behind this sees whole states only.
//!
//! **Invariants:** pure; what was good stays until something better has been read; whatever a server answers, and
//! however fast, it is not asked more often than every [`PACE`].

use crate::acknowledging::Said;
use crate::backoff::Backoff;
use crate::event_reader::{Event, Heard};
use crate::event_stream::StreamEnd;
use crate::http_client::HttpError;
use crate::rollout::{Rollout, UnreadableRollout};
use crate::server::ApiError;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use yardarm_wire::native::RolloutState;
use yardarm_wire::rollout_events::NOT_DEPLOYED;

/// The least time between two requests.
pub(crate) const PACE: Duration = Duration::from_millis(100);

/// How many answers are waited for without a stream, after it has turned out that none comes through.
const PLAIN_ANSWERS: u32 = 20;

/// The longest that a server can ask a client to stay away when its stream ends.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

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

/// A rollout and the answer it was read of.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) rollout: Arc<Rollout>,
    pub(crate) etag: Option<Box<str>>,
    pub(crate) answer: Bytes,
}

/// What is to be done about an answer.
#[derive(Debug)]
pub(crate) struct Step {
    /// To be served from now on.
    pub(crate) serve: Option<Served>,
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
    /// What that answer says, as far as it has the form of one.
    state: Option<RolloutState>,
    /// Why what the server has is not served.
    lacking: Option<Arc<str>>,
    backoff: Backoff,
    /// How long a server is asked to hold a request for which there is nothing new.
    wait: Duration,
    /// Whether the last request was answered.
    in_touch: bool,
    /// Whether streams are asked for at all.
    streams: bool,
    /// How many answers are still waited for without one.
    plain: u32,
    /// How long the server wants its client to stay away when the stream ends.
    retry: Duration,
}

impl Follower {
    pub(crate) fn new(backoff: Backoff, wait: Duration, streams: bool) -> Self {
        Self {
            serving: None,
            etag: None,
            state: None,
            lacking: None,
            backoff,
            wait,
            in_touch: false,
            streams,
            plain: 0,
            retry: Duration::ZERO,
        }
    }

    /// Begins with an answer that was kept.
    pub(crate) fn resume(
        &mut self,
        etag: Option<&str>,
        answer: &[u8],
    ) -> Result<Arc<Rollout>, UnreadableRollout> {
        let state = serde_json::from_slice(answer)?;
        let rollout = Arc::new(Rollout::of(&state, None)?);
        self.serving = Some(rollout.clone());
        (self.etag, self.state) = (etag.map(Into::into), Some(state));
        Ok(rollout)
    }

    /// What to ask for something other than.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// What is to be told of the last answer: that it is served, or why it cannot be. `None`: it has no name, or nothing is
    /// deployed.
    pub(crate) fn said(&self) -> Option<Said> {
        let tag = self.etag.clone()?;
        let rollout = self.state.as_ref().and_then(|state| state.rollout.as_ref());
        let deployment = rollout.map(|rollout| rollout.deployment);
        let refused = self.lacking.as_deref().map(Into::into);
        Some(Said { tag, deployment, refused })
    }

    /// What the server need not tell again: the name of a state that is here whole.
    pub(crate) fn known_state(&self) -> Option<&str> {
        self.state.as_ref().and(self.etag())
    }

    /// Whether to ask for a stream.
    pub(crate) const fn wants_stream(&self) -> bool {
        self.streams && self.plain == 0
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
        if self.in_touch {
            self.plain = self.plain.saturating_sub(1);
        } else if self.wants_stream() && answer.as_ref().is_err_and(|error| keeps_streams_back(error)) {
            self.plain = PLAIN_ANSWERS;
        }
        match answer {
            Ok(Answer::New { etag, body }) => self.news(etag, body, took, draw),
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
                    ApiError::Refused { retry_after: Some(told), .. } => {
                        // A server tells seconds: within one, everybody comes when they like.
                        told.saturating_add(Backoff::new(SECOND, SECOND).failed(draw))
                    }
                    _ => Duration::ZERO,
                };
                let pause = self.backoff.failed(draw).max(told).max(PACE);
                self.step(Freshness::Stale(error.to_string().into()), pause)
            }
        }
    }

    fn news(&mut self, etag: Option<Box<str>>, body: Bytes, took: Duration, draw: u64) -> Step {
        // Without a name for it the same answer comes at once again.
        let pause = if etag.is_some() {
            self.backoff.succeeded();
            PACE.saturating_sub(took)
        } else {
            self.backoff.failed(draw).max(PACE)
        };
        let state = serde_json::from_slice(&body).map_err(UnreadableRollout::from);
        Step { pause, ..self.take(etag, state, body) }
    }

    /// Takes what a stream tells. `None`: there is nothing to be done about it.
    ///
    /// # Errors
    /// It builds on what is not here. The stream is of no use any more.
    pub(crate) fn told(&mut self, heard: Heard) -> Result<Option<Step>, StreamEnd> {
        self.in_touch = true;
        match heard {
            // What there was to tell has been told.
            Heard::Retry(retry) => {
                self.retry = retry.min(LONGEST_RETRY);
                Ok(Some(self.step(self.freshness(), Duration::ZERO)))
            }
            Heard::Event(event) if event.name == NOT_DEPLOYED => {
                // The next state is told whole. What is served stays.
                (self.etag, self.state) = (None, None);
                let told = serde_json::from_slice::<Detail>(&event.data).ok();
                self.lacking = Some(told.map_or_else(|| NOT_DEPLOYED.into(), |told| told.detail));
                Ok(Some(self.step(self.freshness(), Duration::ZERO)))
            }
            Heard::Event(event) if event.name.is_empty() || event.name == USUAL => {
                let mut state = match serde_json::from_slice(&event.data) {
                    Ok(state) => state,
                    Err(error) => return Ok(Some(self.take(name(&event), Err(error.into()), Bytes::new()))),
                };
                if let Err(number) = fill_in(&mut state, self.state.as_ref()) {
                    // Whole, the next time.
                    (self.etag, self.state) = (None, None);
                    let what = format!("it builds on a version {number} that is not here");
                    return Err(StreamEnd::Nonsense(what));
                }
                let answer =
                    serde_json::to_vec(&state).map_err(|error| StreamEnd::Nonsense(error.to_string()))?;
                Ok(Some(self.take(name(&event), Ok(state), answer.into())))
            }
            // Of a server that has learnt more.
            Heard::Event(_) => Ok(None),
        }
    }

    /// What to do when a stream that was open for `lasted` has ended.
    pub(crate) fn ended(&mut self, why: &StreamEnd, lasted: Duration, draw: u64) -> Step {
        self.in_touch = false;
        if matches!(why, StreamEnd::NeverSpoke) {
            self.plain = PLAIN_ANSWERS;
        }
        if lasted >= self.wait / 2 {
            self.backoff.succeeded();
        }
        let pause = self.backoff.failed(draw).max(self.retry).max(PACE);
        self.step(Freshness::Stale(why.to_string().into()), pause)
    }

    /// Takes a state, or what is wrong with it, that was read of `answer`.
    fn take(
        &mut self,
        etag: Option<Box<str>>,
        state: Result<RolloutState, UnreadableRollout>,
        answer: Bytes,
    ) -> Step {
        let read = state.and_then(|state| {
            let rollout = Rollout::of(&state, self.serving.as_deref());
            self.state = Some(state);
            rollout
        });
        self.etag.clone_from(&etag);
        match read {
            Ok(rollout) => {
                let rollout = Arc::new(rollout);
                self.serving = Some(rollout.clone());
                self.lacking = None;
                let serve = Some(Served { rollout, etag, answer });
                Step { serve, ..self.step(Freshness::Current, Duration::ZERO) }
            }
            Err(error) => {
                if matches!(error, UnreadableRollout::Form(_)) {
                    self.state = None;
                }
                self.lacking = Some(error.to_string().into());
                Step { unreadable: Some(error), ..self.step(self.freshness(), Duration::ZERO) }
            }
        }
    }

    /// How fresh what is served is while the server answers.
    fn freshness(&self) -> Freshness {
        self.lacking.clone().map_or(Freshness::Current, Freshness::Stale)
    }

    const fn step(&self, freshness: Freshness, pause: Duration) -> Step {
        Step { serve: None, freshness, unreadable: None, pause }
    }
}

/// Fills in the contents that were left out because they are in the state before.
///
/// # Errors
/// The number of a version that is not there.
fn fill_in(state: &mut RolloutState, before: Option<&RolloutState>) -> Result<(), u32> {
    for version in state.versions_mut() {
        if version.content.is_some() || version.content_base64.is_some() {
            continue;
        }
        let mut before = before.into_iter().flat_map(RolloutState::versions);
        let same = before.find(|one| {
            one.version == version.version && one.sha256 == version.sha256 && one.sha256.is_some()
        });
        let same = same.ok_or(version.version)?;
        version.content.clone_from(&same.content);
        version.content_base64.clone_from(&same.content_base64);
    }
    Ok(())
}

const SECOND: Duration = Duration::from_secs(1);

/// What events without a name are called.
const USUAL: &str = "message";

/// What is said of a place where nothing is deployed.
#[derive(Deserialize)]
struct Detail {
    detail: Arc<str>,
}

/// An event's name for its state, if it has one.
fn name(event: &Event) -> Option<Box<str>> {
    (!event.id.is_empty()).then(|| event.id.as_str().into())
}

/// Whether a request for a stream has failed in a way in which one for an answer may not: there are too many streams, or
/// something on the way waits for the end of it.
fn keeps_streams_back(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Refused { status: StatusCode::SERVICE_UNAVAILABLE, .. }
            | ApiError::Unreachable { source: HttpError::NoAnswer(_), .. }
    )
}

#[cfg(test)]
mod tests {
    use super::{Answer, Follower, Freshness, PACE, PLAIN_ANSWERS, StreamEnd};
    use crate::backoff::Backoff;
    use crate::event_reader::{Event, Heard};
    use crate::server::ApiError;
    use http::StatusCode;
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::Duration;

    const WAIT: Duration = Duration::from_secs(30);
    const LONGEST: Duration = Duration::from_secs(15);

    fn follower() -> Follower {
        Follower::new(Backoff::new(Duration::from_millis(250), LONGEST), WAIT, true)
    }

    /// A version in an event, with or without its content.
    fn version(number: u32, whole: bool) -> serde_json::Value {
        let mut version =
            json!({"version": number, "contentType": "application/json", "sha256": format!("{number:064}")});
        if whole {
            version["content"] = "{\"version\":\"1\"}".into();
        }
        version
    }

    /// The event of a state: a version that everybody has, perhaps one on its way and how many it has reached.
    fn event(stable: (u32, bool), candidate: Option<(u32, bool, u32)>) -> Heard {
        let mut state = json!({
            "type": "AWS.AppConfig.FeatureFlags", "seq": 1, "stable": version(stable.0, stable.1),
        });
        let mut id = format!("\"{}\"", stable.0);
        if let Some((number, whole, exposure)) = candidate {
            state["candidate"] = version(number, whole);
            state["rollout"] = json!({"deployment": 3, "exposure": exposure, "key": "k"});
            id = format!("\"{}.{number}.{exposure}\"", stable.0);
        }
        Heard::Event(Event { name: String::new(), id, data: state.to_string().into() })
    }

    fn nothing_deployed() -> Heard {
        let data = json!({"status": 404, "detail": "There is nothing."}).to_string().into();
        Heard::Event(Event { name: "not-deployed".into(), id: String::new(), data })
    }

    fn exposure(follower: &Follower) -> Option<u32> {
        follower.state.as_ref()?.rollout.as_ref().map(|rollout| rollout.exposure)
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

    #[test]
    fn a_step_is_filled_in_with_what_is_here() {
        let mut follower = follower();
        let step = follower.told(event((1, true), None)).unwrap().unwrap();
        assert_eq!((step.freshness, served(&follower)), (Freshness::Current, Some(1)));
        follower.told(event((1, false), Some((2, true, 0)))).unwrap();
        let step = follower.told(event((1, false), Some((2, false, 1_000_000)))).unwrap().unwrap();
        assert_eq!((served(&follower), exposure(&follower)), (Some(2), Some(1_000_000)));
        let kept = step.serve.unwrap();
        let mut again = super::Follower::new(Backoff::new(PACE, LONGEST), WAIT, true);
        again.resume(kept.etag.as_deref(), &kept.answer).unwrap();
        assert_eq!((served(&again), again.known_state()), (Some(2), Some("\"1.2.1000000\"")));
        again.told(event((2, false), None)).unwrap();
        assert_eq!((served(&again), again.known_state()), (Some(2), Some("\"2\"")));
    }

    #[test]
    fn a_step_that_builds_on_something_else_ends_the_stream_and_the_next_one_is_asked_for_whole() {
        let mut follower = follower();
        follower.told(event((1, true), None)).unwrap();
        let end = follower.told(event((1, false), Some((2, false, 5)))).unwrap_err();
        assert!(matches!(end, StreamEnd::Nonsense(_)));
        assert_eq!((served(&follower), follower.known_state()), (Some(1), None), "what was good stays");
        let step = follower.ended(&end, Duration::ZERO, 0);
        assert!(matches!(step.freshness, Freshness::Stale(_)) && follower.wants_stream());
    }

    #[test]
    fn what_is_told_after_all_was_told_makes_it_current() {
        let mut follower = follower();
        follower.told(event((1, true), None)).unwrap();
        follower.ended(&StreamEnd::Closed, WAIT, 0);
        assert_eq!((follower.wait(), follower.known_state()), (Duration::ZERO, Some("\"1\"")));
        let step = follower.told(Heard::Retry(Duration::from_secs(7))).unwrap().unwrap();
        assert_eq!(step.freshness, Freshness::Current);
        assert_eq!(follower.ended(&StreamEnd::Closed, WAIT, 0).pause, Duration::from_secs(7));
        follower.told(Heard::Retry(Duration::from_secs(1_000_000))).unwrap();
        assert_eq!(follower.ended(&StreamEnd::Closed, WAIT, 0).pause, Duration::from_secs(60));

        let step = follower.told(nothing_deployed()).unwrap().unwrap();
        assert_eq!(step.freshness, Freshness::Stale("There is nothing.".into()));
        let step = follower.told(Heard::Retry(Duration::ZERO)).unwrap().unwrap();
        assert!(matches!(step.freshness, Freshness::Stale(_)));
        assert_eq!((served(&follower), follower.known_state()), (Some(1), None));
        follower.told(event((2, true), None)).unwrap();
        assert_eq!(served(&follower), Some(2));
    }

    #[test]
    fn what_keeps_streams_back_is_gone_around_for_some_time() {
        let no_answer = || ApiError::Unreachable {
            url: "http://a".into(),
            source: crate::http_client::HttpError::NoAnswer(WAIT),
        };
        for what in 0..3 {
            let mut follower = follower();
            match what {
                0 => follower.ended(&StreamEnd::NeverSpoke, Duration::from_secs(10), 0),
                1 => follower.heard(Err(&down()), Duration::ZERO, 0),
                _ => follower.heard(Err(&no_answer()), WAIT, 0),
            };
            for _ in 0..PLAIN_ANSWERS {
                assert!(!follower.wants_stream());
                follower.heard(Err(&down()), Duration::ZERO, 0);
                assert!(!follower.wants_stream(), "trouble is no answer");
                follower.heard(Ok(Answer::Unchanged), WAIT, 0);
            }
            assert!(follower.wants_stream());
        }
        assert!(!Follower::new(Backoff::new(PACE, LONGEST), WAIT, false).wants_stream());
    }

    proptest! {
        #[test]
        fn whatever_a_stream_tells_what_was_good_stays_and_the_pace_is_kept(
            story in proptest::collection::vec((0_u8..7, 1_u32..4, any::<bool>(), any::<u64>()), 1..60),
        ) {
            let mut follower = follower();
            let mut good = None;
            for (what, number, whole, draw) in story {
                let heard = match what {
                    0 => event((number, whole), None),
                    1 => event((number, whole), Some((number + 1, whole, 500_000))),
                    2 => event((number, false), Some((number + 1, true, 1_000_000))),
                    3 => nothing_deployed(),
                    4 => Heard::Event(Event { data: b"nonsense".into(), ..Event::default() }),
                    5 => Heard::Event(Event { name: "new".into(), data: b"{}".into(), ..Event::default() }),
                    _ => Heard::Retry(Duration::from_millis(draw)),
                };
                match follower.told(heard) {
                    Ok(Some(step)) => {
                        if let Some(served) = step.serve {
                            good = served.rollout.version_for(None).map(|version| version.number());
                            let answer = serde_json::from_slice(&served.answer).unwrap();
                            prop_assert_eq!(follower.state.as_ref(), Some(&answer));
                        }
                    }
                    Ok(None) => {}
                    Err(end) => {
                        let pause = follower.ended(&end, Duration::from_millis(draw % 40_000), draw).pause;
                        prop_assert!(pause >= PACE && pause <= Duration::from_secs(60));
                        prop_assert_eq!(follower.known_state(), None);
                    }
                }
                prop_assert_eq!(served(&follower), good);
            }
        }

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
