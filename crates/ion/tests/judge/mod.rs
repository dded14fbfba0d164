//! The vendor's library for Ion as a judge: whether it read what we read.

use ion_rs::{Element, Value};
use yardarm_flags::rule::{Node, NodeKind, Timestamp};

/// Whether our tree is what the library read.
pub(crate) fn same(node: &Node, judged: &Element) -> bool {
    let annotations: Vec<Option<&str>> = judged.annotations().iter().map(|symbol| symbol.text()).collect();
    let node = match &node.kind {
        NodeKind::Named { name, value, .. } => {
            if annotations != [Some(&**name)] {
                return false;
            }
            value
        }
        _ if !annotations.is_empty() => return false,
        _ => node,
    };
    let all = |nodes: &[Node], judged: Vec<&Element>| {
        nodes.len() == judged.len() && nodes.iter().zip(judged).all(|(node, judged)| same(node, judged))
    };
    match (&node.kind, judged.value()) {
        (NodeKind::Expression(nodes), Value::SExp(judged)) => all(nodes, judged.elements().collect()),
        (NodeKind::List(nodes), Value::List(judged)) => all(nodes, judged.elements().collect()),
        (NodeKind::Symbol(text), Value::Symbol(judged)) => judged.text() == Some(text),
        (NodeKind::Context(key), Value::Symbol(judged)) => {
            judged.text().and_then(|text| text.strip_prefix('$')) == Some(key)
        }
        (NodeKind::Text(text), Value::String(judged)) => judged.text() == &**text,
        (NodeKind::Integer(integer), Value::Int(judged)) => judged.as_i64() == Some(*integer),
        (NodeKind::Float(float), Value::Float(judged)) => float.to_bits() == judged.to_bits(),
        (NodeKind::Float(float), Value::Decimal(judged)) => {
            let text = judged.to_string().replace('d', "e");
            text.parse::<f64>().is_ok_and(|judged| judged.to_bits() == float.to_bits())
        }
        (NodeKind::Timestamp(timestamp), Value::Timestamp(judged)) => {
            Timestamp::parse(&judged.to_string()).as_ref() == Ok(timestamp)
        }
        (NodeKind::Boolean(is), Value::Bool(judged)) => is == judged,
        _ => false,
    }
}

/// Whether there is something in it that no rule has: the checker would refuse it, so the reader may.
pub(crate) fn checker_may_refuse(judged: &Element) -> bool {
    if judged.annotations().len() > 1
        || judged.annotations().iter().any(|symbol| symbol.text().is_none_or(|text| text == "$"))
    {
        return true;
    }
    match judged.value() {
        Value::Null(_) | Value::Clob(_) | Value::Blob(_) | Value::Struct(_) => true,
        Value::Int(integer) => integer.as_i64().is_none(),
        Value::Float(float) => !float.is_finite(),
        Value::Decimal(decimal) => {
            decimal.to_string().replace('d', "e").parse::<f64>().is_ok_and(|float| !float.is_finite())
        }
        Value::Timestamp(timestamp) => Timestamp::parse(&timestamp.to_string()).is_err(),
        // An operator symbol, a symbol id, no context key.
        Value::Symbol(symbol) => symbol.text().is_none_or(|text| {
            text == "$" || text.is_empty() || !text.contains(|c: char| !"!#%&*+-./;<=>?@^`|~".contains(c))
        }),
        Value::Bool(_) | Value::String(_) => false,
        Value::List(elements) => elements.elements().any(checker_may_refuse),
        Value::SExp(elements) => elements.elements().any(checker_may_refuse),
    }
}
