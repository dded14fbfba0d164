//! Hosted configuration versions.
//!
//! Their content travels as the raw body, so everything else travels in headers; only the list has a JSON body.

use http::header::{CONTENT_TYPE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::headers;
use crate::pages::Page;

/// Query of ListHostedConfigurationVersions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ListHostedConfigurationVersionsQuery {
    /// Most entries wanted, 1–50.
    pub max_results: Option<String>,
    /// The `NextToken` of the page before.
    pub next_token: Option<String>,
    /// Only versions with this label; a prefix when it ends in `*`.
    pub version_label: Option<String>,
}

/// Headers of the answers that carry a hosted version as their body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedConfigurationVersionHeaders {
    /// Its application.
    pub application_id: String,
    /// Its profile.
    pub configuration_profile_id: String,
    /// Its number within the profile, from 1.
    pub version_number: u64,
    /// Its description.
    pub description: Option<String>,
    /// Type of the content, as it was stored.
    pub content_type: String,
    /// Its label.
    pub version_label: Option<String>,
    /// The key it is encrypted with.
    pub kms_key_arn: Option<String>,
}

impl HostedConfigurationVersionHeaders {
    /// The headers.
    ///
    /// # Errors
    /// When a value contains a control character. One that came in a header or was checked when it came does not.
    pub fn to_headers(&self) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut map = HeaderMap::with_capacity(7);
        map.insert(headers::APPLICATION_ID, text(&self.application_id)?);
        map.insert(headers::CONFIGURATION_PROFILE_ID, text(&self.configuration_profile_id)?);
        map.insert(headers::VERSION_NUMBER, self.version_number.into());
        insert(&mut map, headers::DESCRIPTION, self.description.as_deref())?;
        map.insert(CONTENT_TYPE, text(&self.content_type)?);
        insert(&mut map, headers::VERSIONLABEL, self.version_label.as_deref())?;
        insert(&mut map, headers::KMSKEYARN, self.kms_key_arn.as_deref())?;
        Ok(map)
    }
}

/// A header value from text: UTF-8 bytes as they are.
pub(crate) fn text(value: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    HeaderValue::from_bytes(value.as_bytes())
}

/// Inserts a header that may be absent.
pub(crate) fn insert(
    map: &mut HeaderMap,
    name: http::HeaderName,
    value: Option<&str>,
) -> Result<(), InvalidHeaderValue> {
    if let Some(value) = value {
        map.insert(name, text(value)?);
    }
    Ok(())
}

/// A hosted version in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HostedConfigurationVersionSummary {
    /// Its application.
    pub application_id: String,
    /// Its profile.
    pub configuration_profile_id: String,
    /// Its number within the profile.
    pub version_number: u64,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Type of the content.
    pub content_type: String,
    /// Its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_label: Option<String>,
    /// The key it is encrypted with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
}

/// Answer of ListHostedConfigurationVersions, newest first.
pub type HostedConfigurationVersions = Page<HostedConfigurationVersionSummary>;
