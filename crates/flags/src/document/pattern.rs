//! The dialect of patterns, in attribute constraints and in rules: RE2, found anywhere in the text.
//!
//! The `regex` crate has RE2's syntax and linear time, but means more by it: its `\d`, `\s`, `\w` and `\b` know all of
//! Unicode, which accepts other texts and makes `\w{1,64}` too large to compile; and within a class it gives `[`, `&&`
//! and `~~` a meaning of their own. So a pattern is rewritten before it is compiled.

use regex::{Regex, RegexBuilder};

/// Memory a compiled pattern may take, in bytes: enough for any sensible one, little enough to be no burden.
const MAX_PATTERN_BYTES: usize = 1 << 18;

/// A pattern of a rule, compiled. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    source: Box<str>,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    /// `None` if it is not legal, or too large.
    pub(crate) fn compile(source: &str) -> Option<Self> {
        Some(Self { source: source.into(), regex: compile(source)? })
    }

    /// Whether it is found anywhere in `text`.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Compiles a pattern. `None` if it is not legal, or too large.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(&from_re2(pattern)).size_limit(MAX_PATTERN_BYTES).build().ok()
}

fn from_re2(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut in_class = false;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                // A class within a class is their union.
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('s') => out.push_str(r"[\t\n\f\r ]"),
                Some('S') => out.push_str(r"[^\t\n\f\r ]"),
                Some('b') if !in_class => out.push_str(r"(?-u:\b)"),
                Some(escaped) => out.extend(['\\', escaped]),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // At the very beginning of a class a closing bracket stands for itself.
                if chars.next_if_eq(&']').is_some() {
                    out.push_str(r"\]");
                }
            }
            '[' if chars.peek() == Some(&':') => {
                // A named class such as `[:alpha:]`, whose closing bracket does not close the class around it.
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', c]),
            ']' => {
                in_class = false;
                out.push(']');
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::compile;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern).unwrap_or_else(|| panic!("{pattern}")).is_match(text)
    }

    #[test]
    fn classes_and_boundaries_are_ascii() {
        for (pattern, text, expected) in [
            (r"^\d+$", "12", true),
            (r"^\d+$", "١٢", false),
            (r"^\w{1,64}$", "snake_case9", true),
            (r"^\w+$", "größe", false),
            (r"^[\w.-]+$", "a.b-c", true),
            (r"^[^\W\d]+$", "abc", true),
            (r"^[^\W\d]+$", "ab1", false),
            (r"^\S+\s\S+$", "a b", true),
            (r"^\S+\s\S+$", "a\u{a0}b", false),
            (r"\bcat\b", "a cat!", true),
            (r"\bcat\b", "concat", false),
            (r"^.$", "é", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn within_a_class_punctuation_stands_for_itself() {
        assert!(matches("^[[]$", "["));
        assert!(matches("^[^[]$", "a"));
        assert!(matches("^[]a]+$", "]a"));
        assert!(matches("^[a&&b]+$", "a&b"));
        assert!(matches("^[~~]$", "~"));
        assert!(matches("^[[:alpha:]_]+$", "ab_"));
        assert!(matches(r"^[\]\[]+$", "[]"));
    }

    #[test]
    fn what_re2_does_not_know_is_refused_and_so_is_what_is_too_large() {
        for pattern in ["(", "[a", r"a\", "(?=a)", r"(a)\1", r"\pL{1000}", "(a{999}){999}"] {
            assert!(compile(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn patterns_are_found_anywhere() {
        assert!(matches("b+", "abc"));
    }
}
