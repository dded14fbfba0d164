//! The alarm watcher: asks the sources of alarms, often while a deployment depends on them, seldom otherwise.
//!
//! What it hears it hands in as a command; the decision records what is worth it. Several nodes on one log may all ask: the
//! log takes from each only what is news. **Invariants:** so many questions at a time and no more, each bounded in time; a
//! source that fails is asked less often, but several times before its silence counts; the same failure is logged once.

use crate::alarm_sources::{AlarmSources, Heard, NotHeard};
use crate::node::{Cause, Node};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use yardarm_domain::{
    Alarm, AlarmArn, AlarmReport, AlarmSource, ApplicationId, EnvironmentId, FreshFor, PutAlarm,
    ReportAlarms, World,
};

/// How alarms are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmSettings {
    /// How often a source is asked while a deployment depends on it.
    pub poll_every: SignedDuration,
    /// How often otherwise.
    pub idle_every: SignedDuration,
    /// How long an answer may take.
    pub answer_time: Duration,
    /// Sources asked at a time.
    pub together: usize,
    /// Whether a monitor that names a CloudWatch alarm by its ARN is enough to have it registered and watched.
    pub cloudwatch_arns: bool,
}

impl Default for AlarmSettings {
    fn default() -> Self {
        Self {
            poll_every: SignedDuration::from_secs(5),
            idle_every: SignedDuration::from_secs(60),
            answer_time: Duration::from_secs(5),
            together: 8,
            cloudwatch_arns: false,
        }
    }
}

/// The longest that a source which fails and is not needed is left alone.
const LONGEST_BACKOFF: SignedDuration = SignedDuration::from_mins(10);

/// How the watching goes, for metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmWatch {
    /// Questions asked since the start.
    pub polls: u64,
    /// Of these, without an answer.
    pub unanswered: u64,
    /// Of these, with an answer that made no sense.
    pub garbage: u64,
}

/// How the watching of one alarm goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedAlarm {
    /// When its source last answered, also if that was not worth recording.
    pub heard_at: Option<Timestamp>,
    /// How often its source has failed since then.
    pub failures: u32,
    /// How it failed last. `None`: it did not.
    pub failure: Option<String>,
    revision: u64,
    next: Option<Timestamp>,
}

/// Asks the sources.
pub(crate) struct AlarmWatcher {
    sources: Arc<dyn AlarmSources>,
    settings: AlarmSettings,
    watched: Mutex<BTreeMap<AlarmArn, WatchedAlarm>>,
    polls: AtomicU64,
    unanswered: AtomicU64,
    garbage: AtomicU64,
}

impl AlarmWatcher {
    fn watched(&self) -> MutexGuard<'_, BTreeMap<AlarmArn, WatchedAlarm>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Alarms whose sources are to be asked at `now`, those that have waited longest first, and when the next one is.
    fn due(&self, world: &World, now: Timestamp) -> (Vec<Arc<Alarm>>, Option<Timestamp>) {
        let mut watched = self.watched();
        watched.retain(|arn, _| world.alarms().contains_key(arn));
        let (mut due, mut next) = (vec![], None);
        for alarm in world.alarms().values().filter(|alarm| alarm.source.is_polled()) {
            let known = watched.entry(alarm.arn.clone()).or_default();
            if known.revision != alarm.revision {
                *known = WatchedAlarm { revision: alarm.revision, ..WatchedAlarm::default() };
            }
            if known.heard_at.is_some_and(|heard| heard > now) {
                // The clock was set back: what was heard then is nothing to wait for.
                (known.heard_at, known.next) = (None, None);
            }
            let mut at = known.next.unwrap_or(now);
            if world.needs_alarm(&alarm.arn, now) {
                // What was put off while nobody needed it is not put off any more.
                at = at.min(now.saturating_add(most_needed(&self.settings, alarm.fresh_for)).unwrap_or(at));
                if known.failures == 0 && alarm.wants_evidence(now) {
                    at = at.min(known.heard_at.map_or(now, |heard| {
                        heard.saturating_add(pace(&self.settings, alarm.fresh_for, true)).unwrap_or(now)
                    }));
                }
            }
            if at <= now {
                due.push((at, alarm.clone()));
            } else {
                next = Some(next.map_or(at, |other: Timestamp| other.min(at)));
            }
        }
        due.sort_by_key(|(at, _)| *at);
        (due.into_iter().map(|(_, alarm)| alarm).collect(), next)
    }

    /// Notes that `alarm` is being asked, so that it is not asked again meanwhile.
    fn begin(&self, alarm: &Alarm, needed: bool, now: Timestamp) {
        let known = &mut *self.watched();
        let known = known.entry(alarm.arn.clone()).or_default();
        known.revision = alarm.revision;
        known.next = now.saturating_add(pace(&self.settings, alarm.fresh_for, needed)).ok();
    }

    async fn ask(&self, alarm: &Alarm) -> Result<Heard, NotHeard> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        let answer = tokio::time::timeout(self.settings.answer_time, self.sources.ask(&alarm.source)).await;
        let heard = answer.unwrap_or_else(|_| Err(NotHeard::NoAnswer("it takes too long to answer".into())));
        match &heard {
            Ok(_) => {}
            Err(NotHeard::NoAnswer(_)) => drop(self.unanswered.fetch_add(1, Ordering::Relaxed)),
            Err(NotHeard::Garbage(_)) => drop(self.garbage.fetch_add(1, Ordering::Relaxed)),
        }
        heard
    }

    fn note_answer(&self, alarm: &Alarm, at: Timestamp) {
        let mut watched = self.watched();
        let known = watched.entry(alarm.arn.clone()).or_default();
        if known.failure.take().is_some() {
            tracing::info!(alarm = %alarm.arn, "the alarm's source answers again");
        }
        (known.heard_at, known.failures) = (Some(at), 0);
    }

    fn note_failure(&self, alarm: &Alarm, needed: bool, failure: &NotHeard, now: Timestamp, dice: u64) {
        let mut watched = self.watched();
        let known = watched.entry(alarm.arn.clone()).or_default();
        let text = failure.to_string();
        if known.failure.as_deref() == Some(&text) {
            tracing::debug!(alarm = %alarm.arn, failure = text, "the alarm's source still fails");
        } else {
            tracing::warn!(alarm = %alarm.arn, failure = text, "the alarm's source fails");
        }
        known.failure = Some(text);
        known.failures = known.failures.saturating_add(1);
        let wait = backoff(&self.settings, alarm.fresh_for, needed, known.failures, dice);
        known.next = now.saturating_add(wait).ok();
    }
}

/// How often an alarm is asked.
fn pace(settings: &AlarmSettings, fresh_for: FreshFor, needed: bool) -> SignedDuration {
    if needed { settings.poll_every.min(fresh_for.duration() / 3) } else { settings.idle_every }
}

/// The longest that an alarm is not asked while it is needed: several times before its silence counts.
fn most_needed(settings: &AlarmSettings, fresh_for: FreshFor) -> SignedDuration {
    pace(settings, fresh_for, true).max(fresh_for.duration() / 4)
}

/// How long to wait after so many failures: twice as long each time, and up to a quarter more, so that sources which failed
/// together are not asked together.
fn backoff(
    settings: &AlarmSettings,
    fresh_for: FreshFor,
    needed: bool,
    failures: u32,
    dice: u64,
) -> SignedDuration {
    let pace = pace(settings, fresh_for, needed);
    let most = if needed { most_needed(settings, fresh_for) } else { LONGEST_BACKOFF.max(pace) };
    let doublings = failures.saturating_sub(1).min(16);
    let wait = pace.checked_mul(1_i32 << doublings).unwrap_or(most).min(most);
    let quarter = u64::try_from(wait.as_millis() / 4).unwrap_or(0);
    let more = dice.checked_rem(quarter.saturating_add(1)).unwrap_or(0);
    let wait = wait.saturating_add(SignedDuration::from_millis(i64::try_from(more).unwrap_or(0)));
    if needed { wait.min(most) } else { wait }
}

impl Node {
    /// Watches alarms from now on, asking `sources`. Once; a second time changes nothing.
    pub fn watch_alarms(&self, sources: Arc<dyn AlarmSources>, settings: AlarmSettings) {
        let watcher = Arc::new(AlarmWatcher {
            sources,
            settings,
            watched: Mutex::default(),
            polls: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
            garbage: AtomicU64::new(0),
        });
        if self.shared().alarm_watcher.set(watcher.clone()).is_ok() {
            self.keep(tokio::spawn(run(self.clone(), watcher)));
        }
    }

    /// How the watching of alarms goes.
    #[must_use]
    pub fn alarm_watch(&self) -> AlarmWatch {
        let Some(watcher) = self.shared().alarm_watcher.get() else { return AlarmWatch::default() };
        AlarmWatch {
            polls: watcher.polls.load(Ordering::Relaxed),
            unanswered: watcher.unanswered.load(Ordering::Relaxed),
            garbage: watcher.garbage.load(Ordering::Relaxed),
        }
    }

    /// How the watching of one alarm goes. `None`: it is not asked.
    #[must_use]
    pub fn watched_alarm(&self, arn: &AlarmArn) -> Option<WatchedAlarm> {
        self.shared().alarm_watcher.get()?.watched().get(arn).cloned()
    }

    /// When a source is asked next if nothing else happens. `None`: never.
    #[must_use]
    pub fn alarms_wake_at(&self) -> Option<Timestamp> {
        let watcher = self.shared().alarm_watcher.get()?;
        let (now, view) = (self.now(), self.view());
        let (due, next) = watcher.due(&view.world, now);
        if due.is_empty() { next } else { Some(now) }
    }

    /// Sees to it that what is known of the environment's alarms is fresh, as far as their sources answer.
    pub(crate) async fn ask_alarms_of(&self, application: &ApplicationId, environment: &EnvironmentId) {
        let Some(watcher) = self.shared().alarm_watcher.get() else { return };
        self.register_named(watcher).await;
        let view = self.view();
        let Ok(environment) = view.world.environment(application, environment) else { return };
        for monitor in &environment.monitors {
            self.register(watcher, &monitor.alarm_arn).await;
        }
        let (view, now) = (self.view(), self.now());
        let mut asking = JoinSet::new();
        for monitor in &environment.monitors {
            let Some(alarm) = view.world.alarms().get(&monitor.alarm_arn) else { continue };
            if alarm.source.is_polled() && alarm.wants_evidence(now) {
                watcher.begin(alarm, true, now);
                asking.spawn(ask_and_report(self.clone(), watcher.clone(), alarm.clone(), true));
            }
        }
        while asking.join_next().await.is_some() {}
    }

    /// Registers the CloudWatch alarms that monitors of deployments under way name, if that is enough.
    async fn register_named(&self, watcher: &AlarmWatcher) {
        let view = self.view();
        for (_, environment) in view.world.deploying() {
            for monitor in &environment.monitors {
                self.register(watcher, &monitor.alarm_arn).await;
            }
        }
    }

    async fn register(&self, watcher: &AlarmWatcher, arn: &AlarmArn) {
        if !watcher.settings.cloudwatch_arns || self.view().world.alarms().contains_key(arn) {
            return;
        }
        let Some(source) = AlarmSource::named_by(arn) else { return };
        let command = PutAlarm {
            arn: arn.clone(),
            description: None,
            source,
            fresh_for: None,
            actions_enabled: true,
            secret: None,
        };
        if let Err(error) = self.execute(command, Cause::node("named by a monitor")).await {
            tracing::warn!(%error, alarm = %arn, "the alarm that a monitor names cannot be registered");
        }
    }
}

/// Runs until the node closes.
async fn run(node: Node, watcher: Arc<AlarmWatcher>) {
    let mut changes = node.changes();
    let mut closing = node.closing();
    let mut asking = JoinSet::new();
    loop {
        changes.borrow_and_update();
        node.register_named(&watcher).await;
        let (view, now) = (node.view(), node.now());
        let (due, next) = watcher.due(&view.world, now);
        let places = watcher.settings.together.saturating_sub(asking.len());
        for alarm in due.into_iter().take(places) {
            let needed = view.world.needs_alarm(&alarm.arn, now);
            watcher.begin(&alarm, needed, now);
            asking.spawn(ask_and_report(node.clone(), watcher.clone(), alarm, needed));
        }
        tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => return,
            _ = asking.join_next(), if !asking.is_empty() => {}
            () = sleep(&node, next) => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

async fn sleep(node: &Node, until: Option<Timestamp>) {
    match until {
        Some(until) => node.sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// Asks one source and hands in what it says. `needed`: also when it says nothing new.
async fn ask_and_report(node: Node, watcher: Arc<AlarmWatcher>, alarm: Arc<Alarm>, needed: bool) {
    // What the answer says was so at the latest when it was asked for, as far as anybody knows.
    let at = node.now();
    let heard = match watcher.ask(&alarm).await {
        Ok(heard) => heard,
        Err(failure) => {
            let dice = node.shared().entropy.number();
            return watcher.note_failure(&alarm, needed, &failure, node.now(), dice);
        }
    };
    watcher.note_answer(&alarm, at);
    let report = AlarmReport {
        alarm: alarm.arn.clone(),
        revision: Some(alarm.revision),
        state: heard.state,
        at,
        actions_enabled: heard.actions_enabled,
        reason: heard.reason,
        group: None,
    };
    let view = node.view();
    let Some(known) = view.world.alarms().get(&alarm.arn) else { return };
    let worth_it = match report.heard(known, node.now()) {
        Some(evidence) => needed || known.evidence.as_ref().is_none_or(|before| before.says_else(&evidence)),
        None => false,
    };
    if worth_it {
        let command = ReportAlarms { reports: vec![report] };
        if let Err(error) = node.execute(command, Cause::node("heard of an alarm")).await {
            tracing::warn!(%error, alarm = %alarm.arn, "what an alarm says cannot be recorded");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AlarmSettings, LONGEST_BACKOFF, backoff, pace};
    use jiff::SignedDuration;
    use proptest::prelude::*;
    use yardarm_domain::FreshFor;

    proptest! {
        #[test]
        fn a_source_that_is_needed_is_asked_three_times_before_its_silence_counts(
            seconds in 5_u32..=604_800, failures in 1_u32..100, dice: u64,
        ) {
            let (settings, fresh_for) = (AlarmSettings::default(), FreshFor::try_from(seconds).unwrap());
            let wait = backoff(&settings, fresh_for, true, failures, dice);
            prop_assert!(wait >= pace(&settings, fresh_for, true));
            prop_assert!(wait * 3 <= fresh_for.duration());
        }

        #[test]
        fn a_source_that_nobody_needs_is_left_alone_longer_and_longer_but_not_for_ever(
            failures in 1_u32..100, dice: u64,
        ) {
            let settings = AlarmSettings::default();
            let wait = |failures, dice| backoff(&settings, FreshFor::POLLED, false, failures, dice);
            prop_assert!(wait(failures, dice) <= LONGEST_BACKOFF + LONGEST_BACKOFF / 4);
            prop_assert!(wait(failures, 0) <= wait(failures + 1, 0));
        }
    }

    #[test]
    fn waits_double() {
        let waits =
            (1..=6).map(|failures| backoff(&AlarmSettings::default(), FreshFor::POLLED, false, failures, 0));
        let minutes: Vec<_> = waits.map(|wait: SignedDuration| wait.as_mins()).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 10, 10]);
    }
}
