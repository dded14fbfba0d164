//! Whether a rule means something: operators that exist, with operands they take.
//!
//! Checking goes on after an error, in the operands beside it. What could not be read has been reported by the reader
//! and is passed over in silence.

use super::diagnostic::{Code, Diagnostic, Diagnostics, quoted};
use super::expression::{Comparison, Constant, Expression, Kind, Operand, Split, TextTest};
use super::operator::{self, Operator};
use super::reader::{MAX_DEPTH, MAX_LIST_MEMBERS, word_hint};
use super::syntax::{Node, NodeKind, Span};
use crate::document::Pattern;

/// The meaning of a rule; `None` if there are errors, which `found` has or had before.
pub(super) fn check(rule: &Node, found: &mut Diagnostics) -> Option<Expression> {
    let mut checker = Checker { found, depth: 0 };
    match &rule.kind {
        NodeKind::Expression(nodes) => checker.expression(nodes, rule.span),
        NodeKind::Named { name_span, .. } => {
            let message = "a rule as a whole has no name";
            checker.error(
                Code::NotAnExpression,
                *name_span,
                message,
                Some("remove the name and ::".to_owned()),
            );
            None
        }
        _ => {
            checker.error(Code::NotAnExpression, rule.span, "a rule is an expression in parentheses", None);
            None
        }
    }
}

struct Checker<'d> {
    found: &'d mut Diagnostics,
    depth: usize,
}

impl Checker<'_> {
    fn expression(&mut self, nodes: &[Node], span: Span) -> Option<Expression> {
        if self.depth >= MAX_DEPTH {
            self.error(Code::TooDeep, span, format!("nested deeper than {MAX_DEPTH}"), None);
            return None;
        }
        self.depth += 1;
        let kind = self.operation(nodes, span);
        self.depth -= 1;
        kind.map(|kind| Expression { kind, span })
    }

    fn operation(&mut self, nodes: &[Node], span: Span) -> Option<Kind> {
        let Some((head, operands)) = nodes.split_first() else {
            let hint = "an expression is an operator and its operands, as in (eq $key \"value\")";
            self.error(Code::NotAnExpression, span, "these parentheses are empty", Some(hint.to_owned()));
            return None;
        };
        let Some(operator) = self.operator(head) else {
            // Nobody knows what the operands should be, but what is in parentheses among them is an expression.
            for operand in operands {
                if let NodeKind::Expression(nodes) = &operand.kind {
                    self.expression(nodes, operand.span);
                }
            }
            return None;
        };
        let at = head.span;
        match operator {
            Operator::Equal => self.comparison(Comparison::Equal, operator, operands, at),
            Operator::NotEqual => self.comparison(Comparison::NotEqual, operator, operands, at),
            Operator::Greater => self.comparison(Comparison::Greater, operator, operands, at),
            Operator::GreaterOrEqual => self.comparison(Comparison::GreaterOrEqual, operator, operands, at),
            Operator::Less => self.comparison(Comparison::Less, operator, operands, at),
            Operator::LessOrEqual => self.comparison(Comparison::LessOrEqual, operator, operands, at),
            Operator::And => self.conditions(operator, operands, at, 2, usize::MAX).map(Kind::All),
            Operator::Or => self.conditions(operator, operands, at, 2, usize::MAX).map(Kind::Any),
            Operator::Not => {
                let condition = self.conditions(operator, operands, at, 1, 1)?.pop()?;
                Some(Kind::Not(Box::new(condition)))
            }
            Operator::BeginsWith => self.text_test(TextTest::BeginsWith, operator, operands, at),
            Operator::EndsWith => self.text_test(TextTest::EndsWith, operator, operands, at),
            Operator::Contains => self.text_test(TextTest::Contains, operator, operands, at),
            Operator::In => self.membership(operator, operands, at),
            Operator::Matches => self.matches(operator, operands, at),
            Operator::Exists => self.exists(operator, operands, at),
            Operator::Split => self.split(operator, operands, at),
        }
    }

    fn operator(&mut self, head: &Node) -> Option<Operator> {
        let (name, hint) = match &head.kind {
            NodeKind::Symbol(name) => match Operator::named(name) {
                Some(operator) => return Some(operator),
                None => (
                    name.to_string(),
                    Operator::nearest(name).map(|meant| format!("did you mean {}?", meant.form())),
                ),
            },
            NodeKind::Text(text) => {
                let hint = Operator::named(text).map(|_| format!("write {text} without quotation marks"));
                (format!("\"{text}\""), hint)
            }
            NodeKind::Unreadable => return None,
            NodeKind::Context(_)
            | NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Timestamp(_)
            | NodeKind::Boolean(_) => {
                (head.to_string(), Some("the operator comes first, as in (eq $key \"value\")".to_owned()))
            }
            NodeKind::Expression(_) => {
                ("(…)".to_owned(), Some("join expressions with (and … …) or (or … …)".to_owned()))
            }
            NodeKind::List(_) => ("[…]".to_owned(), None),
            NodeKind::Named { name, .. } => (format!("{name}::…"), None),
        };
        let default = "operators are eq, ne, gt, gte, lt, lte, and, or, not, begins_with, ends_with, contains, in, \
                       matches, exists and split";
        let message = format!("there is no operator {}", quoted(&name));
        self.error(Code::UnknownSymbol, head.span, message, Some(hint.unwrap_or_else(|| default.to_owned())));
        None
    }

    /// Checks how many operands there are, and that none has a name. What is wrong is not passed on.
    fn positional<'n>(
        &mut self,
        operator: Operator,
        operands: &'n [Node],
        at: Span,
        least: usize,
        most: usize,
    ) -> Option<&'n [Node]> {
        let mut legal = true;
        if operands.len() < least {
            let message = format!(
                "{} takes {}, and here {}",
                operator.name(),
                wanted(least, most),
                given(operands.len())
            );
            self.error(Code::TooFewOperands, at, message, Some(format!("write {}", operator.form())));
            legal = false;
        }
        if let Some(extra) = operands.get(most) {
            let message = format!(
                "{} takes {}, and here {}",
                operator.name(),
                wanted(least, most),
                given(operands.len())
            );
            let hint = match operator {
                Operator::Not => "join conditions with (and … …) or (or … …)".to_owned(),
                _ => format!("write {}", operator.form()),
            };
            let end = operands.last().map_or(extra.span.end, |last| last.span.end);
            self.error(Code::TooManyOperands, Span::new(extra.span.start, end), message, Some(hint));
            legal = false;
        }
        for operand in operands {
            if let NodeKind::Named { name, name_span, .. } = &operand.kind {
                let message = format!("operands of {} have no names", operator.name());
                self.error(Code::InvalidOperand, *name_span, message, Some(format!("remove {name}::")));
                legal = false;
            }
        }
        legal.then_some(operands)
    }

    /// `and`, `or`, `not`: booleans, expressions, context values.
    fn conditions(
        &mut self,
        operator: Operator,
        operands: &[Node],
        at: Span,
        least: usize,
        most: usize,
    ) -> Option<Vec<Expression>> {
        let legal = self.positional(operator, operands, at, least, most).is_some();
        let conditions: Vec<Option<Expression>> = operands
            .iter()
            .filter(|node| !is_named(node))
            .map(|node| self.condition(operator, node))
            .collect();
        let conditions: Option<Vec<Expression>> = conditions.into_iter().collect();
        conditions.filter(|_| legal)
    }

    fn condition(&mut self, operator: Operator, node: &Node) -> Option<Expression> {
        let kind = match &node.kind {
            NodeKind::Expression(nodes) => return self.expression(nodes, node.span),
            NodeKind::Boolean(boolean) => Kind::Constant(*boolean),
            NodeKind::Context(key) => Kind::Flag(self.key(key, node.span)?),
            NodeKind::Symbol(word) => {
                self.bare_word(word, node.span);
                return None;
            }
            NodeKind::Unreadable => return None,
            NodeKind::Text(_)
            | NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Timestamp(_)
            | NodeKind::List(_)
            | NodeKind::Named { .. } => {
                let message = format!("{} cannot take {}", operator.name(), what(node));
                let hint = "its operands are expressions, true, false or context keys";
                self.error(Code::InvalidOperand, node.span, message, Some(hint.to_owned()));
                return None;
            }
        };
        Some(Expression { kind, span: node.span })
    }

    fn comparison(
        &mut self,
        comparison: Comparison,
        operator: Operator,
        operands: &[Node],
        at: Span,
    ) -> Option<Kind> {
        let [left, right] = self.pair(operator, operands, at)?;
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            for (operand, node) in [(&left, operands.first()), (&right, operands.get(1))] {
                if let Operand::Constant(Constant::Text(text)) = operand
                    && super::number::Number::parse(text).is_some()
                    && let Some(node) = node
                {
                    let message = "a number in quotation marks is ordered as text, \"10\" before \"9\"";
                    self.error(Code::OrderedAsText, node.span, message, Some(format!("write {text}")));
                }
            }
        }
        Some(Kind::Compare(comparison, left, right))
    }

    fn text_test(&mut self, test: TextTest, operator: Operator, operands: &[Node], at: Span) -> Option<Kind> {
        let [text, part] = self.pair(operator, operands, at)?;
        for (operand, node) in [(&text, operands.first()), (&part, operands.get(1))] {
            if let Operand::Constant(constant) = operand
                && !matches!(constant, Constant::Text(_))
                && let Some(node) = node
            {
                let message = format!("{} compares text, and this is {}", operator.name(), what(node));
                let hint = format!("write \"{}\"", constant.to_text());
                self.error(Code::ComparedAsText, node.span, message, Some(hint));
            }
        }
        Some(Kind::Text(test, text, part))
    }

    /// Two values.
    fn pair(&mut self, operator: Operator, operands: &[Node], at: Span) -> Option<[Operand; 2]> {
        let legal = self.positional(operator, operands, at, 2, 2).is_some();
        let values: Vec<Option<Operand>> =
            operands.iter().filter(|node| !is_named(node)).map(|node| self.value(operator, node)).collect();
        match <[Option<Operand>; 2]>::try_from(values) {
            Ok([Some(left), Some(right)]) if legal => Some([left, right]),
            _ => None,
        }
    }

    /// A constant or a context value.
    fn value(&mut self, operator: Operator, node: &Node) -> Option<Operand> {
        if let Some(constant) = constant(node) {
            return Some(Operand::Constant(constant));
        }
        match &node.kind {
            NodeKind::Context(key) => return self.key(key, node.span).map(Operand::Context),
            NodeKind::Symbol(word) => self.bare_word(word, node.span),
            NodeKind::Unreadable => {}
            _ => {
                let hint = match (&node.kind, operator) {
                    (NodeKind::List(_), Operator::Equal) => "use (in $key [\"one\", \"two\"])".to_owned(),
                    (NodeKind::List(_), Operator::NotEqual) => {
                        "use (not (in $key [\"one\", \"two\"]))".to_owned()
                    }
                    (NodeKind::Expression(_), _) => "combine expressions with and, or and not".to_owned(),
                    _ => "write a text, a number, a timestamp, a boolean or a context key".to_owned(),
                };
                let message = format!("{} cannot take {}", operator.name(), what(node));
                self.error(Code::InvalidOperand, node.span, message, Some(hint));
                if let NodeKind::Expression(nodes) = &node.kind {
                    self.expression(nodes, node.span);
                }
            }
        }
        None
    }

    fn membership(&mut self, operator: Operator, operands: &[Node], at: Span) -> Option<Kind> {
        let legal = self.positional(operator, operands, at, 2, 2).is_some();
        let value = operands.first().filter(|node| !is_named(node)).map(|node| self.value(operator, node));
        let list = operands.get(1).filter(|node| !is_named(node)).map(|node| self.constants(node));
        match (value, list) {
            (Some(Some(value)), Some(Some(list))) if legal => Some(Kind::In(value, list)),
            _ => None,
        }
    }

    fn constants(&mut self, node: &Node) -> Option<Vec<Constant>> {
        let NodeKind::List(members) = &node.kind else {
            if !matches!(node.kind, NodeKind::Unreadable) {
                let message = format!("the second operand of in is a list of constants, not {}", what(node));
                let hint = match &node.kind {
                    NodeKind::Context(_) => {
                        "compare two context values with eq; there is no list in a context".to_owned()
                    }
                    _ if constant(node).is_some() => format!("write [{node}]"),
                    _ => "write [\"one\", \"two\"]".to_owned(),
                };
                self.error(Code::InvalidOperand, node.span, message, Some(hint));
            }
            return None;
        };
        if members.len() > MAX_LIST_MEMBERS {
            let message = format!("a list has at most {MAX_LIST_MEMBERS} members");
            self.error(Code::TooManyOperands, node.span, message, None);
            return None;
        }
        let mut constants = Vec::with_capacity(members.len());
        for member in members {
            match (&member.kind, constant(member)) {
                (_, Some(constant)) => constants.push(constant),
                (NodeKind::Unreadable, None) => {}
                (NodeKind::Symbol(word), None) => self.bare_word(word, member.span),
                (_, None) => {
                    let message = format!("a list has constants as members, not {}", what(member));
                    self.error(Code::InvalidOperand, member.span, message, None);
                }
            }
        }
        (constants.len() == members.len()).then_some(constants)
    }

    fn matches(&mut self, operator: Operator, operands: &[Node], at: Span) -> Option<Kind> {
        let [text, pattern, _] = self.named(operator, operands, at, ["in", "pattern", ""], 2);
        let text = text.map(|text| self.value(operator, text));
        let pattern = pattern.map(|pattern| self.pattern(pattern));
        match (text, pattern) {
            (Some(Some(text)), Some(Some(pattern))) => Some(Kind::Matches(text, pattern)),
            _ => None,
        }
    }

    fn pattern(&mut self, node: &Node) -> Option<Pattern> {
        let NodeKind::Text(text) = &node.kind else {
            self.not_a_text("pattern", node, "write pattern::\"regex\"".to_owned());
            return None;
        };
        let compiled = Pattern::compile(text);
        if compiled.is_none() {
            let message = format!("{} is not a regular expression, or too large a one", quoted(text));
            let hint =
                "the syntax is RE2's: no back-references, no look-around; a backslash is written twice";
            self.error(Code::InvalidPattern, node.span, message, Some(hint.to_owned()));
        }
        compiled
    }

    fn exists(&mut self, operator: Operator, operands: &[Node], at: Span) -> Option<Kind> {
        let [key, ..] = self.named(operator, operands, at, ["key", "", ""], 1);
        let node = key?;
        match &node.kind {
            NodeKind::Text(key) => {
                if let Some(name) = key.strip_prefix('$') {
                    let message = "the name of this key begins with a dollar sign";
                    let hint = format!("the key that $… reads is asked for by key::{}", text_node(name));
                    self.error(Code::SuspiciousKey, node.span, message, Some(hint));
                }
                Some(Kind::Exists(key.clone()))
            }
            NodeKind::Context(key) => {
                self.not_a_text("key", node, format!("write key::{}", text_node(key)));
                None
            }
            _ => {
                self.not_a_text("key", node, "write key::\"name\"".to_owned());
                None
            }
        }
    }

    fn not_a_text(&mut self, name: &str, node: &Node, hint: String) {
        if !matches!(node.kind, NodeKind::Unreadable) {
            let message = format!("{name} takes a text in quotation marks, not {}", what(node));
            self.error(Code::InvalidOperand, node.span, message, Some(hint));
        }
    }

    fn split(&mut self, operator: Operator, operands: &[Node], at: Span) -> Option<Kind> {
        let [percent, by, seed] = self.named(operator, operands, at, ["pct", "by", "seed"], 2);
        let percent = percent.map(|percent| self.percent(percent));
        let by = by.map(|by| self.split_by(by));
        let seed = match seed {
            None => Some(None),
            Some(Node { kind: NodeKind::Text(seed), .. }) => Some(Some(seed.clone())),
            Some(node) => {
                self.not_a_text("seed", node, "write seed::\"text\"".to_owned());
                None
            }
        };
        match (percent, by, seed) {
            (Some(Some(percent)), Some(Some(by)), Some(seed)) => {
                Some(Kind::Split(Split { by, percent, seed }))
            }
            _ => None,
        }
    }

    fn percent(&mut self, node: &Node) -> Option<f64> {
        let hint = match &node.kind {
            NodeKind::Integer(_) | NodeKind::Float(_) => {
                let percent = constant(node)?.number()?.as_float();
                if (0.0..=100.0).contains(&percent) {
                    return Some(percent);
                }
                "0 is nobody, 100 everybody".to_owned()
            }
            NodeKind::Unreadable => return None,
            NodeKind::Text(text) => format!("write pct::{}", text.trim_end_matches('%').trim()),
            _ => "write pct::10".to_owned(),
        };
        let message = format!("pct is a number from 0 to 100, not {}", quoted(&node.to_string()));
        self.error(Code::InvalidPercentage, node.span, message, Some(hint));
        None
    }

    fn split_by(&mut self, node: &Node) -> Option<Vec<Operand>> {
        let by = match &node.kind {
            NodeKind::List(members) if members.is_empty() => {
                let hint = "write by::$userId".to_owned();
                self.error(Code::InvalidOperand, node.span, "there is nothing to split by", Some(hint));
                return None;
            }
            NodeKind::List(members) => {
                let by: Vec<Option<Operand>> =
                    members.iter().map(|member| self.value(Operator::Split, member)).collect();
                by.into_iter().collect::<Option<Vec<Operand>>>()?
            }
            _ => vec![self.value(Operator::Split, node)?],
        };
        if by.iter().all(|operand| matches!(operand, Operand::Constant(_))) {
            let message = "a split by a constant takes everybody or nobody";
            self.error(Code::ConstantSplit, node.span, message, Some("write by::$userId".to_owned()));
        }
        Some(by)
    }

    /// The operands by name; the first `required` names must be there, and empty names are none.
    fn named<'n>(
        &mut self,
        operator: Operator,
        operands: &'n [Node],
        at: Span,
        names: [&'static str; 3],
        required: usize,
    ) -> [Option<&'n Node>; 3] {
        let known: Vec<&'static str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        let mut by_name: [Option<&'n Node>; 3] = [None; 3];
        let mut misplaced = false;
        for operand in operands {
            let NodeKind::Named { name, name_span, value } = &operand.kind else {
                misplaced = true;
                if !matches!(operand.kind, NodeKind::Unreadable) {
                    let message = format!("operands of {} are named", operator.name());
                    let hint = match (operator, &operand.kind) {
                        (Operator::Exists, NodeKind::Context(key) | NodeKind::Text(key)) => {
                            format!("write (exists key::{})", text_node(key))
                        }
                        _ => format!("write {}", operator.form()),
                    };
                    self.error(Code::InvalidOperand, operand.span, message, Some(hint));
                }
                continue;
            };
            let slot =
                names.iter().zip(&mut by_name).find(|(known, _)| !known.is_empty() && **known == &**name);
            match slot {
                None => {
                    misplaced = true;
                    let message = format!("{} has no operand {}", operator.name(), quoted(name));
                    let hint = match operator::nearest(name, known.iter().copied(), |name| name) {
                        Some(meant) => format!("did you mean {meant}::?"),
                        None => format!("its operands are {}", known.join(", ")),
                    };
                    self.error(Code::InvalidOperand, *name_span, message, Some(hint));
                }
                Some((_, Some(_))) => {
                    misplaced = true;
                    let message = format!("{name} is given twice");
                    self.error(Code::InvalidOperand, operand.span, message, None);
                }
                Some((_, slot)) => *slot = Some(&**value),
            }
        }
        for (name, slot) in names.iter().zip(&by_name).take(required) {
            // An operand in the wrong shape may have been meant for it; one error is enough.
            if slot.is_none() && !misplaced {
                let message = format!("{} needs {name}", operator.name());
                self.error(Code::MissingOperand, at, message, Some(format!("write {}", operator.form())));
            }
        }
        by_name
    }

    fn key(&mut self, key: &str, span: Span) -> Option<Box<str>> {
        if key.is_empty() {
            self.error(Code::InvalidOperand, span, "`$` names no context key", Some("write $key".to_owned()));
            return None;
        }
        Some(key.into())
    }

    fn bare_word(&mut self, word: &str, span: Span) {
        // In quotes it is longer than the word.
        let (message, hint) = if span.end.saturating_sub(span.start) > word.len() {
            ("texts are not in single quotation marks".to_owned(), format!("write {}", text_node(word)))
        } else {
            (format!("{} is a bare word", quoted(word)), word_hint(word))
        };
        self.error(Code::UnknownSymbol, span, message, Some(hint));
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, hint: Option<String>) {
        let diagnostic = Diagnostic::new(code, span, message);
        self.found.add(match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    }
}

fn text_node(text: &str) -> Node {
    Node { kind: NodeKind::Text(text.chars().take(40).collect::<String>().into()), span: Span::default() }
}

fn is_named(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Named { .. })
}

fn constant(node: &Node) -> Option<Constant> {
    match &node.kind {
        NodeKind::Text(text) => Some(Constant::Text(text.clone())),
        NodeKind::Integer(integer) => Some(Constant::Integer(*integer)),
        NodeKind::Float(float) => Some(Constant::Float(*float)).filter(|_| float.is_finite()),
        NodeKind::Timestamp(timestamp) => Some(Constant::Timestamp(timestamp.clone())),
        NodeKind::Boolean(boolean) => Some(Constant::Boolean(*boolean)),
        NodeKind::Expression(_)
        | NodeKind::List(_)
        | NodeKind::Named { .. }
        | NodeKind::Symbol(_)
        | NodeKind::Context(_)
        | NodeKind::Unreadable => None,
    }
}

fn what(node: &Node) -> &'static str {
    match &node.kind {
        NodeKind::Expression(_) => "an expression",
        NodeKind::List(_) => "a list",
        NodeKind::Named { .. } => "a named operand",
        NodeKind::Symbol(_) => "a bare word",
        NodeKind::Context(_) => "a context key",
        NodeKind::Text(_) => "a text",
        NodeKind::Integer(_) | NodeKind::Float(_) => "a number",
        NodeKind::Timestamp(_) => "a timestamp",
        NodeKind::Boolean(_) => "a boolean",
        NodeKind::Unreadable => "what cannot be read",
    }
}

fn wanted(least: usize, most: usize) -> String {
    match (least, most) {
        (1, 1) => "one operand".to_owned(),
        (2, 2) => "two operands".to_owned(),
        _ => format!("at least {least} operands"),
    }
}

fn given(count: usize) -> String {
    match count {
        0 => "is none".to_owned(),
        1 => "is one".to_owned(),
        count => format!("are {count}"),
    }
}
