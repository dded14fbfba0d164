//! What there is to say about a flag, one line each, for people.
//!
//! Showing a flag and comparing two of them use the same lines, so what somebody has seen is what a difference names.
//! **Invariant:** the order is that of the document's meaning (definition, then state, then variants as they are
//! tried), and the same flag has the same lines always.

use std::fmt::Write as _;

use crate::document::{
    ArrayConstraints, AttributeConstraints, AttributeValue, ElementConstraints, FlagDefinition, FlagDocument,
    NumberConstraints, Setting, State, StringConstraints, StringRule, Variants,
};

/// One thing to say about a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// About what: `enabled`, `value colour`, `variant beta: rule`. Unique within the flag.
    pub subject: String,
    /// What.
    pub text: String,
}

/// Everything to say about the flag `key`; nothing for one that does not exist.
#[must_use]
pub fn facts(document: &FlagDocument, key: &str) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    if let Some(definition) = document.flags().get(key) {
        facts.definition(definition);
    }
    match document.values().get(key).map(|value| value.setting()) {
        None => {}
        Some(Setting::Nothing) => facts.add("enabled", "false"),
        Some(Setting::Basic(state)) => facts.state("", state),
        Some(Setting::Variants(variants)) => facts.variants(variants),
    }
    facts.0
}

struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, subject: impl Into<String>, text: impl Into<String>) {
        self.0.push(Fact { subject: subject.into(), text: text.into() });
    }

    fn definition(&mut self, definition: &FlagDefinition) {
        if let Some(name) = definition.name() {
            self.add("name", name);
        }
        if let Some(description) = definition.description() {
            self.add("description", description);
        }
        if let Some(deprecation) = definition.deprecation() {
            let date = deprecation.date.map(|date| format!(", by {date}")).unwrap_or_default();
            self.add("deprecation", format!("planned{date}"));
        }
        for (key, attribute) in definition.attributes() {
            let takes = attribute.constraints().map_or_else(|| "anything".to_owned(), constraints);
            self.add(format!("attribute {key}"), takes);
            if let Some(description) = attribute.description() {
                self.add(format!("attribute {key}: description"), description);
            }
        }
    }

    fn state(&mut self, before: &str, state: &State) {
        self.add(format!("{before}enabled"), state.enabled.to_string());
        for (key, value) in &state.attributes {
            self.add(format!("{before}value {key}"), value.to_string());
        }
    }

    fn variants(&mut self, variants: &Variants) {
        let rules = variants.with_rule().iter().map(|(variant, rule)| (variant, Some(rule)));
        let all = rules.chain([(variants.default_variant(), None)]);
        let names: Vec<&str> = all.clone().map(|(variant, _)| variant.name.as_str()).collect();
        self.add("variants", names.join(", "));
        for (variant, rule) in all {
            let before = format!("variant {}: ", variant.name);
            if let Some(rule) = rule {
                self.add(format!("{before}rule"), rule.as_str());
            }
            self.state(&before, &variant.state);
        }
    }
}

fn constraints(constraints: &AttributeConstraints) -> String {
    let mut text = match constraints {
        AttributeConstraints::String(string) => format!("string{}", of_string(string)),
        AttributeConstraints::Number(number) => format!("number{}", of_number(number)),
        AttributeConstraints::Boolean { .. } => "boolean".to_owned(),
        AttributeConstraints::Array(ArrayConstraints { elements, .. }) => match elements {
            None => "array".to_owned(),
            Some(ElementConstraints::String(string)) => format!("array of string{}", of_string(string)),
            Some(ElementConstraints::Number(number)) => format!("array of number{}", of_number(number)),
        },
    };
    if constraints.required() {
        text.push_str(", required");
    }
    text
}

fn of_string(constraints: &StringConstraints) -> String {
    match &constraints.rule {
        None => String::new(),
        Some(StringRule::Pattern(pattern)) => format!(" like {pattern}"),
        Some(StringRule::Enum(entries)) => {
            let entries = entries.iter().map(|entry| AttributeValue::String(entry.text()).to_string());
            format!(" of {}", entries.collect::<Vec<_>>().join(" | "))
        }
    }
}

fn of_number(constraints: &NumberConstraints) -> String {
    let mut text = String::new();
    if let Some(minimum) = &constraints.minimum {
        let _ = write!(text, " from {minimum}");
    }
    if let Some(maximum) = &constraints.maximum {
        let _ = write!(text, " to {maximum}");
    }
    text
}
