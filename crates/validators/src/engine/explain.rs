//! What is wrong, in the words of the validator that the service uses, so that clients which look for its texts find
//! them. Where that validator has no counterpart the engine's own text stands.

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind as Kind};
use jsonschema::{JsonType, JsonTypeSet};
use serde_json::Value;

use super::Finding;
use crate::text::{bounded, json, plain};

/// Why a schema is not one.
pub(super) fn schema_error(error: &ValidationError<'_>) -> Finding {
    let error = deepest(error);
    let reason = match error.kind() {
        Kind::Format { format } if format == "regex" => format!(
            "{} is not a regular expression in RE2 syntax (look-around and back-references are not supported), or \
             too large",
            json(error.instance())
        ),
        _ => bounded(&error.to_string()),
    };
    finding(error, error.kind().keyword(), reason)
}

/// The cause furthest into the schema. Draft 4 describes itself with alternatives (`items` is a schema or a list of
/// them), and that none of them fits says nothing about the mistake inside.
fn deepest<'e>(error: &'e ValidationError<'_>) -> &'e ValidationError<'e> {
    let (Kind::AnyOf { context } | Kind::OneOfNotValid { context }) = error.kind() else { return error };
    let depth = |error: &ValidationError<'_>| error.instance_path().as_str().matches('/').count();
    match context.iter().flatten().max_by_key(|inner| depth(inner)) {
        Some(inner) if depth(inner) > depth(error) => deepest(inner),
        _ => error,
    }
}

/// One or more errors of the same keyword on the same value, as one finding.
pub(super) fn content_errors(group: &[ValidationError<'_>], content: &Value) -> Option<Finding> {
    let error = group.first()?;
    let keyword = keyword(error);
    let reason = match keyword {
        "additionalProperties" => {
            let names = unexpected(error, content);
            format!("object instance has properties which are not allowed by the schema: {}", list(&names))
        }
        "required" => {
            let missing = group.iter().filter_map(|error| match error.kind() {
                Kind::Required { property } => property.as_str().map(str::to_owned),
                _ => None,
            });
            format!("object has missing required properties ({})", list(&missing.collect::<Vec<_>>()))
        }
        _ => reason(error),
    };
    Some(finding(error, keyword, reason))
}

fn finding(error: &ValidationError<'_>, keyword: &str, reason: String) -> Finding {
    Finding {
        keyword: keyword.to_owned(),
        pointer: error.instance_path().as_str().to_owned(),
        value: plain(error.instance()),
        reason,
    }
}

/// The keyword in draft 4: the engine speaks of boolean schemas and of requirements, which draft 4 spells otherwise.
fn keyword<'e>(error: &'e ValidationError<'_>) -> &'e str {
    match error.kind() {
        Kind::FalseSchema => "additionalProperties",
        Kind::Required { .. } if error.schema_path().as_str().ends_with("/dependencies") => "dependencies",
        kind => kind.keyword(),
    }
}

fn unexpected(error: &ValidationError<'_>, content: &Value) -> Vec<String> {
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => unexpected.clone(),
        // Without `properties` beside it the engine does not say which: then all are.
        _ => content
            .pointer(error.instance_path().as_str())
            .and_then(Value::as_object)
            .map(|members| members.keys().cloned().collect())
            .unwrap_or_default(),
    }
}

fn reason(error: &ValidationError<'_>) -> String {
    let instance = error.instance();
    let text = || plain(instance);
    let length = || instance.as_str().map_or(0, |text| text.chars().count());
    let size = || match instance.as_ref() {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    match error.kind() {
        Kind::Minimum { limit } => format!(
            "numeric instance is lower than the required minimum (minimum: {}, found: {})",
            json(limit),
            json(instance)
        ),
        Kind::Maximum { limit } => format!(
            "numeric instance is greater than the required maximum (maximum: {}, found: {})",
            json(limit),
            json(instance)
        ),
        Kind::ExclusiveMinimum { limit } => {
            format!("numeric instance is not strictly greater than the required minimum {}", json(limit))
        }
        Kind::ExclusiveMaximum { limit } => {
            format!("numeric instance is not strictly lower than the required maximum {}", json(limit))
        }
        Kind::MultipleOf { multiple_of } => {
            format!("remainder of division is not zero ({} / {multiple_of})", json(instance))
        }
        Kind::MinLength { limit } => {
            format!("string \"{}\" is too short (length: {}, required minimum: {limit})", text(), length())
        }
        Kind::MaxLength { limit } => {
            format!("string \"{}\" is too long (length: {}, maximum allowed: {limit})", text(), length())
        }
        Kind::Pattern { pattern } => {
            format!("ECMA 262 regex \"{}\" does not match input string \"{}\"", bounded(pattern), text())
        }
        Kind::MinItems { limit } => {
            format!(
                "array is too short: must have at least {limit} elements but instance has {} elements",
                size()
            )
        }
        Kind::MaxItems { limit } => {
            format!(
                "array is too long: must have at most {limit} elements but instance has {} elements",
                size()
            )
        }
        Kind::AdditionalItems { limit } => {
            format!("schema only allows {limit} elements in array but instance has {} elements", size())
        }
        Kind::UniqueItems => "array must not contain duplicate elements".to_owned(),
        Kind::MinProperties { limit } => {
            format!("object has too few properties (found {} but schema requires at least {limit})", size())
        }
        Kind::MaxProperties { limit } => {
            format!("object has too many properties (found {} but schema requires at most {limit})", size())
        }
        Kind::Type { kind } => format!(
            "instance type ({}) does not match any allowed primitive type (allowed: {})",
            type_name(instance),
            list(&allowed_types(kind))
        ),
        Kind::Enum { options } => {
            format!(
                "instance value ({}) not found in enum (possible values: {})",
                json(instance),
                json(options)
            )
        }
        Kind::AnyOf { context } => {
            format!("instance failed to match at least one required schema among {}", context.len())
        }
        Kind::OneOfNotValid { context } => {
            format!("instance failed to match exactly one schema (matched 0 out of {})", context.len())
        }
        Kind::OneOfMultipleValid { context } => format!(
            "instance failed to match exactly one schema (matched {} out of {})",
            context.iter().filter(|errors| errors.is_empty()).count(),
            context.len()
        ),
        Kind::Not { .. } => "instance matched a schema which it should not have".to_owned(),
        Kind::Format { format } => match format_name(format) {
            Some(name) => format!("string \"{}\" is not a valid {name}", text()),
            None => bounded(&error.to_string()),
        },
        _ => bounded(&error.to_string()),
    }
}

fn format_name(format: &str) -> Option<&'static str> {
    Some(match format {
        "email" => "email address",
        "hostname" => "hostname",
        "ipv4" => "IPv4 address",
        "ipv6" => "IPv6 address",
        "regex" => "ECMA 262 regular expression",
        "uri" => "URI",
        _ => return None,
    })
}

fn type_name(instance: &Value) -> &'static str {
    match instance {
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        other => JsonType::from(other).as_str(),
    }
}

fn allowed_types(kind: &TypeKind) -> Vec<String> {
    let set = match kind {
        TypeKind::Single(single) => JsonTypeSet::from(*single),
        TypeKind::Multiple(set) => *set,
    };
    set.into_iter().map(|kind| kind.as_str().to_owned()).collect()
}

/// `["a","b"]`, in order.
fn list(names: &[String]) -> String {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    json(&Value::from(sorted.into_iter().map(String::as_str).collect::<Vec<_>>()))
}
