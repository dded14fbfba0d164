//! The sequencer: decides commands one after the other and appends what they yield, many commands in one append.
//!
//! While one append is on its way to the disk the next commands gather; they are decided together, each against the world
//! that the one before leads to, and written together. **Invariants:** the sequencer is the only writer of the published
//! view; nobody is answered before the append; after an append whose fate is unknown the log is read before anything else
//! is decided.

use crate::error::Error;
use crate::node::{Cause, Committed, Shared};
use crate::replay;
use crate::view::View;
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot};
use yardarm_domain::{Command, Context, Event, Refusal, World};
use yardarm_log::{AppendError, Batch, Content, Draft, Record};

/// Commands decided together at most.
const MOST_TOGETHER: usize = 256;

/// How often a batch is decided anew because another node was first, before its commands are turned away.
const MOST_RACES: usize = 100;

/// What the sequencer is asked to do.
pub(crate) enum Work {
    /// Decide and append.
    Execute(Box<dyn Job>),
    /// Read what others appended.
    CatchUp(oneshot::Sender<Result<(), Error>>),
}

/// A command on its way, whatever its outcome's type.
pub(crate) trait Job: Send {
    fn cause(&self) -> &Cause;
    fn contents(&self) -> &[Content];
    /// Decides, keeping the outcome. `Err` means refused: there is nothing to append.
    fn decide(&mut self, world: &World, context: &Context<'_>) -> Result<Vec<Event>, ()>;
    /// Answers that all is done, and what the world looks like now.
    fn done(self: Box<Self>, view: &Arc<View>);
    /// Answers that it was not done.
    fn failed(self: Box<Self>, error: Error);
}

/// The one implementation of [`Job`].
pub(crate) struct Pending<C: Command> {
    pub(crate) command: C,
    pub(crate) contents: Vec<Content>,
    pub(crate) cause: Cause,
    pub(crate) outcome: Option<Result<C::Outcome, Refusal>>,
    pub(crate) reply: oneshot::Sender<Result<Committed<C::Outcome>, Error>>,
}

impl<C> Job for Pending<C>
where
    C: Command + Send,
    C::Outcome: Send,
{
    fn cause(&self) -> &Cause {
        &self.cause
    }

    fn contents(&self) -> &[Content] {
        &self.contents
    }

    fn decide(&mut self, world: &World, context: &Context<'_>) -> Result<Vec<Event>, ()> {
        match self.command.decide(world, context) {
            Ok(decision) => {
                self.outcome = Some(Ok(decision.outcome));
                Ok(decision.events)
            }
            Err(refusal) => {
                self.outcome = Some(Err(refusal));
                Err(())
            }
        }
    }

    fn done(self: Box<Self>, view: &Arc<View>) {
        let answer = match self.outcome {
            Some(Ok(outcome)) => Ok(Committed { outcome, view: view.clone() }),
            Some(Err(refusal)) => Err(Error::Refused(refusal)),
            None => Err(Error::Internal("the command was not decided".into())),
        };
        // The asker may have gone away; what was decided stands.
        let _ = self.reply.send(answer);
    }

    fn failed(self: Box<Self>, error: Error) {
        let _ = self.reply.send(Err(error));
    }
}

/// Runs until every handle to the node is gone.
pub(crate) async fn run(shared: Arc<Shared>, mut work: mpsc::Receiver<Work>) {
    let mut sequencer = Sequencer { shared, uncertain: false };
    let mut gathered = Vec::with_capacity(MOST_TOGETHER);
    loop {
        gathered.clear();
        if work.recv_many(&mut gathered, MOST_TOGETHER).await == 0 {
            return;
        }
        let mut jobs = Vec::with_capacity(gathered.len());
        let mut waiting = vec![];
        for item in gathered.drain(..) {
            match item {
                Work::Execute(job) => jobs.push(job),
                Work::CatchUp(reply) => waiting.push(reply),
            }
        }
        if !waiting.is_empty() {
            let caught_up = sequencer.catch_up().await;
            for reply in waiting {
                let result = caught_up.as_ref().map_err(|error| Error::Log(error.to_string()));
                let _ = reply.send(result.copied());
            }
        }
        if !jobs.is_empty() {
            sequencer.execute(jobs).await;
        }
    }
}

struct Sequencer {
    shared: Arc<Shared>,
    /// The fate of the last append is unknown.
    uncertain: bool,
}

/// What a round of decisions yields.
struct Round {
    world: World,
    batch: Batch,
    events: Vec<Event>,
    /// A job whose events do not fit the world it was decided on: a defect.
    broken: Vec<(usize, String)>,
}

impl Sequencer {
    async fn execute(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        if self.uncertain
            && let Err(error) = self.catch_up().await
        {
            return fail(jobs, &error);
        }
        for _ in 0..MOST_RACES {
            let view = self.shared.view.load_full();
            let round = self.decide(&view, &mut jobs);
            for (index, what) in round.broken.into_iter().rev() {
                tracing::error!(what, "a decision could not be carried out");
                jobs.remove(index).failed(Error::Internal(what));
            }
            if round.batch.drafts.is_empty() {
                return self.answer(jobs, &view);
            }
            let records = round.batch.drafts.len() as u64;
            match self.shared.log.append(view.seq, round.batch).await {
                Ok(written) => {
                    let counters = &self.shared.counters;
                    counters.appends.fetch_add(1, Ordering::Relaxed);
                    counters.records.fetch_add(records, Ordering::Relaxed);
                    counters.log_fails.store(false, Ordering::Relaxed);
                    let view = self.publish(&view, round.world, &written, &round.events).await;
                    return self.answer(jobs, &view);
                }
                Err(AppendError::Conflict { .. }) => {
                    self.shared.counters.conflicts.fetch_add(1, Ordering::Relaxed);
                    if let Err(error) = self.catch_up().await {
                        return fail(jobs, &error);
                    }
                }
                Err(AppendError::Backend(error)) => {
                    tracing::error!(%error, "an append failed");
                    self.uncertain = true;
                    self.shared.counters.log_fails.store(true, Ordering::Relaxed);
                    return fail(jobs, &Error::from(error));
                }
            }
        }
        for job in jobs {
            job.failed(Error::Busy("other nodes are writing faster"));
        }
    }

    /// Decides all jobs, each against the world that the ones before it lead to.
    fn decide(&self, view: &View, jobs: &mut [Box<dyn Job>]) -> Round {
        let now = self.shared.clock.now();
        let mut round = Round {
            world: World::clone(&view.world),
            batch: Batch::default(),
            events: vec![],
            broken: vec![],
        };
        for (index, job) in jobs.iter_mut().enumerate() {
            let context = Context {
                now,
                entropy: self.shared.entropy.number(),
                quotas: &self.shared.config.quotas,
                policy: &self.shared.config.policy,
            };
            let world = &round.world;
            // A defect in one decision must not take the others down.
            let decided = catch_unwind(AssertUnwindSafe(|| job.decide(world, &context)));
            let outcome = match decided {
                Ok(Ok(events)) => round.take(view, now, job.as_ref(), events),
                Ok(Err(())) => Ok(()),
                Err(_) => Err("a decision panicked".to_owned()),
            };
            if let Err(what) = outcome {
                round.broken.push((index, what));
            }
        }
        round
    }

    async fn publish(&self, before: &View, world: World, written: &[Record], events: &[Event]) -> Arc<View> {
        let (seq, digest) =
            written.last().map_or((before.seq, before.digest), |record| (record.seq, record.digest));
        let as_of = self.shared.clock.now();
        let view = View { seq, digest, world: Arc::new(world), as_of };
        self.shared.publish(view, events).await
    }

    /// Reads what was appended by others, or by an append whose fate was unknown.
    async fn catch_up(&mut self) -> Result<(), Error> {
        let before = self.shared.view.load_full();
        let now = self.shared.clock.now();
        let mut events = vec![];
        let caught_up = replay::catch_up(&*self.shared.log, View::clone(&before), now, |event| {
            events.push(event.clone())
        })
        .await;
        self.shared.counters.log_fails.store(caught_up.is_err(), Ordering::Relaxed);
        let view = caught_up?;
        self.uncertain = false;
        self.shared.publish(view, &events).await;
        Ok(())
    }

    fn answer(&self, jobs: Vec<Box<dyn Job>>, view: &Arc<View>) {
        self.shared.counters.commands.fetch_add(jobs.len() as u64, Ordering::Relaxed);
        for job in jobs {
            job.done(view);
        }
    }
}

impl Round {
    /// Adds one job's events, or none of them.
    fn take(&mut self, view: &View, now: Timestamp, job: &dyn Job, events: Vec<Event>) -> Result<(), String> {
        if events.is_empty() {
            return Ok(());
        }
        let mut world = self.world.clone();
        let mut drafts = Vec::with_capacity(events.len());
        let base = view.seq.0.saturating_add(self.batch.drafts.len() as u64);
        for (position, event) in (base.saturating_add(1)..).zip(&events) {
            let (kind, version, body) = event.write().map_err(|error| error.to_string())?;
            world.apply(position, now, event.clone()).map_err(|error| error.to_string())?;
            let Cause { actor, request_id, reason } = job.cause().clone();
            drafts.push(Draft {
                time_ms: now.as_millisecond(),
                actor,
                request_id,
                reason,
                kind,
                version,
                body,
            });
        }
        self.world = world;
        self.batch.drafts.extend(drafts);
        self.batch.contents.extend_from_slice(job.contents());
        self.events.extend(events);
        Ok(())
    }
}

fn fail(jobs: Vec<Box<dyn Job>>, error: &Error) {
    for job in jobs {
        job.failed(Error::Log(error.to_string()));
    }
}
