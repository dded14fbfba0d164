//! How much work it is to check given content against a given schema, before doing it.
//!
//! A few lines of schema can ask for more evaluations than there are atoms: references double at every step
//! (`allOf: [a, a]`, `a: allOf: [b, b]`, …), and recursion multiplies with the depth of the content. The engine would
//! do that work, or overflow its stack. So it is counted first: evaluations of a schema object on a value, each pair
//! counted once and remembered when a reference leads to it, so that counting is cheap where doing is not.
//!
//! The count is an upper bound: every alternative and every pattern counts as if it were tried.

use std::collections::HashMap;
use std::ptr;

use serde_json::{Map, Value};

use crate::draft4::resolve;

/// Evaluations that are done at all.
const MAX_EVALUATIONS: u64 = 4_000_000;

/// Evaluations nested in one another. Content nests at most 128 deep.
const MAX_NESTING: usize = 512;

/// The work is unbounded, or more than is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMuch;

/// Evaluations needed, at most [`MAX_EVALUATIONS`].
pub(crate) fn evaluations(schema: &Value, content: &Value) -> Result<u64, TooMuch> {
    let mut count = Count { root: schema, remembered: HashMap::new(), visited: 0, nesting: 0 };
    count.schema(schema, content)
}

struct Count<'s> {
    root: &'s Value,
    /// Evaluations by target of a reference and value; `None` while they are being counted.
    remembered: HashMap<(*const Value, *const Value), Option<u64>>,
    visited: u64,
    nesting: usize,
}

impl<'s> Count<'s> {
    fn schema(&mut self, schema: &'s Value, content: &Value) -> Result<u64, TooMuch> {
        self.visited += 1;
        self.nesting += 1;
        if self.visited > MAX_EVALUATIONS || self.nesting > MAX_NESTING {
            return Err(TooMuch);
        }
        let count = match schema.as_object() {
            None => 1,
            Some(keywords) => match keywords.get("$ref") {
                // Whatever stands beside a reference is ignored in draft 4.
                Some(Value::String(reference)) => self.reference(reference, content)?,
                _ => self.keywords(keywords, content)?,
            },
        };
        self.nesting -= 1;
        if count > MAX_EVALUATIONS { Err(TooMuch) } else { Ok(count) }
    }

    fn reference(&mut self, reference: &str, content: &Value) -> Result<u64, TooMuch> {
        let Some(target) = resolve(self.root, reference) else { return Ok(1) };
        let pair = (ptr::from_ref(target), ptr::from_ref(content));
        match self.remembered.get(&pair) {
            Some(Some(count)) => return Ok(*count),
            // The schema comes back to itself without having gone further into the content: it would never end.
            Some(None) => return Err(TooMuch),
            None => {}
        }
        self.remembered.insert(pair, None);
        let count = self.schema(target, content)?;
        self.remembered.insert(pair, Some(count));
        Ok(count)
    }

    fn keywords(&mut self, keywords: &'s Map<String, Value>, content: &Value) -> Result<u64, TooMuch> {
        let mut total = 1_u64;
        let mut add = |count: &mut Self, schema: &'s Value, content: &Value| {
            total = total.saturating_add(count.schema(schema, content)?);
            if total > MAX_EVALUATIONS { Err(TooMuch) } else { Ok(()) }
        };
        for list in ["allOf", "anyOf", "oneOf"] {
            for schema in schemas(keywords, list) {
                add(self, schema, content)?;
            }
        }
        if let Some(schema) = keywords.get("not") {
            add(self, schema, content)?;
        }
        match content {
            Value::Object(members) => {
                for schema in named(keywords, "dependencies") {
                    add(self, schema, content)?;
                }
                let properties = keywords.get("properties").and_then(Value::as_object);
                for (name, value) in members {
                    let property = properties.and_then(|properties| properties.get(name));
                    if let Some(schema) = property {
                        add(self, schema, value)?;
                    } else if let Some(schema) = keywords.get("additionalProperties") {
                        add(self, schema, value)?;
                    }
                    for schema in named(keywords, "patternProperties") {
                        add(self, schema, value)?;
                    }
                }
            }
            Value::Array(elements) => {
                let each = keywords.get("items").filter(|items| items.is_object());
                let by_position: Vec<&Value> = schemas(keywords, "items").collect();
                let beyond = keywords.get("additionalItems");
                for (index, element) in elements.iter().enumerate() {
                    let schema = each.or_else(|| by_position.get(index).copied());
                    if let Some(schema) = schema.or(beyond) {
                        add(self, schema, element)?;
                    }
                }
            }
            _ => {}
        }
        Ok(total)
    }
}

fn schemas<'s>(keywords: &'s Map<String, Value>, list: &str) -> impl Iterator<Item = &'s Value> + use<'s> {
    keywords.get(list).and_then(Value::as_array).into_iter().flatten()
}

fn named<'s>(keywords: &'s Map<String, Value>, map: &str) -> impl Iterator<Item = &'s Value> + use<'s> {
    keywords.get(map).and_then(Value::as_object).into_iter().flat_map(Map::values)
}
