//! The format of the cases; `conformance/rules/README.md` describes it.

use serde_json::Value as Json;
use yardarm_flags::{Context, Value};

/// A rule (or another text) and the lines about it.
pub(crate) struct Block<'t> {
    pub(crate) flag: &'t str,
    pub(crate) text: &'t str,
    pub(crate) lines: Vec<&'t str>,
}

/// The blocks of a file.
pub(crate) fn blocks(file: &str) -> Vec<Block<'_>> {
    let head = file.lines().take_while(|line| line.starts_with(';') || line.is_empty());
    let start: usize = head.map(|line| line.len() + 1).sum();
    file[start..].split("\n===\n").map(block).collect()
}

fn block(block: &str) -> Block<'_> {
    let (text, lines) = block.split_once("\n---\n").unwrap_or_else(|| panic!("no --- in {block}"));
    let (flag, text) = match text.strip_prefix("@flag ") {
        Some(rest) => rest.split_once('\n').unwrap(),
        None => ("f", text),
    };
    Block { flag, text, lines: lines.lines().filter(|line| !line.trim().is_empty()).collect() }
}

/// A context as a line writes it.
#[derive(Debug)]
pub(crate) struct OwnedContext(Vec<(String, OwnedValue)>);

#[derive(Debug)]
enum OwnedValue {
    Text(String),
    Json(Json),
}

impl OwnedContext {
    pub(crate) fn with<R>(&self, then: impl FnOnce(&Context<'_>) -> R) -> R {
        let value = |value| match value {
            &OwnedValue::Json(Json::Bool(boolean)) => Value::Boolean(boolean),
            OwnedValue::Json(Json::Number(number)) => {
                number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Integer)
            }
            OwnedValue::Text(text) => Value::Text(text),
            OwnedValue::Json(other) => panic!("not a value of a context: {other}"),
        };
        let attributes: Vec<(&str, Value<'_>)> =
            self.0.iter().map(|(key, owned)| (key.as_str(), value(owned))).collect();
        then(&Context::new(&attributes))
    }
}

/// `context => answer ; comment`.
pub(crate) fn case(line: &str) -> (OwnedContext, bool) {
    let (context, answer) = line.split_once("=> ").unwrap_or_else(|| panic!("no => in {line}"));
    let answer = answer.split(';').next().unwrap().trim().parse().unwrap_or_else(|_| panic!("{line}"));
    let mut attributes = Vec::new();
    let mut rest = context.trim();
    while !rest.is_empty() {
        let (key, after) = word(rest, &[':', '=']);
        let (value, after) = match after.strip_prefix(":=") {
            Some(json) => {
                let (text, after) = json.split_once(' ').unwrap_or((json, ""));
                (OwnedValue::Json(serde_json::from_str(text).unwrap()), after)
            }
            None => {
                let (text, after) = word(after.strip_prefix('=').unwrap_or_else(|| panic!("{line}")), &[' ']);
                (OwnedValue::Text(text), after)
            }
        };
        attributes.push((key, value));
        rest = after.trim_start();
    }
    (OwnedContext(attributes), answer)
}

/// A JSON string, or everything before one of `ends`.
fn word<'t>(text: &'t str, ends: &[char]) -> (String, &'t str) {
    if text.starts_with('"') {
        let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let word = strings.next().unwrap().unwrap();
        let end = strings.byte_offset();
        return (word, &text[end..]);
    }
    let (word, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    (word.to_owned(), rest)
}
