//! Edits of one flag, as a merge onto a document.
//!
//! Whoever changes a flag by sending the whole document again takes back what others have changed meanwhile. An
//! [`Edit`] says only what is to be different, so it can be made on the latest document, and made again when that one
//! has been overtaken.
//!
//! **Invariants:** pure; only the flag that is named differs afterwards; what comes out has passed every check that a
//! document passes when it is read. Stamps are not touched: storing does that.

mod error;
mod new_value;
mod revert;
mod variants;

use std::collections::BTreeMap;

pub use error::EditError;
pub use new_value::NewValue;
pub use revert::{means_the_same, revert_flag};
pub use variants::{NewVariant, Position};

use crate::document::{
    AttributeConstraints, AttributeDefinition, AttributeKey, Deprecation, FlagDefinition, FlagDocument,
    FlagKey, FlagValue, Setting, Stamps, State,
};
use crate::normalise::write;
use crate::violation::ReadError;

/// What is to be different about one flag.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The flag.
    pub flag: FlagKey,
    /// The changes, made one after the other and checked together.
    pub changes: Vec<Change>,
}

/// One change of a flag.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make the flag, off and without attributes. There must be none of that key.
    Create,
    /// Remove its definition and its value.
    Delete,
    /// Give it a name for people, or none.
    Name(Option<String>),
    /// Describe it, or not.
    Description(Option<String>),
    /// Say that it is meant to be removed, or take that back.
    Deprecation(Option<Deprecation>),
    /// Define an attribute, or define it anew.
    DefineAttribute {
        /// The attribute.
        attribute: AttributeKey,
        /// What it is for; `None` leaves the description that it has.
        description: Option<String>,
        /// What values it takes; `None`: any.
        constraints: Option<AttributeConstraints>,
    },
    /// Remove an attribute, with its values.
    RemoveAttribute(AttributeKey),
    /// Turn it on or off.
    Enabled {
        /// Which state.
        of: Of,
        /// On or off.
        enabled: bool,
    },
    /// Set an attribute's value.
    Set {
        /// Which state.
        of: Of,
        /// The attribute.
        attribute: AttributeKey,
        /// Its value.
        value: NewValue,
    },
    /// Remove an attribute's value.
    Unset {
        /// Which state.
        of: Of,
        /// The attribute.
        attribute: AttributeKey,
    },
    /// Add a variant. A flag without variants gets them: what it was becomes its default.
    AddVariant(NewVariant),
    /// Give a variant another rule.
    Rule {
        /// The variant.
        variant: String,
        /// The rule.
        rule: String,
    },
    /// Give a variant another name.
    RenameVariant {
        /// The variant.
        variant: String,
        /// Its new name.
        name: String,
    },
    /// Try a variant earlier or later.
    MoveVariant {
        /// The variant; not the default, which is always the last.
        variant: String,
        /// Where it goes.
        to: Position,
    },
    /// Remove a variant: one with a rule, or the only one, whose state the flag then has.
    RemoveVariant(String),
}

/// Which state of a flag is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// The only one there is: of a flag without variants.
    Flag,
    /// That of one variant.
    Variant(String),
    /// All of them: the flag's, or those of all its variants.
    All,
}

impl Edit {
    /// The document with the changes made.
    ///
    /// # Errors
    /// A change that makes no sense, or everything that would be wrong with the document.
    pub fn apply(&self, document: &FlagDocument) -> Result<FlagDocument, EditError> {
        let mut edited = document.clone();
        let mut flag = Flag { key: &self.flag, document: &mut edited };
        for change in &self.changes {
            flag.change(change)?;
        }
        check(&edited)?;
        Ok(edited)
    }
}

/// What was changed in memory is held against the rules that hold for a text.
fn check(edited: &FlagDocument) -> Result<(), ReadError> {
    match FlagDocument::read(&write(edited)) {
        Ok(_) => Ok(()),
        Err(ReadError::Invalid(mut violations)) => {
            // Places in a text that nobody has seen.
            for violation in &mut violations.listed {
                violation.at = None;
            }
            Err(ReadError::Invalid(violations))
        }
        Err(other) => Err(other),
    }
}

/// The flag under change.
struct Flag<'a> {
    key: &'a FlagKey,
    document: &'a mut FlagDocument,
}

impl Flag<'_> {
    fn change(&mut self, change: &Change) -> Result<(), EditError> {
        if *change == Change::Create {
            return self.create();
        }
        if !self.exists() {
            return Err(EditError::NoSuchFlag { flag: self.key.clone() });
        }
        match change {
            Change::Create | Change::Delete => {
                self.document.flags.remove(self.key);
                self.document.values.remove(self.key);
            }
            Change::Name(name) => self.definition().name.clone_from(name),
            Change::Description(description) => self.definition().description.clone_from(description),
            Change::Deprecation(deprecation) => self.definition().deprecation = *deprecation,
            Change::DefineAttribute { attribute, description, constraints } => {
                self.define_attribute(attribute, description.as_deref(), constraints.as_ref());
            }
            Change::RemoveAttribute(attribute) => self.remove_attribute(attribute)?,
            Change::Enabled { of, enabled } => {
                self.states(of)?.into_iter().for_each(|state| state.enabled = *enabled);
            }
            Change::Set { of, attribute, value } => self.set(of, attribute, value)?,
            Change::Unset { of, attribute } => self.unset(of, attribute)?,
            Change::AddVariant(new) => self.add_variant(new)?,
            Change::Rule { variant, rule } => self.set_rule(variant, rule)?,
            Change::RenameVariant { variant, name } => self.rename_variant(variant, name)?,
            Change::MoveVariant { variant, to } => self.move_variant(variant, to)?,
            Change::RemoveVariant(variant) => self.remove_variant(variant)?,
        }
        Ok(())
    }

    fn exists(&self) -> bool {
        self.document.flags.contains_key(self.key) || self.document.values.contains_key(self.key)
    }

    fn create(&mut self) -> Result<(), EditError> {
        if self.exists() {
            return Err(EditError::FlagExists { flag: self.key.clone() });
        }
        self.definition();
        self.setting();
        Ok(())
    }

    /// The flag's definition, made when there is none: a value needs none as long as it has no attributes.
    fn definition(&mut self) -> &mut FlagDefinition {
        self.document.flags.entry(self.key.clone()).or_insert_with(|| FlagDefinition {
            name: None,
            description: None,
            deprecation: None,
            attributes: BTreeMap::new(),
            stamps: Stamps::default(),
        })
    }

    /// The flag's setting. What was never set is off.
    fn setting(&mut self) -> &mut Setting {
        let off = || Setting::Basic(State { enabled: false, attributes: BTreeMap::new() });
        let value = self.document.values.entry(self.key.clone());
        let value = value.or_insert_with(|| FlagValue { setting: off(), stamps: Stamps::default() });
        if value.setting == Setting::Nothing {
            value.setting = off();
        }
        &mut value.setting
    }

    fn define_attribute(
        &mut self,
        attribute: &AttributeKey,
        description: Option<&str>,
        constraints: Option<&AttributeConstraints>,
    ) {
        let attributes = &mut self.definition().attributes;
        let before = attributes.remove(attribute).and_then(|before| before.description);
        let description = description.map(str::to_owned).or(before);
        let definition = AttributeDefinition { description, constraints: constraints.cloned() };
        attributes.insert(attribute.clone(), definition);
    }

    fn remove_attribute(&mut self, attribute: &AttributeKey) -> Result<(), EditError> {
        self.defined(attribute)?;
        self.definition().attributes.remove(attribute);
        for state in self.states(&Of::All)? {
            state.attributes.remove(attribute);
        }
        Ok(())
    }

    /// The definition of an attribute.
    fn defined(&self, attribute: &AttributeKey) -> Result<&AttributeDefinition, EditError> {
        let attributes = self.document.flags.get(self.key).map(|definition| &definition.attributes);
        attributes.and_then(|attributes| attributes.get(attribute)).ok_or_else(|| {
            let keys = attributes.into_iter().flat_map(BTreeMap::keys);
            EditError::NoSuchAttribute {
                flag: self.key.clone(),
                attribute: attribute.clone(),
                attributes: keys.map(ToString::to_string).collect(),
            }
        })
    }

    fn set(&mut self, of: &Of, attribute: &AttributeKey, value: &NewValue) -> Result<(), EditError> {
        let flag = self.key.clone();
        let value = value.read(self.defined(attribute)?.constraints.as_ref()).map_err(|wanted| {
            let text = value.to_string();
            EditError::NotOfType { flag, attribute: attribute.clone(), text, wanted }
        })?;
        for state in self.states(of)? {
            state.attributes.insert(attribute.clone(), value.clone());
        }
        Ok(())
    }

    fn unset(&mut self, of: &Of, attribute: &AttributeKey) -> Result<(), EditError> {
        self.defined(attribute)?;
        for state in self.states(of)? {
            state.attributes.remove(attribute);
        }
        Ok(())
    }

    /// The states that are meant, at least one.
    fn states(&mut self, of: &Of) -> Result<Vec<&mut State>, EditError> {
        let key = self.key;
        match (self.setting(), of) {
            (Setting::Basic(state), Of::Flag | Of::All) => Ok(vec![state]),
            (Setting::Variants(variants), Of::All) => {
                let with_rule = variants.with_rule.iter_mut().map(|(variant, _)| &mut variant.state);
                Ok(with_rule.chain([&mut variants.default.state]).collect())
            }
            (Setting::Variants(variants), Of::Variant(name)) => {
                let names = variants::names(variants);
                match variants::find(variants, name) {
                    Some(variant) => Ok(vec![&mut variant.state]),
                    None => Err(variants::no_such(key, name, names)),
                }
            }
            (Setting::Variants(variants), Of::Flag) => {
                Err(EditError::WhichVariant { flag: key.clone(), variants: variants::names(variants) })
            }
            (Setting::Basic(_) | Setting::Nothing, Of::Variant(name)) => {
                Err(variants::no_such(key, name, Vec::new()))
            }
            // What was nothing is off by now.
            (Setting::Nothing, Of::Flag | Of::All) => Ok(Vec::new()),
        }
    }
}
