//! `yardarm lint`: what is wrong with flag documents, and what is legal but hardly meant. Asks no server.

use super::output::{Output, print_json};
use super::{Failure, say};
use crate::excerpt::excerpt;
use crate::input;
use crate::terminal::{Colour, Palette, note, printable};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use yardarm_flags::document::MAX_DOCUMENT_BYTES;
use yardarm_flags::json_position::{Step, Target, TextPosition, locate_nearest};
use yardarm_flags::rule::{Diagnostic, check};
use yardarm_flags::{FlagDocument, ReadError, RuleWarning, Violation, Violations, lint};

/// Findings of one text that are shown with their line: each costs a look at the whole text.
const MAX_EXCERPTS: usize = 100;

#[derive(Args)]
pub(crate) struct LintArguments {
    /// Flag documents in the stored form; `-` is standard input.
    #[arg(value_name = "FILE", required_unless_present = "rule")]
    files: Vec<PathBuf>,
    /// Look at a rule instead.
    #[arg(long, value_name = "RULE", conflicts_with = "files")]
    rule: Option<String>,
    /// What to fail for, beside errors.
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// How results look.
    #[arg(long, default_value = "table")]
    output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings.
    Warnings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
enum Severity {
    Error,
    Warning,
}

impl Severity {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that was found.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    /// The constraint that is broken, or the kind of diagnostic of a rule.
    code: String,
    /// The service's dotted path; empty for the whole text.
    #[serde(skip_serializing_if = "String::is_empty")]
    location: String,
    message: String,
    #[serde(skip)]
    at: Option<TextPosition>,
}

impl Finding {
    fn new(
        severity: Severity,
        at: Option<TextPosition>,
        code: impl Into<String>,
        location: impl Into<String>,
        message: String,
    ) -> Self {
        let (line, column) = (at.map(|at| at.line), at.map(|at| at.column));
        Self { severity, line, column, code: code.into(), location: location.into(), message, at }
    }
}

/// What was found in one text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    file: String,
    findings: Vec<Finding>,
    /// Errors beyond those that are listed.
    #[serde(skip_serializing_if = "is_zero")]
    omitted: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reports<'r> {
    files: &'r [Report],
    errors: usize,
    warnings: usize,
}

pub(super) fn run(arguments: &LintArguments) -> Result<ExitCode, Failure> {
    let mut texts = Vec::new();
    for file in &arguments.files {
        texts.push((file.display().to_string(), input::read(file, MAX_DOCUMENT_BYTES)?));
    }
    let mut reports: Vec<Report> = texts.iter().map(|(file, bytes)| of_document(file, bytes)).collect();
    if let Some(rule) = &arguments.rule {
        reports.push(of_rule(rule));
        texts.push(("rule".to_owned(), rule.clone().into_bytes()));
    }
    let count = |severity| {
        let all = reports.iter().flat_map(|report| &report.findings);
        all.filter(|finding| finding.severity == severity).count()
    };
    let omitted: usize = reports.iter().map(|report| report.omitted).sum();
    let (errors, warnings) = (count(Severity::Error) + omitted, count(Severity::Warning));
    match arguments.output {
        Output::Json => print_json(&Reports { files: &reports, errors, warnings })?,
        Output::Table => {
            for (report, (_, bytes)) in reports.iter().zip(&texts) {
                print(report, &String::from_utf8_lossy(bytes));
            }
            note(&summary(errors, warnings));
        }
    }
    let denied = errors > 0 || (warnings > 0 && arguments.deny == Some(Deny::Warnings));
    Ok(if denied { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn summary(errors: usize, warnings: usize) -> String {
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    match (errors, warnings) {
        (0, 0) => "Nothing was found.".to_owned(),
        (errors, 0) => format!("{}.", counted(errors, "error")),
        (0, warnings) => format!("{}.", counted(warnings, "warning")),
        (errors, warnings) => format!("{}, {}.", counted(errors, "error"), counted(warnings, "warning")),
    }
}

fn print(report: &Report, text: &str) {
    let palette = Palette::of_output();
    for (number, finding) in report.findings.iter().enumerate() {
        let colour = match finding.severity {
            Severity::Error => Colour::Red,
            Severity::Warning => Colour::Yellow,
        };
        let severity = palette.paint(colour, finding.severity.as_str());
        let place = finding.at.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
        let (file, message, code) = (printable(&report.file), printable(&finding.message), &finding.code);
        say(format!("{file}{place}: {severity}: {message} [{}]", printable(code)));
        if let Some(at) = finding.at.filter(|_| number < MAX_EXCERPTS) {
            say(excerpt(text, at));
        }
    }
    if report.omitted > 0 {
        say(format!("{}: and {} more errors", printable(&report.file), report.omitted));
    }
}

fn of_rule(rule: &str) -> Report {
    let found = check(rule).diagnostics;
    let findings = found.iter().map(|found| of_diagnostic(found, Some(found.at(rule)), &found.location));
    Report { file: "rule".to_owned(), findings: findings.collect(), omitted: 0 }
}

fn of_diagnostic(diagnostic: &Diagnostic, at: Option<TextPosition>, location: &str) -> Finding {
    let severity = if diagnostic.is_error() { Severity::Error } else { Severity::Warning };
    Finding::new(severity, at, diagnostic.code.as_str(), location, diagnostic.to_string())
}

fn of_document(file: &str, bytes: &[u8]) -> Report {
    let error = |at, code: &str, message: String| Report {
        file: file.to_owned(),
        findings: vec![Finding::new(Severity::Error, at, code, "", message)],
        omitted: 0,
    };
    match FlagDocument::read(bytes) {
        Ok(document) => {
            let text = String::from_utf8_lossy(bytes);
            Report { file: file.to_owned(), findings: of_warnings(&lint(&document), &text), omitted: 0 }
        }
        Err(ReadError::Malformed { message, at }) => error(Some(at), "Malformed", message),
        Err(too_large @ ReadError::TooLarge { .. }) => error(None, "TooLarge", too_large.to_string()),
        Err(ReadError::Invalid(violations)) => {
            let Violations { listed, omitted } = violations;
            Report { file: file.to_owned(), findings: of_violations(&listed), omitted }
        }
    }
}

/// In the order of the text.
fn of_violations(violations: &[Violation]) -> Vec<Finding> {
    // For a bad rule the service reports the rule, and each of its errors; people need only the latter.
    let explained = |violation: &Violation| {
        violation.reason.is_none()
            && violations.iter().any(|other| other.reason.is_some() && other.pointer == violation.pointer)
    };
    let told = violations.iter().filter(|violation| !explained(violation));
    let mut findings: Vec<Finding> = told.map(of_violation).collect();
    findings.sort_by_key(|finding| finding.at);
    findings
}

fn of_violation(violation: &Violation) -> Finding {
    let Violation { constraint, location, value, reason, message, at, .. } = violation;
    let code = reason.as_ref().unwrap_or(constraint);
    let message = match message {
        Some(message) => format!("{location}: {message}"),
        None => format!("{location} {}", in_words(constraint, value)),
    };
    Finding::new(Severity::Error, *at, code.as_str(), location.as_str(), message)
}

/// A broken constraint in words.
fn in_words(constraint: &str, value: &str) -> String {
    let (name, argument) = match constraint.split_once('(') {
        Some((name, argument)) => (name, argument.strip_suffix(')').unwrap_or(argument)),
        None => (constraint, ""),
    };
    match name {
        "Required" | "NonEmpty" | "Entries" => "is missing".to_owned(),
        "Empty" => "must not be there: the last variant is the default and has no rule".to_owned(),
        "OneOf" => format!("is `{value}`, but must be one of {argument}"),
        "AttributeType" | "JsonType" | "ElementType" => format!("is {value}, but must be of type {argument}"),
        "FloatGTE" => format!("is {value}, but must be at least {argument}"),
        "FloatLTE" => format!("is {value}, but must be at most {argument}"),
        "Regexp" => format!("is `{value}`, but must match {argument}"),
        "MaxLength" => format!("has more than {argument} characters"),
        "MaxEntries" => format!("has more than {argument} entries"),
        "UniqueVariantNames" => "has two variants of the same name".to_owned(),
        "StrictVariants" => "has something beside its variants: put it into them".to_owned(),
        "Satisfies" => {
            let defined = argument.strip_prefix("map[").and_then(|rest| rest.strip_suffix(']')).unwrap_or("");
            let defined = if defined.is_empty() { "none" } else { defined };
            format!("is not an attribute of the flag, which defines {defined}")
        }
        "Not" if argument == "IsZero([])" => "lacks a required attribute".to_owned(),
        "Not" => "must not be called that".to_owned(),
        "KnownMember" => "means nothing here".to_owned(),
        "PatternIsValid" => format!("is no regular expression that is accepted: `{value}`"),
        "Excludes" => format!("excludes {argument}"),
        "Format" => format!("is `{value}`, but must be a {argument}"),
        _ => format!("breaks {constraint}"),
    }
}

fn of_warnings(warnings: &[RuleWarning], text: &str) -> Vec<Finding> {
    let member = |name: &str| Step::Member(name.to_owned().into());
    let paths: Vec<[Step<'static>; 5]> = warnings
        .iter()
        .map(|warning| {
            let (values, flag) = (member("values"), member(warning.flag.as_str()));
            [values, flag, member("_variants"), Step::Index(warning.variant), member("rule")]
        })
        .collect();
    let wanted: Vec<(&[Step<'_>], Target)> = paths
        .iter()
        .zip(warnings)
        .map(|(path, warning)| (path.as_slice(), Target::Inside(warning.diagnostic.span.start)))
        .collect();
    let places = locate_nearest(text, &wanted);
    let mut findings: Vec<Finding> = warnings
        .iter()
        .zip(places)
        .map(|(warning, at)| {
            let RuleWarning { flag, name, diagnostic, .. } = warning;
            let location = format!("values.{flag}._variants.{name}.rule");
            let message = format!("{flag}, variant {name}: {diagnostic}");
            Finding { message, ..of_diagnostic(diagnostic, at, &location) }
        })
        .collect();
    findings.sort_by_key(|finding| finding.at);
    findings
}

#[cfg(test)]
mod tests {
    use super::{Severity, in_words, of_document, of_rule, summary};

    #[test]
    fn findings_come_in_the_order_of_the_text_with_their_places() {
        let text = "{\"version\": \"1\",\n \"values\": {\n  \"b\": {\"enabled\": \"maybe\"},\n  \"a\": {\"_variants\": [\n   \
                    {\"name\": \"x\", \"enabled\": true, \"rule\": \"(eq $user-id \\\"x\\\")\"},\n   {\"name\": \"d\", \"enabled\": \
                    true}]}}}";
        let report = of_document("f.json", text.as_bytes());
        let places: Vec<_> = report.findings.iter().map(|found| (found.line, found.code.as_str())).collect();
        assert_eq!(places.first(), Some(&(Some(3), "AttributeType(boolean)")));
        assert!(
            places.len() >= 2 && places[1..].iter().all(|(line, code)| *line == Some(5) && *code != "Empty")
        );
        assert!(report.findings.iter().all(|found| found.severity == Severity::Error));
    }

    #[test]
    fn a_warning_is_placed_inside_its_rule() {
        let text = r#"{"version":"1","values":{"a":{"_variants":[
{"name":"x","enabled":true,"rule":"(split pct::20 by::$id)"},
{"name":"y","enabled":true,"rule":"(split pct::10 by::$id)"},
{"name":"d","enabled":true}]}}}"#;
        let report = of_document("f.json", text.as_bytes());
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|found| (found.severity, found.line, found.column, &*found.code))
            .collect();
        assert_eq!(found, [(Severity::Warning, Some(3), Some(36), "NeverReached")]);
    }

    #[test]
    fn text_that_is_no_json_and_a_rule_that_is_none_have_places_too() {
        let report = of_document("f.json", b"{\"version\": \n]");
        assert_eq!(report.findings.first().and_then(|found| found.line), Some(2));
        let report = of_rule("(eq $tier)");
        assert_eq!(report.findings.first().map(|found| &*found.code), Some("TooFewOperands"));
        assert!(of_rule("(eq $tier \"x\")").findings.is_empty());
    }

    #[test]
    fn constraints_are_put_in_words() {
        for (constraint, value, words) in [
            ("OneOf(blue, green)", "red", "is `red`, but must be one of blue, green"),
            ("FloatGTE(0)", "-1", "is -1, but must be at least 0"),
            ("Satisfies(map[a b])", "{}", "is not an attribute of the flag, which defines a b"),
            ("Regexp(^(a)$)", "b", "is `b`, but must match ^(a)$"),
            ("SomethingNew", "", "breaks SomethingNew"),
        ] {
            assert_eq!(in_words(constraint, value), words);
        }
    }

    #[test]
    fn findings_are_counted() {
        assert_eq!(summary(0, 0), "Nothing was found.");
        assert_eq!(summary(1, 2), "1 error, 2 warnings.");
    }
}
