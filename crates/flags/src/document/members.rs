//! Reading single members: of the right JSON type and size, or reported. A `null` counts as absent.

use serde_json::{Map, Value};

use crate::violation::{Place, Report};

pub(super) fn member<'m>(members: &'m Map<String, Value>, key: &str) -> Option<&'m Value> {
    members.get(key).filter(|value| !value.is_null())
}

pub(super) fn object<'v>(
    value: &'v Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<&'v Map<String, Value>> {
    let members = value.as_object();
    if members.is_none() {
        report.add(place, "JsonType(object)", value);
    }
    members
}

pub(super) fn list<'v>(
    value: &'v Value,
    limit: usize,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<&'v Vec<Value>> {
    let Some(items) = value.as_array() else {
        report.add(place, "JsonType(array)", value);
        return None;
    };
    if items.len() > limit {
        report.add(place, format_args!("MaxEntries({limit})"), value);
        return None;
    }
    Some(items)
}

/// A string of at most `limit` characters.
pub(super) fn text(value: &Value, limit: usize, place: &Place<'_>, report: &mut Report) -> Option<String> {
    let Some(text) = value.as_str() else {
        report.add(place, "JsonType(string)", value);
        return None;
    };
    if text.chars().count() > limit {
        report.add(place, format_args!("MaxLength({limit})"), value);
        return None;
    }
    Some(text.to_owned())
}

/// The name of a flag or a variant: 1 to 64 characters on one line.
pub(super) fn name(value: &Value, place: &Place<'_>, report: &mut Report) -> Option<String> {
    let Some(name) = value.as_str() else {
        report.add(place, "JsonType(string)", value);
        return None;
    };
    if !(1..=64).contains(&name.chars().count()) || name.contains('\n') {
        report.add(place, r"Regexp(^[^\n]{1,64}$)", value);
        return None;
    }
    Some(name.to_owned())
}

pub(super) fn boolean(
    members: &Map<String, Value>,
    key: &str,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<bool> {
    let value = member(members, key)?;
    if !value.is_boolean() {
        report.add(&place.member(key), "JsonType(boolean)", value);
    }
    value.as_bool()
}
