//! Confirm or revert: a deployment that is taken back unless somebody says in time that it is good.
//!
//! Such a deployment grows and bakes as any other, and stays in its bake until it is confirmed: it is watched for as long as
//! nobody has judged it, and goes back by itself if nobody does. **Invariants:** it never completes unconfirmed; the time
//! counts from when it began to be on its way, not from when it was queued.

use crate::context::{Command, Context, Decision};
use crate::deployment::Deployment;
use crate::event::Event;
use crate::ids::{ApplicationId, DeploymentNumber, EnvironmentId};
use crate::refusal::Refusal;
use crate::rollout::Phase;
use crate::text::{Constraint, Description};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a deployment may go unconfirmed: 10 seconds to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct ConfirmWithin(u32);

impl ConfirmWithin {
    /// As a duration.
    #[must_use]
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.0))
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for ConfirmWithin {
    type Error = Constraint;

    fn try_from(seconds: u32) -> Result<Self, Constraint> {
        match seconds {
            0..10 => Err(Constraint::Min(10)),
            10..=86_400 => Ok(Self(seconds)),
            86_401.. => Err(Constraint::Max(86_400)),
        }
    }
}

impl From<ConfirmWithin> for u32 {
    fn from(within: ConfirmWithin) -> Self {
        within.0
    }
}

/// That a deployment wants to be confirmed, and whether it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// In what time.
    pub within: ConfirmWithin,
    /// By whom, once it was.
    pub confirmed: Option<Confirmed>,
}

/// Who has confirmed a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<Description>,
    /// When.
    pub at: Timestamp,
}

impl Deployment {
    /// Until when it has to be confirmed. `None`: it need not be, or is already, or it is over.
    #[must_use]
    pub fn confirm_by(&self) -> Option<Timestamp> {
        let confirmation =
            self.confirmation.as_ref().filter(|confirmation| confirmation.confirmed.is_none())?;
        let deadline = self.began_at().saturating_add(confirmation.within.duration());
        self.phase.is_active().then_some(deadline.unwrap_or(Timestamp::MAX))
    }
}

/// Says that a deployment is good.
#[derive(Clone, Debug)]
pub struct ConfirmDeployment {
    /// Of which application.
    pub application: ApplicationId,
    /// Where.
    pub environment: EnvironmentId,
    /// Which.
    pub deployment: DeploymentNumber,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: Option<Description>,
}

impl Command for ConfirmDeployment {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let environment = world.environment(&self.application, &self.environment)?;
        let deployment = environment.deployment(&self.application, self.deployment)?;
        let number = self.deployment;
        match &deployment.confirmation {
            None => Err(Refusal::NothingToConfirm { number }),
            // Said twice, as by a request that was sent again.
            Some(Confirmation { confirmed: Some(_), .. }) => Decision::new((), vec![]),
            Some(_) if !deployment.phase.is_active() => Err(Refusal::NotConfirmable {
                number,
                state: deployment.state(),
                waits: deployment.phase == Phase::Queued,
            }),
            Some(_) => Decision::new(
                (),
                vec![Event::DeploymentConfirmed {
                    application: self.application.clone(),
                    environment: self.environment.clone(),
                    deployment: number,
                    by: self.by.clone(),
                    reason: self.reason.clone(),
                }],
            ),
        }
    }
}
