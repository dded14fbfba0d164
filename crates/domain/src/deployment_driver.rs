//! What deployments and forced flags want done as time passes. The driver of every node asks; whoever appends first has done it.

use crate::alarm::{Verdict, verdict};
use crate::context::{Command, Context, Decision, TickInterval, UnregisteredAlarms};
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::event::Event;
use crate::forced_flag;
use crate::gate::{ClientCounts, ClientEvidence, Passage};
use crate::ids::ApplicationId;
use crate::refusal::Refusal;
use crate::rollout::{self, Input, Phase, Transition, TriggeredBy};
use crate::world::World;
use jiff::Timestamp;

/// Takes every step that is due, of deployments and of forced flags, and takes back what alarms speak against. What is due
/// is read from the world.
#[derive(Clone, Debug)]
pub struct AdvanceDeployments {
    /// Whether no other clock counts. Then a deployment that waits for a time far ahead does so because the clock was set
    /// back, and its waiting begins anew. Where several nodes advance deployments it is left alone: the clock of another
    /// node may be right, for which everything would be due at once when counted anew from a slow one.
    pub only_clock: bool,
    /// How often extensions are asked. No step is taken unless they were, recently.
    pub ticks: TickInterval,
    /// From when on the asker was there to hear of alarms: their silence before that is not theirs.
    pub attentive_since: Timestamp,
    /// What monitors mean whose alarm is not registered.
    pub unregistered: UnregisteredAlarms,
    /// What clients have said of the deployments that ask them. Silence counts for none.
    pub clients: ClientEvidence,
}

impl Command for AdvanceDeployments {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let mut events = vec![];
        for (application, environment) in world.deploying() {
            self.steps(world, application, environment, context.now, &mut events);
        }
        events.extend(forced_flag::due(world, context.now));
        Decision::new((), events)
    }
}

impl AdvanceDeployments {
    /// When this will next have something to do if nothing else happens; at `now` or before: it has something to do
    /// already. `None`: never.
    #[must_use]
    pub fn wake_at(&self, world: &World, now: Timestamp) -> Option<Timestamp> {
        let deployments = world
            .deploying()
            .flat_map(|(application, environment)| {
                environment.open().filter_map(move |deployment| {
                    if deployment.phase == Phase::Queued {
                        return is_next(environment, deployment.number.0).then_some(now);
                    }
                    // What extensions hold up waits for an answer, which is a change of the world.
                    let due = deployment.plan.wake_at(deployment.phase);
                    let due = due.filter(|due| self.may_step(world, deployment, now, now.max(*due)));
                    let (passage, counts) = self.passage(application, environment, deployment);
                    // Those who are waited for may be forgotten; what else they say wakes by itself.
                    let due = match passage {
                        Passage::Open | Passage::RollBack => due,
                        Passage::Hold => counts.until.filter(|until| *until > now),
                    };
                    // The end of the bake is nothing to wake for while it must not be completed.
                    let confirm_by = deployment.confirm_by();
                    let due = due.filter(|_| {
                        confirm_by.is_none() || !matches!(deployment.phase, Phase::Baking { .. })
                    });
                    let ahead = deployment.phase.is_ahead_of(now);
                    let wake = match self.verdict(world, environment, deployment, now) {
                        Verdict::RollBack { .. } => Some(now),
                        _ if passage == Passage::RollBack => Some(now),
                        _ if ahead && self.only_clock => Some(now),
                        Verdict::Hold(until) => Some(until),
                        Verdict::Quiet(until) => [due, until].into_iter().flatten().min(),
                    };
                    [wake, confirm_by].into_iter().flatten().min()
                })
            })
            .min();
        [deployments, forced_flag::wake_at(world, now)].into_iter().flatten().min()
    }

    /// Whether its extensions have let it go on, for a step at `at`.
    fn may_step(&self, world: &World, deployment: &Deployment, now: Timestamp, at: Timestamp) -> bool {
        world.ticked_until(deployment, self.ticks, now).is_none_or(|until| at <= until)
    }

    /// What its clients say to a deployment, and how many they are.
    fn passage(
        &self,
        application: &ApplicationId,
        environment: &Environment,
        deployment: &Deployment,
    ) -> (Passage, ClientCounts) {
        let exposure = deployment.exposure();
        let counts = self.clients.of(application, &environment.id, deployment.number, exposure);
        (deployment.gate.map_or(Passage::Open, |gate| gate.passage(&counts)), counts)
    }

    fn verdict(
        &self,
        world: &World,
        environment: &Environment,
        deployment: &Deployment,
        now: Timestamp,
    ) -> Verdict {
        verdict(world, environment, deployment, self.unregistered, self.attentive_since, now)
    }

    fn steps(
        &self,
        world: &World,
        application: &ApplicationId,
        environment: &Environment,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) {
        for deployment in environment.open() {
            let Some(input) = self.input(world, application, environment, deployment, now) else { continue };
            // None of these is ever refused; were one, doing nothing would be right.
            for transition in
                rollout::step(&deployment.plan, deployment.phase, input, now).unwrap_or_default()
            {
                // Whoever was reached just now has not said anything of it.
                let asks = deployment.gate.is_some() && matches!(deployment.phase, Phase::Growing { .. });
                if asks && transition == Transition::Completed {
                    continue;
                }
                events.push(deployment.event(application, &environment.id, transition));
            }
        }
    }

    /// What to tell the engine about a deployment. `None`: nothing.
    fn input(
        &self,
        world: &World,
        application: &ApplicationId,
        environment: &Environment,
        deployment: &Deployment,
        now: Timestamp,
    ) -> Option<Input> {
        if deployment.phase == Phase::Queued {
            let watched = !environment.monitors.is_empty()
                || world.is_attended(deployment)
                || deployment.gate.is_some();
            return is_next(environment, deployment.number.0).then_some(Input::Proceed { watched });
        }
        let (passage, counts) = self.passage(application, environment, deployment);
        let confirm_by = deployment.confirm_by();
        let tick = || if confirm_by.is_some() { Input::TickUnconfirmed } else { Input::Tick };
        match self.verdict(world, environment, deployment, now) {
            Verdict::RollBack { alarm, state } => Some(Input::RollBack(TriggeredBy::Alarm { alarm, state })),
            _ if passage == Passage::RollBack => {
                let ClientCounts { refused, exposed, .. } = counts;
                Some(Input::RollBack(TriggeredBy::Refused { refused, exposed }))
            }
            _ if confirm_by.is_some_and(|by| by <= now) => Some(Input::RollBack(TriggeredBy::Unconfirmed)),
            // Counting anew is no step.
            _ if deployment.phase.is_ahead_of(now) => self.only_clock.then(tick),
            Verdict::Hold(_) => None,
            Verdict::Quiet(_) if passage == Passage::Hold => None,
            Verdict::Quiet(_) => self.may_step(world, deployment, now, now).then(tick),
        }
    }
}

/// Nothing is on its way, and nobody has waited longer.
fn is_next(environment: &Environment, number: u32) -> bool {
    environment.open().all(|open| !open.phase.is_active() && open.number.0 >= number)
}
