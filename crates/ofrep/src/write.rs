//! JSON, written straight into the answer.

use yardarm_flags::document::AttributeValue;
use yardarm_flags::{Evaluation, Resolution, ResolvedValue, Value};

/// A string with its quotes.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.extend_from_slice(text.as_bytes());
    } else {
        escaped(out, text);
    }
    out.push(b'"');
}

#[cold]
fn escaped(out: &mut Vec<u8>, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                let digit = |four: u8| DIGITS.get(usize::from(four)).copied().unwrap_or(b'0');
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
}

/// A number as it was stored: a whole one without a fraction.
fn number(out: &mut Vec<u8>, number: &serde_json::Number) {
    // Writing to a `Vec` does not fail.
    let written = serde_json::to_writer(out, number);
    debug_assert!(written.is_ok(), "{written:?}");
}

fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

fn array<'v, T: 'v>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = &'v T>,
    write: impl Fn(&mut Vec<u8>, &T),
) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

fn attribute(out: &mut Vec<u8>, value: &AttributeValue) {
    match value {
        AttributeValue::String(value) => text(out, value),
        AttributeValue::Number(value) => number(out, value),
        AttributeValue::Boolean(value) => boolean(out, *value),
        AttributeValue::Strings(items) => array(out, items, |out, item| text(out, item)),
        AttributeValue::Numbers(items) => array(out, items, number),
    }
}

/// The attributes and `enabled` among them, in the order of their names.
fn object(out: &mut Vec<u8>, evaluation: &Evaluation<'_>) {
    const ENABLED: &str = "enabled";
    let mut first = true;
    let mut enabled = Some(evaluation.enabled);
    let mut name = |out: &mut Vec<u8>, name: &str| {
        out.push(if first { b'{' } else { b',' });
        first = false;
        text(out, name);
        out.push(b':');
    };
    for (key, value) in evaluation.attributes {
        if key.as_str() > ENABLED
            && let Some(value) = enabled.take()
        {
            name(out, ENABLED);
            boolean(out, value);
        }
        name(out, key.as_str());
        attribute(out, value);
    }
    if let Some(value) = enabled {
        name(out, ENABLED);
        boolean(out, value);
    }
    out.push(b'}');
}

/// The value of a key. The protocol has no arrays on their own: one is wrapped in an object.
fn resolved(out: &mut Vec<u8>, value: &ResolvedValue<'_>) {
    match value {
        ResolvedValue::Boolean(value) => boolean(out, *value),
        ResolvedValue::Attribute(value @ (AttributeValue::Strings(_) | AttributeValue::Numbers(_))) => {
            out.extend_from_slice(b"{\"value\":");
            attribute(out, value);
            out.push(b'}');
        }
        ResolvedValue::Attribute(value) => attribute(out, value),
        ResolvedValue::Object(evaluation) => object(out, evaluation),
    }
}

/// The success of one flag: a body of the single operation, an element of the bulk one.
pub(crate) fn success(out: &mut Vec<u8>, key: &str, resolution: &Resolution<'_>, metadata: &Metadata) {
    out.extend_from_slice(b"{\"key\":");
    text(out, key);
    if let Some(value) = &resolution.value {
        out.extend_from_slice(b",\"value\":");
        resolved(out, value);
    }
    out.extend_from_slice(b",\"reason\":\"");
    out.extend_from_slice(resolution.reason.as_str().as_bytes());
    out.push(b'"');
    let variant = resolution.variant_name();
    out.extend_from_slice(b",\"variant\":");
    text(out, variant);
    metadata.write(out, variant);
    out.push(b'}');
}

/// What is said with every flag of a configuration: made once, copied for each.
pub(crate) struct Metadata {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Metadata {
    pub(crate) fn new(profile: &str, version: &str, label: Option<&str>) -> Self {
        let (mut before, mut after) = (Vec::with_capacity(64), Vec::with_capacity(64));
        before.extend_from_slice(b",\"metadata\":{\"profile\":");
        text(&mut before, profile);
        after.extend_from_slice(b",\"version\":");
        text(&mut after, version);
        if let Some(label) = label {
            after.extend_from_slice(b",\"versionLabel\":");
            text(&mut after, label);
        }
        after.push(b'}');
        Self { before, after }
    }

    fn write(&self, out: &mut Vec<u8>, variant: &str) {
        out.extend_from_slice(&self.before);
        out.extend_from_slice(b",\"variant\":");
        text(out, variant);
        out.extend_from_slice(&self.after);
    }
}

/// A value of a context, as canonical JSON has it.
pub(crate) fn context_value(out: &mut Vec<u8>, value: Value<'_>) {
    use std::io::Write as _;
    match value {
        Value::Text(value) => text(out, value),
        Value::Boolean(value) => boolean(out, value),
        // Its display is the shortest text that reads back as the same number. Writing to a `Vec` does not fail.
        Value::Integer(_) | Value::Float(_) => drop(write!(out, "{value}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_reads_back_as_itself(original in "\\PC*|[\\x00-\\x7f]{0,40}") {
            let mut out = vec![];
            text(&mut out, &original);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), original);
        }
    }
}
