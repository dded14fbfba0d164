//! The manifest: what is special about single configurations. Pure.

use crate::name::ConfigurationName;
use crate::settings::{Role, credentials_duration, poll_interval};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What a manifest says, by configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest(BTreeMap<ConfigurationName, Entry>);

/// What a manifest says of one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As whom to ask for it.
    pub role: Option<Role>,
    /// Where to write it whenever it changes.
    pub write_to: Option<PathBuf>,
    /// How often to ask for it.
    pub poll_interval: Option<Duration>,
    /// Whether to fetch it at the start.
    pub prefetch: bool,
    /// Whether to keep a copy of it, if copies are kept.
    pub backup: bool,
}

impl Default for Entry {
    fn default() -> Self {
        Self { role: None, write_to: None, poll_interval: None, prefetch: true, backup: true }
    }
}

/// What is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is no JSON object.
    #[error("the manifest is no JSON object: {0}")]
    NotAnObject(String),
    /// A key names no configuration.
    #[error("`{0}` names no configuration: write Application:Environment:Profile")]
    Name(String),
    /// A member has a wrong value.
    #[error("{member} of `{name}` must be {expected}")]
    Member {
        /// Of which configuration.
        name: ConfigurationName,
        /// Which member.
        member: &'static str,
        /// What it should be.
        expected: String,
    },
    /// More configurations than an agent holds.
    #[error("the manifest names more than {MOST} configurations")]
    TooMany,
}

/// The most configurations of a manifest.
const MOST: usize = 1_000;

/// A manifest, and what in it means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What it says.
    pub manifest: Manifest,
    /// Members that were passed over.
    pub unknown: Vec<String>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(text: &[u8]) -> Result<Read, ManifestError> {
        let members: Map<String, Value> =
            serde_json::from_slice(text).map_err(|error| ManifestError::NotAnObject(error.to_string()))?;
        if members.len() > MOST {
            return Err(ManifestError::TooMany);
        }
        let mut read = Read { manifest: Self::default(), unknown: vec![] };
        for (key, value) in members {
            let name = ConfigurationName::parse_triple(&key).map_err(|_| ManifestError::Name(key))?;
            let entry = Members { name: &name, unknown: &mut read.unknown }.entry(&value)?;
            read.manifest.0.insert(name, entry);
        }
        Ok(read)
    }

    /// What it says of a configuration.
    #[must_use]
    pub fn entry(&self, name: &ConfigurationName) -> Option<&Entry> {
        self.0.get(name)
    }

    /// All it names.
    pub fn entries(&self) -> impl Iterator<Item = (&ConfigurationName, &Entry)> {
        self.0.iter()
    }
}

struct Members<'r> {
    name: &'r ConfigurationName,
    unknown: &'r mut Vec<String>,
}

impl Members<'_> {
    fn wrong(&self, member: &'static str, expected: impl Into<String>) -> ManifestError {
        ManifestError::Member { name: self.name.clone(), member, expected: expected.into() }
    }

    fn text(&self, value: &Value, member: &'static str) -> Result<String, ManifestError> {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(Into::into).ok_or_else(|| self.wrong(member, "a text"))
    }

    fn object<'v>(
        &self,
        value: &'v Value,
        member: &'static str,
    ) -> Result<&'v Map<String, Value>, ManifestError> {
        value.as_object().ok_or_else(|| self.wrong(member, "an object"))
    }

    fn pass_over(&mut self, member: &str) {
        self.unknown.push(format!("{member} of `{}`", self.name));
    }

    fn entry(&mut self, value: &Value) -> Result<Entry, ManifestError> {
        let mut entry = Entry::default();
        for (key, value) in self.object(value, "the value")? {
            let boolean = |member| value.as_bool().ok_or_else(|| self.wrong(member, "true or false"));
            match key.as_str() {
                "credentials" => entry.role = Some(self.role(value)?),
                "writeTo" => entry.write_to = Some(self.write_to(value)?),
                "pollInterval" => {
                    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                    let interval = poll_interval(&text);
                    entry.poll_interval =
                        Some(interval.map_err(|expected| self.wrong("pollInterval", expected))?);
                }
                "prefetch" => entry.prefetch = boolean("prefetch")?,
                "backup" => entry.backup = boolean("backup")?,
                unknown => self.pass_over(unknown),
            }
        }
        Ok(entry)
    }

    fn role(&mut self, value: &Value) -> Result<Role, ManifestError> {
        let mut arn = None;
        let (mut external_id, mut session_name, mut duration) = (None, None, None);
        for (key, value) in self.object(value, "credentials")? {
            match key.as_str() {
                "roleArn" => arn = Some(self.text(value, "roleArn")?),
                "roleExternalId" => external_id = Some(self.text(value, "roleExternalId")?),
                "roleSessionName" => session_name = Some(self.text(value, "roleSessionName")?),
                "credentialsDuration" => {
                    let text = self.text(value, "credentialsDuration")?;
                    let read = credentials_duration(&text);
                    duration = Some(read.map_err(|expected| self.wrong("credentialsDuration", expected))?);
                }
                unknown => self.pass_over(unknown),
            }
        }
        let arn = arn.ok_or_else(|| self.wrong("credentials", "an object with a roleArn"))?;
        Ok(Role { arn, external_id, session_name, duration })
    }

    fn write_to(&mut self, value: &Value) -> Result<PathBuf, ManifestError> {
        let mut path = None;
        for (key, value) in self.object(value, "writeTo")? {
            match key.as_str() {
                "path" => path = Some(PathBuf::from(self.text(value, "path")?)),
                unknown => self.pass_over(unknown),
            }
        }
        path.ok_or_else(|| self.wrong("writeTo", "an object with a path"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> ConfigurationName {
        ConfigurationName::parse_triple(text).unwrap()
    }

    #[test]
    fn a_manifest_as_the_documentation_has_it_is_read() {
        let text = br#"{
          "MyApp:Beta:MyFlags": {
            "credentials": {"roleArn": "arn:aws:iam::123456789012:role/Name", "roleExternalId": "x",
                            "roleSessionName": "s", "credentialsDuration": "2h"},
            "writeTo": {"path": "/var/lib/app/flags"}
          },
          "a:b:c": {"pollInterval": "90s", "prefetch": false, "backup": false},
          "d:e:f": {}
        }"#;
        let read = Manifest::read(text).unwrap();
        assert!(read.unknown.is_empty());
        let entry = read.manifest.entry(&name("MyApp:Beta:MyFlags")).unwrap();
        let role = entry.role.as_ref().unwrap();
        assert_eq!(
            (role.arn.as_str(), role.duration),
            ("arn:aws:iam::123456789012:role/Name", Some(Duration::from_secs(7_200)))
        );
        assert_eq!(entry.write_to, Some("/var/lib/app/flags".into()));
        let other = read.manifest.entry(&name("a:b:c")).unwrap();
        assert_eq!(
            (other.poll_interval, other.prefetch, other.backup),
            (Some(Duration::from_secs(90)), false, false)
        );
        assert_eq!(read.manifest.entry(&name("d:e:f")), Some(&Entry::default()));
        assert_eq!(read.manifest.entries().count(), 3);
    }

    #[test]
    fn unknown_members_are_told_and_passed_over() {
        let text = br#"{"a:b:c": {"colour": 1, "writeTo": {"path": "/x", "mode": "600"}}}"#;
        let read = Manifest::read(text).unwrap();
        assert_eq!(read.unknown, ["colour of `a:b:c`", "mode of `a:b:c`"]);
        assert_eq!(read.manifest.entry(&name("a:b:c")).unwrap().write_to, Some("/x".into()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("[]", "no JSON object"),
            (r#"{"a:b": {}}"#, "`a:b` names no configuration"),
            (r#"{"a:b:c": 1}"#, "the value of `a:b:c` must be an object"),
            (r#"{"a:b:c": {"writeTo": {}}}"#, "writeTo of `a:b:c` must be an object with a path"),
            (r#"{"a:b:c": {"credentials": {}}}"#, "credentials of `a:b:c`"),
            (
                r#"{"a:b:c": {"credentials": {"roleArn": "r", "credentialsDuration": "2d"}}}"#,
                "credentialsDuration",
            ),
            (r#"{"a:b:c": {"pollInterval": "soon"}}"#, "pollInterval"),
            (r#"{"a:b:c": {"prefetch": "no"}}"#, "prefetch of `a:b:c` must be true or false"),
        ] {
            let error = Manifest::read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: Vec<u8>) {
            let _ = Manifest::read(&text);
        }
    }
}
