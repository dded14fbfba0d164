//! Edits of variants. The default is always the last one and has no rule; every other one has one.

use super::{EditError, Flag, NewValue};
use crate::document::{AttributeKey, FlagKey, Rule, Setting, Variant, Variants};

/// A variant to be added.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVariant {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub rule: String,
    /// Whether the flag is on for them.
    pub enabled: bool,
    /// Attribute values. Those that are not named are the default variant's.
    pub attributes: Vec<(AttributeKey, NewValue)>,
    /// Where it goes.
    pub position: Position,
    /// What the default variant of a flag without variants is called from now on.
    pub default_name: String,
}

/// A place among the variants of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// Tried before all others.
    First,
    /// Tried after all others, before the default.
    Last,
    /// Just before another one.
    Before(String),
    /// Just after another one, which is not the default.
    After(String),
}

/// The names, in order.
pub(super) fn names(variants: &Variants) -> Vec<String> {
    let with_rule = variants.with_rule.iter().map(|(variant, _)| variant);
    with_rule.chain([&variants.default]).map(|variant| variant.name.clone()).collect()
}

pub(super) fn find<'v>(variants: &'v mut Variants, name: &str) -> Option<&'v mut Variant> {
    let with_rule = variants.with_rule.iter_mut().map(|(variant, _)| variant);
    with_rule.chain([&mut variants.default]).find(|variant| variant.name == name)
}

pub(super) fn no_such(flag: &FlagKey, variant: &str, variants: Vec<String>) -> EditError {
    EditError::NoSuchVariant { flag: flag.clone(), variant: variant.to_owned(), variants }
}

impl Flag<'_> {
    pub(super) fn add_variant(&mut self, new: &NewVariant) -> Result<(), EditError> {
        let rule = self.read_rule(&new.name, &new.rule)?;
        let mut given = Vec::with_capacity(new.attributes.len());
        for (attribute, value) in &new.attributes {
            let flag = self.key.clone();
            let read = value.read(self.defined(attribute)?.constraints.as_ref()).map_err(|wanted| {
                let text = value.to_string();
                EditError::NotOfType { flag, attribute: attribute.clone(), text, wanted }
            })?;
            given.push((attribute.clone(), read));
        }
        let key = self.key;
        let setting = self.setting();
        if let Setting::Basic(state) = setting {
            let default = Variant { name: new.default_name.clone(), state: state.clone() };
            *setting = Setting::Variants(Variants { with_rule: Vec::new(), default });
        }
        let Setting::Variants(variants) = setting else { return Ok(()) };
        if find(variants, &new.name).is_some() {
            return Err(EditError::VariantExists { flag: key.clone(), variant: new.name.clone() });
        }
        let mut state = variants.default.state.clone();
        state.enabled = new.enabled;
        state.attributes.extend(given);
        let at = place(key, variants, &new.position)?;
        variants.with_rule.insert(at, (Variant { name: new.name.clone(), state }, rule));
        Ok(())
    }

    pub(super) fn set_rule(&mut self, name: &str, text: &str) -> Result<(), EditError> {
        let rule = self.read_rule(name, text)?;
        let (key, variants) = self.variants(name)?;
        let at = index(key, variants, name, "has no rule")?;
        if let Some((_, old)) = variants.with_rule.get_mut(at) {
            *old = rule;
        }
        Ok(())
    }

    pub(super) fn rename_variant(&mut self, name: &str, new: &str) -> Result<(), EditError> {
        let (key, variants) = self.variants(name)?;
        if name != new && find(variants, new).is_some() {
            return Err(EditError::VariantExists { flag: key.clone(), variant: new.to_owned() });
        }
        let names = names(variants);
        let variant = find(variants, name).ok_or_else(|| no_such(key, name, names))?;
        new.clone_into(&mut variant.name);
        Ok(())
    }

    pub(super) fn move_variant(&mut self, name: &str, to: &Position) -> Result<(), EditError> {
        let (key, variants) = self.variants(name)?;
        if matches!(to, Position::Before(other) | Position::After(other) if other == name) {
            return Ok(());
        }
        let from = index(key, variants, name, "is always the last")?;
        let mut rest = variants.clone();
        let moved = rest.with_rule.remove(from);
        let at = place(key, &rest, to)?;
        rest.with_rule.insert(at, moved);
        *variants = rest;
        Ok(())
    }

    pub(super) fn remove_variant(&mut self, name: &str) -> Result<(), EditError> {
        let (key, variants) = self.variants(name)?;
        if variants.default.name == name && variants.with_rule.is_empty() {
            let state = variants.default.state.clone();
            *self.setting() = Setting::Basic(state);
            return Ok(());
        }
        let at = index(key, variants, name, "cannot be removed while there are others")?;
        variants.with_rule.remove(at);
        Ok(())
    }

    fn read_rule(&self, variant: &str, text: &str) -> Result<Rule, EditError> {
        Rule::read(text).map_err(|diagnostics| EditError::Rule {
            flag: self.key.clone(),
            variant: variant.to_owned(),
            text: text.to_owned(),
            diagnostics,
        })
    }

    /// The variants, one of which is called `name`.
    fn variants(&mut self, name: &str) -> Result<(&FlagKey, &mut Variants), EditError> {
        let key = self.key;
        match self.setting() {
            Setting::Variants(variants) => Ok((key, variants)),
            Setting::Basic(_) | Setting::Nothing => Err(no_such(key, name, Vec::new())),
        }
    }
}

/// The index of a variant that has a rule. `rule`: what holds for a default.
fn index(flag: &FlagKey, variants: &Variants, name: &str, rule: &'static str) -> Result<usize, EditError> {
    if variants.default.name == name {
        return Err(EditError::Default { flag: flag.clone(), variant: name.to_owned(), rule });
    }
    let found = variants.with_rule.iter().position(|(variant, _)| variant.name == name);
    found.ok_or_else(|| no_such(flag, name, names(variants)))
}

/// The index at which a variant goes in.
fn place(flag: &FlagKey, variants: &Variants, to: &Position) -> Result<usize, EditError> {
    match to {
        Position::First => Ok(0),
        Position::Last => Ok(variants.with_rule.len()),
        Position::Before(name) if variants.default.name == *name => Ok(variants.with_rule.len()),
        Position::Before(name) => index(flag, variants, name, "is always the last"),
        Position::After(name) => index(flag, variants, name, "is always the last").map(|at| at + 1),
    }
}
