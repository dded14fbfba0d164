//! From a document to the form agents receive: binary, with no symbols but those of the stream.

use yardarm_flags::FlagDocument;
use yardarm_flags::document::{FlagKey, Setting, State, Variant};
use yardarm_flags::retrieval::content;
use yardarm_flags::rule::{Node, NodeKind, Span};

use crate::VERSION_MARKER;
use crate::symbols::{Interned, SYMBOL_TABLE, SYMBOLS};
use crate::time::{Fields, Time};

/// Whether a document has a flag with variants. One without is served as JSON, whoever asks.
#[must_use]
pub fn has_variants(document: &FlagDocument) -> bool {
    document.values().values().any(|value| matches!(value.setting(), Setting::Variants(_)))
}

/// `document` as agents receive it: Amazon Ion 1.0, binary. What is off is withheld as in the other served form.
#[must_use]
pub fn write(document: &FlagDocument) -> Vec<u8> {
    let mut symbols = Interned::default();
    let mut values = Vec::new();
    for (key, value) in document.values() {
        put(&flag(key, value.setting()), &mut symbols, &mut values);
    }
    let mut out = VERSION_MARKER.to_vec();
    if !symbols.texts().is_empty() {
        put_symbol_table(&symbols, &mut out);
    }
    out.extend(values);
    out
}

fn flag(key: &FlagKey, setting: &Setting) -> Node {
    let off = State { enabled: false, attributes: std::collections::BTreeMap::new() };
    let value = match setting {
        Setting::Basic(state) => text(None, state),
        Setting::Nothing => text(None, &off),
        Setting::Variants(variants) => {
            let pair = |(variant, rule): &(Variant, yardarm_flags::document::Rule)| {
                let pair = node(NodeKind::List(vec![rule.tree(), of_variant(variant)]));
                named(&variant.name, pair)
            };
            let mut list: Vec<Node> = variants.with_rule().iter().map(pair).collect();
            list.push(of_variant(variants.default_variant()));
            node(NodeKind::List(list))
        }
    };
    named(key.as_str(), value)
}

fn of_variant(variant: &Variant) -> Node {
    text(Some(&variant.name), &variant.state)
}

fn text(variant: Option<&str>, state: &State) -> Node {
    node(NodeKind::Text(content(variant, state).into()))
}

fn named(name: &str, value: Node) -> Node {
    node(NodeKind::Named { name: name.into(), name_span: Span::default(), value: Box::new(value) })
}

const fn node(kind: NodeKind) -> Node {
    Node { kind, span: Span::new(0, 0) }
}

/// Appends a value.
fn put(node: &Node, symbols: &mut Interned, out: &mut Vec<u8>) {
    match &node.kind {
        NodeKind::Boolean(is) => out.push(0x10 | u8::from(*is)),
        NodeKind::Integer(integer) => {
            let kind = if *integer < 0 { 0x30 } else { 0x20 };
            with_header(kind, significant(&integer.unsigned_abs().to_be_bytes()), out);
        }
        NodeKind::Float(float) => put_float(*float, out),
        NodeKind::Timestamp(timestamp) => match Fields::of_text(timestamp.as_str()) {
            Some(fields) => with_header(0x60, &of_timestamp(&fields), out),
            // There is no such timestamp.
            None => out.push(0x6F),
        },
        NodeKind::Text(text) => with_header(0x80, text.as_bytes(), out),
        NodeKind::Symbol(text) => put_symbol(text, symbols, out),
        NodeKind::Context(key) => put_symbol(&format!("${key}"), symbols, out),
        NodeKind::List(nodes) => put_all(0xB0, nodes, symbols, out),
        NodeKind::Expression(nodes) => put_all(0xC0, nodes, symbols, out),
        NodeKind::Named { name, value, .. } => {
            let mut annotation = Vec::new();
            var_uint(symbols.id(name), &mut annotation);
            let mut body = Vec::new();
            var_uint(annotation.len() as u64, &mut body);
            body.extend(annotation);
            put(value, symbols, &mut body);
            with_header(0xE0, &body, out);
        }
        // Not in a tree without errors.
        NodeKind::Unreadable => out.push(0x0F),
    }
}

fn put_all(kind: u8, nodes: &[Node], symbols: &mut Interned, out: &mut Vec<u8>) {
    let mut body = Vec::new();
    for node in nodes {
        put(node, symbols, &mut body);
    }
    with_header(kind, &body, out);
}

fn put_symbol(text: &str, symbols: &mut Interned, out: &mut Vec<u8>) {
    with_header(0x70, significant(&symbols.id(text).to_be_bytes()), out);
}

/// A decimal where the number is written with digits alone, else a float of 64 bits.
fn put_float(float: f64, out: &mut Vec<u8>) {
    let text = format!("{float:?}");
    let digits = text.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let Ok(magnitude) = format!("{whole}{fraction}").parse::<u128>() else {
        with_header(0x40, &float.to_be_bytes(), out);
        return;
    };
    let mut body = Vec::new();
    var_int(fraction.len() as u64, true, &mut body);
    int(magnitude, text.starts_with('-'), &mut body);
    with_header(0x50, &body, out);
}

fn of_timestamp(fields: &Fields) -> Vec<u8> {
    let mut body = Vec::new();
    match fields.offset {
        Some(minutes) => var_int(minutes.unsigned_abs().into(), minutes < 0, &mut body),
        None => var_int(0, true, &mut body),
    }
    var_uint(fields.year.unsigned_abs().into(), &mut body);
    let mut small = |part: Option<i8>| {
        if let Some(part) = part {
            var_uint(part.unsigned_abs().into(), &mut body);
        }
    };
    small(fields.month);
    small(fields.day);
    if let Some(Time { hour, minute, second, fraction }) = fields.time {
        small(Some(hour));
        small(Some(minute));
        small(second);
        if let Some((digits, fraction)) = fraction {
            var_int(digits.into(), true, &mut body);
            int(fraction.into(), false, &mut body);
        }
    }
    body
}

fn put_symbol_table(symbols: &Interned, out: &mut Vec<u8>) {
    let mut texts = Vec::new();
    for text in symbols.texts() {
        with_header(0x80, text.as_bytes(), &mut texts);
    }
    let mut table = Vec::new();
    var_uint(SYMBOLS, &mut table);
    with_header(0xB0, &texts, &mut table);
    let mut annotated = Vec::new();
    var_uint(1, &mut annotated);
    var_uint(SYMBOL_TABLE, &mut annotated);
    with_header(0xD0, &table, &mut annotated);
    with_header(0xE0, &annotated, out);
}

/// A value: its type, its length, its bytes.
fn with_header(kind: u8, body: &[u8], out: &mut Vec<u8>) {
    match u8::try_from(body.len()) {
        Ok(short @ 0..=13) => out.push(kind | short),
        _ => {
            out.push(kind | 14);
            var_uint(body.len() as u64, out);
        }
    }
    out.extend_from_slice(body);
}

/// Without the zeros in front.
fn significant(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// Seven bits a byte, the last one marked.
fn var_uint(number: u64, out: &mut Vec<u8>) {
    let mut groups = 1;
    while groups < 10 && number >> (7 * groups) != 0 {
        groups += 1;
    }
    for group in (0..groups).rev() {
        let bits = (number >> (7 * group)) as u8 & 0x7F;
        out.push(if group == 0 { bits | 0x80 } else { bits });
    }
}

/// A sign bit, and six bits in the first byte. Only for numbers below 2^55.
fn var_int(magnitude: u64, negative: bool, out: &mut Vec<u8>) {
    let start = out.len();
    var_uint(magnitude, out);
    // The second bit of the first byte is the sign's; where a digit has it, another byte goes before.
    if out.get(start).is_some_and(|first| first & 0x40 != 0) {
        out.insert(start, 0);
    }
    if negative && let Some(first) = out.get_mut(start) {
        *first |= 0x40;
    }
}

/// A sign bit and a magnitude, in as few bytes as hold them; nothing for zero.
fn int(magnitude: u128, negative: bool, out: &mut Vec<u8>) {
    let bytes = magnitude.to_be_bytes();
    let bytes = significant(&bytes);
    let start = out.len();
    if bytes.first().is_some_and(|first| first & 0x80 != 0) || bytes.is_empty() && negative {
        out.push(0);
    }
    out.extend_from_slice(bytes);
    if negative && let Some(first) = out.get_mut(start) {
        *first |= 0x80;
    }
}
