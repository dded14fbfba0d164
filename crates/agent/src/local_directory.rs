//! Development without a data plane: configurations are files in a folder.
//!
//! A file is called `Application:Environment:Profile`, with an extension that tells its type. It is looked for anew at
//! every poll interval; one that is gone is gone. **Invariant:** a name is compared with the names in the folder and is
//! never part of a path.

use crate::content::{Content, JSON, STORED_FLAGS};
use crate::held::Held;
use crate::name::ConfigurationName;
use crate::settings::Role;
use crate::source::{Feed, News, Source, What};
use crate::trouble::Trouble;
use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use yardarm_client::private_file;

/// Bytes of a file: as much as a configuration may have, and some room.
const FILE_BYTES: usize = 16 * 1024 * 1024;

/// A folder of configurations.
#[derive(Clone, Debug)]
pub struct LocalDirectory(PathBuf);

impl LocalDirectory {
    /// The folder at `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

impl Source for LocalDirectory {
    fn feed(&self, name: &ConfigurationName, _role: Option<&Role>) -> Box<dyn Feed> {
        Box::new(LocalFile { folder: self.0.clone(), name: name.clone(), read: None, versions: 0 })
    }
}

struct LocalFile {
    folder: PathBuf,
    name: ConfigurationName,
    /// What was read last, and as what.
    read: Option<(Bytes, String)>,
    versions: u64,
}

#[async_trait]
impl Feed for LocalFile {
    async fn next(&mut self, held: Option<&Held>) -> Result<News, Trouble> {
        let (folder, name) = (self.folder.clone(), self.name.to_string());
        let found = tokio::task::spawn_blocking(move || find(&folder, &name)).await;
        let found = found.map_err(|error| Trouble::Unreachable(error.to_string()))?;
        let Some(file) = found? else {
            self.read = None;
            let message = format!("no file for '{}' in {}", self.name, self.folder.display());
            let nothing = Trouble::NotFound { message, resource_type: Some("Configuration".into()) };
            return Ok(News { what: What::Nothing(nothing), wait: None });
        };
        if held.is_some() && self.read.as_ref() == Some(&file) {
            return Ok(News { what: What::Same, wait: None });
        }
        let version = self.versions.saturating_add(1);
        let (body, content_type) = file.clone();
        let content_type = if is_stored_form(&body, &content_type) { STORED_FLAGS } else { &content_type };
        let content = Content::read(body, content_type, &version.to_string(), None)
            .map_err(|error| Trouble::Unusable(error.to_string()))?;
        (self.read, self.versions) = (Some(file), version);
        Ok(News { what: What::Held(Held::settled(content)), wait: None })
    }
}

/// The file of a configuration: its bytes and its type.
fn find(folder: &Path, name: &str) -> Result<Option<(Bytes, String)>, Trouble> {
    let trouble = |error: std::io::Error| Trouble::Unreachable(format!("{}: {error}", folder.display()));
    let mut best: Option<(String, PathBuf)> = None;
    for file in std::fs::read_dir(folder).map_err(trouble)? {
        let file = file.map_err(trouble)?;
        let Some(extension) =
            file.file_name().to_str().and_then(|file| extension(file, name).map(Into::into))
        else {
            continue;
        };
        // The same one every time, whatever the order of the folder.
        if best.as_ref().is_none_or(|(known, _)| extension < *known) {
            best = Some((extension, file.path()));
        }
    }
    let Some((extension, path)) = best else { return Ok(None) };
    let body = private_file::read(&path, FILE_BYTES).map_err(trouble)?;
    Ok(body.map(|body| (body.into(), content_type(&extension))))
}

/// What follows the name of a configuration in the name of its file.
fn extension<'f>(file: &'f str, name: &str) -> Option<&'f str> {
    match file.strip_prefix(name)? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    }
}

/// The type an extension stands for. `type%subtype%parameter` spells it out.
fn content_type(extension: &str) -> String {
    let known = match extension.to_ascii_lowercase().as_str() {
        "json" => JSON,
        "yaml" | "yml" => "application/x-yaml",
        "toml" => "application/toml",
        "xml" => "application/xml",
        "txt" | "text" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "js" => "text/javascript",
        "pdf" => "application/pdf",
        _ => "",
    };
    if !known.is_empty() {
        return known.into();
    }
    let mut parts = extension.split('%');
    match (parts.next(), parts.next()) {
        (Some(kind), Some(subtype)) if !kind.is_empty() && !subtype.is_empty() => {
            let parameters = parts.filter(|part| !part.is_empty()).map(|part| format!("; {part}"));
            format!("{kind}/{subtype}{}", parameters.collect::<String>())
        }
        _ => "application/octet-stream".into(),
    }
}

/// Authors keep flag documents as they store them: a `version` and `values`. The retrieval form has neither, unless flags
/// are called so, and those are objects with `enabled`.
fn is_stored_form(body: &[u8], content_type: &str) -> bool {
    #[derive(Deserialize)]
    struct Stored {
        version: serde_json::Value,
        values: serde_json::Map<String, serde_json::Value>,
    }
    content_type == JSON
        && serde_json::from_slice::<Stored>(body)
            .is_ok_and(|stored| !stored.version.is_object() && !stored.values.contains_key("enabled"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yardarm_flags::Context;

    fn name() -> ConfigurationName {
        ConfigurationName::parse_triple("app:env:flags").unwrap()
    }

    #[test]
    fn types_come_from_extensions() {
        for (extension, expected) in [
            ("", "application/octet-stream"),
            ("json", "application/json"),
            ("YML", "application/x-yaml"),
            ("image%png", "image/png"),
            (
                "application%ion%type=AWS.AppConfig.FeatureFlags",
                "application/ion; type=AWS.AppConfig.FeatureFlags",
            ),
            ("unknown", "application/octet-stream"),
        ] {
            assert_eq!(content_type(extension), expected);
        }
    }

    #[test]
    fn a_file_belongs_to_a_configuration_by_its_whole_name() {
        assert_eq!(extension("app:env:flags", "app:env:flags"), Some(""));
        assert_eq!(extension("app:env:flags.json", "app:env:flags"), Some("json"));
        assert_eq!(extension("app:env:flags2.json", "app:env:flags"), None);
        assert_eq!(extension("app:env:flag", "app:env:flags"), None);
    }

    #[test]
    fn the_stored_form_is_told_from_the_retrieval_form() {
        assert!(is_stored_form(br#"{"version":"1","flags":{},"values":{"a":{"enabled":true}}}"#, JSON));
        assert!(!is_stored_form(br#"{"version":{"enabled":true},"values":{"enabled":true}}"#, JSON));
        assert!(!is_stored_form(br#"{"version":"1"}"#, JSON));
        assert!(!is_stored_form(br#"{"version":"1","values":{}}"#, "text/plain"));
    }

    #[tokio::test]
    async fn a_file_is_read_again_and_gone_when_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app:env:flags.json");
        let mut feed = LocalDirectory::new(folder.path().into()).feed(&name(), None);
        let next = feed.next(None).await.unwrap();
        assert!(matches!(next.what, What::Nothing(Trouble::NotFound { .. })));

        std::fs::write(
            &path,
            r#"{"version":"1","flags":{"a":{"name":"A"}},"values":{"a":{"enabled":true}}}"#,
        )
        .unwrap();
        let What::Held(held) = feed.next(None).await.unwrap().what else { panic!("nothing") };
        assert!(held.newest.flags().unwrap().evaluate("a", &Context::EMPTY).unwrap().enabled);
        assert_eq!(&*held.newest.version, "1");
        assert!(matches!(feed.next(Some(&held)).await.unwrap().what, What::Same));

        std::fs::write(&path, r#"{"a":{"enabled":false}}"#).unwrap();
        let What::Held(held) = feed.next(Some(&held)).await.unwrap().what else { panic!("nothing") };
        assert!(!held.newest.flags().unwrap().evaluate("a", &Context::EMPTY).unwrap().enabled);
        assert_eq!(&*held.newest.version, "2");

        std::fs::remove_file(&path).unwrap();
        assert!(matches!(feed.next(Some(&held)).await.unwrap().what, What::Nothing(_)));
    }

    #[tokio::test]
    async fn a_name_leads_out_of_the_folder_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inside")).unwrap();
        std::fs::write(folder.path().join("a:b:c"), "secret").unwrap();
        let name = ConfigurationName::new("../a", "b", "c").unwrap();
        let mut feed = LocalDirectory::new(folder.path().join("inside")).feed(&name, None);
        assert!(matches!(feed.next(None).await.unwrap().what, What::Nothing(_)));
    }
}
