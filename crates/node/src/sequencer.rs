//! The sequencer: decides commands one after the other and appends what they yield, many commands in one append.
//!
//! While one append is on its way to the disk the next commands gather; they are decided together, each against the world
//! that the one before leads to, and written together. **Invariants:** the sequencer is the only writer of the published
//! view; nobody is answered before the append; everybody is answered with the world right after their own command, which
//! the next one in the same append may have changed again; after an append whose fate is unknown the log is read before anything else
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
    /// Read what others appended, and load what could not be loaded before.
    CatchUp(oneshot::Sender<Result<(), Error>>),
    /// Carry out what was accepted, take nothing more, and end.
    Finish(oneshot::Sender<()>),
}

/// A command on its way, whatever its outcome's type.
pub(crate) trait Job: Send {
    fn cause(&self) -> &Cause;
    fn contents(&self) -> &[Content];
    /// Decides, keeping the outcome. `Err` means refused: there is nothing to append.
    fn decide(&mut self, world: &World, context: &Context<'_>) -> Result<Vec<Event>, ()>;
    /// Answers that all is done, and what the world looked like right after it.
    fn done(self: Box<Self>, view: Arc<View>);
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

    fn done(self: Box<Self>, view: Arc<View>) {
        let answer = match self.outcome {
            Some(Ok(outcome)) => Ok(Committed { outcome, view }),
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

/// Runs until it is told to finish or every handle to the node is gone.
pub(crate) async fn run(shared: Arc<Shared>, mut work: mpsc::Receiver<Work>) {
    let mut sequencer = Sequencer { shared, uncertain: false };
    let mut gathered = Vec::with_capacity(MOST_TOGETHER);
    let mut finishing: Vec<oneshot::Sender<()>> = vec![];
    loop {
        gathered.clear();
        if work.recv_many(&mut gathered, MOST_TOGETHER).await == 0 {
            for reply in finishing {
                let _ = reply.send(());
            }
            return;
        }
        let mut jobs = Vec::with_capacity(gathered.len());
        let mut waiting = vec![];
        for item in gathered.drain(..) {
            match item {
                Work::Execute(job) => jobs.push(job),
                Work::CatchUp(reply) => waiting.push(reply),
                Work::Finish(reply) => {
                    work.close();
                    finishing.push(reply);
                }
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
    /// For each job that is not broken: how many records there were right after it, and the world.
    after: Vec<(usize, World)>,
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
                // No append will tell whether this was decided on the newest world.
                match self.is_newest(&view).await {
                    Ok(true) => return self.answer(jobs.into_iter().map(|job| (job, view.clone()))),
                    Ok(false) => {}
                    Err(error) => return fail(jobs, &error),
                }
                if let Err(error) = self.catch_up().await {
                    return fail(jobs, &error);
                }
                continue;
            }
            let records = round.batch.drafts.len() as u64;
            match self.shared.log.append(view.seq, round.batch).await {
                Ok(written) => {
                    let counters = &self.shared.counters;
                    counters.appends.fetch_add(1, Ordering::Relaxed);
                    counters.records.fetch_add(records, Ordering::Relaxed);
                    counters.append_fails.store(false, Ordering::Relaxed);
                    self.shared.note_log_answers(true);
                    let views: Vec<_> = round
                        .after
                        .into_iter()
                        .map(|(records, world)| {
                            self.view_at(&view, written.get(..records).unwrap_or(&written), world)
                        })
                        .collect();
                    self.shared.publish(self.view_at(&view, &written, round.world), &round.events).await;
                    return self.answer(jobs.into_iter().zip(views.into_iter().map(Arc::new)));
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
                    self.shared.counters.append_fails.store(true, Ordering::Relaxed);
                    self.shared.note_log_answers(false);
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
            after: vec![],
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
            match outcome {
                Ok(()) => round.after.push((round.batch.drafts.len(), round.world.clone())),
                Err(what) => round.broken.push((index, what)),
            }
        }
        round
    }

    /// The view to which `written` leads from the one `before`.
    fn view_at(&self, before: &View, written: &[Record], world: World) -> View {
        let (seq, digest) =
            written.last().map_or((before.seq, before.digest), |record| (record.seq, record.digest));
        View { seq, digest, world: Arc::new(world), as_of: self.shared.clock.now() }
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
        self.shared.note_log_answers(caught_up.is_ok());
        let view = caught_up?;
        self.uncertain = false;
        self.shared.publish(view, &events).await;
        self.shared.retry_behind().await;
        Ok(())
    }

    /// Whether `view` is at the end of the log. A log of one's own cannot end elsewhere.
    async fn is_newest(&self, view: &View) -> Result<bool, Error> {
        if !self.shared.config.shared_log {
            return Ok(true);
        }
        let end = self.shared.log.end().await;
        self.shared.note_log_answers(end.is_ok());
        Ok(end? == view.seq)
    }

    fn answer(&self, jobs: impl Iterator<Item = (Box<dyn Job>, Arc<View>)>) {
        for (job, view) in jobs {
            self.shared.counters.commands.fetch_add(1, Ordering::Relaxed);
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
    let why = match error {
        Error::Log(why) => why.clone(),
        other => other.to_string(),
    };
    for job in jobs {
        job.failed(Error::Log(why.clone()));
    }
}
