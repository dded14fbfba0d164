//! Lists and the two query members that page through them.

use serde::{Deserialize, Serialize};

/// One page of a list. `Items` is present even when empty; `NextToken` is absent on the last page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Page<T> {
    /// The entries of this page.
    pub items: Vec<T>,
    /// Where the next page begins; 1–2048 characters, opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Query of a list that has no filter.
///
/// Query members are text as sent: whether `max_results` is a number in 1–50 is reported in the words of
/// [`crate::constraints`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PageQuery {
    /// Most entries wanted, 1–50.
    pub max_results: Option<String>,
    /// The `NextToken` of the page before.
    pub next_token: Option<String>,
}
