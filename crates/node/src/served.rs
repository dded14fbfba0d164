//! What the clients of one configuration in one environment get: one version, or two while a deployment is on its way, and
//! each of them twice for the few seconds in which a forced flag reaches everybody.

use crate::form::Form;
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;
use yardarm_domain::{ContentHash, DeploymentNumber, Exposure, FlagKey, ForceTo, ProfileType, VersionNumber};
use yardarm_flags::{CompiledFlags, bucketing};
use yardarm_log::Seq;

/// A deployed version, ready to be sent and to be evaluated.
#[derive(Clone, Debug)]
pub struct ServedVersion {
    /// Its number.
    pub version: VersionNumber,
    /// Its label.
    pub label: Option<Bytes>,
    /// The stored MIME type.
    pub content_type: Bytes,
    /// What plain clients get: the stored bytes, or a flag document's retrieval form.
    pub body: Bytes,
    /// The stored bytes.
    pub stored: Bytes,
    /// A flag document in Amazon Ion, if a flag has variants.
    pub ion: Option<Bytes>,
    /// A flag document's flags, compiled when it was loaded.
    pub flags: Option<Arc<CompiledFlags>>,
    /// Whether it is a flag document.
    pub kind: ProfileType,
    /// Hash of the stored bytes.
    pub content: ContentHash,
    /// When the deployment that serves it was started.
    pub deployed_at: Timestamp,
    /// What is forced in it. `None`: it is as it was deployed.
    pub forced: Option<ForcedIn>,
}

/// What is forced in a version that is served.
#[derive(Clone, Debug)]
pub struct ForcedIn {
    /// The flags.
    pub flags: Box<[(FlagKey, ForceTo)]>,
    /// The version as it was deployed: ready to be served again the moment they are released.
    pub deployed: Arc<ServedVersion>,
}

/// The versions as those get them whom forced flags on their way to everybody have reached.
#[derive(Clone, Debug)]
pub struct ForcedPair {
    /// How many they have reached.
    pub exposure: Exposure,
    /// What clients are bucketed with.
    pub key: Box<str>,
    /// What those of them get who are outside a rollout.
    pub stable: Option<Arc<ServedVersion>>,
    /// What those of them get who are inside. There if and only if there is a candidate.
    pub candidate: Option<Arc<ServedVersion>>,
}

/// A version on its way: those of the clients that it has reached get it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The version.
    pub version: Arc<ServedVersion>,
    /// By which deployment.
    pub deployment: DeploymentNumber,
    /// How many clients it has reached.
    pub exposure: Exposure,
    /// What clients are bucketed with.
    pub key: Box<str>,
}

impl ServedVersion {
    /// Names the bytes: the same content under another version is another answer, because its version is.
    #[must_use]
    pub fn name(&self) -> String {
        let content: String = self.content.to_string().chars().take(16).collect();
        format!("{}-{content}", self.version)
    }

    /// What tells it from other versions of its configuration, for tokens: its number, or for one in which a flag is forced
    /// something that is no version's number and depends on its number and content.
    #[must_use]
    pub fn mark(&self) -> u32 {
        const FORCED: u32 = 1 << 31;
        let [a, b, c, d, ..] = self.content.0;
        match &self.forced {
            Some(_) => FORCED | (u32::from_be_bytes([a, b, c, d]) ^ self.version.0),
            None => self.version.0,
        }
    }

    /// It as it was deployed.
    #[must_use]
    pub fn deployed(self: &Arc<Self>) -> &Arc<Self> {
        self.forced.as_ref().map_or(self, |forced| &forced.deployed)
    }

    /// The form in which a client that wants `wanted` is sent this version.
    #[must_use]
    pub fn form(&self, wanted: Form) -> Form {
        match wanted {
            Form::Stored if self.flags.is_some() => Form::Stored,
            Form::Ion if self.ion.is_some() => Form::Ion,
            Form::Plain | Form::Stored | Form::Ion => Form::Plain,
        }
    }

    /// The bytes that are sent in the form in which there is this version.
    #[must_use]
    pub fn bytes(&self, form: Form) -> &Bytes {
        match form {
            Form::Plain => &self.body,
            Form::Stored => &self.stored,
            Form::Ion => self.ion.as_ref().unwrap_or(&self.body),
        }
    }
}

impl Candidate {
    /// The bucket of the client known as `subject`, 0 to 999 999.
    #[must_use]
    pub fn bucket(&self, subject: &[u8]) -> u32 {
        bucketing::bucket(&self.key, subject)
    }

    /// Whether it has reached the client known as `subject`.
    #[must_use]
    pub fn reaches(&self, subject: &[u8]) -> bool {
        bucketing::exposed(self.bucket(subject), self.exposure)
    }

    /// Whether it has reached every client, also those that cannot be told apart.
    #[must_use]
    pub fn reaches_everyone(&self) -> bool {
        self.exposure == Exposure::ALL
    }

    /// Its version, as those get it whom `forced` has reached if it is given.
    fn or_forced<'s>(&'s self, forced: Option<&'s ForcedPair>) -> &'s Arc<ServedVersion> {
        forced.and_then(|forced| forced.candidate.as_ref()).unwrap_or(&self.version)
    }

    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.version, &other.version)
            && (self.deployment, self.exposure) == (other.deployment, other.exposure)
    }
}

impl ForcedPair {
    fn is_same(&self, other: &Self) -> bool {
        (&self.key, self.exposure) == (&other.key, other.exposure)
            && same(self.stable.as_ref(), other.stable.as_ref())
            && same(self.candidate.as_ref(), other.candidate.as_ref())
    }
}

/// Whether the client known as `subject` is among the first to get what is drawn with `key`.
fn drawn(key: &str, exposure: Exposure, subject: &[u8]) -> bool {
    bucketing::exposed(bucketing::bucket(key, subject), exposure)
}

fn same(one: Option<&Arc<ServedVersion>>, other: Option<&Arc<ServedVersion>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// What one configuration's clients get.
#[derive(Clone, Debug)]
pub struct Served {
    pub(crate) stable: Option<Arc<ServedVersion>>,
    pub(crate) candidate: Option<Candidate>,
    /// While a forced flag is on its way to everybody.
    pub(crate) forced: Option<ForcedPair>,
    pub(crate) revision: Seq,
}

impl Served {
    /// What the client known as `subject` gets. `None`: it is outside a rollout and nothing was completed before.
    #[must_use]
    pub fn for_subject(&self, subject: &[u8]) -> Option<&Arc<ServedVersion>> {
        self.choose(|key, exposure| drawn(key, exposure, subject))
    }

    /// What the entity of this name gets: the same from every node and every agent.
    #[must_use]
    pub fn for_entity(&self, entity: &str) -> Option<&Arc<ServedVersion>> {
        self.choose(|key, exposure| drawn(key, exposure, &bucketing::named_subject(entity)))
    }

    /// What somebody who cannot be told apart gets: the new version only once everyone has it.
    #[must_use]
    pub fn for_anyone(&self) -> Option<&Arc<ServedVersion>> {
        self.choose(|_, _| false)
    }

    fn choose(&self, drawn: impl Fn(&str, Exposure) -> bool) -> Option<&Arc<ServedVersion>> {
        let forced = self.forced.as_ref().filter(|forced| drawn(&forced.key, forced.exposure));
        match &self.candidate {
            Some(candidate)
                if candidate.reaches_everyone()
                    || (candidate.exposure > Exposure::NONE && drawn(&candidate.key, candidate.exposure)) =>
            {
                Some(candidate.or_forced(forced))
            }
            _ => forced.map_or(self.stable.as_ref(), |forced| forced.stable.as_ref()),
        }
    }

    /// The candidate, for a program that decides itself which entity gets which version, and what its entities inside get: a
    /// forced flag on its way reaches a program whole.
    pub(crate) fn candidate_for(&self, subject: &[u8]) -> Option<(&Candidate, &Arc<ServedVersion>)> {
        let candidate = self.candidate.as_ref()?;
        Some((candidate, candidate.or_forced(self.forced_for(subject))))
    }

    /// What the entities outside get of such a program.
    pub(crate) fn stable_for(&self, subject: &[u8]) -> Option<&Arc<ServedVersion>> {
        self.forced_for(subject).map_or(self.stable.as_ref(), |forced| forced.stable.as_ref())
    }

    fn forced_for(&self, subject: &[u8]) -> Option<&ForcedPair> {
        self.forced.as_ref().filter(|forced| drawn(&forced.key, forced.exposure, subject))
    }

    /// What clients outside a rollout get. `None`: nothing was ever completed.
    #[must_use]
    pub fn stable(&self) -> Option<&Arc<ServedVersion>> {
        self.stable.as_ref()
    }

    /// What clients inside a rollout get, while there is one.
    #[must_use]
    pub fn candidate(&self) -> Option<&Candidate> {
        self.candidate.as_ref()
    }

    /// Names both versions and the exposure, and what is forced, the same on every node.
    #[must_use]
    pub fn tag(&self) -> String {
        let named = |version: Option<&Arc<ServedVersion>>| version.map_or_else(|| "0".into(), |it| it.name());
        let stable = named(self.stable.as_ref());
        if let Some(forced) = &self.forced {
            let versions = format!("{}.{}", named(forced.stable.as_ref()), named(forced.candidate.as_ref()));
            let candidate = self.candidate.as_ref().map_or_else(
                || "0.0.0".to_owned(),
                |it| format!("{}.{}.{}", it.version.name(), it.deployment, it.exposure.parts_per_million()),
            );
            let number = forced.key.rsplit('/').next().unwrap_or_default();
            return format!("{stable}.{candidate}.{number}.{versions}");
        }
        match &self.candidate {
            None => stable,
            Some(candidate) => {
                let (version, exposure) = (candidate.version.name(), candidate.exposure.parts_per_million());
                format!("{stable}.{version}.{}.{exposure}", candidate.deployment)
            }
        }
    }

    /// What those get whom forced flags on their way to everybody have reached, while there are any.
    #[must_use]
    pub fn forced(&self) -> Option<&ForcedPair> {
        self.forced.as_ref()
    }

    /// The position of the log from which on this is served; a node that was started later says where it started. A node
    /// whose log is known up to there serves this or something newer.
    #[must_use]
    pub fn revision(&self) -> Seq {
        self.revision
    }

    /// The versions there are: what clients outside a rollout get, then what those inside get, and both again as forced flags on
    /// their way have reached them.
    pub fn versions(&self) -> impl Iterator<Item = &Arc<ServedVersion>> {
        let both = self.stable.iter().chain(self.candidate.iter().map(|candidate| &candidate.version));
        let forced = self.forced.iter().flat_map(|forced| forced.stable.iter().chain(&forced.candidate));
        both.chain(forced)
    }

    /// Those, and as they were deployed.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Arc<ServedVersion>> {
        self.versions()
            .flat_map(|version| [version].into_iter().chain(version.forced.as_ref().map(|it| &it.deployed)))
    }

    /// Whether every client gets the same from both.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let stable = same(self.stable.as_ref(), other.stable.as_ref());
        let candidate = match (&self.candidate, &other.candidate) {
            (Some(one), Some(other)) => one.is_same(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let forced = match (&self.forced, &other.forced) {
            (Some(one), Some(other)) => one.is_same(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        stable && candidate && forced
    }
}
