//! Making a schema speak draft 4 and nothing but itself.
//!
//! The service applies draft 4 whatever `$schema` says and resolves references within the document alone. The engine
//! would follow a nested `$schema` to another draft and a nested `id` to another base, so both go. `default`, `const`
//! and `examples` constrain nothing in draft 4; they go too, because they may hold anything, and what is in them must
//! not be reachable as a schema.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::json_schema::SchemaFault;

/// Members that are dropped wherever a schema may stand.
const DROPPED: [&str; 5] = ["$schema", "id", "default", "const", "examples"];

/// Keywords whose members are schemas under free names, so that a member called `id` is no keyword there.
const NAMED_SCHEMAS: [&str; 4] = ["properties", "patternProperties", "definitions", "dependencies"];

/// `schema` with only draft 4 in it.
///
/// # Errors
/// A reference that leaves the document.
pub(crate) fn clean(mut schema: Value) -> Result<Value, SchemaFault> {
    clean_schema(&mut schema, &mut String::new())?;
    Ok(schema)
}

/// Recursion is bounded: the JSON parser allows 128 levels.
fn clean_schema(schema: &mut Value, pointer: &mut String) -> Result<(), SchemaFault> {
    match schema {
        Value::Object(members) => {
            for key in DROPPED {
                // A keyword of the wrong type stays, to be refused.
                let is_keyword =
                    !matches!(key, "$schema" | "id") || members.get(key).is_some_and(Value::is_string);
                if is_keyword {
                    members.remove(key);
                }
            }
            if let Some(Value::String(reference)) = members.get("$ref") {
                check_reference(reference, pointer)?;
            }
            for (key, value) in members.iter_mut().filter(|(key, _)| *key != "enum") {
                descend(pointer, key, |pointer| match value {
                    Value::Object(named) if NAMED_SCHEMAS.contains(&key.as_str()) => named
                        .iter_mut()
                        .try_for_each(|(name, schema)| descend(pointer, name, |p| clean_schema(schema, p))),
                    other => clean_schema(other, pointer),
                })?;
            }
            Ok(())
        }
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, item)| descend(pointer, &index.to_string(), |p| clean_schema(item, p))),
        _ => Ok(()),
    }
}

fn descend<T>(pointer: &mut String, step: &str, below: impl FnOnce(&mut String) -> T) -> T {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    let result = below(pointer);
    pointer.truncate(length);
    result
}

fn check_reference(reference: &str, pointer: &str) -> Result<(), SchemaFault> {
    if !reference.starts_with('#') {
        return Err(SchemaFault::ExternalReference {
            reference: reference.to_owned(),
            pointer: pointer.to_owned(),
        });
    }
    match fragment(reference) {
        Some(fragment) if !leads_into_values(&fragment) => Ok(()),
        _ => Err(SchemaFault::UnresolvedReference {
            reference: reference.to_owned(),
            pointer: pointer.to_owned(),
        }),
    }
}

/// The schema that a `$ref` within `root` means; `None` if there is none.
pub(crate) fn resolve<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    root.pointer(&fragment(reference)?)
}

/// The JSON pointer in `reference`, percent-decoded.
fn fragment(reference: &str) -> Option<Cow<'_, str>> {
    let fragment = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
    (fragment.is_empty() || fragment.starts_with('/')).then_some(fragment)
}

/// Whether a pointer leads into the values of an `enum`, which are no schemas and have not been cleaned.
fn leads_into_values(pointer: &str) -> bool {
    let mut previous = "";
    pointer.split('/').skip(1).any(|token| {
        let is_keyword = !NAMED_SCHEMAS.contains(&previous);
        previous = token;
        token == "enum" && is_keyword
    })
}
