//! A value for an attribute, typed or as somebody typed it.

use std::fmt;

use serde_json::{Number, Value};

use crate::document::{ArrayConstraints, AttributeConstraints, AttributeValue, ElementConstraints};

/// A value for an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewValue {
    /// Of this type.
    Typed(AttributeValue),
    /// Of the type that the attribute's definition asks for: `green`, `3`, `true`, `a,b` or `["a","b"]`.
    Text(String),
}

impl fmt::Display for NewValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(value) => value.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl NewValue {
    /// The value, or what the constraints ask for. Whether it is within them is judged with the whole document.
    pub(super) fn read(
        &self,
        constraints: Option<&AttributeConstraints>,
    ) -> Result<AttributeValue, &'static str> {
        let text = match self {
            Self::Typed(value) => return Ok(value.clone()),
            Self::Text(text) => text,
        };
        match constraints {
            None => Ok(AttributeValue::guess(text)),
            Some(AttributeConstraints::String(_)) => Ok(AttributeValue::String(text.clone())),
            Some(AttributeConstraints::Number(_)) => {
                number(text).map(AttributeValue::Number).ok_or("a number")
            }
            Some(AttributeConstraints::Boolean { .. }) => match text.as_str() {
                "true" => Ok(AttributeValue::Boolean(true)),
                "false" => Ok(AttributeValue::Boolean(false)),
                _ => Err("`true` or `false`"),
            },
            Some(AttributeConstraints::Array(ArrayConstraints { elements, .. })) => match elements {
                None => array(text).ok_or("strings or numbers, as `a,b` or `[\"a\",\"b\"]`"),
                Some(ElementConstraints::String(_)) => {
                    strings(text).ok_or("strings, as `a,b` or `[\"a\",\"b\"]`")
                }
                Some(ElementConstraints::Number(_)) => numbers(text).ok_or("numbers, as `1,2` or `[1,2]`"),
            },
        }
    }
}

impl AttributeValue {
    /// What `text` looks like: a number, a boolean, an array or a string in JSON, and else a string as it is.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(Value::Number(number)) => Self::Number(number),
            Ok(Value::Bool(boolean)) => Self::Boolean(boolean),
            Ok(Value::String(text)) => Self::String(text),
            Ok(Value::Array(items)) => of_items(items).unwrap_or_else(|| Self::String(text.to_owned())),
            Ok(Value::Null | Value::Object(_)) | Err(_) => Self::String(text.to_owned()),
        }
    }
}

/// As JSON.
impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = match self {
            Self::String(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Boolean(boolean) => Value::Bool(*boolean),
            Self::Strings(texts) => Value::from(texts.as_slice()),
            Self::Numbers(numbers) => numbers.iter().cloned().map(Value::Number).collect(),
        };
        write!(f, "{json}")
    }
}

fn number(text: &str) -> Option<Number> {
    serde_json::from_str(text.trim()).ok()
}

/// A JSON array; anything else is a list with commas, of numbers if all of them are.
fn array(text: &str) -> Option<AttributeValue> {
    if text.trim_start().starts_with('[') {
        return of_items(serde_json::from_str(text).ok()?);
    }
    numbers(text).or_else(|| strings(text))
}

fn strings(text: &str) -> Option<AttributeValue> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).ok().map(AttributeValue::Strings);
    }
    Some(AttributeValue::Strings(parts(text).map(str::to_owned).collect()))
}

fn numbers(text: &str) -> Option<AttributeValue> {
    let numbers: Vec<Number> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).ok()?
    } else {
        parts(text).map(number).collect::<Option<_>>()?
    };
    // An empty array has no element type.
    Some(if numbers.is_empty() { AttributeValue::Strings(vec![]) } else { AttributeValue::Numbers(numbers) })
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn of_items(items: Vec<Value>) -> Option<AttributeValue> {
    let text = |item: &Value| item.as_str().map(str::to_owned);
    if let Some(texts) = items.iter().map(text).collect::<Option<Vec<_>>>() {
        return Some(AttributeValue::Strings(texts));
    }
    let number = |item: Value| if let Value::Number(number) = item { Some(number) } else { None };
    items.into_iter().map(number).collect::<Option<Vec<_>>>().map(AttributeValue::Numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{NumberConstraints, StringConstraints};

    fn read(text: &str, constraints: &AttributeConstraints) -> String {
        match NewValue::Text(text.into()).read(Some(constraints)) {
            Ok(value) => value.to_string(),
            Err(wanted) => format!("no: {wanted}"),
        }
    }

    fn array(elements: Option<ElementConstraints>) -> AttributeConstraints {
        AttributeConstraints::Array(ArrayConstraints { required: None, elements })
    }

    #[test]
    fn the_definition_decides_the_type() {
        let string = AttributeConstraints::String(StringConstraints::default());
        let number = AttributeConstraints::Number(NumberConstraints::default());
        let boolean = AttributeConstraints::Boolean { required: None };
        let strings = array(Some(ElementConstraints::String(StringConstraints::default())));
        let numbers = array(Some(ElementConstraints::Number(NumberConstraints::default())));
        for (text, constraints, value) in [
            ("3", &string, r#""3""#),
            ("true", &string, r#""true""#),
            ("3", &number, "3"),
            ("4.50", &number, "4.5"),
            ("three", &number, "no: a number"),
            ("true", &boolean, "true"),
            ("yes", &boolean, "no: `true` or `false`"),
            ("a, b", &strings, r#"["a","b"]"#),
            (r#"["a,b"]"#, &strings, r#"["a,b"]"#),
            ("1,2", &strings, r#"["1","2"]"#),
            ("1,2", &numbers, "[1,2]"),
            ("[1,2.5]", &numbers, "[1,2.5]"),
            ("1,b", &numbers, "no: numbers, as `1,2` or `[1,2]`"),
            ("1,2", &array(None), "[1,2]"),
            ("1,b", &array(None), r#"["1","b"]"#),
            ("[true]", &array(None), "no: strings or numbers, as `a,b` or `[\"a\",\"b\"]`"),
            ("", &array(None), "[]"),
        ] {
            assert_eq!(read(text, constraints), value, "{text}");
        }
    }

    #[test]
    fn without_a_definition_a_value_is_what_it_looks_like() {
        for (text, value) in [
            ("3", "3"),
            ("true", "true"),
            ("blue", r#""blue""#),
            (r#""3""#, r#""3""#),
            ("[1,2]", "[1,2]"),
            ("[1,\"a\"]", r#""[1,\"a\"]""#),
            ("null", r#""null""#),
            ("", r#""""#),
        ] {
            assert_eq!(AttributeValue::guess(text).to_string(), value);
        }
    }
}
