//! What the clients of one configuration in one environment get: one version, or two while a deployment is on its way.

use crate::form::Form;
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;
use yardarm_domain::{ContentHash, DeploymentNumber, Exposure, ProfileType, VersionNumber};
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

    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.version, &other.version)
            && (self.deployment, self.exposure) == (other.deployment, other.exposure)
    }
}

/// What one configuration's clients get.
#[derive(Clone, Debug)]
pub struct Served {
    pub(crate) stable: Option<Arc<ServedVersion>>,
    pub(crate) candidate: Option<Candidate>,
    pub(crate) revision: Seq,
}

impl Served {
    /// What the client known as `subject` gets. `None`: it is outside a rollout and nothing was completed before.
    #[must_use]
    pub fn for_subject(&self, subject: &[u8]) -> Option<&Arc<ServedVersion>> {
        self.choose(|candidate| candidate.reaches(subject))
    }

    /// What the entity of this name gets: the same from every node and every agent.
    #[must_use]
    pub fn for_entity(&self, entity: &str) -> Option<&Arc<ServedVersion>> {
        self.choose(|candidate| candidate.reaches(&bucketing::named_subject(entity)))
    }

    /// What somebody who cannot be told apart gets: the new version only once everyone has it.
    #[must_use]
    pub fn for_anyone(&self) -> Option<&Arc<ServedVersion>> {
        self.choose(|_| false)
    }

    fn choose(&self, drawn: impl FnOnce(&Candidate) -> bool) -> Option<&Arc<ServedVersion>> {
        match &self.candidate {
            Some(candidate)
                if candidate.reaches_everyone()
                    || (candidate.exposure > Exposure::NONE && drawn(candidate)) =>
            {
                Some(&candidate.version)
            }
            _ => self.stable.as_ref(),
        }
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

    /// Names both versions and the exposure, the same on every node.
    #[must_use]
    pub fn tag(&self) -> String {
        let stable = self.stable.as_ref().map_or_else(|| "0".into(), |version| version.name());
        match &self.candidate {
            None => stable,
            Some(candidate) => {
                let (version, exposure) = (candidate.version.name(), candidate.exposure.parts_per_million());
                format!("{stable}.{version}.{}.{exposure}", candidate.deployment)
            }
        }
    }

    /// The position of the log from which on this is served; a node that was started later says where it started. A node
    /// whose log is known up to there serves this or something newer.
    #[must_use]
    pub fn revision(&self) -> Seq {
        self.revision
    }

    /// The versions there are: what clients outside a rollout get, then what those inside get.
    pub fn versions(&self) -> impl Iterator<Item = &Arc<ServedVersion>> {
        self.stable.iter().chain(self.candidate.iter().map(|candidate| &candidate.version))
    }

    /// Whether every client gets the same from both.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let stable = match (&self.stable, &other.stable) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let candidate = match (&self.candidate, &other.candidate) {
            (Some(one), Some(other)) => one.is_same(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        stable && candidate
    }
}
