//! The service's dotted path to a place in a rule: operators, and operands counted from 1.

use super::operator::Operator;
use super::syntax::{Node, NodeKind, Span};

/// The path to `span`, such as `and.2.eq`. An operator that does not exist has no segment.
pub(super) fn of(rule: Option<&Node>, span: Span) -> String {
    let mut path = String::new();
    let mut next = rule;
    while let Some(node) = next {
        next = match &node.kind {
            NodeKind::Named { value, .. } => Some(value),
            NodeKind::Expression(nodes) if node.span != span && node.span.contains(span) => {
                step(nodes, span, &mut path)
            }
            _ => None,
        };
    }
    path
}

fn step<'n>(nodes: &'n [Node], span: Span, path: &mut String) -> Option<&'n Node> {
    let (head, operands) = nodes.split_first()?;
    if let NodeKind::Symbol(name) = &head.kind
        && let Some(operator) = Operator::named(name)
    {
        append(path, operator.name());
    }
    let (index, operand) = operands.iter().enumerate().find(|(_, operand)| operand.span.contains(span))?;
    append(path, &(index + 1).to_string());
    Some(operand)
}

fn append(path: &mut String, segment: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(segment);
}
