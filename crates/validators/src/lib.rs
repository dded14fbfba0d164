//! Validation of configuration content before it is deployed.
//!
//! A `JSON_SCHEMA` validator holds a schema as text. It is compiled and applied when a deployment starts and when a
//! client asks for validation, never when it is saved: [`JsonSchema::compile`], then [`JsonSchema::validate`].
//!
//! **Invariants:** the rules are those of JSON Schema draft 4, whatever `$schema` says; nothing is ever fetched; no
//! schema and no content can panic, exhaust the stack or take unbounded time or memory. The crate that does the
//! checking is known to the module `engine` alone.

mod draft4;
mod effort;
mod engine;
mod json_schema;
mod text;

pub use json_schema::{
    ContentFault, ContentRefused, JsonSchema, MAX_CONTENT_BYTES, MAX_DETAILS, MAX_SCHEMA_CHARS, SchemaFault,
    SchemaRefused,
};

use yardarm_flags::json_position::TextPosition;

/// One thing that is wrong with a schema or with content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The keyword that is not satisfied, such as `minimum`.
    pub constraint: String,
    /// JSON pointer (RFC 6901) to the offending value; for a missing or forbidden member to the object around it.
    pub pointer: String,
    /// Where that is in the text.
    pub at: Option<TextPosition>,
    /// The offending value: a string as it is, anything else as JSON; cut short when long.
    pub value: String,
    /// What is wrong, in words; cut short when long.
    pub reason: String,
}
