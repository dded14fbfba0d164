//! Forced flags over what is deployed: the versions of a configuration as they are served while flags of it are forced.
//!
//! Nothing is read for it: what was deployed lies ready, and stays so for the moment in which the flags are released.

use crate::configuration::apart;
use crate::error::Error;
use crate::served::{Candidate, ForcedIn, ForcedPair, Served, ServedVersion};
use bytes::Bytes;
use std::sync::Arc;
use yardarm_domain::{
    ApplicationId, ContentHash, EnvironmentId, FlagKey, ForceTo, ForcedFlags, GrowingForce, ProfileType,
};
use yardarm_flags::{CompiledFlags, FlagDocument};
use yardarm_log::Content;

/// What forced flags make of `plain`, what is deployed. Versions that `old` has are taken from it.
pub(crate) async fn overruled(
    plain: &Served,
    flags: &ForcedFlags,
    (application, environment): (&ApplicationId, &EnvironmentId),
    old: Option<&Served>,
) -> Result<Served, Error> {
    let everyone: Vec<_> = flags.for_everyone().map(owned).collect();
    let stable = forced(plain.stable.as_ref(), &everyone, old).await?;
    let version =
        forced(plain.candidate.as_ref().map(|candidate| &candidate.version), &everyone, old).await?;
    let candidate = plain.candidate.clone().zip(version);
    let candidate = candidate.map(|(candidate, version)| Candidate { version, ..candidate });
    let mut served = Served { stable, candidate, ..plain.clone() };
    if let Some(growing) = flags.growing {
        let reached: Vec<_> = flags.for_reached().map(owned).collect();
        let candidate = plain.candidate.as_ref().map(|candidate| &candidate.version);
        let pair = ForcedPair {
            exposure: GrowingForce::EXPOSURE,
            key: growing.bucketing_key(application, environment).into(),
            stable: forced(plain.stable.as_ref(), &reached, old).await?,
            candidate: forced(candidate, &reached, old).await?,
        };
        served.forced = Some(pair);
    }
    Ok(served)
}

fn owned((flag, to): (&FlagKey, &ForceTo)) -> (FlagKey, ForceTo) {
    (flag.clone(), to.clone())
}

async fn forced(
    version: Option<&Arc<ServedVersion>>,
    flags: &[(FlagKey, ForceTo)],
    old: Option<&Served>,
) -> Result<Option<Arc<ServedVersion>>, Error> {
    let Some(version) = version else { return Ok(None) };
    if flags.is_empty() || version.kind != ProfileType::FeatureFlags {
        return Ok(Some(version.clone()));
    }
    let is_it = |known: &&Arc<ServedVersion>| {
        let forced = known.forced.as_ref();
        forced.is_some_and(|it| Arc::ptr_eq(&it.deployed, version) && *it.flags == *flags)
    };
    if let Some(known) = old.and_then(|old| old.known().find(is_it)) {
        return Ok(Some(known.clone()));
    }
    let (version, flags) = (version.clone(), flags.to_vec());
    apart(version.stored.len(), move || overrule(version, flags)).await.map(Some)
}

fn overrule(
    deployed: Arc<ServedVersion>,
    flags: Vec<(FlagKey, ForceTo)>,
) -> Result<Arc<ServedVersion>, Error> {
    let document = FlagDocument::read(&deployed.stored)
        .map_err(|error| Error::Unreadable(format!("flag document {}: {error}", deployed.content)))?;
    let edited = yardarm_flags::forced(&document, flags.iter().map(|(flag, to)| (flag, to)));
    if edited == document {
        return Ok(deployed);
    }
    let stored = Content::new(Bytes::from(yardarm_flags::write(&edited)));
    Ok(Arc::new(ServedVersion {
        body: Bytes::from(yardarm_flags::served(&edited)),
        content: ContentHash(stored.hash().0),
        stored: stored.bytes().clone(),
        ion: yardarm_ion::has_variants(&edited).then(|| Bytes::from(yardarm_ion::write(&edited))),
        flags: Some(Arc::new(CompiledFlags::compile(&edited))),
        forced: Some(ForcedIn { flags: flags.into(), deployed: deployed.clone() }),
        ..ServedVersion::clone(&deployed)
    }))
}
