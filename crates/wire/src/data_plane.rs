//! The plane that clients read from: sessions, polling, and the deprecated GetConfiguration.
//!
//! Configuration travels as the raw body and everything about it in headers. An unchanged configuration is an empty
//! body with status 200, so the headers are the same with and without content.

use std::fmt;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, InvalidHeaderValue};
use serde::{Deserialize, Serialize};

use crate::headers;
use crate::hosted_versions::{insert, text};

/// Media type of a flag document as it is stored: Yardarm's own agent asks for it in `Accept`, and gets it.
pub const STORED_FLAGS: &str = "application/vnd.yardarm.flags+json";

/// Media type of Amazon Ion. The service's own agent asks for it with the parameter `type`, which names the profile's type.
pub const ION: &str = "application/ion";

/// Content type of flags in Amazon Ion.
pub const ION_FLAGS: &str = "application/ion; type=AWS.AppConfig.FeatureFlags";

/// Body of StartConfigurationSession.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StartConfigurationSessionRequest {
    /// Required; id or name, 1–128 characters.
    pub application_identifier: Option<String>,
    /// Required; id or name, 1–128 characters.
    pub environment_identifier: Option<String>,
    /// Required; id or name, 1–128 characters.
    pub configuration_profile_identifier: Option<String>,
    /// The shortest time between two calls the client allows itself; 15–86400 seconds.
    pub required_minimum_poll_interval_in_seconds: Option<i64>,
}

/// Answer of StartConfigurationSession.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartConfigurationSessionResponse {
    /// Token of the first GetLatestConfiguration; 1–8192 characters without white space.
    pub initial_configuration_token: String,
}

impl fmt::Debug for StartConfigurationSessionResponse {
    /// Hides the token: whoever has it can read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartConfigurationSessionResponse").finish_non_exhaustive()
    }
}

/// Query of GetLatestConfiguration.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GetLatestConfigurationQuery {
    /// Required; the token of the answer before.
    pub configuration_token: Option<String>,
}

impl fmt::Debug for GetLatestConfigurationQuery {
    /// Hides the token: whoever has it can read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetLatestConfigurationQuery").finish_non_exhaustive()
    }
}

/// Headers of the answer of GetLatestConfiguration.
#[derive(Clone, PartialEq, Eq)]
pub struct LatestConfigurationHeaders {
    /// Token of the next call.
    pub next_poll_configuration_token: String,
    /// Seconds to wait before the next call.
    pub next_poll_interval_in_seconds: u32,
    /// Type of the content; sent with an empty body too.
    pub content_type: String,
    /// The version's label; absent when it has none and when the body is empty.
    pub version_label: Option<String>,
    /// The deployed version. Yardarm's addition: the model has no such member, and SDKs pass over it.
    pub configuration_version: Option<String>,
}

impl LatestConfigurationHeaders {
    /// The headers.
    ///
    /// # Errors
    /// When a value contains a control character. One that came in a header or was checked when it came does not.
    pub fn to_headers(&self) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut map = HeaderMap::with_capacity(5);
        map.insert(headers::NEXT_POLL_CONFIGURATION_TOKEN, text(&self.next_poll_configuration_token)?);
        map.insert(headers::NEXT_POLL_INTERVAL_IN_SECONDS, self.next_poll_interval_in_seconds.into());
        map.insert(CONTENT_TYPE, text(&self.content_type)?);
        insert(&mut map, headers::VERSION_LABEL, self.version_label.as_deref())?;
        insert(&mut map, headers::CONFIGURATION_VERSION, self.configuration_version.as_deref())?;
        Ok(map)
    }
}

impl fmt::Debug for LatestConfigurationHeaders {
    /// Hides the token: whoever has it can read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatestConfigurationHeaders")
            .field("next_poll_interval_in_seconds", &self.next_poll_interval_in_seconds)
            .field("content_type", &self.content_type)
            .field("version_label", &self.version_label)
            .field("configuration_version", &self.configuration_version)
            .finish_non_exhaustive()
    }
}

/// Query of GetConfiguration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GetConfigurationQuery {
    /// Required; names the client for gradual rollouts, 1–64 characters.
    pub client_id: Option<String>,
    /// The version the client has, 1–1024 characters.
    pub client_configuration_version: Option<String>,
}

/// Headers of the answer of GetConfiguration; sent with an empty body too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationHeaders {
    /// The deployed version.
    pub configuration_version: String,
    /// Type of the content.
    pub content_type: String,
}

impl ConfigurationHeaders {
    /// The headers.
    ///
    /// # Errors
    /// When a value contains a control character. One that came in a header or was checked when it came does not.
    pub fn to_headers(&self) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut map = HeaderMap::with_capacity(2);
        map.insert(headers::CONFIGURATION_VERSION, text(&self.configuration_version)?);
        map.insert(CONTENT_TYPE, text(&self.content_type)?);
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_tokens() {
        let query = GetLatestConfigurationQuery { configuration_token: Some("AYAB".into()) };
        let answer = StartConfigurationSessionResponse { initial_configuration_token: "AYAB".into() };
        assert!(!format!("{query:?} {answer:?}").contains("AYAB"));
    }

    #[test]
    fn a_control_character_is_refused_rather_than_sent() {
        let headers = ConfigurationHeaders {
            configuration_version: "1\r\nset-cookie: x".into(),
            content_type: "text/plain".into(),
        };
        assert!(headers.to_headers().is_err());
    }
}
