//! The fence around the `jsonschema` crate: nothing else in the project names it.
//!
//! It is told three things: draft 4, no retrieval of any kind, and regular expressions in linear time and bounded
//! memory (which leaves out look-around and back-references; such a pattern makes a schema illegal).

mod explain;

use jsonschema::error::{ValidationError, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

/// Memory a compiled pattern may take, and again the cache of its matcher, in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Engine(Validator);

/// Something that is not as it should be, at a JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) keyword: String,
    pub(crate) pointer: String,
    pub(crate) value: String,
    pub(crate) reason: String,
}

impl Engine {
    /// Compiles a schema that [`crate::draft4::clean`] has seen.
    pub(crate) fn compile(schema: &Value) -> Result<Self, Finding> {
        jsonschema::options()
            .with_draft(Draft::Draft4)
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .with_pattern_options(
                PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES),
            )
            .build(schema)
            .map(Self)
            .map_err(|error| explain::schema_error(&error))
    }

    pub(crate) fn is_valid(&self, content: &Value) -> bool {
        self.0.is_valid(content)
    }

    /// The first `limit` things wrong with `content`, and how many more there are.
    pub(crate) fn findings(&self, content: &Value, limit: usize) -> (Vec<Finding>, usize) {
        let mut findings = Vec::new();
        let mut omitted = 0;
        let mut errors = self.0.iter_errors(content).peekable();
        while let Some(error) = errors.next() {
            // Missing members and forbidden ones come one by one; to people they are one mistake.
            let mut group = vec![error];
            while let Some(next) = errors.next_if(|next| belong_together(group.first(), next)) {
                group.push(next);
            }
            if findings.len() < limit {
                findings.extend(explain::content_errors(&group, content));
            } else {
                omitted += 1;
            }
        }
        (findings, omitted)
    }
}

fn belong_together(first: Option<&ValidationError<'_>>, next: &ValidationError<'_>) -> bool {
    let is_part = |error: &ValidationError<'_>| {
        matches!(error.kind(), ValidationErrorKind::Required { .. } | ValidationErrorKind::FalseSchema)
    };
    first.is_some_and(|first| {
        is_part(first)
            && is_part(next)
            && first.instance_path() == next.instance_path()
            && first.schema_path() == next.schema_path()
    })
}
