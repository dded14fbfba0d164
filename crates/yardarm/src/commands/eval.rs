//! `yardarm eval`: what a flag is for somebody.

use super::output::{Output, print_json};
use super::question::{Question, context};
use super::{Failure, say};
use crate::terminal::printable;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};
use std::process::ExitCode;
use yardarm_flags::document::AttributeValue;
use yardarm_flags::{CompiledFlags, ResolvedValue};

#[derive(Args)]
pub(crate) struct EvalArguments {
    #[command(flatten)]
    question: Question,
    /// How results look.
    #[arg(long, default_value = "table")]
    output: Output,
}

/// The answer, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    key: &'a str,
    /// Left out where the caller's default applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
}

pub(super) fn run(arguments: &EvalArguments) -> Result<ExitCode, Failure> {
    let question = &arguments.question;
    let subject = question.subject()?;
    let flags = CompiledFlags::compile(&subject.document);
    let known = question.known();
    let resolved =
        flags.resolve(&question.flag, &context(&known)).ok_or_else(|| question.unknown(&subject))?;
    let value = resolved.value.as_ref().map(json);
    if arguments.output == Output::Json {
        let (key, variant) = (question.flag.as_str(), resolved.variant);
        let answer =
            Answer { key, value, variant, reason: resolved.reason.as_str(), version: subject.version };
        print_json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let value = value.map_or("none: the caller's default applies".to_owned(), |value| value.to_string());
    say(format!("value    {}", printable(&value)));
    if let Some(variant) = resolved.variant {
        say(format!("variant  {}", printable(variant)));
    }
    say(format!("reason   {}", resolved.reason));
    say(format!("of       {}", printable(&subject.shown)));
    Ok(ExitCode::SUCCESS)
}

fn json(value: &ResolvedValue<'_>) -> Value {
    match value {
        ResolvedValue::Boolean(value) => Value::Bool(*value),
        ResolvedValue::Attribute(value) => of_attribute(value),
        ResolvedValue::Object(evaluation) => {
            let attributes = evaluation.attributes.iter();
            let mut members: Map<String, Value> =
                attributes.map(|(key, value)| (key.to_string(), of_attribute(value))).collect();
            members.insert("enabled".to_owned(), Value::Bool(evaluation.enabled));
            Value::Object(members)
        }
    }
}

fn of_attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::String(text) => Value::from(text.as_str()),
        AttributeValue::Number(number) => Value::Number(number.clone()),
        AttributeValue::Boolean(boolean) => Value::Bool(*boolean),
        AttributeValue::Strings(texts) => Value::from(texts.as_slice()),
        AttributeValue::Numbers(numbers) => numbers.iter().cloned().map(Value::Number).collect(),
    }
}
