//! The `JSON_SCHEMA` validator: from schema text to a verdict on content.
//!
//! The service answers with one text whether the schema is bad or the content breaks it; [`SchemaRefused`] and
//! [`ContentRefused`] print exactly that text. What a person needs besides is in their fields: what, where, which value.

use std::fmt;

use serde_json::Value;
use yardarm_flags::document::MAX_DOCUMENT_BYTES;
use yardarm_flags::json_position::{self, TextPosition};

use crate::engine::{Engine, Finding};
use crate::{Detail, draft4, effort};

/// Longest schema, in characters (the service's limit).
pub const MAX_SCHEMA_CHARS: usize = 32_768;

/// Largest content that is validated: the highest quota there is, 4000 KB.
pub const MAX_CONTENT_BYTES: usize = MAX_DOCUMENT_BYTES;

/// Details listed for one refusal; more are counted, not listed.
pub const MAX_DETAILS: usize = 100;

/// Evaluations up to which every mistake is looked for. Above, content is only said to be wrong: collecting mistakes
/// takes memory for each, and a million of them help nobody.
const MAX_EVALUATIONS_TO_EXPLAIN: u64 = 500_000;

/// A compiled schema.
#[derive(Debug)]
pub struct JsonSchema {
    text: String,
    cleaned: Value,
    engine: Engine,
}

impl JsonSchema {
    /// Compiles a schema by the rules of draft 4, whatever `$schema` says. Nothing is fetched.
    ///
    /// # Errors
    /// [`SchemaRefused`], which prints the service's text.
    pub fn compile(text: &str) -> Result<Self, SchemaRefused> {
        let refuse = |fault| SchemaRefused { schema: beginning(text), fault };
        if text.chars().count() > MAX_SCHEMA_CHARS {
            return Err(refuse(SchemaFault::TooLong));
        }
        let schema: Value = serde_json::from_str(text).map_err(|error| {
            refuse(SchemaFault::NotJson {
                message: json_position::message_of_error(&error),
                at: json_position::position_of_error(text.as_bytes(), &error),
            })
        })?;
        if !schema.is_object() {
            return Err(refuse(SchemaFault::NotAnObject));
        }
        let cleaned = draft4::clean(schema).map_err(refuse)?;
        let engine = Engine::compile(&cleaned)
            .map_err(|finding| refuse(SchemaFault::NotASchema(Box::new(detail(finding, text)))))?;
        Ok(Self { text: text.to_owned(), cleaned, engine })
    }

    /// Whether `content` is JSON and satisfies the schema.
    ///
    /// # Errors
    /// [`ContentRefused`], which prints the service's text and lists up to [`MAX_DETAILS`] details.
    pub fn validate(&self, content: &[u8]) -> Result<(), ContentRefused> {
        self.check(content).map_err(|fault| ContentRefused { schema: self.text.clone(), fault })
    }

    fn check(&self, content: &[u8]) -> Result<(), ContentFault> {
        if content.len() > MAX_CONTENT_BYTES {
            return Err(ContentFault::TooLarge { size: content.len() });
        }
        let value: Value = serde_json::from_slice(content).map_err(|error| ContentFault::NotJson {
            message: json_position::message_of_error(&error),
            at: json_position::position_of_error(content, &error),
        })?;
        let evaluations = effort::evaluations(&self.cleaned, &value)
            .map_err(|effort::TooMuch| ContentFault::TooMuchWork)?;
        if self.engine.is_valid(&value) {
            return Ok(());
        }
        if evaluations > MAX_EVALUATIONS_TO_EXPLAIN {
            return Err(ContentFault::Broken { details: Vec::new(), omitted: 1 });
        }
        let (findings, omitted) = self.engine.findings(&value, MAX_DETAILS);
        // What has been parsed as JSON is UTF-8.
        let text = std::str::from_utf8(content).unwrap_or_default();
        let pointers: Vec<String> = findings.iter().map(|finding| finding.pointer.clone()).collect();
        let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
        let places = json_position::locate_pointers(text, &pointers);
        let mut details: Vec<Detail> =
            findings.into_iter().zip(places).map(|(finding, at)| with_place(finding, at)).collect();
        details.sort_by(|a, b| (a.at, &a.constraint).cmp(&(b.at, &b.constraint)));
        Err(ContentFault::Broken { details, omitted })
    }
}

fn detail(finding: Finding, text: &str) -> Detail {
    let at = json_position::locate_pointers(text, &[&finding.pointer]).into_iter().next().flatten();
    with_place(finding, at)
}

fn with_place(finding: Finding, at: Option<TextPosition>) -> Detail {
    let Finding { keyword, pointer, value, reason } = finding;
    Detail { constraint: keyword, pointer, at, value, reason }
}

/// As much of a schema as a legal one can have.
fn beginning(text: &str) -> String {
    text.chars().take(MAX_SCHEMA_CHARS).collect()
}

/// A schema cannot be used. Prints the service's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRefused {
    /// The schema's text, at most [`MAX_SCHEMA_CHARS`] of it.
    pub schema: String,
    /// Why.
    pub fault: SchemaFault,
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaFault {
    /// Longer than [`MAX_SCHEMA_CHARS`].
    #[error("a schema has at most {MAX_SCHEMA_CHARS} characters")]
    TooLong,
    /// Not JSON, or nested deeper than 128.
    #[error("the schema is not JSON: {message} at {at}")]
    NotJson {
        /// What the parser expected.
        message: String,
        /// Where it stopped.
        at: TextPosition,
    },
    /// JSON, but not an object; draft 4 has no boolean schemas.
    #[error("a JSON schema must be an object")]
    NotAnObject,
    /// A `$ref` that leaves the schema.
    #[error("External schema references are not supported.")]
    ExternalReference {
        /// The reference.
        reference: String,
        /// JSON pointer to the schema that has it.
        pointer: String,
    },
    /// A `$ref` within the schema that is not a JSON pointer to a schema.
    #[error("reference \"{reference}\" at \"{pointer}\" does not lead to a schema")]
    UnresolvedReference {
        /// The reference.
        reference: String,
        /// JSON pointer to the schema that has it.
        pointer: String,
    },
    /// Not a schema of draft 4.
    #[error("{} at \"{}\"", .0.reason, .0.pointer)]
    NotASchema(Box<Detail>),
}

/// Content does not pass a schema. Prints the service's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentRefused {
    /// The schema's text.
    pub schema: String,
    /// Why.
    pub fault: ContentFault,
}

/// Why content does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentFault {
    /// Larger than [`MAX_CONTENT_BYTES`].
    TooLarge {
        /// The content's size in bytes.
        size: usize,
    },
    /// Not JSON, or nested deeper than 128.
    NotJson {
        /// What the parser expected.
        message: String,
        /// Where it stopped.
        at: TextPosition,
    },
    /// The schema's references ask for unbounded work on this content.
    TooMuchWork,
    /// The content breaks the schema.
    Broken {
        /// What is wrong, by position; at most [`MAX_DETAILS`]. Empty when there is too much content to look.
        details: Vec<Detail>,
        /// How many more mistakes there are, at least.
        omitted: usize,
    },
}

impl fmt::Display for ContentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size } => {
                write!(f, "content has {size} bytes, at most {MAX_CONTENT_BYTES} are validated")
            }
            Self::NotJson { message, at } => write!(f, "the content is not JSON: {message} at {at}"),
            Self::TooMuchWork => {
                f.write_str("the references of the schema ask for too much work on this content")
            }
            Self::Broken { details, .. } if details.is_empty() => {
                f.write_str("the content does not match the schema, and is too large to say where")
            }
            Self::Broken { details, .. } => {
                f.write_str("[")?;
                for (index, detail) in details.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}message: \"{}\" - parent node: {}", detail.reason, detail.pointer)?;
                }
                f.write_str("]")
            }
        }
    }
}

fn service_text(f: &mut fmt::Formatter<'_>, schema: &str, original: &dyn fmt::Display) -> fmt::Result {
    write!(
        f,
        "Could not build JSON schema from invalid input:\n {schema}.\n Original error message:\n{original}"
    )
}

impl fmt::Display for SchemaRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        service_text(f, &self.schema, &self.fault)
    }
}

impl fmt::Display for ContentRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        service_text(f, &self.schema, &self.fault)
    }
}

impl std::error::Error for SchemaRefused {}
impl std::error::Error for ContentRefused {}
