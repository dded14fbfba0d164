//! Texts with limits. A value of one of these types has been checked; past the edge nobody asks again.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A limit that a value breaks. Displayed in the words that AWS services use, because clients and tests read them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Constraint {
    /// A required value is absent.
    #[error("Member must not be null")]
    NotNull,
    /// Fewer characters or items than allowed.
    #[error("Member must have length greater than or equal to {0}")]
    MinLength(usize),
    /// More characters or items than allowed.
    #[error("Member must have length less than or equal to {0}")]
    MaxLength(usize),
    /// The text does not have the required form.
    #[error("Member must satisfy regular expression pattern: {0}")]
    Pattern(&'static str),
    /// A number below its range.
    #[error("Member must have value greater than or equal to {0}")]
    Min(i64),
    /// A number above its range.
    #[error("Member must have value less than or equal to {0}")]
    Max(i64),
    /// Not one of the values of an enumeration.
    #[error("Member must satisfy enum value set: [{}]", .0.join(", "))]
    OneOf(&'static [&'static str]),
    /// Not a whole number that fits the wire.
    #[error("Member must be a positive 32-bit integer")]
    Integer,
    /// Not a finite number.
    #[error("Member must be a finite number")]
    Finite,
}

/// Checks a length in characters.
pub(crate) fn length(text: &str, min: usize, max: usize) -> Result<(), Constraint> {
    // Bytes bound characters, so that a huge text is refused without being walked.
    let count = if text.len() > max.saturating_mul(4) { usize::MAX } else { text.chars().count() };
    if count < min {
        Err(Constraint::MinLength(min))
    } else if count > max {
        Err(Constraint::MaxLength(max))
    } else {
        Ok(())
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Constraint;

            fn from_str(text: &str) -> Result<Self, Constraint> {
                let check: fn(&str) -> Result<(), Constraint> = $check;
                check(text).map(|()| Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Constraint;

            fn try_from(text: String) -> Result<Self, Constraint> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

texts! {
    /// Name of an application, environment or deployment strategy: 1 to 64 characters.
    Name, |text| length(text, 1, 64);
    /// Name of a configuration profile: 1 to 128 characters.
    ProfileName, |text| length(text, 1, 128);
    /// What a resource is for: up to 1,024 characters. The empty text stands for none.
    Description, |text| length(text, 0, 1024);
    /// Label of a hosted configuration version: 1 to 64 characters, at least one of them no digit, so that a label is
    /// never taken for a number.
    VersionLabel, version_label;
    /// MIME type of configuration content: 1 to 255 characters that can stand in an HTTP header.
    ContentType, content_type;
    /// Name of an alarm that a monitor watches: 1 to 2,048 characters.
    AlarmArn, |text| length(text, 1, 2048);
    /// Name of an extension: 1 to 64 characters, none of them `/`, `#`, `:` or a line break. Names that begin with `AWS.`
    /// are the service's.
    ExtensionName, extension_name;
    /// Name of an extension's parameter: as of an extension.
    ParameterName, extension_or_parameter_name;
    /// Value of an extension's parameter: 1 to 2,048 characters.
    ParameterValue, |text| length(text, 1, 2048);
    /// What an action calls: 1 to 2,048 characters, an `http` or `https` URL or an ARN. In front of a URL `cloudevents+` and
    /// `eventbridge+` say in which shape it is told of events.
    ActionUri, action_uri;
    /// A function that validates: as [`ActionUri`], an ARN with an account.
    FunctionUri, function_uri;
    /// ARN of an IAM role, kept as given: 20 to 2,048 characters.
    RoleArn, |text| length(text, 20, 2048);
    /// Why an alarm says what it says: up to 1,024 characters.
    AlarmReason, |text| length(text, 0, 1024);
    /// Name of an alarm in CloudWatch: 1 to 255 characters.
    CloudWatchAlarmName, |text| length(text, 1, 255);
    /// A query in PromQL: 1 to 8,192 characters.
    Query, |text| length(text, 1, 8192);
    /// Address of an HTTP server that is asked: 1 to 2,048 characters.
    SourceUrl, source_url;
    /// Stands for a group of alerts that are told of together: 1 to 64 characters.
    FiringGroup, |text| length(text, 1, 64);
}

fn source_url(text: &str) -> Result<(), Constraint> {
    const PATTERN: &str = "https?://[!-~]+";
    length(text, 1, 2048)?;
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    if rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic())) {
        Ok(())
    } else {
        Err(Constraint::Pattern(PATTERN))
    }
}

impl AlarmReason {
    /// The beginning of `text`, as much as fits. `None`: there is nothing in it.
    #[must_use]
    pub fn beginning(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.chars().take(1024).collect::<String>().into()))
    }
}

fn version_label(text: &str) -> Result<(), Constraint> {
    length(text, 1, 64)?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Err(Constraint::Pattern(".*[^0-9].*"))
    } else {
        Ok(())
    }
}

fn content_type(text: &str) -> Result<(), Constraint> {
    length(text, 1, 255)?;
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        Ok(())
    } else {
        Err(Constraint::Pattern("[ -~]+"))
    }
}

fn extension_or_parameter_name(text: &str) -> Result<(), Constraint> {
    const PATTERN: &str = r"^[^\/#:\n]{1,64}$";
    length(text, 1, 64)?;
    if text.contains(['/', '#', ':', '\n']) { Err(Constraint::Pattern(PATTERN)) } else { Ok(()) }
}

fn extension_name(text: &str) -> Result<(), Constraint> {
    extension_or_parameter_name(text)?;
    if text.starts_with("AWS.") { Err(Constraint::Pattern(r"^(?!AWS\.).{1,64}$")) } else { Ok(()) }
}

fn action_uri(text: &str) -> Result<(), Constraint> {
    length(text, 1, 2048)?;
    let plain = shaped(text).map_or(text, |(_, url)| url);
    let known =
        ["https://", "http://"].iter().any(|start| plain.starts_with(start)) || text.starts_with("arn:");
    if known && !text.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err(Constraint::Pattern("((cloudevents\\+|eventbridge\\+)?https?://|arn:)\\S+"))
    }
}

fn function_uri(text: &str) -> Result<(), Constraint> {
    action_uri(text)?;
    if shaped(text).is_some() {
        return Err(Constraint::Pattern("(https?://|arn:)\\S+"));
    }
    if !text.starts_with("arn:") {
        return Ok(());
    }
    let account = text.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3)).unwrap_or_default();
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(Constraint::Pattern("arn:[^:]+:[^:]+:[^:]+:[0-9]{12}:.+"))
    }
}

impl ActionUri {
    /// The service of an ARN; `None` for a URL.
    fn service(&self) -> Option<&str> {
        self.0.strip_prefix("arn:")?.split(':').nth(1)
    }

    /// Whether it names something that takes messages and gives no answers: a topic, a queue, an event bus, or a URL that
    /// takes events.
    #[must_use]
    pub fn is_notification_only(&self) -> bool {
        matches!(self.service(), Some("sns" | "sqs" | "events")) || shaped(&self.0).is_some()
    }

    /// In which shape what it names is told of events.
    #[must_use]
    pub fn shape(&self) -> EventShape {
        match shaped(&self.0) {
            Some((shape, _)) => shape,
            None if self.service() == Some("events") => EventShape::EventBridge,
            None => EventShape::AppConfig,
        }
    }
}

/// The shape of what an action is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventShape {
    /// As the service sends it to functions.
    AppConfig,
    /// As Amazon EventBridge has it.
    EventBridge,
    /// As a CloudEvent.
    CloudEvent,
}

/// The shape that a URI begins with, and the URL after it.
#[must_use]
pub fn shaped(uri: &str) -> Option<(EventShape, &str)> {
    let shapes = [("eventbridge+", EventShape::EventBridge), ("cloudevents+", EventShape::CloudEvent)];
    shapes.into_iter().find_map(|(prefix, shape)| Some((shape, uri.strip_prefix(prefix)?)))
}

impl Description {
    /// `text`, cut to what a description may hold.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        Self(text.chars().take(1024).collect::<String>().into())
    }

    /// The text, or nothing when it is empty: an empty description is stored as none.
    #[must_use]
    pub fn none_if_empty(self) -> Option<Self> {
        (!self.0.is_empty()).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_characters() {
        assert!("ä".repeat(64).parse::<Name>().is_ok());
        assert_eq!("ä".repeat(65).parse::<Name>(), Err(Constraint::MaxLength(64)));
        assert_eq!("".parse::<Name>(), Err(Constraint::MinLength(1)));
        assert_eq!("a".repeat(1_000_000).parse::<Name>(), Err(Constraint::MaxLength(64)));
    }

    #[test]
    fn an_action_calls_a_url_or_an_arn_and_may_say_in_which_shape() {
        let bus = "arn:aws:events:us-east-1:123456789012:event-bus/default";
        for (uri, shape, notification_only) in [
            ("https://hooks.example/a", EventShape::AppConfig, false),
            ("arn:aws:lambda:us-east-1:123456789012:function:check", EventShape::AppConfig, false),
            ("arn:aws:sqs:us-east-1:123456789012:queue", EventShape::AppConfig, true),
            (bus, EventShape::EventBridge, true),
            ("eventbridge+http://bus.example/", EventShape::EventBridge, true),
            ("cloudevents+https://events.example/", EventShape::CloudEvent, true),
        ] {
            let read: ActionUri = uri.parse().unwrap();
            assert_eq!((read.shape(), read.is_notification_only()), (shape, notification_only), "{uri}");
        }
        for bad in ["", "ftp://a", "cloudevents+arn:a:b", "cloudevents+", "https://a b", "hooks.example"] {
            assert!(bad.parse::<ActionUri>().is_err(), "{bad}");
        }
        assert!("https://check.example/".parse::<FunctionUri>().is_ok());
        for bad in ["check", "arn:aws:lambda:us-east-1::function:f", "cloudevents+https://a/"] {
            assert!(bad.parse::<FunctionUri>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_label_is_never_a_number() {
        assert!("v1".parse::<VersionLabel>().is_ok());
        assert_eq!("12".parse::<VersionLabel>(), Err(Constraint::Pattern(".*[^0-9].*")));
    }

    #[test]
    fn a_content_type_can_stand_in_a_header() {
        assert!("application/json; charset=utf-8".parse::<ContentType>().is_ok());
        assert!("text/plain\r\nx: y".parse::<ContentType>().is_err());
    }
}
