//! The words AWS uses for a request member that breaks a constraint of the model.
//!
//! Clients and tests match on these messages, so they are built here from the violated bound and nowhere else.
//! The message lists every violation of a request, not only the first.

use std::fmt;

/// What a member must satisfy. Displays as the text after `failed to satisfy constraint: `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint<'a> {
    /// It is required.
    NotNull,
    /// A text, list or map has at least this many characters or entries.
    LengthAtLeast(i64),
    /// A text, list or map has at most this many characters or entries.
    LengthAtMost(i64),
    /// A number is at least this.
    ValueAtLeast(i64),
    /// A number is at most this.
    ValueAtMost(i64),
    /// A text matches this pattern.
    Pattern(&'a str),
    /// A text is one of these.
    OneOf(&'a [&'a str]),
    /// Anything else, as the service words it.
    Text(&'a str),
}

impl fmt::Display for Constraint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNull => f.write_str("Member must not be null"),
            Self::LengthAtLeast(n) => write!(f, "Member must have length greater than or equal to {n}"),
            Self::LengthAtMost(n) => write!(f, "Member must have length less than or equal to {n}"),
            Self::ValueAtLeast(n) => write!(f, "Member must have value greater than or equal to {n}"),
            Self::ValueAtMost(n) => write!(f, "Member must have value less than or equal to {n}"),
            Self::Pattern(pattern) => {
                write!(f, "Member must satisfy regular expression pattern: {pattern}")
            }
            Self::OneOf(words) => write!(f, "Member must satisfy enum value set: [{}]", words.join(", ")),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// How a message shows the offending value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// `Value 'text' at`: the usual form.
    Quoted(&'a str),
    /// `Value text at`: numbers, and the ARN of a role that must not be there.
    Bare(&'a str),
    /// `Value null at`: a missing member.
    Null,
    /// `Value at`: missing content.
    Nothing,
}

/// One member that breaks a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation<'a> {
    /// The member's name as in the model (`VersionLabel`) or a path (`Validators.1.member.Type`).
    pub member: &'a str,
    /// Its value.
    pub value: Shown<'a>,
    /// What it breaks.
    pub constraint: Constraint<'a>,
}

impl fmt::Display for Violation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Shown::Quoted(text) => write!(f, "Value '{text}'")?,
            Shown::Bare(text) => write!(f, "Value {text}")?,
            Shown::Null => f.write_str("Value null")?,
            Shown::Nothing => f.write_str("Value")?,
        }
        f.write_str(" at '")?;
        for (index, part) in self.member.split('.').enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            let mut letters = part.chars();
            if let Some(first) = letters.next() {
                write!(f, "{}{}", first.to_lowercase(), letters.as_str())?;
            }
        }
        write!(f, "' failed to satisfy constraint: {}", self.constraint)
    }
}

/// The message of a BadRequestException that reports these violations.
///
/// Member names are shown in camelCase, whatever case they are given in.
pub fn message(violations: &[Violation<'_>]) -> String {
    let errors = if violations.len() == 1 { "error" } else { "errors" };
    let list: Vec<_> = violations.iter().map(ToString::to_string).collect();
    format!("{} validation {errors} detected: {}", violations.len(), list.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enums::GrowthType;

    fn one(member: &str, value: Shown<'_>, constraint: Constraint<'_>) -> String {
        message(&[Violation { member, value, constraint }])
    }

    #[test]
    fn recorded_messages_are_reproduced() {
        assert_eq!(
            one("VersionLabel", Shown::Quoted("12"), Constraint::Pattern(".*[^0-9].*")),
            "1 validation error detected: Value '12' at 'versionLabel' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: .*[^0-9].*"
        );
        assert_eq!(
            one("Content", Shown::Nothing, Constraint::NotNull),
            "1 validation error detected: Value at 'content' failed to satisfy constraint: Member must not be null"
        );
        assert_eq!(
            one(
                "RetrievalRoleArn",
                Shown::Bare("arn:x"),
                Constraint::Text("Member must be null if the request has the following uri: hosted")
            ),
            "1 validation error detected: Value arn:x at 'retrievalRoleArn' failed to satisfy constraint: \
             Member must be null if the request has the following uri: hosted"
        );
    }

    #[test]
    fn several_violations_are_counted_and_joined() {
        let violations = [
            Violation { member: "Name", value: Shown::Null, constraint: Constraint::NotNull },
            Violation {
                member: "GrowthType",
                value: Shown::Quoted("SQUARE"),
                constraint: Constraint::OneOf(GrowthType::WORDS),
            },
        ];
        assert_eq!(
            message(&violations),
            "2 validation errors detected: Value null at 'name' failed to satisfy constraint: \
             Member must not be null; Value 'SQUARE' at 'growthType' failed to satisfy constraint: \
             Member must satisfy enum value set: [LINEAR, EXPONENTIAL]"
        );
    }

    #[test]
    fn bounds_are_worded_by_what_is_bounded() {
        let texts = [
            (Constraint::LengthAtLeast(1), "Member must have length greater than or equal to 1"),
            (Constraint::LengthAtMost(64), "Member must have length less than or equal to 64"),
            (Constraint::ValueAtLeast(0), "Member must have value greater than or equal to 0"),
            (Constraint::ValueAtMost(1440), "Member must have value less than or equal to 1440"),
        ];
        for (constraint, text) in texts {
            assert_eq!(constraint.to_string(), text);
        }
    }

    #[test]
    fn nested_members_are_camel_case_in_every_part() {
        let text = one("Validators.1.member.Type", Shown::Null, Constraint::NotNull);
        assert!(text.contains("at 'validators.1.member.type' failed"), "{text}");
    }
}
