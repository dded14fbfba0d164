//! A document, ready to be evaluated: which variant of a flag is whose.
//!
//! Everything that takes time is done once, when a version is loaded. **Invariants:** evaluating cannot fail and does
//! not allocate; variants are tried in order, the first true rule decides, and the last variant is everybody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::context::Context;
use crate::document::{
    AttributeKey, AttributeValue, FlagDocument, FlagKey, Rule, Setting, State, Variant, Variants,
};
use crate::explain::{self, Explanation};
use crate::resolve::{Keys, Shape};
use crate::rule::{Bound, Compilation, Program, Verdict, Vocabulary};
use crate::text_table::TextTable;

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
    /// Of a flag that is set to nothing.
    const NOTHING: Evaluation<'static> =
        Evaluation { variant: None, enabled: false, attributes: &NO_ATTRIBUTES, reason: Reason::Disabled };

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
    /// Sorted by key.
    flags: Box<[CompiledFlag]>,
    /// Where the flag of a key is among them.
    by_key: TextTable,
    /// What the rules of all of them speak of.
    vocabulary: Arc<Vocabulary>,
    /// Every context key any rule reads, sorted.
    keys: Box<[Box<str>]>,
    /// The keys of flags and of their attributes.
    resolvable: Keys,
}

impl CompiledFlags {
    /// Compiles all flags that have a value.
    #[must_use]
    pub fn compile(document: &FlagDocument) -> Self {
        let mut compilation = Compilation::default();
        let flags = document.values().iter().map(|(key, value)| {
            let definition = document.flags().get(key);
            let defined = definition.into_iter().flat_map(|definition| definition.attributes().keys());
            CompiledFlag::compile(key.clone(), value.setting().clone(), defined, &mut compilation)
        });
        Self::link(flags.collect(), compilation)
    }

    /// Compiles what a client was served. It has no definitions, so an attribute that was withheld because its flag is
    /// off is not known here.
    #[must_use]
    pub fn from_settings(settings: BTreeMap<FlagKey, Setting>) -> Self {
        let mut compilation = Compilation::default();
        let compile = |(key, setting)| CompiledFlag::compile(key, setting, [].into_iter(), &mut compilation);
        let flags = settings.into_iter().map(compile).collect();
        Self::link(flags, compilation)
    }

    /// `flags` are sorted by key and come of `compilation`.
    fn link(mut flags: Box<[CompiledFlag]>, compilation: Compilation) -> Self {
        let vocabulary = compilation.finish();
        for flag in &mut flags {
            flag.speak(&vocabulary);
        }
        let keys: BTreeSet<Box<str>> = flags.iter().flat_map(CompiledFlag::keys).map(Box::from).collect();
        let by_key = TextTable::new(flags.iter().map(|flag| flag.key.as_str()));
        let resolvable = Keys::new(&flags);
        Self { flags, by_key, vocabulary, keys: keys.into_iter().collect(), resolvable }
    }

    /// What the flag is for `context`; `None` if the document has no value for it.
    #[must_use]
    pub fn evaluate(&self, flag_key: &str, context: &Context<'_>) -> Option<Evaluation<'_>> {
        self.flag(flag_key).map(|flag| flag.evaluate(context))
    }

    /// What every flag is for `context`, in the order of their keys. Looks each attribute up once for all of them.
    pub fn evaluate_all<'f>(
        &'f self,
        context: &Context<'_>,
    ) -> impl Iterator<Item = (&'f FlagKey, Evaluation<'f>)> {
        let bound = self.bind(context);
        self.flags.iter().map(move |flag| (&flag.key, flag.evaluate_bound(&bound)))
    }

    /// Which variant, which rule, and why the ones above are not true; `None` if the document has no value for the flag.
    #[must_use]
    pub fn explain(&self, flag_key: &str, context: &Context<'_>) -> Option<Explanation> {
        self.flag(flag_key).map(|flag| flag.explain(context))
    }

    /// One flag, for those who evaluate it often.
    #[must_use]
    pub fn flag(&self, flag_key: &str) -> Option<&CompiledFlag> {
        self.flags.get(self.by_key.get(flag_key)? as usize)
    }

    /// All flags, in the order of their keys.
    pub fn flags(&self) -> impl ExactSizeIterator<Item = (&FlagKey, &CompiledFlag)> {
        self.flags.iter().map(|flag| (&flag.key, flag))
    }

    /// Every context key any rule reads, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| &**key)
    }

    /// The values of `context` where all flags find them.
    pub(crate) fn bind<'c>(&self, context: &Context<'c>) -> Bound<'c> {
        Bound::new(&self.vocabulary, *context)
    }

    /// The flag at a place in the order of their keys.
    pub(crate) fn flag_at(&self, place: usize) -> Option<&CompiledFlag> {
        self.flags.get(place)
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
    /// What follows from them, so that nobody who resolves the flag reads them.
    shape: Shape,
    choice: Choice,
}

#[derive(Clone, Debug)]
enum Choice {
    Same(State),
    Variants(Choices),
    Nothing,
}

#[derive(Clone, Debug)]
struct Choices {
    program: Program,
    rules: Box<[Rule]>,
    /// In the order of the rules; the default is the last one.
    variants: Box<[Variant]>,
}

impl Choices {
    fn evaluation(&self, verdict: Verdict) -> Evaluation<'_> {
        let reason = if verdict.rule < self.rules.len() {
            if verdict.by_split { Reason::Split } else { Reason::TargetingMatch }
        } else {
            if self.rules.is_empty() { Reason::Static } else { Reason::Default }
        };
        match self.variants.get(verdict.rule) {
            Some(variant) => Evaluation::of(Some(&variant.name), &variant.state, reason),
            // There is one for every rule and one more.
            None => Evaluation::NOTHING,
        }
    }
}

impl CompiledFlag {
    /// Answers once it speaks the vocabulary that comes of `compilation`.
    fn compile<'d>(
        key: FlagKey,
        setting: Setting,
        defined: impl Iterator<Item = &'d AttributeKey>,
        compilation: &mut Compilation,
    ) -> Self {
        let valued = setting.states().flat_map(|state| state.attributes.keys());
        let attributes: BTreeSet<AttributeKey> = defined.cloned().chain(valued.cloned()).collect();
        let choice = match setting {
            Setting::Basic(state) => Choice::Same(state),
            Setting::Nothing => Choice::Nothing,
            Setting::Variants(Variants { with_rule, default }) => {
                let (mut variants, rules): (Vec<Variant>, Vec<Rule>) = with_rule.into_iter().unzip();
                variants.push(default);
                Choice::Variants(Choices {
                    program: compilation.program(&rules),
                    rules: rules.into(),
                    variants: variants.into(),
                })
            }
        };
        let attributes: Box<[AttributeKey]> = attributes.into_iter().collect();
        Self { key, shape: Shape::of(&attributes), attributes, choice }
    }

    fn speak(&mut self, vocabulary: &Arc<Vocabulary>) {
        if let Choice::Variants(choices) = &mut self.choice {
            choices.program.speak(Arc::clone(vocabulary));
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

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// What the flag is for `context`.
    #[must_use]
    pub fn evaluate(&self, context: &Context<'_>) -> Evaluation<'_> {
        self.by(|program| program.scan(self.key.as_str(), *context))
    }

    /// The same, where the values were bound for all flags.
    #[inline]
    pub(crate) fn evaluate_bound(&self, bound: &Bound<'_>) -> Evaluation<'_> {
        self.by(|program| program.run(self.key.as_str(), &mut &*bound))
    }

    #[inline]
    fn by(&self, run: impl FnOnce(&Program) -> Verdict) -> Evaluation<'_> {
        match &self.choice {
            Choice::Variants(choices) => choices.evaluation(run(&choices.program)),
            Choice::Same(state) => Evaluation::of(None, state, Reason::Static),
            Choice::Nothing => Evaluation::NOTHING,
        }
    }

    /// Which variant, which rule, and why the ones above are not true.
    #[must_use]
    pub fn explain(&self, context: &Context<'_>) -> Explanation {
        let (variants, default): (Vec<(&str, &Rule)>, Option<&str>) = match &self.choice {
            Choice::Same(_) | Choice::Nothing => (Vec::new(), None),
            Choice::Variants(choices) => {
                let names = choices.variants.iter().map(|variant| variant.name.as_str());
                let default = choices.variants.last().map(|default| default.name.as_str());
                (names.zip(&choices.rules).collect(), default)
            }
        };
        explain::explain(&self.key, self.evaluate(context), &variants, default, *context)
    }

    /// The context keys the flag's rules read.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.program().into_iter().flat_map(Program::keys)
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
