//! A configuration's content, ready to be answered with.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use yardarm_flags::{CompiledFlags, FlagDocument, retrieval};

/// The type under which Yardarm hands out flag documents whole.
pub const STORED_FLAGS: &str = "application/vnd.yardarm.flags+json";
/// The type under which AWS AppConfig hands out flags with rules.
pub const ION_FLAGS: &str = "application/ion";
/// The type of answers that are made of flags.
pub const JSON: &str = "application/json";

/// One version of a configuration.
#[derive(Clone, Debug)]
pub struct Content {
    /// As it arrived.
    pub body: Bytes,
    /// Its type as it arrived.
    pub content_type: Box<str>,
    /// What upstream calls the version, or a number of our own.
    pub version: Box<str>,
    /// The version's label.
    pub label: Option<Box<str>>,
    /// Tells the bytes from any others: their SHA-256.
    pub digest: [u8; 32],
    /// What it means.
    pub form: Form,
}

/// What a configuration's bytes mean.
#[derive(Clone, Debug)]
pub enum Form {
    /// Flags, with all that is needed to evaluate them.
    Flags(Arc<CompiledFlags>),
    /// Bytes that are answered as they are. JSON that reads as flags which are the same for everybody is also kept as
    /// such, so that one flag can be asked for: upstream does not say of JSON which of the two it is.
    Plain(Option<Arc<CompiledFlags>>),
}

/// Why content cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{content_type} that cannot be read: {problem}")]
pub struct Unreadable {
    content_type: String,
    problem: String,
}

impl Content {
    /// Reads content by its type.
    ///
    /// # Errors
    /// It says to be flags and is none.
    pub fn read(
        body: Bytes,
        content_type: &str,
        version: &str,
        label: Option<&str>,
    ) -> Result<Self, Unreadable> {
        let form = Form::read(&body, content_type)?;
        Ok(Self::new(body, content_type, version, label, form))
    }

    /// Content whose meaning is known.
    #[must_use]
    pub fn new(body: Bytes, content_type: &str, version: &str, label: Option<&str>, form: Form) -> Self {
        let digest = Sha256::digest(&body).into();
        let (content_type, version) = (content_type.into(), version.into());
        Self { body, content_type, version, label: label.map(Into::into), digest, form }
    }

    /// What a Yardarm server calls this version: its number, and the beginning of its digest.
    pub(crate) fn name(&self) -> String {
        version_name(&self.version, &self.digest)
    }

    /// What tells it from other versions, also from those with the same bytes.
    pub(crate) fn identity(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.digest);
        for text in [Some(&*self.version), self.label.as_deref()] {
            let text = text.unwrap_or_default();
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    }

    /// The flags, if it has any.
    #[must_use]
    pub fn flags(&self) -> Option<&Arc<CompiledFlags>> {
        match &self.form {
            Form::Flags(flags) => Some(flags),
            Form::Plain(flags) => flags.as_ref(),
        }
    }
}

/// What a Yardarm server calls a version of these bytes.
pub(crate) fn version_name(version: &str, digest: &[u8; 32]) -> String {
    let mut name = format!("{version}-");
    for byte in digest.iter().take(8) {
        // Writing to a text does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

impl Form {
    fn read(body: &[u8], content_type: &str) -> Result<Self, Unreadable> {
        let unreadable = |problem: String| Unreadable { content_type: content_type.into(), problem };
        let media_type = essence(content_type);
        if media_type.eq_ignore_ascii_case(STORED_FLAGS) {
            let document = FlagDocument::read(body).map_err(|error| unreadable(error.to_string()))?;
            return Ok(Self::Flags(Arc::new(CompiledFlags::compile(&document))));
        }
        if is_ion_flags(content_type) {
            let settings = yardarm_ion::read(body).map_err(|error| unreadable(error.to_string()))?;
            return Ok(Self::Flags(Arc::new(CompiledFlags::from_settings(settings))));
        }
        if media_type.eq_ignore_ascii_case(JSON) {
            let flags = retrieval::read(body).ok();
            return Ok(Self::Plain(flags.map(CompiledFlags::from_settings).map(Arc::new)));
        }
        Ok(Self::Plain(None))
    }
}

/// The type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn is_ion_flags(content_type: &str) -> bool {
    let flags = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("type") && value.eq_ignore_ascii_case("AWS.AppConfig.FeatureFlags")
    };
    essence(content_type).eq_ignore_ascii_case(ION_FLAGS) && content_type.split(';').skip(1).any(flags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yardarm_flags::Context;

    fn content(body: &'static str, content_type: &str) -> Result<Content, Unreadable> {
        Content::read(Bytes::from_static(body.as_bytes()), content_type, "1", None)
    }

    #[test]
    fn json_that_reads_as_flags_is_answered_as_it_is_and_has_flags() {
        let content = content(r#"{ "on": {"enabled": true} }"#, "application/json").unwrap();
        assert!(matches!(content.form, Form::Plain(Some(_))));
        assert!(content.flags().unwrap().evaluate("on", &Context::EMPTY).unwrap().enabled);
    }

    #[test]
    fn other_json_and_other_types_are_plain() {
        for (body, content_type) in [
            (r#"{"limit": 5}"#, "application/json"),
            ("not json", "application/json"),
            (r#"{"on": {"enabled": true}}"#, "text/plain"),
            ("\u{0}", "application/ion"),
            ("x", "application/ion; type=other"),
        ] {
            assert!(matches!(content(body, content_type).unwrap().form, Form::Plain(None)), "{content_type}");
        }
    }

    #[test]
    fn flags_that_cannot_be_read_are_refused() {
        for content_type in [STORED_FLAGS, "application/ion; type=AWS.AppConfig.FeatureFlags"] {
            let error = content("{", content_type).unwrap_err().to_string();
            assert!(error.starts_with(content_type), "{error}");
        }
    }

    #[test]
    fn ion_flags_are_told_by_their_parameter() {
        assert!(is_ion_flags("Application/Ion ; TYPE=\"aws.appconfig.featureflags\""));
        assert!(!is_ion_flags("application/ion"));
        assert!(!is_ion_flags("application/json; type=AWS.AppConfig.FeatureFlags"));
    }

    #[test]
    fn flags_in_ion_are_read() {
        let text = "'colour'::[[(eq $group \"beta\"), '''{\"_variant\":\"b\",\"enabled\":true}'''], \
                    '''{\"_variant\":\"d\",\"enabled\":false}''']";
        let content = content(text, "application/ion; type=AWS.AppConfig.FeatureFlags").unwrap();
        let attributes = [("group", yardarm_flags::Value::Text("beta"))];
        let context = Context::new(&attributes);
        assert_eq!(content.flags().unwrap().evaluate("colour", &context).unwrap().variant, Some("b"));
    }
}
