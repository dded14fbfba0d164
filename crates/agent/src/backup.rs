//! Copies of configurations on the disk, for a restart while upstream does not answer.
//!
//! One file for each configuration: JSON, replaced whole, for its owner only. The body is kept as it arrived, so that
//! rules still work; both versions are kept while a deployment is on its way, so that nobody is moved by the restart.
//! Beside them stand the last versions that were good: what is newest while no deployment is on its way has passed its
//! bake. When what was newest cannot be read any more, the newest of those that can is held.

use crate::content::Content;
use crate::held::{DeploymentName, Held, Rollout};
use crate::name::ConfigurationName;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yardarm_client::private_file;
use yardarm_flags::Exposure;

/// Bytes of a copy: two configurations and some room, in Base64, and the good versions.
const FILE_BYTES: usize = 64 * 1024 * 1024;
/// Good versions that are kept.
const GENERATIONS: usize = 5;
/// Bytes of all of them together, in Base64; of larger ones fewer are kept.
const GOOD_BYTES: usize = 16 * 1024 * 1024;
/// The most copies that are read at the start.
const MOST_FILES: usize = 10_000;

/// A folder of copies.
#[derive(Clone, Debug)]
pub(crate) struct BackupFolder(PathBuf);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Copy {
    application: String,
    environment: String,
    configuration: String,
    retrieved_at: Timestamp,
    #[serde(flatten)]
    newest: Version,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deployment: Option<DeploymentCopy>,
    /// The last versions that were good, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    known_good: Vec<Version>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    content_type: String,
    configuration_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version_label: Option<String>,
    body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentCopy {
    name: String,
    exposure: Exposure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Version>,
}

/// A copy as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Restored {
    pub(crate) name: ConfigurationName,
    pub(crate) held: Held,
    pub(crate) retrieved_at: Timestamp,
}

impl BackupFolder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Makes the folder if it is not there.
    pub(crate) fn make(&self) -> io::Result<()> {
        private_file::make_folder(&self.0)
    }

    fn file(&self, name: &ConfigurationName) -> PathBuf {
        let digest = Sha256::digest(name.to_string().as_bytes());
        let hex = digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        self.0.join(format!("{hex}.json"))
    }

    /// Replaces the copy of a configuration. Blocks while the disk writes.
    pub(crate) fn write(&self, name: &ConfigurationName, held: &Held, now: Timestamp) -> io::Result<()> {
        let good = match &held.rollout {
            None => Some(Version::of(&held.newest)),
            Some(rollout) => rollout.previous.as_deref().map(Version::of),
        };
        // Of a copy that cannot be read nothing is known.
        let before = private_file::read(&self.file(name), FILE_BYTES).ok().flatten();
        let before = before.and_then(|bytes| serde_json::from_slice::<Copy>(&bytes).ok());
        let copy = Copy {
            application: name.application().into(),
            environment: name.environment().into(),
            configuration: name.profile().into(),
            retrieved_at: now,
            newest: Version::of(&held.newest),
            deployment: held.rollout.as_ref().map(|rollout| DeploymentCopy {
                name: rollout.deployment.to_string(),
                exposure: rollout.exposure,
                previous: rollout.previous.as_deref().map(Version::of),
            }),
            known_good: ring(good, before.map_or_else(Vec::new, |before| before.known_good)),
        };
        private_file::replace(&self.file(name), &serde_json::to_vec(&copy)?)
    }

    /// The copy of a configuration, if there is a good one. Blocks while the disk reads.
    pub(crate) fn read(&self, name: &ConfigurationName) -> Option<Restored> {
        let restored = restore(&self.file(name))?;
        (restored.name == *name).then_some(restored)
    }

    /// All good copies. Blocks while the disk reads.
    pub(crate) fn read_all(&self) -> Vec<Restored> {
        let Ok(files) = std::fs::read_dir(&self.0) else { return vec![] };
        let paths = files.filter_map(|file| Some(file.ok()?.path()));
        let copies = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        copies.take(MOST_FILES).filter_map(|path| restore(&path)).collect()
    }
}

fn restore(path: &Path) -> Option<Restored> {
    let restored = match private_file::read(path, FILE_BYTES) {
        Ok(None) => return None,
        Ok(Some(bytes)) => read_copy(&bytes),
        Err(error) => Err(error.to_string()),
    };
    restored.inspect_err(|error| tracing::warn!("the backup {} cannot be used: {error}", path.display())).ok()
}

fn read_copy(bytes: &[u8]) -> Result<Restored, String> {
    let copy: Copy = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let name = ConfigurationName::new(&copy.application, &copy.environment, &copy.configuration)
        .map_err(|error| error.to_string())?;
    let known_good = copy.known_good;
    let newest = match copy.newest.content() {
        Ok(newest) => newest,
        Err(error) => {
            let good = known_good.into_iter().find_map(|version| version.content().ok());
            let newest = good.ok_or(error.clone())?;
            tracing::warn!(
                "the newest backup of '{name}' cannot be read: {error}; version {} can",
                newest.version
            );
            let held = Held { newest, rollout: None };
            return Ok(Restored { name, held, retrieved_at: copy.retrieved_at });
        }
    };
    let rollout = match copy.deployment {
        None => None,
        Some(deployment) => Some(Rollout {
            deployment: DeploymentName::parse(&deployment.name).ok_or("a deployment without a name")?,
            exposure: deployment.exposure,
            previous: deployment.previous.map(Version::content).transpose()?,
        }),
    };
    let held = Held { newest, rollout };
    Ok(Restored { name, held, retrieved_at: copy.retrieved_at })
}

/// The good versions from now on: `good` before those that were, as many as there is room for.
fn ring(good: Option<Version>, before: Vec<Version>) -> Vec<Version> {
    let others = before.into_iter().filter(|one| Some(one) != good.as_ref());
    let (mut room, mut ring) = (GOOD_BYTES, vec![]);
    for version in good.clone().into_iter().chain(others).take(GENERATIONS) {
        let Some(left) = room.checked_sub(version.body.len()) else { break };
        room = left;
        ring.push(version);
    }
    ring
}

impl Version {
    fn of(content: &Content) -> Self {
        Self {
            content_type: content.content_type.to_string(),
            configuration_version: content.version.to_string(),
            version_label: content.label.as_deref().map(Into::into),
            body: STANDARD.encode(&content.body),
        }
    }

    fn content(self) -> Result<Arc<Content>, String> {
        let body = STANDARD.decode(self.body).map_err(|error| error.to_string())?;
        let label = self.version_label.as_deref();
        let content = Content::read(body.into(), &self.content_type, &self.configuration_version, label);
        content.map(Arc::new).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn content(text: &str, label: Option<&str>) -> Arc<Content> {
        let body = Bytes::copy_from_slice(text.as_bytes());
        Arc::new(Content::read(body, "application/json", "7", label).unwrap())
    }

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let backups = BackupFolder::new(folder.path().join("backups"));
        backups.make().unwrap();
        let name = ConfigurationName::new("a/b", "prod:eu", "flags").unwrap();
        let held = Held {
            newest: content(r#"{"on":{"enabled":true}}"#, Some("v7")),
            rollout: Some(Rollout {
                deployment: DeploymentName::new("abcd123", "efgh456", 3),
                exposure: Exposure::from_parts_per_million(250_000).unwrap(),
                previous: Some(content("{}", None)),
            }),
        };
        backups.write(&name, &held, now()).unwrap();
        let restored = backups.read(&name).unwrap();
        assert_eq!((&restored.name, restored.retrieved_at), (&name, now()));
        assert_eq!(restored.held.newest.body, held.newest.body);
        assert_eq!(restored.held.newest.label.as_deref(), Some("v7"));
        let rollout = restored.held.rollout.unwrap();
        assert_eq!(rollout.deployment, DeploymentName::new("abcd123", "efgh456", 3));
        assert_eq!(
            (rollout.exposure.parts_per_million(), &*rollout.previous.unwrap().body),
            (250_000, &b"{}"[..])
        );
        assert_eq!(backups.read_all().len(), 1);
        let other = ConfigurationName::new("a", "b", "c").unwrap();
        assert!(backups.read(&other).is_none());
    }

    /// What is held while no deployment is on its way.
    fn stable(text: &str) -> Held {
        Held { newest: content(text, None), rollout: None }
    }

    #[test]
    fn the_last_good_versions_are_kept_and_held_when_the_newest_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let backups = BackupFolder::new(folder.path().into());
        let name = ConfigurationName::new("shop", "prod", "flags").unwrap();
        for number in 0..8 {
            backups.write(&name, &stable(&format!("[{number}]")), now()).unwrap();
        }
        // Again, and with a version on its way: neither is another good one.
        backups.write(&name, &stable("[7]"), now()).unwrap();
        let rollout = Rollout {
            deployment: DeploymentName::new("abcd123", "efgh456", 3),
            exposure: Exposure::from_parts_per_million(250_000).unwrap(),
            previous: Some(content("[7]", None)),
        };
        let held = Held { newest: content("[8]", None), rollout: Some(rollout) };
        backups.write(&name, &held, now()).unwrap();
        let mut copy: Copy = serde_json::from_slice(&std::fs::read(backups.file(&name)).unwrap()).unwrap();
        let good: Vec<_> = copy.known_good.iter().map(|good| STANDARD.decode(&good.body).unwrap()).collect();
        assert_eq!(good, ["[7]", "[6]", "[5]", "[4]", "[3]"].map(|text| text.as_bytes().to_vec()));

        copy.newest.content_type = crate::content::STORED_FLAGS.into();
        std::fs::write(backups.file(&name), serde_json::to_vec(&copy).unwrap()).unwrap();
        let restored = backups.read(&name).unwrap().held;
        assert_eq!((&*restored.newest.body, restored.rollout.is_none()), (&b"[7]"[..], true));
    }

    #[test]
    fn a_damaged_copy_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let backups = BackupFolder::new(folder.path().into());
        for (number, text) in ["", "{}", "[1]", "\u{0}"].iter().enumerate() {
            std::fs::write(folder.path().join(format!("{number}.json")), text).unwrap();
        }
        assert!(backups.read_all().is_empty());
        assert!(BackupFolder::new("/nonexistent".into()).read_all().is_empty());
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(bytes: Vec<u8>) {
            let _ = read_copy(&bytes);
        }
    }
}
