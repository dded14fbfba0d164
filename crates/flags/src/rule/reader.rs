//! From the text of a rule to its tree, with everything that is wrong on the way.
//!
//! The text is one Ion s-expression. Two things that are not Ion are read as well, because the vendor's manual shows
//! them: a bare year and month (`2024-01`), and lists without commas. **Invariants:** the reader never gives up at the
//! first fault, never panics, and recurses no deeper than it is told, for a rule [`MAX_DEPTH`]; the text of a rule has
//! at most [`MAX_RULE_CHARS`].

use super::diagnostic::{Code, Diagnostic, Diagnostics, quoted};
use super::literal;
use super::operator::Operator;
use super::syntax::{Node, NodeKind, Span};
use crate::document::MAX_RULE_CHARS;

/// Deepest nesting of expressions and lists; the rule itself is at depth 1.
pub const MAX_DEPTH: usize = 64;

/// Most members of a list.
pub const MAX_LIST_MEMBERS: usize = 10_000;

/// What was read of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The tree; `None` when the text is no expression at all. It has [`NodeKind::Unreadable`] where something could
    /// not be read.
    pub node: Option<Node>,
    /// What is wrong, all of it errors. Empty exactly if the tree is whole.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the text of a rule. Whether its operators exist and take their operands is not asked.
#[must_use]
pub fn read(text: &str) -> Reading {
    let mut found = Diagnostics::default();
    let node = read_into(text, &mut found);
    let mut diagnostics = found.into_vec();
    for diagnostic in &mut diagnostics {
        diagnostic.location = super::location::of(node.as_ref(), diagnostic.span);
    }
    Reading { node, diagnostics }
}

/// What was read of a text of several values.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// The values, with [`NodeKind::Unreadable`] where something could not be read.
    pub nodes: Vec<Node>,
    /// What is wrong, all of it errors. Empty exactly if the trees are whole.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads values one after the other, such as the text in which flags travel: Ion, as far as rules use it.
#[must_use]
pub fn read_values(text: &str, max_depth: usize) -> Values {
    let mut found = Diagnostics::default();
    let mut reader = Reader { text, at: 0, depth: 0, max_depth, ran_on: false, found: &mut found };
    let mut nodes = Vec::new();
    loop {
        reader.space();
        match reader.peek() {
            None => return Values { nodes, diagnostics: found.into_vec() },
            Some(')' | ']' | ',') => {
                let stray = reader.bump_span();
                let message = format!("{} belongs to nothing", quoted(stray.of(text)));
                reader.error(Code::NotAnExpression, stray, message, None);
            }
            Some(_) => nodes.push(reader.value()),
        }
    }
}

/// [`read`] without locations.
pub(super) fn read_into(text: &str, found: &mut Diagnostics) -> Option<Node> {
    if text.chars().nth(MAX_RULE_CHARS).is_some() {
        let message = format!("a rule has at most {MAX_RULE_CHARS} characters");
        found.add(Diagnostic::new(Code::NotAnExpression, Span::new(0, text.len()), message));
        return None;
    }
    read_printed(text, found)
}

/// [`read_into`] for a text that was printed, which is as long as it is.
pub(super) fn read_printed(text: &str, found: &mut Diagnostics) -> Option<Node> {
    Reader { text, at: 0, depth: 0, max_depth: MAX_DEPTH, ran_on: false, found }.rule()
}

struct Reader<'t, 'd> {
    text: &'t str,
    at: usize,
    depth: usize,
    max_depth: usize,
    /// Whether something ran on to the end of the text; then nothing else is expected to be closed.
    ran_on: bool,
    found: &'d mut Diagnostics,
}

impl<'t> Reader<'t, '_> {
    fn rule(&mut self) -> Option<Node> {
        self.space();
        let start = self.at;
        if self.peek() != Some('(') {
            let rest = self.rest().trim_end();
            let named = rest.split_once("::").is_some_and(|(name, value)| {
                name.trim_end().chars().all(is_identifier) && value.trim_start().starts_with('(')
            });
            let hint = if named {
                "a rule as a whole has no name: remove it, and the ::"
            } else if rest.starts_with('$') {
                "compare it, as in (eq $key \"value\")"
            } else {
                "a rule is an operator and its operands in parentheses, as in (eq $key \"value\")"
            };
            let message = if rest.is_empty() {
                "there is no rule".to_owned()
            } else {
                format!("{} is not an expression in parentheses", quoted(rest))
            };
            let end = start + rest.len();
            self.error(Code::NotAnExpression, Span::new(start, end), message, Some(hint));
            return None;
        }
        let node = self.value();
        self.space();
        if self.at < self.text.len() {
            let rest = self.rest().trim_end();
            let span = Span::new(self.at, self.at + rest.len());
            let (message, hint) = match self.peek() {
                Some(')') => ("there is one `)` too many".to_owned(), None),
                Some('(') => (
                    "a rule is one expression, and here is a second one".to_owned(),
                    Some("join them with (and … …)"),
                ),
                _ => (format!("{} follows the end of the rule", quoted(rest)), None),
            };
            self.error(Code::NotAnExpression, span, message, hint);
        }
        Some(node)
    }

    /// One value. There is a character that is neither white space nor a closing bracket.
    fn value(&mut self) -> Node {
        let start = self.at;
        let mut node = self.unnamed();
        let mut names: Option<(Box<str>, Span)> = None;
        loop {
            let before = self.at;
            self.space();
            let colons = if self.rest().starts_with("::") {
                2
            } else if self.rest().starts_with(':') {
                1
            } else {
                self.at = before;
                break;
            };
            let sign = Span::new(self.at, self.at + colons);
            self.at += colons;
            if colons == 1 {
                self.error(
                    Code::InvalidOperand,
                    sign,
                    "a name is followed by two colons",
                    Some("write name::value"),
                );
            }
            let name = match node.kind {
                NodeKind::Symbol(name) => name,
                NodeKind::Context(key) => format!("${key}").into(),
                NodeKind::Boolean(boolean) => boolean.to_string().into(),
                NodeKind::Text(text) => {
                    self.error(Code::InvalidOperand, node.span, "a name is not in quotation marks", None);
                    text
                }
                _ => {
                    if !matches!(node.kind, NodeKind::Unreadable) {
                        self.error(Code::InvalidOperand, node.span, "only a word can be a name", None);
                    }
                    "".into()
                }
            };
            if let Some((_, first)) = &names {
                let span = Span::new(first.start, node.span.end);
                self.error(Code::InvalidOperand, span, "an operand has one name", None);
            } else {
                names = Some((name, node.span));
            }
            self.space();
            node = match self.peek() {
                None | Some(')' | ']' | ',') => {
                    self.error(
                        Code::InvalidOperand,
                        sign,
                        "a name without a value",
                        Some("write name::value"),
                    );
                    Node { kind: NodeKind::Unreadable, span: Span::new(sign.end, sign.end) }
                }
                Some(_) => self.unnamed(),
            };
        }
        match names {
            None => node,
            Some((name, name_span)) => {
                let span = Span::new(start, node.span.end);
                Node { kind: NodeKind::Named { name, name_span, value: Box::new(node) }, span }
            }
        }
    }

    fn unnamed(&mut self) -> Node {
        let start = self.at;
        let kind = match self.peek() {
            Some('(') => self.nested(Self::expression),
            Some('[') => self.nested(Self::list),
            Some('"') => self.text(),
            Some('\'') if self.rest().starts_with("'''") => self.long_text(),
            Some('\'') => self.quoted_symbol(),
            Some('{') => self.braces(),
            Some(c) if c.is_ascii_digit() => self.number(),
            Some('-') if self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number(),
            _ => self.word(),
        };
        Node { kind, span: Span::new(start, self.at) }
    }

    fn nested(&mut self, read: fn(&mut Self) -> NodeKind) -> NodeKind {
        if self.depth >= self.max_depth {
            let start = self.at;
            self.skip_group();
            let message = format!("nested deeper than {}", self.max_depth);
            let span = Span::new(start, self.at);
            self.error(Code::TooDeep, span, message, Some("split the rule over several variants"));
            return NodeKind::Unreadable;
        }
        self.depth += 1;
        let kind = read(self);
        self.depth -= 1;
        kind
    }

    fn expression(&mut self) -> NodeKind {
        let open = self.bump_span();
        let mut nodes = Vec::new();
        loop {
            self.space();
            match self.peek() {
                None => {
                    if !self.ran_on {
                        let hint = Some("add `)` at the end");
                        self.error(Code::NotAnExpression, open, "this `(` is never closed", hint);
                    }
                    return NodeKind::Expression(nodes);
                }
                Some(')') => {
                    self.bump();
                    return NodeKind::Expression(nodes);
                }
                Some(']') => {
                    let stray = self.bump_span();
                    self.error(Code::NotAnExpression, stray, "this `]` closes nothing", None);
                }
                Some(',') => {
                    let stray = self.bump_span();
                    let hint = Some("put white space between operands; commas are for lists in []");
                    self.error(Code::InvalidOperand, stray, "operands are not separated by commas", hint);
                }
                Some(_) => nodes.push(self.value()),
            }
        }
    }

    fn list(&mut self) -> NodeKind {
        let open = self.bump_span();
        let mut nodes = Vec::new();
        let mut comma_expected = false;
        loop {
            self.space();
            match self.peek() {
                None | Some(')') => {
                    if !self.ran_on {
                        let hint = Some("add `]` after the last member");
                        self.error(Code::NotAnExpression, open, "this `[` is never closed", hint);
                    }
                    return NodeKind::List(nodes);
                }
                Some(']') => {
                    self.bump();
                    return NodeKind::List(nodes);
                }
                Some(',') => {
                    let comma = self.bump_span();
                    if !comma_expected {
                        self.error(
                            Code::InvalidOperand,
                            comma,
                            "a member is missing before this comma",
                            None,
                        );
                    }
                    comma_expected = false;
                }
                Some(_) => {
                    nodes.push(self.value());
                    comma_expected = true;
                }
            }
        }
    }

    fn text(&mut self) -> NodeKind {
        let start = self.at;
        self.bump();
        match self.until_quote('"', start) {
            Some(text) => NodeKind::Text(text.into()),
            None => NodeKind::Unreadable,
        }
    }

    /// `'''…'''`, of which several in a row are one text.
    fn long_text(&mut self) -> NodeKind {
        let mut text = String::new();
        let mut whole = true;
        loop {
            let start = self.at;
            self.at += 3;
            loop {
                if self.rest().starts_with("'''") {
                    self.at += 3;
                    break;
                }
                match self.peek() {
                    None => {
                        let opening = Span::new(start, start + 3);
                        self.error(
                            Code::NotAnExpression,
                            opening,
                            "this ''' is never closed",
                            Some("add ''' at the end"),
                        );
                        self.ran_on = true;
                        return NodeKind::Unreadable;
                    }
                    Some('\\') => whole &= self.escape(&mut text),
                    Some('\r') => {
                        self.bump();
                        if self.peek() != Some('\n') {
                            text.push('\n');
                        }
                    }
                    Some(c) => {
                        self.bump();
                        text.push(c);
                    }
                }
            }
            let end = self.at;
            self.space();
            if !self.rest().starts_with("'''") {
                self.at = end;
                break;
            }
        }
        if whole { NodeKind::Text(text.into()) } else { NodeKind::Unreadable }
    }

    fn quoted_symbol(&mut self) -> NodeKind {
        let start = self.at;
        self.bump();
        let Some(text) = self.until_quote('\'', start) else { return NodeKind::Unreadable };
        match text.strip_prefix('$') {
            Some("") => self.keyless(start),
            Some(key) => NodeKind::Context(key.into()),
            None => NodeKind::Symbol(text.into()),
        }
    }

    fn keyless(&mut self, start: usize) -> NodeKind {
        let span = Span::new(start, self.at);
        self.error(Code::InvalidOperand, span, "`$` names no context key", Some("write $key"));
        NodeKind::Unreadable
    }

    /// The rest of a text or a quoted symbol that began at `start`; `None` if something was reported.
    fn until_quote(&mut self, quote: char, start: usize) -> Option<String> {
        let mut text = String::new();
        let mut whole = true;
        loop {
            match self.peek() {
                None => {
                    let message = format!("this {quote} is never closed");
                    self.error(
                        Code::NotAnExpression,
                        Span::new(start, start + 1),
                        message,
                        Some(&format!("add {quote}")),
                    );
                    self.ran_on = true;
                    return None;
                }
                Some('\n' | '\r') => {
                    let line_end = Span::new(self.at, self.at + 1);
                    if whole {
                        let message = format!("a line ends before this {quote} is closed");
                        let hint = "close it, or write the line break as \\n";
                        self.error(Code::InvalidOperand, Span::new(start, line_end.end), message, Some(hint));
                    }
                    whole = false;
                    self.bump();
                }
                Some('\\') => whole &= self.escape(&mut text),
                Some(c) => {
                    self.bump();
                    if c == quote {
                        return whole.then_some(text);
                    }
                    if c < ' ' && !matches!(c, '\t' | '\x0B' | '\x0C') {
                        let span = Span::new(self.at - 1, self.at);
                        let hint = format!("write \\x{:02x}", u32::from(c));
                        let message = "a control character in a text must be escaped";
                        self.error(Code::InvalidOperand, span, message, Some(&hint));
                        whole = false;
                    }
                    text.push(c);
                }
            }
        }
    }

    /// An escape sequence; `false` if it was reported.
    fn escape(&mut self, text: &mut String) -> bool {
        let start = self.at;
        match literal::escape(self.rest()) {
            Ok((length, c)) => {
                self.at += length;
                text.extend(c);
                true
            }
            Err(length) => {
                self.at += length;
                let span = Span::new(start, self.at);
                let message = format!("{} is not an escape sequence", quoted(span.of(self.text)));
                self.error(Code::InvalidOperand, span, message, Some("write a backslash itself as \\\\"));
                false
            }
        }
    }

    /// `{…}` and `{{…}}` are Ion, but nothing a rule uses.
    fn braces(&mut self) -> NodeKind {
        let start = self.at;
        self.skip_group();
        let span = Span::new(start, self.at);
        self.error(
            Code::InvalidOperand,
            span,
            "rules have no braces",
            Some("write a list as [\"one\", \"two\"]"),
        );
        NodeKind::Unreadable
    }

    /// A number or a timestamp; there is a digit, or a minus and a digit.
    fn number(&mut self) -> NodeKind {
        let start = self.at;
        let more = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
        while let Some(c) = self.peek()
            && (more(c) || c == ':' && !self.rest().starts_with("::"))
        {
            self.bump();
        }
        let number = Span::new(start, self.at).of(self.text);
        self.rest_of_word();
        let span = Span::new(start, self.at);
        let whole = span.of(self.text);
        let fault = if whole.len() == number.len() {
            match literal::number(number) {
                Ok(kind) => return kind,
                Err(fault) => fault,
            }
        } else if whole.strip_suffix('%') == Some(number) {
            literal::Fault { message: "a percentage is written without %", hint: format!("write {number}") }
        } else {
            literal::Fault {
                message: "neither a number nor a timestamp",
                hint: format!("as a text it is written \"{}\"", whole.replace(['"', '\\'], "")),
            }
        };
        let message = format!("{}: {}", quoted(whole), fault.message);
        self.error(Code::InvalidOperand, span, message, Some(&fault.hint));
        NodeKind::Unreadable
    }

    /// A context key, a boolean, a name or an operator.
    fn word(&mut self) -> NodeKind {
        let start = self.at;
        self.rest_of_word();
        if self.at == start {
            self.bump();
            return self.strange(start);
        }
        let word = Span::new(start, self.at).of(self.text);
        match word.strip_prefix('$') {
            Some("") => self.keyless(start),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let hint = format!("write '{word}'");
                let message = format!("{} is the number of a symbol, not a context key", quoted(word));
                self.error(Code::InvalidOperand, Span::new(start, self.at), message, Some(&hint));
                NodeKind::Context(digits.into())
            }
            Some(key) if key.chars().all(is_identifier) => NodeKind::Context(key.into()),
            Some(key) => {
                let stop = key.find(|c| !is_identifier(c)).unwrap_or(0) + 1;
                let message = format!(
                    "the key in {} must be in quotes, else it ends at {}",
                    quoted(word),
                    quoted(word.get(..stop).unwrap_or_default())
                );
                self.error(
                    Code::UnknownSymbol,
                    Span::new(start, self.at),
                    message,
                    Some(&format!("write '{word}'")),
                );
                NodeKind::Context(key.into())
            }
            None => match word {
                "true" => NodeKind::Boolean(true),
                "false" => NodeKind::Boolean(false),
                _ => NodeKind::Symbol(word.into()),
            },
        }
    }

    /// A character that begins nothing.
    fn strange(&mut self, start: usize) -> NodeKind {
        while self.peek().is_some_and(|c| !c.is_whitespace() && !"()[],:\"'{".contains(c)) {
            self.bump();
        }
        let span = Span::new(start, self.at);
        let strange = span.of(self.text);
        let hint = if strange.starts_with(['“', '”', '„', '‟', '‘', '’', '«', '»']) {
            "texts are in straight quotation marks, \"…\""
        } else {
            "texts are in quotation marks, \"…\""
        };
        self.error(Code::UnknownSymbol, span, format!("{} begins nothing", quoted(strange)), Some(hint));
        NodeKind::Unreadable
    }

    /// Letters, digits and operator characters. Ion would split `us-east` in three; none of them could be meant.
    fn rest_of_word(&mut self) {
        while let Some(c) = self.peek()
            && (is_identifier(c) || is_operator(c) || !c.is_ascii() && c.is_alphanumeric())
            && !self.at_comment()
        {
            self.bump();
        }
    }

    /// Passes over a bracketed group without recursion.
    fn skip_group(&mut self) {
        let mut open = 0_usize;
        loop {
            self.space();
            match self.peek() {
                None => return,
                Some('(' | '[' | '{') => {
                    self.bump();
                    open += 1;
                }
                Some(')' | ']' | '}') => {
                    self.bump();
                    open = open.saturating_sub(1);
                    if open == 0 {
                        return;
                    }
                }
                Some('\'') if self.rest().starts_with("'''") => drop(self.long_text()),
                Some(quote @ ('"' | '\'')) => {
                    let start = self.at;
                    self.bump();
                    self.until_quote(quote, start);
                }
                Some(_) => self.bump(),
            }
        }
    }

    /// White space and comments.
    fn space(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\n' | '\r' | '\x0B' | '\x0C') => self.bump(),
                Some('/') if self.rest().starts_with("//") => {
                    self.at += self.rest().find(['\n', '\r']).unwrap_or(self.rest().len());
                }
                Some('/') if self.rest().starts_with("/*") => {
                    let opening = Span::new(self.at, self.at + 2);
                    self.at += 2;
                    match self.rest().find("*/") {
                        Some(length) => self.at += length + 2,
                        None => {
                            let message = "this comment is never closed";
                            self.error(Code::NotAnExpression, opening, message, Some("add */"));
                            self.ran_on = true;
                            self.at = self.text.len();
                        }
                    }
                }
                _ => return,
            }
        }
    }

    fn at_comment(&self) -> bool {
        self.rest().starts_with("//") || self.rest().starts_with("/*")
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    /// The next character's place, which is consumed.
    fn bump_span(&mut self) -> Span {
        let start = self.at;
        self.bump();
        Span::new(start, self.at)
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, hint: Option<&str>) {
        let diagnostic = Diagnostic::new(code, span, message);
        self.found.add(match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    }
}

const fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$')
}

/// What Ion allows in operator symbols.
fn is_operator(c: char) -> bool {
    "!#%&*+-./;<=>?@^`|~".contains(c)
}

/// A bare word that is hardly an operator, as somebody meant it.
pub(super) fn word_hint(word: &str) -> String {
    if let Some(number) = word.strip_prefix(['+', '.'])
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let zero = if word.starts_with('.') { "0." } else { "" };
        return format!("a number is written {zero}{number}");
    }
    if word == "null" {
        return "a key is missing where (not (exists key::\"name\")) is true".to_owned();
    }
    if let Some(operator) = Operator::named(word) {
        return format!("an expression is in parentheses, as in {}", operator.form());
    }
    let plain: String = word.chars().filter(|c| *c != '"' && *c != '\\').take(40).collect();
    let key = NodeKind::Context(plain.as_str().into());
    format!("a text is written \"{plain}\", a context key {}", Node { kind: key, span: Span::default() })
}
