//! The slow way to evaluate a rule: down its tree, noting why each part is true or not.
//!
//! It answers what the compiled program answers (a property test holds them together), for people who ask why.

use std::fmt;

use super::compare::{self, Relation};
use super::draw::{Salt, percent_of, threshold};
use super::expression::{Comparison, Constant, Expression, Kind, Operand, Split};
use super::syntax::Span;
use crate::context::{Context, Value};

/// Longest value shown, in characters.
const MAX_SHOWN_CHARS: usize = 60;

/// What became of one part of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// The part as written.
    pub text: String,
    /// Where it stands in the rule.
    pub span: Span,
    /// Whether it is true; `None` if the parts before had decided, so that nobody asked.
    pub holds: Option<bool>,
    /// Why, in words; empty where the parts below say it.
    pub because: String,
    /// For a split that was asked and found its values: where they lie, from 0 up to 100. The split takes what is
    /// below its percentage.
    pub bucket: Option<f64>,
    /// For a split: how much it takes, from 0 to 100.
    pub percent: Option<f64>,
    /// The parts of `and`, `or` and `not`.
    pub parts: Vec<Clause>,
}

impl Clause {
    /// Whether a split was asked on the way to the answer.
    #[must_use]
    pub fn asked_split(&self) -> bool {
        self.holds.is_some() && (self.percent.is_some() || self.parts.iter().any(Self::asked_split))
    }

    fn indented(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let mark = match self.holds {
            Some(true) => "yes",
            Some(false) => "no ",
            None => "-  ",
        };
        // One line a part, however the rule was laid out.
        let text = self.text.split_whitespace().collect::<Vec<&str>>().join(" ");
        write!(f, "{:indent$}{mark}  {text}", "", indent = 2 * depth)?;
        if !self.because.is_empty() {
            write!(f, "  ; {}", self.because)?;
        }
        writeln!(f)?;
        self.parts.iter().try_for_each(|part| part.indented(f, depth + 1))
    }
}

/// One line for each part.
impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = f.width().unwrap_or(0);
        self.indented(f, width)
    }
}

/// Evaluates a rule of the flag `flag_key`; `text` is the rule as written.
pub(crate) fn walk(rule: &Expression, text: &str, flag_key: &str, context: Context<'_>) -> Clause {
    Walk { text, flag_key, context }.clause(rule)
}

struct Walk<'w> {
    text: &'w str,
    flag_key: &'w str,
    context: Context<'w>,
}

/// The answer of a part without parts, and why.
struct Answer {
    holds: bool,
    because: String,
    bucket: Option<f64>,
}

fn answer(holds: bool, because: String) -> Answer {
    Answer { holds, because, bucket: None }
}

impl<'w> Walk<'w> {
    fn clause(&self, expression: &Expression) -> Clause {
        let (holds, parts) = match &expression.kind {
            Kind::All(all) => self.until(all, false),
            Kind::Any(any) => self.until(any, true),
            Kind::Not(negated) => {
                let part = self.clause(negated);
                (part.holds.map(|holds| !holds), vec![part])
            }
            Kind::Constant(_)
            | Kind::Flag(_)
            | Kind::Compare(..)
            | Kind::Text(..)
            | Kind::In(..)
            | Kind::Matches(..)
            | Kind::Exists(_)
            | Kind::Split(_) => {
                let Answer { holds, because, bucket } = self.answer(&expression.kind);
                return Clause { holds: Some(holds), because, bucket, ..self.unasked(expression) };
            }
        };
        Clause { holds, parts, ..self.unasked(expression) }
    }

    fn unasked(&self, expression: &Expression) -> Clause {
        Clause {
            text: expression.span.of(self.text).to_owned(),
            span: expression.span,
            holds: None,
            because: String::new(),
            bucket: None,
            percent: if let Kind::Split(split) = &expression.kind { Some(split.percent) } else { None },
            parts: Vec::new(),
        }
    }

    /// Asks until one says `decisive`.
    fn until(&self, expressions: &[Expression], decisive: bool) -> (Option<bool>, Vec<Clause>) {
        let mut decided = false;
        let clause = |expression| {
            if decided {
                return self.unasked(expression);
            }
            let clause = self.clause(expression);
            decided = clause.holds == Some(decisive);
            clause
        };
        let parts = expressions.iter().map(clause).collect();
        (Some(if decided { decisive } else { !decisive }), parts)
    }

    fn answer(&self, kind: &Kind) -> Answer {
        match kind {
            Kind::Flag(key) => match self.context.get(key) {
                None => answer(false, missing(key)),
                Some(value) => answer(value.boolean() == Some(true), is(key, &value)),
            },
            Kind::Compare(comparison, left, right) => self.compare(*comparison, left, right),
            Kind::Text(test, text, part) => {
                let (Ok((text, shown)), Ok((part, _))) = (self.text_of(text), self.text_of(part)) else {
                    return answer(false, self.missing_in(&[text, part]));
                };
                answer(test.holds(&text, &part), shown)
            }
            Kind::In(Operand::Constant(value), list) => answer(
                list.iter().any(|one| Comparison::Equal.holds(compare::constants(value, one))),
                String::new(),
            ),
            Kind::In(Operand::Context(key), list) => match self.context.get(key) {
                None => answer(false, missing(key)),
                Some(value) => {
                    let equal = |one| Comparison::Equal.holds(compare::with_constant(&value, one));
                    answer(list.iter().any(equal), is(key, &value))
                }
            },
            Kind::Matches(text, pattern) => match self.text_of(text) {
                Err(because) => answer(false, because),
                Ok((text, shown)) => answer(pattern.is_match(&text), shown),
            },
            Kind::Exists(key) => match self.context.get(key) {
                None => answer(false, missing(key)),
                Some(value) => answer(true, is(key, &value)),
            },
            Kind::Split(split) => self.split(split),
            Kind::Constant(constant) => answer(*constant, String::new()),
            // They have parts.
            Kind::All(_) | Kind::Any(_) | Kind::Not(_) => answer(false, String::new()),
        }
    }

    fn compare(&self, comparison: Comparison, left: &Operand, right: &Operand) -> Answer {
        let relation = match (left, right) {
            (Operand::Constant(left), Operand::Constant(right)) => {
                return answer(comparison.holds(compare::constants(left, right)), String::new());
            }
            (Operand::Context(key), Operand::Constant(constant)) => {
                self.context.get(key).map(|value| compare::with_constant(&value, constant))
            }
            (Operand::Constant(constant), Operand::Context(key)) => {
                self.context.get(key).map(|value| compare::mirrored(compare::with_constant(&value, constant)))
            }
            (Operand::Context(left), Operand::Context(right)) => {
                let values = self.context.get(left).zip(self.context.get(right));
                values.map(|(left, right)| Relation::Ordered(compare::values(&left, &right)))
            }
        };
        let holds = comparison.holds(relation.unwrap_or(Relation::None));
        let because = match relation {
            None => self.missing_in(&[left, right]),
            Some(relation) => {
                let mut because = self.shown(&[left, right]);
                if relation == Relation::None
                    && let Some(kind) = [left, right].into_iter().find_map(expected)
                {
                    because.push_str(", not ");
                    because.push_str(kind);
                }
                because
            }
        };
        answer(holds, because)
    }

    fn split(&self, split: &Split) -> Answer {
        let mut draw = Salt::new(split.seed.as_deref()).draw(self.flag_key);
        for (index, operand) in split.by.iter().enumerate() {
            if index > 0 {
                draw.separate();
            }
            match self.text_of(operand) {
                Err(because) => return answer(false, because),
                Ok((text, _)) => draw.value(&text),
            }
        }
        let bucket = draw.bucket();
        let operands: Vec<&Operand> = split.by.iter().collect();
        let shown = self.shown(&operands);
        let percent = percent_of(bucket);
        let separator = if shown.is_empty() { "" } else { ", " };
        Answer {
            holds: bucket < threshold(split.percent),
            because: format!("{shown}{separator}in bucket {percent:.4} of 100"),
            bucket: Some(percent),
        }
    }

    /// The text of an operand and how it is shown, or that it is missing.
    fn text_of(&self, operand: &Operand) -> Result<(String, String), String> {
        match operand {
            Operand::Constant(constant) => Ok((constant.to_text().into(), String::new())),
            Operand::Context(key) => match self.context.get(key) {
                None => Err(missing(key)),
                Some(value) => Ok((value.to_string(), is(key, &value))),
            },
        }
    }

    fn missing_in(&self, operands: &[&Operand]) -> String {
        let missing_key = operands.iter().find_map(|operand| match operand {
            Operand::Context(key) if self.context.get(key).is_none() => Some(key),
            Operand::Context(_) | Operand::Constant(_) => None,
        });
        missing_key.map_or_else(String::new, |key| missing(key))
    }

    fn shown(&self, operands: &[&Operand]) -> String {
        let shown: Vec<String> = operands
            .iter()
            .filter_map(|operand| match operand {
                Operand::Context(key) => self.context.get(key).map(|value| is(key, &value)),
                Operand::Constant(_) => None,
            })
            .collect();
        shown.join(", ")
    }
}

fn expected(operand: &Operand) -> Option<&'static str> {
    match operand {
        Operand::Context(_) | Operand::Constant(Constant::Text(_)) => None,
        Operand::Constant(Constant::Integer(_) | Constant::Float(_)) => Some("a number"),
        Operand::Constant(Constant::Timestamp(_)) => Some("a date or an instant"),
        Operand::Constant(Constant::Boolean(_)) => Some("true or false"),
    }
}

fn missing(key: &str) -> String {
    format!("{key} is missing")
}

fn is(key: &str, value: &Value<'_>) -> String {
    let text = value.to_string();
    let shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    let cut = if shown.len() < text.len() { "…" } else { "" };
    match value {
        Value::Text(_) => format!("{key} is {shown:?}{cut}"),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => format!("{key} is {shown}{cut}"),
    }
}
