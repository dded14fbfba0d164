//! Flags forced to one setting for everybody, over what their document says: what a kill switch does.
//!
//! **Invariants:** pure; only the flags that are named differ afterwards; a legal document stays one, because what is
//! forced is a state that the flag has, or has switched off.

use serde::{Deserialize, Serialize};

use crate::document::{FlagDocument, FlagKey, Setting, State, Variants};

/// What a flag is forced to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForceTo {
    /// Off, with all its variants.
    Off,
    /// This variant for everybody, whatever its rule and those of the others say.
    Variant(String),
}

/// Why a document's flag cannot be forced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotForceable {
    /// It sets no such flag.
    #[error("there is no such flag")]
    NoFlag,
    /// The flag has no such variant.
    #[error("there is no such variant; there are: {}", .0.join(", "))]
    NoVariant(Vec<String>),
}

impl ForceTo {
    /// Whether it means something for `flag` in `document`.
    ///
    /// # Errors
    /// There is no such flag, or no such variant of it.
    pub fn fits(&self, document: &FlagDocument, flag: &FlagKey) -> Result<(), NotForceable> {
        let setting = &document.values.get(flag).ok_or(NotForceable::NoFlag)?.setting;
        match (self, setting) {
            (Self::Off, _) => Ok(()),
            (Self::Variant(name), Setting::Variants(variants)) => {
                let with_rule = variants.with_rule.iter().map(|(variant, _)| &variant.name);
                let names: Vec<String> = with_rule.chain([&variants.default.name]).cloned().collect();
                if names.contains(name) { Ok(()) } else { Err(NotForceable::NoVariant(names)) }
            }
            (Self::Variant(_), Setting::Basic(_) | Setting::Nothing) => {
                Err(NotForceable::NoVariant(Vec::new()))
            }
        }
    }

    fn force(&self, setting: &mut Setting) {
        match (self, setting) {
            (Self::Off, Setting::Basic(state)) => off(state),
            (Self::Off, Setting::Variants(variants)) => {
                variants.with_rule.iter_mut().for_each(|(variant, _)| off(&mut variant.state));
                off(&mut variants.default.state);
            }
            (Self::Variant(name), Setting::Variants(variants)) => {
                let with_rule = variants.with_rule.iter().map(|(variant, _)| variant);
                let found = with_rule.chain([&variants.default]).find(|variant| variant.name == *name);
                if let Some(default) = found.cloned() {
                    *variants = Variants { with_rule: Vec::new(), default };
                }
            }
            (Self::Off, Setting::Nothing) | (Self::Variant(_), Setting::Basic(_) | Setting::Nothing) => {}
        }
    }
}

fn off(state: &mut State) {
    state.enabled = false;
}

/// The document with the flags forced. Of a flag or a variant that it does not have, it says what it said.
#[must_use]
pub fn forced<'f>(
    document: &FlagDocument,
    flags: impl IntoIterator<Item = (&'f FlagKey, &'f ForceTo)>,
) -> FlagDocument {
    let mut forced = document.clone();
    for (flag, to) in flags {
        if let Some(value) = forced.values.get_mut(flag) {
            to.force(&mut value.setting);
        }
    }
    forced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CompiledFlags, Context, write};

    const DOCUMENT: &str = r#"{"version": "1",
        "flags": {"checkout": {"name": "c", "attributes": {"limit": {"constraints": {"type": "number", "required": true}}}},
                  "banner": {"name": "b"}},
        "values": {"checkout": {"_variants": [
                {"name": "new", "enabled": true, "attributeValues": {"limit": 5}, "rule": "(eq $who \"me\")"},
                {"name": "old", "enabled": true, "attributeValues": {"limit": 3}}]},
            "banner": {"enabled": true}, "none": {"_variants": []}}}"#;

    fn document() -> FlagDocument {
        FlagDocument::read(DOCUMENT.as_bytes()).unwrap()
    }

    fn key(text: &str) -> FlagKey {
        text.parse().unwrap()
    }

    fn with(flag: &str, to: &ForceTo) -> FlagDocument {
        let forced = forced(&document(), [(&key(flag), to)]);
        assert!(FlagDocument::read(&write(&forced)).is_ok(), "a legal document");
        forced
    }

    /// Whether the flag is on, and which variant it is, for everybody.
    fn is(document: &FlagDocument, flag: &str) -> (bool, Option<String>) {
        let flags = CompiledFlags::compile(document);
        let evaluation = flags.evaluate(flag, &Context::EMPTY).unwrap();
        (evaluation.enabled, evaluation.variant.map(str::to_owned))
    }

    #[test]
    fn a_flag_is_off_with_all_its_variants() {
        let forced = with("checkout", &ForceTo::Off);
        let Setting::Variants(variants) = forced.values()["checkout"].setting() else { panic!() };
        assert!(variants.with_rule().iter().all(|(variant, _)| !variant.state.enabled));
        assert!(!variants.default_variant().state.enabled);
        assert!(!is(&with("banner", &ForceTo::Off), "banner").0);
        assert_eq!(with("none", &ForceTo::Off), document());
    }

    #[test]
    fn a_variant_is_everybodys_whatever_the_rules_say() {
        for name in ["new", "old"] {
            let forced = with("checkout", &ForceTo::Variant(name.into()));
            assert_eq!(is(&forced, "checkout"), (true, Some(name.into())));
            assert!(is(&forced, "banner").0, "others are what they were");
        }
    }

    #[test]
    fn what_is_not_there_is_said_and_changes_nothing() {
        let variant = ForceTo::Variant("newest".into());
        assert_eq!(with("checkout", &variant), document());
        assert_eq!(with("banner", &variant), document());
        assert_eq!(with("other", &ForceTo::Off), document());
        let fits = |flag: &str, to: &ForceTo| to.fits(&document(), &key(flag));
        let names = vec!["new".to_owned(), "old".to_owned()];
        assert_eq!(fits("checkout", &variant), Err(NotForceable::NoVariant(names)));
        assert_eq!(fits("banner", &variant), Err(NotForceable::NoVariant(vec![])));
        assert_eq!(fits("other", &ForceTo::Off), Err(NotForceable::NoFlag));
        assert_eq!(fits("checkout", &ForceTo::Variant("old".into())), Ok(()));
        assert_eq!(fits("none", &ForceTo::Off), Ok(()));
    }
}
