//! What a client receives that does not evaluate rules.
//!
//! A map from flag key to content, in the retrieval form. Definitions, stamps, rules and all variants but the default
//! never leave; attributes of a disabled flag are withheld.

use std::collections::BTreeMap;

use crate::document::{FlagDocument, Setting, State};
use crate::json_text;
use crate::retrieval::Written;

static OFF: State = State { enabled: false, attributes: BTreeMap::new() };

/// `document` as served to plain callers, as `application/json`.
#[must_use]
pub fn served(document: &FlagDocument) -> Vec<u8> {
    let flags: BTreeMap<&str, Written<'_>> =
        document.values.iter().map(|(key, value)| (key.as_str(), default_of(&value.setting))).collect();
    json_text::write(&flags)
}

fn default_of(setting: &Setting) -> Written<'_> {
    match setting {
        Setting::Basic(state) => Written::new(None, state),
        Setting::Variants(variants) => Written::new(Some(&variants.default.name), &variants.default.state),
        Setting::Nothing => Written::new(None, &OFF),
    }
}
