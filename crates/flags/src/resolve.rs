//! Keys as an OpenFeature client asks for them: flags, and their attributes one by one.
//!
//! Which keys a flag has, and of which type their values are, is a property of the flag and not of the variant somebody
//! gets: the attributes of its definition and those of all its variants count. A flag without attributes is a boolean,
//! one with attributes an object of them plus `enabled`, and one whose only attribute is `value` that value. Each
//! attribute is also a key of its own, `flag.attribute`, and beside them stands `flag.enabled`; no flag's key has a dot.
//!
//! **Invariants:** resolving one key does not allocate; resolving all of them answers the same, in the order of the
//! keys' bytes. A key without a value ([`Resolution::value`] is `None`) leaves the caller its default.

use std::fmt;

use crate::compiled::{CompiledFlag, CompiledFlags, Evaluation, Reason};
use crate::context::Context;
use crate::document::{AttributeKey, AttributeValue, FlagKey, RESERVED_ATTRIBUTE};

/// The attribute that stands for its flag when it is the only one.
const VALUE: &str = "value";

/// What stands between a flag's key and the name of its attribute.
const SEPARATOR: char = '.';

/// What a key is for one context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolution<'f> {
    /// `None` where the caller's default applies: the attribute is not there, or its flag is off.
    pub value: Option<ResolvedValue<'f>>,
    /// The variant; `None` for a flag without variants. It is named even when it is off.
    pub variant: Option<&'f str>,
    /// Why.
    pub reason: Reason,
    /// The flag that the key belongs to.
    pub flag: &'f FlagKey,
}

/// What the variant of a flag without variants is called.
const ONLY_VARIANT: &str = "default";

impl<'f> Resolution<'f> {
    /// What OpenFeature clients are told as the variant. Some of them cannot do without one, so a flag without variants
    /// has one, called `default`.
    #[must_use]
    pub fn variant_name(&self) -> &'f str {
        self.variant.unwrap_or(ONLY_VARIANT)
    }
}

/// The value of a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResolvedValue<'f> {
    /// Whether a flag is on.
    Boolean(bool),
    /// The value of an attribute.
    Attribute(&'f AttributeValue),
    /// The attributes of a flag and whether it is on; while it is off only that.
    Object(Evaluation<'f>),
}

/// A key that can be resolved: the text of it, made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolvedKey<'f>(&'f Key);

impl<'f> ResolvedKey<'f> {
    /// The key as text, such as `flag` or `flag.attribute`.
    #[must_use]
    pub fn as_str(self) -> &'f str {
        &self.0.text
    }
}

impl fmt::Display for ResolvedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All keys of a document, in the order of their bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Box<[Key]>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    text: Box<str>,
    /// The flag's place in the order of the flags' keys.
    flag: usize,
    part: Part,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Enabled,
    Attribute(AttributeKey),
}

impl Keys {
    pub(crate) fn new(flags: &[CompiledFlag]) -> Self {
        let mut keys = Vec::new();
        for (place, flag) in flags.iter().enumerate() {
            let key = |text: String, part| Key { text: text.into(), flag: place, part };
            keys.push(key(flag.key().to_string(), Part::Whole));
            if flag.attributes().is_empty() {
                continue;
            }
            let dotted = |name: &str| format!("{}{SEPARATOR}{name}", flag.key());
            keys.push(key(dotted(RESERVED_ATTRIBUTE), Part::Enabled));
            let attributes = flag.attributes().iter();
            keys.extend(attributes.map(|name| key(dotted(name.as_str()), Part::Attribute(name.clone()))));
        }
        // Not those of one flag side by side: a hyphen comes before the dot, so `a-b` stands between `a` and `a.x`.
        keys.sort_unstable_by(|left, right| left.text.cmp(&right.text));
        Self(keys.into())
    }
}

impl CompiledFlags {
    /// What `key` is for `context`: a flag's key, `flag.attribute` or `flag.enabled`. `None`: there is no such key.
    #[must_use]
    pub fn resolve<'f>(&'f self, key: &str, context: &Context<'_>) -> Option<Resolution<'f>> {
        if let Some(flag) = self.flag(key) {
            return Some(whole(flag, flag.evaluate(context)));
        }
        let (flag, name) = key.split_once(SEPARATOR)?;
        let flag = self.flag(flag)?;
        if name == RESERVED_ATTRIBUTE && !flag.attributes().is_empty() {
            return Some(enabled(flag, flag.evaluate(context)));
        }
        let known = flag.attributes().binary_search_by(|known| known.as_str().cmp(name)).is_ok();
        known.then(|| attribute(flag, flag.evaluate(context), name))
    }

    /// What every key is for `context`, in the order of the keys' bytes. Looks each attribute of the context up once
    /// for all of them, and evaluates a flag once for all its attributes.
    pub fn resolve_all<'f>(
        &'f self,
        context: &Context<'_>,
    ) -> impl Iterator<Item = (ResolvedKey<'f>, Resolution<'f>)> {
        let bound = self.bind(context);
        let mut last: Option<(usize, &'f CompiledFlag, Evaluation<'f>)> = None;
        self.resolvable().0.iter().filter_map(move |key| {
            let (flag, evaluation) = match last {
                Some((place, flag, evaluation)) if place == key.flag => (flag, evaluation),
                _ => {
                    let flag = self.flag_at(key.flag)?;
                    (flag, flag.evaluate_bound(&bound))
                }
            };
            last = Some((key.flag, flag, evaluation));
            let resolution = match &key.part {
                Part::Whole => whole(flag, evaluation),
                Part::Enabled => enabled(flag, evaluation),
                Part::Attribute(name) => attribute(flag, evaluation, name.as_str()),
            };
            Some((ResolvedKey(key), resolution))
        })
    }
}

#[inline]
fn whole<'f>(flag: &'f CompiledFlag, evaluation: Evaluation<'f>) -> Resolution<'f> {
    match flag.attributes() {
        [] => enabled(flag, evaluation),
        [only] if only.as_str() == VALUE => attribute(flag, evaluation, VALUE),
        _ => resolution(flag, evaluation, Some(ResolvedValue::Object(evaluation))),
    }
}

#[inline]
fn enabled<'f>(flag: &'f CompiledFlag, evaluation: Evaluation<'f>) -> Resolution<'f> {
    resolution(flag, evaluation, Some(ResolvedValue::Boolean(evaluation.enabled)))
}

#[inline]
fn attribute<'f>(flag: &'f CompiledFlag, evaluation: Evaluation<'f>, name: &str) -> Resolution<'f> {
    resolution(flag, evaluation, evaluation.attributes.get(name).map(ResolvedValue::Attribute))
}

#[inline]
fn resolution<'f>(
    flag: &'f CompiledFlag,
    evaluation: Evaluation<'f>,
    value: Option<ResolvedValue<'f>>,
) -> Resolution<'f> {
    Resolution { value, variant: evaluation.variant, reason: evaluation.reason, flag: flag.key() }
}
