//! `yardarm explain`: why a flag is what it is for somebody.

use super::output::{Output, print_json};
use super::question::{Question, context};
use super::{Failure, say};
use crate::terminal::printable;
use clap::Args;
use serde::Serialize;
use std::process::ExitCode;
use yardarm_flags::rule::Clause;
use yardarm_flags::{CompiledFlags, Explanation, Outcome, TriedVariant};

#[derive(Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    question: Question,
    /// How results look.
    #[arg(long, default_value = "table")]
    output: Output,
}

pub(super) fn run(arguments: &ExplainArguments) -> Result<ExitCode, Failure> {
    let question = &arguments.question;
    let subject = question.subject()?;
    let flags = CompiledFlags::compile(&subject.document);
    let known = question.known();
    let explained = flags.explain(question.flag_key(), &context(&known));
    let explained = explained.ok_or_else(|| question.unknown(&subject))?;
    if arguments.output == Output::Json {
        print_json(&Answer::of(&explained, subject.version))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(format!("In {}:", printable(&subject.shown)));
    for line in explained.to_string().lines() {
        say(printable(line));
    }
    Ok(ExitCode::SUCCESS)
}

/// The answer, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    flag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    enabled: bool,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    variants: Vec<VariantAnswer<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VariantAnswer<'a> {
    name: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<ClauseAnswer<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClauseAnswer<'a> {
    text: &'a str,
    /// Left out for a part that nobody had to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<bool>,
    #[serde(skip_serializing_if = "str::is_empty")]
    because: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<ClauseAnswer<'a>>,
}

impl<'a> Answer<'a> {
    fn of(explained: &'a Explanation, version: Option<u64>) -> Self {
        Self {
            flag: explained.flag.as_str(),
            variant: explained.variant.as_deref(),
            enabled: explained.enabled,
            reason: explained.reason.as_str(),
            version,
            variants: explained.variants.iter().map(VariantAnswer::of).collect(),
        }
    }
}

impl<'a> VariantAnswer<'a> {
    fn of(tried: &'a TriedVariant) -> Self {
        let (outcome, rule) = match &tried.outcome {
            Outcome::Chosen(clause) => ("chosen", Some(clause)),
            Outcome::PassedOver(clause) => ("passedOver", Some(clause)),
            Outcome::NotAsked => ("notAsked", None),
            Outcome::ChosenAsDefault => ("chosenAsDefault", None),
        };
        Self { name: &tried.name, outcome, rule: rule.map(ClauseAnswer::of) }
    }
}

impl<'a> ClauseAnswer<'a> {
    /// As deep as a rule may be nested.
    fn of(clause: &'a Clause) -> Self {
        Self {
            text: &clause.text,
            holds: clause.holds,
            because: &clause.because,
            bucket: clause.bucket,
            parts: clause.parts.iter().map(Self::of).collect(),
        }
    }
}
