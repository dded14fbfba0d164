//! Why a flag has the value it has: every variant that was tried, and what became of each part of its rule.
//!
//! This is for people, and takes its time; what it says is what evaluating answers.

use std::fmt;

use crate::compiled::{Evaluation, Reason};
use crate::context::Context;
use crate::document::{FlagKey, Rule};
use crate::rule::{Clause, walk};

/// Why a flag has the value it has for one context.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The flag.
    pub flag: FlagKey,
    /// The variant that was chosen; `None` for a flag without variants.
    pub variant: Option<String>,
    /// Whether the flag is on.
    pub enabled: bool,
    /// Why, in one word.
    pub reason: Reason,
    /// The variants in order; none for a flag without variants.
    pub variants: Vec<TriedVariant>,
}

/// What became of one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct TriedVariant {
    /// The variant's name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a variant.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Its rule is true, so it was chosen.
    Chosen(Clause),
    /// Its rule is not true.
    PassedOver(Clause),
    /// A variant above was chosen.
    NotAsked,
    /// It is the last one, and no rule is true.
    ChosenAsDefault,
}

pub(crate) fn explain(
    flag: &FlagKey,
    evaluation: Evaluation<'_>,
    variants: &[(&str, &Rule)],
    default: Option<&str>,
    context: Context<'_>,
) -> Explanation {
    let mut chosen = false;
    let mut tried: Vec<TriedVariant> = Vec::with_capacity(variants.len() + 1);
    for (name, rule) in variants {
        let outcome = if chosen {
            Outcome::NotAsked
        } else {
            let clause = walk(rule.expression(), rule.as_str(), flag.as_str(), context);
            chosen = clause.holds == Some(true);
            if chosen { Outcome::Chosen(clause) } else { Outcome::PassedOver(clause) }
        };
        tried.push(TriedVariant { name: (*name).to_owned(), outcome });
    }
    if let Some(name) = default {
        let outcome = if chosen { Outcome::NotAsked } else { Outcome::ChosenAsDefault };
        tried.push(TriedVariant { name: name.to_owned(), outcome });
    }
    Explanation {
        flag: flag.clone(),
        variant: evaluation.variant.map(str::to_owned),
        enabled: evaluation.enabled,
        reason: evaluation.reason,
        variants: tried,
    }
}

/// Several lines: the answer, then each variant with the parts of its rule.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.enabled { "on" } else { "off" };
        match &self.variant {
            Some(variant) => writeln!(f, "{}: {variant}, {state} ({})", self.flag, self.reason)?,
            None => writeln!(f, "{}: {state} ({})", self.flag, self.reason)?,
        }
        for variant in &self.variants {
            let name = &variant.name;
            match &variant.outcome {
                Outcome::Chosen(clause) => write!(f, "  {name}: chosen\n{clause:2}")?,
                Outcome::PassedOver(clause) => write!(f, "  {name}: passed over\n{clause:2}")?,
                Outcome::NotAsked => writeln!(f, "  {name}: not asked, a variant above was chosen")?,
                Outcome::ChosenAsDefault => writeln!(f, "  {name}: chosen, the default")?,
            }
        }
        Ok(())
    }
}
