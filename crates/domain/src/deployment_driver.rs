//! What deployments want done as time passes. The driver of every node asks; whoever appends first has done it.

use crate::context::{Command, Context, Decision, TickInterval};
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::event::Event;
use crate::ids::ApplicationId;
use crate::refusal::Refusal;
use crate::rollout::{self, Input, Phase, Transition};
use crate::world::World;
use jiff::Timestamp;

/// Takes every step that is due. What is due is read from the world.
#[derive(Clone, Copy, Debug)]
pub struct AdvanceDeployments {
    /// Whether no other clock counts. Then a deployment that waits for a time far ahead does so because the clock was set
    /// back, and its waiting begins anew. Where several nodes advance deployments it is left alone: the clock of another
    /// node may be right, for which everything would be due at once when counted anew from a slow one.
    pub only_clock: bool,
    /// How often extensions are asked. No step is taken unless they were, recently.
    pub ticks: TickInterval,
}

impl Command for AdvanceDeployments {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let mut events = vec![];
        for (application, environment) in world.deploying() {
            self.steps(world, application, environment, context.now, &mut events);
        }
        Decision::new((), events)
    }
}

impl AdvanceDeployments {
    /// When this will next have something to do if nothing else happens; at `now` or before: it has something to do
    /// already. `None`: never.
    #[must_use]
    pub fn wake_at(self, world: &World, now: Timestamp) -> Option<Timestamp> {
        world
            .deploying()
            .flat_map(|(_, environment)| {
                environment.open().filter_map(move |deployment| match deployment.phase {
                    Phase::Queued => is_next(environment, deployment.number.0).then_some(now),
                    phase if self.only_clock && phase.is_ahead_of(now) => Some(now),
                    // What is held up waits for an answer, which is a change of the world.
                    phase => deployment
                        .plan
                        .wake_at(phase)
                        .filter(|due| self.may_step(world, deployment, now, now.max(*due))),
                })
            })
            .min()
    }

    /// Whether its extensions have let it go on, for a step at `at`.
    fn may_step(self, world: &World, deployment: &Deployment, now: Timestamp, at: Timestamp) -> bool {
        world.ticked_until(deployment, self.ticks, now).is_none_or(|until| at <= until)
    }

    fn steps(
        self,
        world: &World,
        application: &ApplicationId,
        environment: &Environment,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) {
        for deployment in environment.open() {
            let input = if deployment.phase == Phase::Queued {
                if !is_next(environment, deployment.number.0) {
                    continue;
                }
                Input::Proceed
            } else if deployment.phase.is_ahead_of(now) {
                // Counting anew is no step.
                if !self.only_clock {
                    continue;
                }
                Input::Tick
            } else if self.may_step(world, deployment, now, now) {
                Input::Tick
            } else {
                continue;
            };
            // What has extensions to ask is not over in the instant in which its turn comes.
            let attended = input == Input::Proceed && world.is_attended(deployment);
            // A tick and a proceed are never refused; were they, doing nothing would be right.
            let transitions =
                rollout::step(&deployment.plan, deployment.phase, input, now).unwrap_or_default();
            for transition in transitions.into_iter().filter(|one| !attended || *one == Transition::Begun) {
                events.push(deployment.event(application, &environment.id, transition));
            }
        }
    }
}

/// Nothing is on its way, and nobody has waited longer.
fn is_next(environment: &Environment, number: u32) -> bool {
    environment.open().all(|open| !open.phase.is_active() && open.number.0 >= number)
}
