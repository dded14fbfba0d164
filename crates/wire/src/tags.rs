//! Tags of resources.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Query member of UntagResource that names a tag to remove; repeated for each.
pub const TAG_KEYS: &str = "tagKeys";

/// Body of TagResource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TagResourceRequest {
    /// Required; up to 50. Keys 1–128 characters, values up to 256.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Answer of ListTagsForResource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceTags {
    /// The tags, also when there are none.
    pub tags: BTreeMap<String, String>,
}
