//! From the tree back to text: legal Ion, on one line.

use std::fmt::{self, Write as _};

use super::syntax::{Node, NodeKind};

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NodeKind::Expression(nodes) => {
                f.write_char('(')?;
                separated(f, nodes, " ")?;
                f.write_char(')')
            }
            NodeKind::List(nodes) => {
                f.write_char('[')?;
                separated(f, nodes, ", ")?;
                f.write_char(']')
            }
            NodeKind::Named { name, value, .. } => {
                symbol(f, "", name)?;
                write!(f, "::{value}")
            }
            NodeKind::Symbol(text) => symbol(f, "", text),
            NodeKind::Context(key) => symbol(f, "$", key),
            NodeKind::Text(text) => quoted(f, '"', &["", text]),
            NodeKind::Integer(integer) => write!(f, "{integer}"),
            // Debug output has a fraction or an exponent, so it is not read as an integer.
            NodeKind::Float(float) => write!(f, "{float:?}"),
            NodeKind::Timestamp(timestamp) => write!(f, "{timestamp}"),
            NodeKind::Boolean(boolean) => write!(f, "{boolean}"),
            NodeKind::Unreadable => f.write_char('?'),
        }
    }
}

fn separated(f: &mut fmt::Formatter<'_>, nodes: &[Node], separator: &str) -> fmt::Result {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{node}")?;
    }
    Ok(())
}

/// Bare where Ion reads it as the same symbol, else in quotes.
fn symbol(f: &mut fmt::Formatter<'_>, prefix: &str, text: &str) -> fmt::Result {
    if is_bare_symbol(prefix, text) { write!(f, "{prefix}{text}") } else { quoted(f, '\'', &[prefix, text]) }
}

/// Whether `prefix` and `text` together are an identifier that means neither a keyword nor a symbol id.
fn is_bare_symbol(prefix: &str, text: &str) -> bool {
    let mut chars = prefix.chars().chain(text.chars());
    let identifier = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    let after_dollar = if prefix.is_empty() { text.strip_prefix('$') } else { Some(text) };
    let id = after_dollar.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let keyword = prefix.is_empty() && ["true", "false", "null", "nan"].contains(&text);
    identifier && !id && !keyword
}

fn quoted(f: &mut fmt::Formatter<'_>, quote: char, parts: &[&str]) -> fmt::Result {
    f.write_char(quote)?;
    for c in parts.iter().flat_map(|part| part.chars()) {
        match c {
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c == quote => write!(f, "\\{c}")?,
            c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char(quote)
}
