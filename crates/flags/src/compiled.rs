//! A document, ready to be evaluated: which variant of a flag is whose.
//!
//! Everything that takes time is done once, when a version is loaded. **Invariants:** evaluating cannot fail and does
//! not allocate; variants are tried in order, the first true rule decides, and the last variant is everybody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::context::Context;
use crate::document::{
    AttributeKey, AttributeValue, FlagDocument, FlagKey, Rule, Setting, State, Variant, Variants,
};
use crate::explain::{self, Explanation};
use crate::resolve::Keys;
use crate::rule::{self, Bound, Program, Scan, Verdict};

/// Why a flag has the value it has, in OpenFeature's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The flag has no rules.
    Static,
    /// A rule is true.
    TargetingMatch,
    /// A rule is true, and a split was asked on the way.
    Split,
    /// No rule is true.
    Default,
    /// The flag, or the variant that was chosen, is off.
    Disabled,
}

impl Reason {
    /// The word on the wire, such as `TARGETING_MATCH`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
            Self::Default => "DEFAULT",
            Self::Disabled => "DISABLED",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a flag is for one context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation<'f> {
    /// The variant; `None` for a flag without variants.
    pub variant: Option<&'f str>,
    /// Whether the flag is on.
    pub enabled: bool,
    /// The attribute values; none while the flag is off.
    pub attributes: &'f BTreeMap<AttributeKey, AttributeValue>,
    /// Why.
    pub reason: Reason,
}

static NO_ATTRIBUTES: BTreeMap<AttributeKey, AttributeValue> = BTreeMap::new();

impl<'f> Evaluation<'f> {
    fn of(variant: Option<&'f str>, state: &'f State, reason: Reason) -> Self {
        if state.enabled {
            Self { variant, enabled: true, attributes: &state.attributes, reason }
        } else {
            Self { variant, enabled: false, attributes: &NO_ATTRIBUTES, reason: Reason::Disabled }
        }
    }
}

/// The flags of a document.
#[derive(Clone, Debug, Default)]
pub struct CompiledFlags {
    flags: BTreeMap<FlagKey, CompiledFlag>,
    /// Every context key any rule reads, sorted.
    keys: Box<[Box<str>]>,
    /// The keys of flags and of their attributes.
    resolvable: Keys,
}

impl CompiledFlags {
    /// Compiles all flags that have a value.
    #[must_use]
    pub fn compile(document: &FlagDocument) -> Self {
        Self::link(document.values().iter().map(|(key, value)| {
            let definition = document.flags().get(key);
            let defined = definition.into_iter().flat_map(|definition| definition.attributes().keys());
            CompiledFlag::compile(key.clone(), value.setting().clone(), defined)
        }))
    }

    /// Compiles what a client was served. It has no definitions, so an attribute that was withheld because its flag is
    /// off is not known here.
    #[must_use]
    pub fn from_settings(settings: BTreeMap<FlagKey, Setting>) -> Self {
        let flags = settings.into_iter();
        Self::link(flags.map(|(key, setting)| CompiledFlag::compile(key, setting, [].into_iter())))
    }

    fn link(flags: impl Iterator<Item = CompiledFlag>) -> Self {
        let mut flags: BTreeMap<FlagKey, CompiledFlag> = flags.map(|flag| (flag.key.clone(), flag)).collect();
        let keys: BTreeSet<Box<str>> = flags.values().flat_map(CompiledFlag::keys).map(Box::from).collect();
        let keys: Box<[Box<str>]> = keys.into_iter().collect();
        for flag in flags.values_mut() {
            flag.place_keys(&keys);
        }
        let resolvable = Keys::new(flags.values());
        Self { flags, keys, resolvable }
    }

    /// What the flag is for `context`; `None` if the document has no value for it.
    #[must_use]
    pub fn evaluate(&self, flag_key: &str, context: &Context<'_>) -> Option<Evaluation<'_>> {
        self.flags.get(flag_key).map(|flag| flag.evaluate(context))
    }

    /// What every flag is for `context`, in the order of their keys. Looks each attribute up once for all of them.
    pub fn evaluate_all<'f>(
        &'f self,
        context: &Context<'_>,
    ) -> impl Iterator<Item = (&'f FlagKey, Evaluation<'f>)> {
        let values = rule::bind(&self.keys, *context);
        self.flags.iter().map(move |(key, flag)| (key, flag.evaluate_bound(&values)))
    }

    /// Which variant, which rule, and why the ones above are not true; `None` if the document has no value for the flag.
    #[must_use]
    pub fn explain(&self, flag_key: &str, context: &Context<'_>) -> Option<Explanation> {
        self.flags.get(flag_key).map(|flag| flag.explain(context))
    }

    /// One flag, for those who evaluate it often.
    #[must_use]
    pub fn flag(&self, flag_key: &str) -> Option<&CompiledFlag> {
        self.flags.get(flag_key)
    }

    /// All flags by key.
    #[must_use]
    pub fn flags(&self) -> &BTreeMap<FlagKey, CompiledFlag> {
        &self.flags
    }

    /// Every context key any rule reads, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| &**key)
    }

    pub(crate) fn keys_read(&self) -> &[Box<str>] {
        &self.keys
    }

    pub(crate) fn resolvable(&self) -> &Keys {
        &self.resolvable
    }
}

/// One flag.
#[derive(Clone, Debug)]
pub struct CompiledFlag {
    key: FlagKey,
    /// Sorted.
    attributes: Box<[AttributeKey]>,
    choice: Choice,
}

#[derive(Clone, Debug)]
enum Choice {
    Same(State),
    Variants(Box<Choices>),
    Nothing,
}

#[derive(Clone, Debug)]
struct Choices {
    program: Program,
    /// For each key of the program, its place among the keys of the document.
    places: Box<[u32]>,
    rules: Box<[Rule]>,
    /// In the order of the rules, without the default.
    variants: Box<[Variant]>,
    default: Variant,
}

impl Choices {
    fn evaluation(&self, verdict: Verdict) -> Evaluation<'_> {
        match self.variants.get(verdict.rule) {
            Some(variant) => {
                let reason = if verdict.by_split { Reason::Split } else { Reason::TargetingMatch };
                Evaluation::of(Some(&variant.name), &variant.state, reason)
            }
            None => {
                let reason = if self.rules.is_empty() { Reason::Static } else { Reason::Default };
                Evaluation::of(Some(&self.default.name), &self.default.state, reason)
            }
        }
    }
}

impl CompiledFlag {
    fn compile<'d>(key: FlagKey, setting: Setting, defined: impl Iterator<Item = &'d AttributeKey>) -> Self {
        let valued = setting.states().flat_map(|state| state.attributes.keys());
        let attributes: BTreeSet<AttributeKey> = defined.cloned().chain(valued.cloned()).collect();
        let choice = match setting {
            Setting::Basic(state) => Choice::Same(state),
            Setting::Nothing => Choice::Nothing,
            Setting::Variants(Variants { with_rule, default }) => {
                let (variants, rules): (Vec<Variant>, Vec<Rule>) = with_rule.into_iter().unzip();
                Choice::Variants(Box::new(Choices {
                    program: rule::compile(rules.iter(), key.as_str()),
                    places: Box::default(),
                    rules: rules.into(),
                    variants: variants.into(),
                    default,
                }))
            }
        };
        Self { key, attributes: attributes.into_iter().collect(), choice }
    }

    fn place_keys(&mut self, keys: &[Box<str>]) {
        if let Choice::Variants(choices) = &mut self.choice {
            let place = |key| keys.binary_search(key).ok().and_then(|place| u32::try_from(place).ok());
            choices.places =
                choices.program.keys().iter().map(|key| place(key).unwrap_or(u32::MAX)).collect();
        }
    }

    /// The flag's key.
    #[must_use]
    pub fn key(&self) -> &FlagKey {
        &self.key
    }

    /// The attributes the flag has for anybody, whether it is on or off, sorted.
    #[must_use]
    pub fn attributes(&self) -> &[AttributeKey] {
        &self.attributes
    }

    /// What the flag is for `context`.
    #[must_use]
    pub fn evaluate(&self, context: &Context<'_>) -> Evaluation<'_> {
        match &self.choice {
            Choice::Variants(choices) => {
                choices.evaluation(choices.program.run(&mut Scan::new(choices.program.keys(), *context)))
            }
            Choice::Same(state) => Evaluation::of(None, state, Reason::Static),
            Choice::Nothing => Self::nothing(),
        }
    }

    pub(crate) fn evaluate_bound(&self, values: &[Option<crate::context::Value<'_>>]) -> Evaluation<'_> {
        match &self.choice {
            Choice::Variants(choices) => {
                choices.evaluation(choices.program.run(&mut Bound { places: &choices.places, values }))
            }
            Choice::Same(state) => Evaluation::of(None, state, Reason::Static),
            Choice::Nothing => Self::nothing(),
        }
    }

    const fn nothing<'f>() -> Evaluation<'f> {
        Evaluation { variant: None, enabled: false, attributes: &NO_ATTRIBUTES, reason: Reason::Disabled }
    }

    /// Which variant, which rule, and why the ones above are not true.
    #[must_use]
    pub fn explain(&self, context: &Context<'_>) -> Explanation {
        let (variants, default): (Vec<(&str, &Rule)>, Option<&str>) = match &self.choice {
            Choice::Same(_) | Choice::Nothing => (Vec::new(), None),
            Choice::Variants(choices) => {
                let names = choices.variants.iter().map(|variant| variant.name.as_str());
                (names.zip(&choices.rules).collect(), Some(&choices.default.name))
            }
        };
        explain::explain(&self.key, self.evaluate(context), &variants, default, *context)
    }

    /// The context keys the flag's rules read.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.program().into_iter().flat_map(Program::keys).map(|key| &**key)
    }

    /// The context keys the flag's splits draw by: without them nobody is in a split.
    pub fn split_keys(&self) -> impl Iterator<Item = &str> {
        self.program().into_iter().flat_map(Program::split_keys)
    }

    fn program(&self) -> Option<&Program> {
        match &self.choice {
            Choice::Variants(choices) => Some(&choices.program),
            Choice::Same(_) | Choice::Nothing => None,
        }
    }
}
