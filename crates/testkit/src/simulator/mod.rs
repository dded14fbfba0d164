//! Deterministic simulation of whole nodes.
//!
//! One or two real nodes (sequencer, driver, snapshots, follower) run on a shared log in memory with a clock that only the
//! simulation moves, on one thread. A seed decides everything: what is asked for and when, how the clock moves, forward
//! and back, which appends and reads fail, when a node crashes and comes back. In one [`Scene`] people ask for anything; in
//! another they deploy, and alarms misbehave (`watched`). After each step the laws are checked:
//!
//! - the log is an unbroken chain, every number in it follows the one before, no more deployments are on their way than
//!   the policy allows, exposure shrinks only by going back, no step comes early and no bake is cut short (`history`);
//! - what was acknowledged is in the log, what was refused is not, nothing is done twice, every request is answered
//!   (`commands`);
//! - no version grows past an alarm that fires, or is not known to be quiet; evidence is what a source said at that time, and
//!   is not recorded more often than needed; a source that fires is heard, whoever is restarted meanwhile (`history`);
//! - a deployment that asks clients goes on only from steps that some have applied, and not over refusals
//!   (`acknowledgers`);
//! - a client that was given the new version keeps it while the rollout grows, and everybody gets what the arithmetic says
//!   (`clients`);
//! - a node at rest on a healthy log has left nothing undone that is due, knows the whole log, and serves exactly what its
//!   world says; a replay from the beginning, a replay from a snapshot and every node arrive at the same world.
//!
//! A failure names the seed; the same seed fails in the same way.

mod acknowledgers;
mod clients;
mod cluster;
mod commands;
mod history;
mod watched;

use self::acknowledgers::{any_place, nothing_goes_on_that_is_refused};
use self::clients::{Clients, expected, places};
use self::cluster::Cluster;
use self::commands::{ALARMS, Asker, Requests, pick};
use self::history::History;
use crate::faulty_log::Trouble;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use yardarm_domain::rollout::Begin;
use yardarm_domain::{Concurrency, Deployment, Policy, TickInterval, UnregisteredAlarms, live};
use yardarm_flags::bucketing::named_subject;
use yardarm_log::{Digest, verify};
use yardarm_node::{Node, SessionRefusal};

/// A law that does not hold.
#[derive(Debug)]
struct Broken(String);

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken(what())) }
}

/// What goes on in a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// People ask for anything, and begin with nothing.
    Anything,
    /// A shop deploys, watched by two alarms whose sources fire, flap, fall silent and come back.
    Watched,
}

/// How many deployments alarms took back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Because one fired.
    pub firing: u64,
    /// Because nobody knew whether one does.
    pub unknown: u64,
}

/// What a simulation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Of the last record: stands for the whole history.
    pub digest: Digest,
    /// How many records were written.
    pub records: u64,
    /// Steps that deployments took under an alarm that counts.
    pub watched_steps: u64,
    /// Deployments that alarms took back.
    pub taken_back: TakenBack,
    /// Steps that deployments took because clients had applied the one before.
    pub acknowledged_steps: u64,
    /// Deployments that clients took back by refusing them.
    pub refused: u64,
    /// What happened, in order.
    pub trace: Vec<String>,
}

/// A law that did not hold, and how it came to that.
#[derive(Debug)]
pub struct Failure {
    /// The simulation.
    pub simulation: Simulation,
    /// What is wrong.
    pub what: String,
    /// What happened, in order.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Simulation { scene, seed, nodes, steps } = self.simulation;
        let latest = self.trace.iter().skip(self.trace.len().saturating_sub(60));
        latest.clone().try_for_each(|line| writeln!(f, "  {line}"))?;
        write!(f, "seed {seed} of {scene:?} with {nodes} nodes and {steps} steps: {}", self.what)
    }
}

/// A simulation to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// What goes on.
    pub scene: Scene,
    /// Decides everything.
    pub seed: u64,
    /// How many nodes share the log: 1 or 2.
    pub nodes: usize,
    /// How many things happen.
    pub steps: u32,
}

impl Simulation {
    /// Runs it.
    ///
    /// # Errors
    /// The first law that does not hold.
    pub fn run(self) -> Result<Outcome, Box<Failure>> {
        let mut run = Run::new(self);
        // Time is there only because questions are bounded in it; every answer comes at once.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let result = match runtime {
            Ok(runtime) => runtime.block_on(run.all(self.steps)),
            Err(error) => Err(Broken(error.to_string())),
        };
        match result {
            Ok(()) => {
                let History { digest, seq, watched_steps, taken_back, acknowledged_steps, refused, .. } =
                    run.history;
                let (records, trace) = (seq.0, run.trace);
                Ok(Outcome { digest, records, watched_steps, taken_back, acknowledged_steps, refused, trace })
            }
            Err(Broken(what)) => Err(Box::new(Failure { simulation: self, what, trace: run.trace })),
        }
    }
}

/// Names that stand for clients without a session.
const READERS: [&str; 4] = ["reader a", "reader b", "reader c", "reader d"];

/// The longest that a rollout of the simulation takes, with time to spare.
const MOST_WAKE_UPS: u32 = 8_000;

struct Run {
    scene: Scene,
    rng: Rng,
    cluster: Cluster,
    history: History,
    requests: Requests,
    clients: Clients,
    trace: Vec<String>,
}

impl Run {
    fn new(simulation: Simulation) -> Self {
        let mut rng = Rng::with_seed(simulation.seed);
        let policy = Policy {
            concurrency: pick(
                &mut rng,
                [Concurrency::OnePerEnvironment, Concurrency::OnePerProfile, Concurrency::Queue],
            )
            .unwrap_or_default(),
            growth_begins: if rng.bool() { Begin::AfterInterval } else { Begin::AtOnce },
            strict_latest_deployment_number: false,
            ticks: TickInterval::MINUTE,
            unregistered_alarms: if rng.u8(0..4) == 0 {
                UnregisteredAlarms::Refuse
            } else {
                UnregisteredAlarms::Ignore
            },
        };
        let snapshot_every = if rng.u8(0..4) == 0 { 7 } else { 1_000_000 };
        let trace = vec![format!("{policy:?}, a snapshot every {snapshot_every}")];
        let cluster = Cluster::new(simulation.nodes, policy.clone(), snapshot_every, simulation.seed);
        let history = History::new(policy, cluster.alarms.clone());
        let (requests, clients, scene) = (Requests::default(), Clients::default(), simulation.scene);
        Self { scene, rng, cluster, history, requests, clients, trace }
    }

    async fn all(&mut self, steps: u32) -> Result<(), Broken> {
        self.start_nodes().await?;
        if let (Scene::Watched, Some((_, node))) = (self.scene, self.any_node()) {
            watched::open(&node, &mut self.rng).await?;
            self.rest().await?;
        }
        for _ in 0..steps {
            match self.scene {
                Scene::Anything => self.step().await?,
                Scene::Watched => self.step_watched().await?,
            }
            if self.rng.bool() {
                self.rest().await?;
            } else {
                // Whatever is on its way meets what comes next.
                for _ in 0..self.rng.u8(0..8) {
                    tokio::task::yield_now().await;
                }
            }
        }
        self.heal().await?;
        self.let_rollouts_finish().await?;
        self.replay().await
    }

    fn tell(&mut self, what: impl Into<String>) {
        self.trace.push(what.into());
    }

    async fn step(&mut self) -> Result<(), Broken> {
        match self.rng.u32(0..100) {
            0..42 => self.ask(),
            42..60 => self.move_clock(),
            60..68 => self.poll()?,
            68..74 => self.acknowledge(),
            74..80 => self.start_session()?,
            80..85 => self.crash(),
            85..89 => self.start_nodes().await?,
            89..91 => self.save_snapshot().await?,
            91..93 => self.trouble(),
            93..97 => self.change_truth(),
            _ => self.heal().await?,
        }
        Ok(())
    }

    fn any_node(&mut self) -> Option<(usize, Node)> {
        pick(&mut self.rng, self.cluster.nodes().map(|(index, node)| (index, node.clone())))
    }

    fn ask(&mut self) {
        for _ in 0..self.rng.u8(1..4) {
            let Some((index, node)) = self.any_node() else { return };
            if let Some(what) = self.asker(&node).ask() {
                self.tell(format!("node {index}: {what}"));
            }
        }
    }

    fn asker<'a>(&'a mut self, node: &'a Node) -> Asker<'a> {
        Asker {
            requests: &mut self.requests,
            node,
            world: &self.history.world,
            alarms: &self.cluster.alarms,
            rng: &mut self.rng,
        }
    }

    fn move_clock(&mut self) {
        let clock = self.cluster.clock.clone();
        let now = yardarm_node::Clock::now(&clock);
        let millis = |millis: i64| SignedDuration::from_millis(millis);
        match self.rng.u32(0..20) {
            0..9 => clock.advance(millis(self.rng.i64(1..45_000))),
            9..15 => match self.wake_at() {
                Some(due) if due > now => clock.set(due),
                Some(_) | None => clock.advance(millis(self.rng.i64(1..700_000))),
            },
            15..17 => clock.advance(SignedDuration::from_mins(self.rng.i64(10..6_000))),
            17..19 => clock.advance(millis(self.rng.i64(-50_000..0))),
            _ => clock.advance(SignedDuration::from_mins(self.rng.i64(-3_000..-1))),
        }
        self.tell(format!("it is {}", yardarm_node::Clock::now(&clock)));
    }

    fn poll(&mut self) -> Result<(), Broken> {
        match self.any_node() {
            Some((_, node)) => self.clients.poll(&node, false),
            None => Ok(()),
        }
    }

    fn acknowledge(&mut self) {
        let Some((index, node)) = self.any_node() else { return };
        let Some(place) = any_place(&self.history.world, &mut self.rng) else { return };
        if let Some(what) = self.history.acknowledgers.say(&node, place, &mut self.rng) {
            self.tell(format!("node {index}: {what}"));
        }
    }

    fn start_session(&mut self) -> Result<(), Broken> {
        match self.any_node() {
            Some((_, node)) => self.clients.start(&node, &self.history.world, &mut self.rng),
            None => Ok(()),
        }
    }

    fn crash(&mut self) {
        let index = self.rng.usize(0..self.cluster.hosts.len());
        self.cluster.crash(index);
        self.tell(format!("node {index} crashes"));
    }

    async fn start_nodes(&mut self) -> Result<(), Broken> {
        for index in 0..self.cluster.hosts.len() {
            let seed = self.rng.u64(..);
            self.cluster.start(index, seed).await?;
        }
        self.tell("nodes start");
        Ok(())
    }

    /// The source of an alarm says something else, or nothing, or nonsense.
    fn change_truth(&mut self) {
        let truths = match self.scene {
            Scene::Anything => watched::SELDOM_BAD,
            Scene::Watched => watched::OFTEN_BAD,
        };
        let arn = pick(&mut self.rng, ALARMS);
        let (Some(arn), Some(&truth)) = (arn, pick(&mut self.rng, truths)) else { return };
        self.cluster.alarms.set(arn, truth);
        self.tell(format!("{arn}: {truth:?}"));
    }

    async fn save_snapshot(&mut self) -> Result<(), Broken> {
        // It is encoded on another thread; nothing else may depend on how long that takes.
        self.cluster.settle().await?;
        if let Some((index, node)) = self.any_node() {
            // With a log in trouble it is not saved, which costs time only.
            let saved = node.save_snapshot().await.is_ok();
            self.tell(format!("node {index}: snapshot saved: {saved}"));
        }
        Ok(())
    }

    fn trouble(&mut self) {
        let index = self.rng.usize(0..self.cluster.hosts.len());
        let mut odds = |most: u16| if self.rng.bool() { self.rng.u16(0..most) } else { 0 };
        let trouble = Trouble {
            appends_fail: odds(500),
            answers_lost: odds(500),
            reads_fail: odds(700),
            content_fails: odds(900),
            most_yields: self.rng.u8(0..6),
        };
        self.cluster.trouble(index, trouble);
        self.tell(format!("node {index}: {trouble:?}"));
    }

    /// Lets everything that is on its way come to its end, and looks at it.
    async fn rest(&mut self) -> Result<(), Broken> {
        self.cluster.settle().await?;
        self.history.read(&self.cluster.log).await?;
        for line in self.requests.collect(&self.history).await? {
            self.tell(line);
        }
        for (index, node) in self.cluster.nodes() {
            if node.status().behind == 0 {
                serves_what_its_world_says(node)
                    .map_err(|Broken(what)| Broken(format!("node {index}: {what}")))?;
            }
        }
        if let Some((_, node)) = self.any_node() {
            self.clients.poll(&node, true)?;
        }
        Ok(())
    }

    /// Ends all trouble, waits for what is tried again, and holds the nodes against the log.
    async fn heal(&mut self) -> Result<(), Broken> {
        self.tell("all is well");
        for index in 0..self.cluster.hosts.len() {
            self.cluster.trouble(index, Trouble::NONE);
        }
        self.start_nodes().await?;
        for _ in 0..2 {
            self.cluster.settle().await?;
            self.cluster.clock.advance(SignedDuration::from_millis(1_001));
        }
        self.rest().await?;
        self.nothing_is_left_to_do()
    }

    fn now(&self) -> Timestamp {
        yardarm_node::Clock::now(&self.cluster.clock)
    }

    /// Every node knows the whole log, says so, and has done what is due.
    fn nothing_is_left_to_do(&self) -> Result<(), Broken> {
        let history = &self.history;
        for (index, node) in self.cluster.nodes() {
            let (view, status) = (node.view(), node.status());
            ensure(status.log_answers && status.behind == 0, || {
                format!("node {index} did not recover: {status:?}")
            })?;
            ensure(view.seq == history.seq && view.digest == history.digest, || {
                format!("node {index} is at {} and the log at {}", view.seq, history.seq)
            })?;
            ensure(*view.world == history.world, || format!("node {index} has another world than the log"))?;
        }
        self.requests.refused_left_nothing(history)?;
        let (now, due) = (self.now(), self.wake_at());
        // Where nodes share a log, what waits for a time far ahead may wait for the clock of another one.
        let only_clock = self.cluster.only_clock();
        let mut open = history.world.deploying().flat_map(|(_, environment)| environment.open());
        ensure(!only_clock || !open.any(|deployment| deployment.phase.is_ahead_of(now)), || {
            format!("at {now} a deployment still waits for a time from which the clock was set back")
        })?;
        ensure(due.is_none_or(|due| due > now), || format!("at {now} something due at {due:?} is not done"))?;
        history.nothing_goes_on_unconfirmed(now)?;
        for (_, node) in self.cluster.nodes() {
            nothing_goes_on_that_is_refused(node, &history.world)?;
        }
        history.nothing_goes_on_over_an_alarm(now)
    }

    /// When the drivers want to do something.
    fn wake_at(&self) -> Option<Timestamp> {
        self.cluster.drivers_wake_at(&self.history.world)
    }

    /// Left alone by people, every rollout ends, whatever the alarms say meanwhile, and whoever is restarted.
    async fn let_rollouts_finish(&mut self) -> Result<(), Broken> {
        for _ in 0..MOST_WAKE_UPS {
            let Some(due) = self.wake_at() else { return Ok(()) };
            let next = self.cluster.watchers_wake_at().map_or(due, |asks| asks.min(due));
            self.cluster.clock.set(next.max(self.now()));
            match (self.scene, self.rng.u8(0..16)) {
                (_, 0..2) => self.change_truth(),
                (Scene::Anything, 2) | (Scene::Watched, 2..6) => {
                    self.crash();
                    self.start_nodes().await?;
                }
                (Scene::Anything, 3..8) => self.acknowledge(),
                _ => {}
            }
            self.cluster.settle().await?;
            self.history.read(&self.cluster.log).await?;
            self.nothing_is_left_to_do()?;
            if self.scene == Scene::Watched {
                self.history.what_fires_is_heard(self.now())?;
            }
        }
        Err(Broken("a rollout does not end".into()))
    }

    /// The whole chain holds, and who comes later arrives at the same world, also by way of a snapshot.
    async fn replay(&mut self) -> Result<(), Broken> {
        let verified = verify(&self.cluster.log).await.map_err(|error| Broken(error.to_string()))?;
        ensure(verified.digest == self.history.digest, || "the chain ends elsewhere".into())?;
        if self.rng.bool() {
            self.save_snapshot().await?;
        }
        for index in 0..self.cluster.hosts.len() {
            self.cluster.crash(index);
        }
        self.start_nodes().await?;
        self.cluster.settle().await?;
        // Who starts asks the alarms' sources, and may hear something new.
        self.history.read(&self.cluster.log).await?;
        self.nothing_is_left_to_do()?;
        for (_, node) in self.cluster.nodes() {
            serves_what_its_world_says(node)?;
        }
        // No poll of a session is too early then.
        self.cluster.clock.advance(SignedDuration::from_secs(15));
        self.cluster.settle().await?;
        self.history.read(&self.cluster.log).await?;
        for (_, node) in self.cluster.nodes() {
            self.clients.poll(node, true)?;
            self.cluster.clock.advance(SignedDuration::from_secs(15));
        }
        Ok(())
    }
}

/// Everybody gets what the deployments of the node's world and the arithmetic of rollouts say.
fn serves_what_its_world_says(node: &Node) -> Result<(), Broken> {
    let view = node.view();
    for place in places(&view.world) {
        let live = live(&view.world, &place.0, &place.1, &place.2);
        for reader in READERS {
            let read =
                node.read_configuration(place.0.as_str(), place.1.as_str(), place.2.as_str(), Some(reader));
            let told = || format!("{place:?}: {reader} reads {read:?} of {live:?}");
            match (&live, &read) {
                (None, Err(SessionRefusal::NoDeployment)) => {}
                (Some(live), Ok(reading)) => {
                    let wanted = expected(live, &place, &named_subject(reader));
                    let same = match (wanted, &reading.version) {
                        (None, None) => true,
                        (Some(wanted), Some(version)) => is(wanted, version),
                        (None, Some(_)) | (Some(_), None) => false,
                    };
                    ensure(same, told)?;
                }
                (None, _) | (Some(_), Err(_)) => return Err(Broken(told())),
            }
        }
    }
    Ok(())
}

/// Whether `served` is what `deployment` deployed.
fn is(deployment: &Deployment, served: &yardarm_node::ServedVersion) -> bool {
    let label = deployment.label.as_ref().map(|label| label.as_str().as_bytes());
    deployment.version == served.version
        && deployment.content.hash == served.content
        && deployment.kind == served.kind
        && deployment.content_type.as_str().as_bytes() == served.content_type
        && label == served.label.as_deref()
}
