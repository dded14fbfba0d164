//! From a request's members to checked values.
//!
//! A request that breaks several constraints is told all of them at once. So every member is checked first, each check
//! giving a [`Checked`], and [`Arguments::finish`] opens them all or answers with everything that was found:
//!
//! ```text
//! let mut arguments = Arguments::default();
//! let name = arguments.required("Name", body.name.as_deref());
//! let description = arguments.optional("Description", body.description.as_deref());
//! let (name, description) = arguments.finish((name, description))?;
//! ```
//!
//! **Invariants:** a [`Checked`] without a value exists only where its violation was noted, and only `finish` opens one:
//! nothing unchecked gets past this module. What is shown of a value is cut short, and lists are not walked beyond the
//! most they may hold, so an answer is bounded whatever was sent.

use crate::fault::Fault;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use yardarm_domain::{Constraint as Limit, Tags};
use yardarm_wire::constraints::{Constraint, Shown, Violation, message};
use yardarm_wire::patterns::Rule;

/// Characters shown of a value.
const MOST_SHOWN: usize = 1_024;

/// The largest number that the wire's signed integers of 32 bits hold.
pub(crate) const MOST: u32 = i32::MAX as u32;

/// The outcome of a check, to be opened by [`Arguments::finish`].
#[derive(Debug)]
#[must_use = "open it with `Arguments::finish`"]
pub(crate) struct Checked<T>(Option<T>);

impl<T> Checked<T> {
    /// A value that needs no check.
    pub(crate) fn fine(value: T) -> Self {
        Self(Some(value))
    }

    /// The same outcome for another form of the value.
    pub(crate) fn map<U>(self, form: impl FnOnce(T) -> U) -> Checked<U> {
        Checked(self.0.map(form))
    }

    /// Several outcomes as one.
    pub(crate) fn all<C: Checks<Values = T>>(checks: C) -> Self {
        checks.all()
    }
}

/// Outcomes that are opened together: one, or a tuple of them.
pub(crate) trait Checks {
    /// What is in them.
    type Values;

    /// As one outcome.
    fn all(self) -> Checked<Self::Values>;
}

impl<T> Checks for Checked<T> {
    type Values = T;

    fn all(self) -> Self {
        self
    }
}

macro_rules! tuples {
    ($(($($value:ident)+))+) => {$(
        impl<$($value),+> Checks for ($(Checked<$value>,)+) {
            type Values = ($($value,)+);

            #[expect(non_snake_case, reason = "one letter names a type and its value")]
            fn all(self) -> Checked<Self::Values> {
                let ($(Checked($value),)+) = self;
                let ($(Some($value),)+) = ($($value,)+) else { return Checked(None) };
                Checked(Some(($($value,)+)))
            }
        }
    )+};
}

tuples! { (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

/// A violation, kept until the request has been checked whole.
#[derive(Debug)]
struct Broken {
    member: String,
    value: Value,
    constraint: String,
}

/// How a value is shown.
#[derive(Debug)]
enum Value {
    Quoted(String),
    Bare(String),
    Null,
    Nothing,
}

impl Broken {
    fn violation(&self) -> Violation<'_> {
        let value = match &self.value {
            Value::Quoted(text) => Shown::Quoted(text),
            Value::Bare(text) => Shown::Bare(text),
            Value::Null => Shown::Null,
            Value::Nothing => Shown::Nothing,
        };
        Violation { member: &self.member, value, constraint: Constraint::Text(&self.constraint) }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The members of one request under examination. Member names are given as the model spells them.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    broken: Vec<Broken>,
}

impl Arguments {
    /// A text that must be there, as a `T`.
    pub(crate) fn required<T: FromStr<Err = Limit>>(
        &mut self,
        member: &str,
        text: Option<&str>,
    ) -> Checked<T> {
        match text {
            Some(text) => self.parsed(member, text),
            None => self.missing(member),
        }
    }

    /// A text that may be there, as a `T`.
    pub(crate) fn optional<T: FromStr<Err = Limit>>(
        &mut self,
        member: &str,
        text: Option<&str>,
    ) -> Checked<Option<T>> {
        match text {
            Some(text) => self.parsed(member, text).map(Some),
            None => Checked::fine(None),
        }
    }

    fn parsed<T: FromStr<Err = Limit>>(&mut self, member: &str, text: &str) -> Checked<T> {
        match text.parse() {
            Ok(value) => Checked::fine(value),
            Err(limit) => self.broken(member, Value::Quoted(cut(text)), limit),
        }
    }

    /// A text that must be there, with a length in characters.
    pub(crate) fn text<'t>(
        &mut self,
        member: &str,
        text: Option<&'t str>,
        length: RangeInclusive<usize>,
    ) -> Checked<&'t str> {
        match text {
            Some(text) => self.measured(member, text, &length),
            None => self.missing(member),
        }
    }

    /// A text that may be there, with a length in characters.
    pub(crate) fn optional_text<'t>(
        &mut self,
        member: &str,
        text: Option<&'t str>,
        length: RangeInclusive<usize>,
    ) -> Checked<Option<&'t str>> {
        match text {
            Some(text) => self.measured(member, text, &length).map(Some),
            None => Checked::fine(None),
        }
    }

    fn measured<'t>(
        &mut self,
        member: &str,
        text: &'t str,
        length: &RangeInclusive<usize>,
    ) -> Checked<&'t str> {
        match misfit(text, length) {
            None => Checked::fine(text),
            Some(limit) => self.broken(member, Value::Quoted(cut(text)), limit),
        }
    }

    /// A text of the form that `rule` of the model gives by a pattern, and that `fits` recognises.
    pub(crate) fn matching<'t>(
        &mut self,
        member: &str,
        text: &'t str,
        rule: &Rule,
        fits: fn(&str) -> bool,
    ) -> Checked<&'t str> {
        if fits(text) {
            Checked::fine(text)
        } else {
            self.refused(member, text, Constraint::Pattern(rule.pattern.unwrap_or(rule.shape)))
        }
    }

    /// One of an enumeration's words, which may be left out.
    pub(crate) fn optional_word<T>(
        &mut self,
        member: &str,
        text: Option<&str>,
        words: &[&str],
        parse: fn(&str) -> Option<T>,
    ) -> Checked<Option<T>> {
        match text {
            Some(text) => self.word(member, Some(text), words, parse).map(Some),
            None => Checked::fine(None),
        }
    }

    /// One of an enumeration's words.
    pub(crate) fn word<T>(
        &mut self,
        member: &str,
        text: Option<&str>,
        words: &[&str],
        parse: fn(&str) -> Option<T>,
    ) -> Checked<T> {
        let Some(text) = text else { return self.missing(member) };
        match parse(text) {
            Some(value) => Checked::fine(value),
            None => self.broken(member, Value::Quoted(cut(text)), Constraint::OneOf(words)),
        }
    }

    /// A number that must be there.
    pub(crate) fn number(
        &mut self,
        member: &str,
        number: Option<i64>,
        range: RangeInclusive<u32>,
    ) -> Checked<u32> {
        let Some(number) = number else { return self.missing(member) };
        let (least, most) = (i64::from(*range.start()), i64::from(*range.end()));
        let constraint =
            if number < least { Constraint::ValueAtLeast(least) } else { Constraint::ValueAtMost(most) };
        match u32::try_from(number) {
            Ok(number) if range.contains(&number) => Checked::fine(number),
            _ => self.broken(member, Value::Quoted(number.to_string()), constraint),
        }
    }

    /// A number that may be there.
    pub(crate) fn optional_number(
        &mut self,
        member: &str,
        number: Option<i64>,
        range: RangeInclusive<u32>,
    ) -> Checked<Option<u32>> {
        match number {
            Some(number) => self.number(member, Some(number), range).map(Some),
            None => Checked::fine(None),
        }
    }

    /// A number that travels as text in a path.
    pub(crate) fn number_text(
        &mut self,
        member: &str,
        text: &str,
        range: RangeInclusive<u32>,
    ) -> Checked<u32> {
        match text.parse::<i64>() {
            Ok(number) => self.number(member, Some(number), range),
            Err(_) => self.broken(member, Value::Quoted(cut(text)), "Member must be an integer"),
        }
    }

    /// A number that may travel as text in a query or a header.
    pub(crate) fn optional_number_text(
        &mut self,
        member: &str,
        text: Option<&str>,
        range: RangeInclusive<u32>,
    ) -> Checked<Option<u32>> {
        match text {
            Some(text) => self.number_text(member, text, range).map(Some),
            None => Checked::fine(None),
        }
    }

    /// A number that `read` judges, shown as it was sent.
    pub(crate) fn judged<N: Display, T>(
        &mut self,
        member: &str,
        number: N,
        read: impl FnOnce(&N) -> Result<T, Limit>,
    ) -> Checked<T> {
        match read(&number) {
            Ok(value) => Checked::fine(value),
            Err(limit) => self.broken(member, Value::Quoted(number.to_string()), limit),
        }
    }

    /// Each item of a list, with the name of its place: `Monitors.1.member`.
    pub(crate) fn each<I, T>(
        &mut self,
        member: &str,
        items: Option<Vec<I>>,
        most: usize,
        mut check: impl FnMut(&mut Self, &str, I) -> Checked<T>,
    ) -> Checked<Option<Vec<T>>> {
        let Some(items) = items else { return Checked::fine(None) };
        if items.len() > most {
            return self.broken(member, Value::Nothing, Limit::MaxLength(most));
        }
        let place = |number| format!("{member}.{number}.member");
        let checked: Vec<Checked<T>> =
            (1..).zip(items).map(|(number, item)| check(self, &place(number), item)).collect();
        Checked(checked.into_iter().map(|item| item.0).collect::<Option<Vec<T>>>().map(Some))
    }

    /// Tags for a new resource: none unless some are sent.
    pub(crate) fn tags(&mut self, pairs: Option<BTreeMap<String, String>>) -> Checked<Tags> {
        let pairs = pairs.unwrap_or_default();
        if pairs.len() <= Tags::MOST {
            let wrong: Vec<_> = pairs.iter().filter_map(|(key, value)| wrong_tag(key, value)).collect();
            if !wrong.is_empty() {
                for (text, constraint) in wrong {
                    let _: Checked<()> = self.broken("Tags", Value::Quoted(cut(text)), constraint);
                }
                return Checked(None);
            }
        }
        match Tags::new(pairs) {
            Ok(tags) => Checked::fine(tags),
            Err(limit) => self.broken("Tags", Value::Nothing, limit),
        }
    }

    /// A required member is absent.
    pub(crate) fn missing<T>(&mut self, member: &str) -> Checked<T> {
        self.absent(member, Limit::NotNull)
    }

    /// The absence of a member breaks `constraint`.
    pub(crate) fn absent<T>(&mut self, member: &str, constraint: impl Display) -> Checked<T> {
        self.broken(member, Value::Null, constraint)
    }

    /// `text`, shown in quotes, breaks `constraint`.
    pub(crate) fn refused<T>(&mut self, member: &str, text: &str, constraint: impl Display) -> Checked<T> {
        self.broken(member, Value::Quoted(cut(text)), constraint)
    }

    /// `text`, shown without quotes, breaks `constraint`: how the service reports a member that must not be there.
    pub(crate) fn unwanted<T>(&mut self, member: &str, text: &str, constraint: impl Display) -> Checked<T> {
        self.broken(member, Value::Bare(cut(text)), constraint)
    }

    /// A value that must not be shown, or is too large to be, breaks `constraint`.
    pub(crate) fn concealed<T>(&mut self, member: &str, constraint: impl Display) -> Checked<T> {
        self.broken(member, Value::Nothing, constraint)
    }

    fn broken<T>(&mut self, member: &str, value: Value, constraint: impl Display) -> Checked<T> {
        self.broken.push(Broken { member: member.into(), value, constraint: constraint.to_string() });
        Checked(None)
    }

    /// Opens what was checked.
    ///
    /// # Errors
    /// Every violation that was found, in one answer.
    pub(crate) fn finish<C: Checks>(self, checks: C) -> Result<C::Values, Fault> {
        match checks.all() {
            Checked(Some(values)) if self.broken.is_empty() => Ok(values),
            Checked(_) => {
                let violations: Vec<Violation<'_>> = self.broken.iter().map(Broken::violation).collect();
                Err(Fault::bad_request(message(&violations)))
            }
        }
    }
}

/// The limit that the length of `text` breaks.
fn misfit(text: &str, length: &RangeInclusive<usize>) -> Option<Limit> {
    // Bytes bound characters, so that a huge text is refused without being walked.
    let most = *length.end();
    let count = if text.len() > most.saturating_mul(4) { usize::MAX } else { text.chars().count() };
    if count < *length.start() {
        Some(Limit::MinLength(*length.start()))
    } else {
        (count > most).then_some(Limit::MaxLength(most))
    }
}

/// The half of a tag that is wrong, and why.
fn wrong_tag<'t>(key: &'t str, value: &'t str) -> Option<(&'t str, String)> {
    let alone = |key: &str, value: &str| Tags::new(BTreeMap::from([(key.into(), value.into())])).err();
    if let Some(limit) = alone(key, "") {
        return Some((key, format!("Map keys must satisfy constraint: [{limit}]")));
    }
    alone(key, value).map(|limit| (value, format!("Map value must satisfy constraint: [{limit}]")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yardarm_domain::{Description, Name};

    fn text(fault: Fault) -> String {
        fault.body.message.unwrap_or_default()
    }

    #[test]
    fn what_satisfies_its_constraints_is_opened_together() {
        let mut arguments = Arguments::default();
        let name = arguments.required::<Name>("Name", Some("shop"));
        let description = arguments.optional::<Description>("Description", None);
        let size = arguments.number("Size", Some(3), 1..=5);
        let (name, description, size) = arguments.finish((name, description, size)).unwrap();
        assert_eq!((name.as_str(), description, size), ("shop", None, 3));
    }

    #[test]
    fn every_violation_is_told_in_one_answer() {
        let mut arguments = Arguments::default();
        let name = arguments.required::<Name>("Name", None);
        let description = arguments.optional::<Description>("Description", Some("fine"));
        let size = arguments.number("Size", Some(-1), 1..=5);
        let kind =
            arguments.optional_word("Kind", Some("c"), &["A", "B"], |word| (word == "A").then_some(()));
        let fault = arguments.finish((name, description, size, kind)).unwrap_err();
        assert_eq!(
            text(fault),
            "3 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; \
             Value '-1' at 'size' failed to satisfy constraint: Member must have value greater than or equal to 1; \
             Value 'c' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: [A, B]"
        );
    }

    #[test]
    fn items_of_a_list_are_named_by_their_place() {
        let mut arguments = Arguments::default();
        let items = Some(vec![Some("a"), None]);
        let checked = arguments.each("Items", items, 2, |arguments, place, item| {
            arguments.required::<Name>(&format!("{place}.Name"), item)
        });
        assert_eq!(
            text(arguments.finish(checked).unwrap_err()),
            "1 validation error detected: Value null at 'items.2.member.name' failed to satisfy constraint: \
             Member must not be null"
        );
    }

    #[test]
    fn a_list_that_is_too_long_is_not_walked() {
        let mut arguments = Arguments::default();
        let checked =
            arguments.each("Items", Some(vec![(); 3]), 2, |_, _, ()| -> Checked<()> { panic!("walked") });
        assert_eq!(
            text(arguments.finish(checked).unwrap_err()),
            "1 validation error detected: Value at 'items' failed to satisfy constraint: \
             Member must have length less than or equal to 2"
        );
    }

    #[test]
    fn a_bad_tag_is_shown_by_its_bad_half() {
        let mut arguments = Arguments::default();
        let tags = arguments.tags(Some(BTreeMap::from([
            ("aws:x".into(), "v".into()),
            ("k".into(), "v".repeat(257)),
            ("fine".into(), String::new()),
        ])));
        let told = text(arguments.finish(tags).unwrap_err());
        assert!(told.starts_with("2 validation errors detected: Value 'aws:x' at 'tags'"), "{told}");
        assert!(
            told.contains("Map keys must satisfy constraint: [Member must satisfy regular expression"),
            "{told}"
        );
        let half = "Map value must satisfy constraint: [Member must have length less than or equal to 256]";
        assert!(told.ends_with(half), "{told}");
    }

    #[test]
    fn too_many_tags_are_not_listed() {
        let mut arguments = Arguments::default();
        let tags = arguments.tags(Some((0..51).map(|n| (n.to_string(), String::new())).collect()));
        assert_eq!(
            text(arguments.finish(tags).unwrap_err()),
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: \
             Member must have length less than or equal to 50"
        );
    }

    #[test]
    fn a_long_value_is_cut_short() {
        let mut arguments = Arguments::default();
        let name = arguments.required::<Name>("Name", Some(&"ä".repeat(1_000_000)));
        assert!(text(arguments.finish(name).unwrap_err()).chars().count() < 1_300);
    }

    #[test]
    fn a_number_in_text_must_be_one() {
        for (sent, told) in [
            ("x", "Member must be an integer"),
            ("99999999999999999999", "Member must be an integer"),
            ("0", "Member must have value greater than or equal to 1"),
            ("51", "Member must have value less than or equal to 50"),
        ] {
            let mut arguments = Arguments::default();
            let checked = arguments.optional_number_text("MaxResults", Some(sent), 1..=50);
            let message = text(arguments.finish(checked).unwrap_err());
            assert_eq!(
                message,
                format!(
                    "1 validation error detected: Value '{sent}' at 'maxResults' failed to satisfy constraint: {told}"
                )
            );
        }
    }
}
