//! What extensions say while a deployment is on its way. Their answers are evidence: no step is taken without a fresh one.

use super::ActionPoint;
use crate::context::{Command, Context, Decision, TickInterval};
use crate::deployment::Deployment;
use crate::event::Event;
use crate::ids::{ApplicationId, DeploymentNumber, EnvironmentId};
use crate::invocation::Invocation;
use crate::refusal::Refusal;
use crate::rollout::{Transition, TriggeredBy};
use crate::text::Description;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};

/// A deployment whose extensions are to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Of which application.
    pub application: ApplicationId,
    /// Where.
    pub environment: EnvironmentId,
    /// Which.
    pub deployment: DeploymentNumber,
}

/// Times this far apart are two clocks disagreeing a little.
const CLOCK_DISAGREEMENT: SignedDuration = SignedDuration::from_secs(60);

/// The deployments whose extensions are to be asked now, and when to look again if nothing else happens.
#[must_use]
pub fn ticks_due(world: &World, every: TickInterval, now: Timestamp) -> (Vec<Tick>, Option<Timestamp>) {
    let (mut due, mut next) = (vec![], None::<Timestamp>);
    for (application, environment) in world.deploying() {
        for deployment in environment.open() {
            if !deployment.phase.is_active() || !world.is_ticked(deployment) {
                continue;
            }
            match deployment.asked_again_at(every, now) {
                Some(at) if at > now => next = Some(next.map_or(at, |next| next.min(at))),
                _ => due.push(Tick {
                    application: application.clone(),
                    environment: environment.id.clone(),
                    deployment: deployment.number,
                }),
            }
        }
    }
    (due, next)
}

impl World {
    /// Whether any of its extensions wants to be asked while it is on its way.
    pub(crate) fn is_ticked(&self, deployment: &Deployment) -> bool {
        deployment
            .extensions
            .iter()
            .any(|applied| self.action_of(applied, ActionPoint::AtDeploymentTick).is_some())
    }

    /// Until when `deployment` may take steps on what its extensions have said. `None`: it has none to ask.
    pub(crate) fn ticked_until(
        &self,
        deployment: &Deployment,
        every: TickInterval,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if !self.is_ticked(deployment) {
            return None;
        }
        let fresh_for = every.duration().saturating_mul(2);
        let until = deployment
            .asked_since_last_step(now)
            .map(|at| at.saturating_add(fresh_for).unwrap_or(Timestamp::MAX));
        Some(until.unwrap_or(Timestamp::MIN))
    }
}

impl Deployment {
    /// When its extensions were last asked, if that was after its last step and by a clock that still holds.
    fn asked_since_last_step(&self, now: Timestamp) -> Option<Timestamp> {
        let last_step = self.log.last().map(|entry| entry.at);
        self.ticked_at.filter(|at| {
            last_step.is_none_or(|step| *at >= step) && now.duration_until(*at) <= CLOCK_DISAGREEMENT
        })
    }

    fn asked_again_at(&self, every: TickInterval, now: Timestamp) -> Option<Timestamp> {
        let at = self.asked_since_last_step(now)?;
        Some(at.saturating_add(every.duration()).unwrap_or(Timestamp::MAX))
    }
}

/// Records what a deployment's extensions have said, and takes it back if one wants that.
#[derive(Clone, Debug)]
pub struct HeedTick {
    /// Who was asked.
    pub tick: Tick,
    /// What was called.
    pub invocations: Vec<Invocation>,
    /// Why it is to be taken back, if it is.
    pub roll_back: Option<Description>,
}

impl Command for HeedTick {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let Tick { application, environment, deployment: number } = &self.tick;
        let deployment = world.environment(application, environment)?.deployment(application, *number)?;
        if !deployment.phase.is_active() {
            return Decision::new((), vec![]);
        }
        // Answers that say nothing new are not kept one by one.
        let news = self.roll_back.is_some() || deployment.asked_since_last_step(context.now).is_none();
        let ticked = Event::DeploymentTicked {
            application: application.clone(),
            environment: environment.clone(),
            deployment: *number,
            invocations: if news { self.invocations.clone() } else { vec![] },
            roll_back: self.roll_back.clone(),
        };
        let mut events = vec![ticked];
        if self.roll_back.is_some() {
            let transition = Transition::RolledBack(TriggeredBy::Yardarm);
            events.push(deployment.event(application, environment, transition));
        }
        Decision::new((), events)
    }
}
