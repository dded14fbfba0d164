//! Forcing a flag: somebody looks whether what is served has it, and hears of the alarms, before the command is decided.

use crate::address::Address;
use crate::configuration::{MOST_RACES, read_flags};
use crate::error::Error;
use crate::node::{Cause, Committed, Node};
use bytes::Bytes;
use jiff::SignedDuration;
use yardarm_domain::{
    ApplicationId, ContentHash, Description, EnvironmentId, FlagKey, ForceFlag, ForceTo, GrowFor, ProfileId,
    Refusal, WatchFor,
};
use yardarm_flags::NotForceable;

/// Longer than this nobody waits for what alarms say before a flag is forced: it is somebody's way back. Of those that have
/// not answered by then nobody knows whether they fired before, so they do not release the flag.
const LISTENING: SignedDuration = SignedDuration::from_secs(1);

/// A flag to force.
#[derive(Clone, Debug)]
pub struct WantedForce {
    /// Of which application.
    pub application: ApplicationId,
    /// Where.
    pub environment: EnvironmentId,
    /// Of which configuration.
    pub profile: ProfileId,
    /// Which.
    pub flag: FlagKey,
    /// What it is to be.
    pub to: ForceTo,
    /// Why.
    pub reason: Description,
    /// How long it has reached a hundredth of the clients only.
    pub grow_for: GrowFor,
    /// For how long after that alarms take it back.
    pub watch_for: WatchFor,
}

impl Node {
    /// Forces a flag over whatever is deployed, until it is released.
    ///
    /// # Errors
    /// The command is refused, also because no version that is served has the flag or the variant, or the log does not
    /// answer.
    pub async fn force_flag(&self, wanted: WantedForce, cause: Cause) -> Result<Committed<()>, Error> {
        let (application, environment) = (&wanted.application, &wanted.environment);
        let enough = self.now().saturating_add(LISTENING).unwrap_or_else(|_| self.now());
        tokio::select! {
            () = self.ask_alarms_of(application, environment) => {}
            () = self.sleep_until(enough) => {}
        }
        for _ in 0..MOST_RACES {
            let view = self.newest_view().await?;
            let looked_at = ForceFlag::documents(&view.world, application, environment, &wanted.profile)?;
            self.ensure_fits(&wanted, &looked_at).await?;
            let command = ForceFlag {
                application: application.clone(),
                environment: environment.clone(),
                profile: wanted.profile.clone(),
                flag: wanted.flag.clone(),
                to: wanted.to.clone(),
                by: cause.actor.clone(),
                reason: wanted.reason.clone(),
                grow_for: wanted.grow_for,
                watch_for: wanted.watch_for,
                looked_at,
            };
            match self.execute(command, cause.clone()).await {
                Err(Error::Refused(Refusal::Raced)) => {}
                result => return result,
            }
        }
        Err(Error::Busy("the configuration is changing too fast"))
    }

    /// One of `documents` has the flag, and the variant.
    async fn ensure_fits(&self, wanted: &WantedForce, documents: &[ContentHash]) -> Result<(), Error> {
        let mut why = NotForceable::NoFlag;
        for hash in documents {
            let bytes = self.deployed(wanted, *hash).await?;
            let (flag, to) = (wanted.flag.clone(), wanted.to.clone());
            let fits = read_flags(bytes, move |document| to.fits(&document, &flag));
            match fits.await? {
                Ok(()) => return Ok(()),
                Err(NotForceable::NoFlag) => {}
                Err(variant) => why = variant,
            }
        }
        Err(Refusal::NotForceable { flag: wanted.flag.clone(), why }.into())
    }

    /// Content that is served, from where it lies ready if it does.
    async fn deployed(&self, wanted: &WantedForce, hash: ContentHash) -> Result<Bytes, Error> {
        let address = Address::new(&wanted.application, &wanted.environment, &wanted.profile);
        let served = self.served(&address);
        let ready = served.as_ref().and_then(|it| it.known().find(|version| version.content == hash));
        match ready {
            Some(version) => Ok(version.stored.clone()),
            None => self.content(hash).await,
        }
    }
}
