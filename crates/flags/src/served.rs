//! The retrieval form: what a client receives that does not evaluate rules.
//!
//! A map from flag key to value. Definitions, stamps, rules and all variants but the default never leave; attributes of
//! a disabled flag are withheld.

use std::collections::BTreeMap;

use crate::document::{FlagDocument, Setting, State};
use crate::json_text::{self, Json};
use crate::normalise::attribute_values;

/// `document` as served to plain callers, as `application/json`.
#[must_use]
pub fn served(document: &FlagDocument) -> Vec<u8> {
    let flags: BTreeMap<&str, Json<'_>> =
        document.values.iter().map(|(key, value)| (key.as_str(), one(&value.setting))).collect();
    json_text::write(&Json::Object(flags))
}

fn one(setting: &Setting) -> Json<'_> {
    Json::Object(match setting {
        Setting::Basic(state) => of_state(state),
        Setting::Variants(variants) => {
            let mut members = of_state(&variants.default.state);
            members.insert("_variant", Json::Text(&variants.default.name));
            members
        }
        Setting::Nothing => BTreeMap::from([("enabled", Json::Bool(false))]),
    })
}

fn of_state(state: &State) -> BTreeMap<&str, Json<'_>> {
    let mut members = if state.enabled { attribute_values(state) } else { BTreeMap::new() };
    members.insert("enabled", Json::Bool(state.enabled));
    members
}
