//! From what rules mean to the program that evaluates them.
//!
//! Steps are made from the end: whatever a test leads to exists before the test does, so every arrow is known when it is
//! drawn, and all of them lead forwards once the list is turned round.

use std::collections::BTreeMap;

use super::Rule;
use super::compare;
use super::draw::{Salt, threshold};
use super::expression::{Comparison, Constant, Expression, Kind, Operand, Split};
use super::program::{Arrow, Drawing, Orders, Program, Scan, Slot, Source, Step, Test};
use super::set::Set;
use crate::context::{Context, Value};

/// One rule, ready to be evaluated: what an experiment's audience needs.
#[derive(Clone, Debug)]
pub struct CompiledRule(Program);

impl CompiledRule {
    /// Compiles a rule. Splits without a seed draw for the flag `flag_key`.
    #[must_use]
    pub fn compile(rule: &Rule, flag_key: &str) -> Self {
        Self(compile([rule].into_iter(), flag_key))
    }

    /// Whether the rule is true. Never fails; see the module about what is missing or does not fit.
    #[must_use]
    pub fn is_true(&self, context: &Context<'_>) -> bool {
        self.0.run(&mut Scan::new(self.0.keys(), *context)).rule == 0
    }

    /// The context keys the rule reads.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().iter().map(|key| &**key)
    }
}

/// Compiles the rules of the flag `flag_key`, in the order in which they are tried.
pub(crate) fn compile<'r>(
    rules: impl DoubleEndedIterator<Item = &'r Rule> + ExactSizeIterator,
    flag_key: &str,
) -> Program {
    let mut compiler = Compiler {
        flag_key,
        steps: Vec::new(),
        keys: Vec::new(),
        slots: BTreeMap::new(),
        drawings: Vec::new(),
        drawn: BTreeMap::new(),
    };
    let mut next = Target::Rule(rules.len());
    for (index, rule) in rules.enumerate().rev() {
        next = compiler.expression(rule.expression(), index, Target::Rule(index), next);
    }
    compiler.finish(next)
}

/// An arrow while the steps are still in reverse.
#[derive(Clone, Copy)]
enum Target {
    Step(usize),
    Rule(usize),
}

struct Compiler<'r> {
    flag_key: &'r str,
    steps: Vec<(Test, Target, Target)>,
    keys: Vec<Box<str>>,
    slots: BTreeMap<&'r str, Slot>,
    drawings: Vec<Drawing>,
    /// The drawings by seed and values.
    drawn: BTreeMap<(Option<&'r str>, Box<[Source]>), usize>,
}

impl<'r> Compiler<'r> {
    /// Steps that lead to `yes` or `no`; where they begin.
    fn expression(&mut self, expression: &'r Expression, rule: usize, yes: Target, no: Target) -> Target {
        match &expression.kind {
            Kind::Constant(true) => yes,
            Kind::Constant(false) => no,
            Kind::Flag(key) => {
                let test = Test::Boolean(self.slot(key), true);
                self.step(test, yes, no)
            }
            Kind::All(all) => all.iter().rev().fold(yes, |next, one| self.expression(one, rule, next, no)),
            Kind::Any(any) => any.iter().rev().fold(no, |next, one| self.expression(one, rule, yes, next)),
            Kind::Not(negated) => self.expression(negated, rule, no, yes),
            Kind::Compare(Comparison::NotEqual, left, right) => {
                self.compare(Comparison::Equal, left, right, no, yes)
            }
            Kind::Compare(comparison, left, right) => self.compare(*comparison, left, right, yes, no),
            Kind::Text(test, text, part) => match (text, part) {
                (Operand::Constant(text), Operand::Constant(part)) => {
                    if test.holds(&text.to_text(), &part.to_text()) { yes } else { no }
                }
                _ => {
                    let test = Test::Part(*test, self.source(text), self.source(part));
                    self.step(test, yes, no)
                }
            },
            Kind::In(Operand::Constant(value), list) => {
                let is_in = list.iter().any(|one| Comparison::Equal.holds(compare::constants(value, one)));
                if is_in { yes } else { no }
            }
            Kind::In(Operand::Context(key), list) => {
                let test = Test::Member(self.slot(key), Box::new(Set::new(list)));
                self.step(test, yes, no)
            }
            Kind::Matches(Operand::Constant(text), pattern) => {
                if pattern.is_match(&text.to_text()) {
                    yes
                } else {
                    no
                }
            }
            Kind::Matches(Operand::Context(key), pattern) => {
                let test = Test::Matches(self.slot(key), Box::new(pattern.clone()));
                self.step(test, yes, no)
            }
            Kind::Exists(key) => {
                let test = Test::Present(self.slot(key));
                self.step(test, yes, no)
            }
            Kind::Split(split) => {
                let test = Test::Split {
                    drawing: self.drawing(split),
                    threshold: threshold(split.percent),
                    rule: small(rule),
                };
                self.step(test, yes, no)
            }
        }
    }

    /// Any comparison but `ne`, which is `eq` with the arrows exchanged.
    fn compare(
        &mut self,
        comparison: Comparison,
        left: &'r Operand,
        right: &'r Operand,
        yes: Target,
        no: Target,
    ) -> Target {
        let (comparison, key, constant) = match (left, right) {
            (Operand::Context(left), Operand::Context(right)) => {
                let test = Test::Pair(self.slot(left), orders(comparison), self.slot(right));
                return self.step(test, yes, no);
            }
            (Operand::Constant(left), Operand::Constant(right)) => {
                return if comparison.holds(compare::constants(left, right)) { yes } else { no };
            }
            (Operand::Context(key), Operand::Constant(constant)) => (comparison, key, constant),
            (Operand::Constant(constant), Operand::Context(key)) => (comparison.mirrored(), key, constant),
        };
        let test = match constant {
            // Booleans have no order.
            Constant::Boolean(_) if comparison != Comparison::Equal => return no,
            Constant::Boolean(boolean) => Test::Boolean(self.slot(key), *boolean),
            Constant::Text(text) => Test::Text(self.slot(key), orders(comparison), text.clone()),
            Constant::Timestamp(timestamp) => {
                Test::Instant(self.slot(key), orders(comparison), timestamp.instant())
            }
            Constant::Integer(_) | Constant::Float(_) => match constant.number() {
                Some(number) => Test::Number(self.slot(key), orders(comparison), number),
                None => return no,
            },
        };
        self.step(test, yes, no)
    }

    fn step(&mut self, test: Test, yes: Target, no: Target) -> Target {
        self.steps.push((test, yes, no));
        Target::Step(self.steps.len() - 1)
    }

    fn slot(&mut self, key: &'r str) -> Slot {
        *self.slots.entry(key).or_insert_with(|| {
            self.keys.push(key.into());
            small(self.keys.len() - 1)
        })
    }

    fn source(&mut self, operand: &'r Operand) -> Source {
        match operand {
            Operand::Context(key) => Source::Key(self.slot(key)),
            Operand::Constant(constant) => Source::Constant(constant.to_text()),
        }
    }

    fn drawing(&mut self, split: &'r Split) -> usize {
        let by: Box<[Source]> = split.by.iter().map(|operand| self.source(operand)).collect();
        let seed = split.seed.as_deref();
        *self.drawn.entry((seed, by)).or_insert_with_key(|(seed, by)| {
            self.drawings.push(Drawing { salt: Salt::new(*seed, self.flag_key), by: by.clone() });
            self.drawings.len() - 1
        })
    }

    fn finish(self, entry: Target) -> Program {
        let count = self.steps.len();
        let arrow = |target| match target {
            Target::Step(from_end) => Arrow(small(count.saturating_sub(from_end + 1))),
            Target::Rule(rule) => Arrow(Arrow::OUT | small(rule)),
        };
        let steps = self.steps.into_iter().rev();
        Program {
            steps: steps.map(|(test, yes, no)| Step { test, yes: arrow(yes), no: arrow(no) }).collect(),
            entry: arrow(entry),
            keys: self.keys.into(),
            drawings: self.drawings.into(),
        }
    }
}

/// Counts of steps, keys and rules: a document of 4 MB holds far fewer than 2^31.
fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

const fn orders(comparison: Comparison) -> Orders {
    match comparison {
        Comparison::Equal | Comparison::NotEqual => Orders::EQUAL,
        Comparison::Greater => Orders::GREATER,
        Comparison::GreaterOrEqual => Orders::GREATER_OR_EQUAL,
        Comparison::Less => Orders::LESS,
        Comparison::LessOrEqual => Orders::LESS_OR_EQUAL,
    }
}

/// Puts the values of `context` in the places of `keys`, which are sorted.
pub(crate) fn bind<'c>(keys: &[Box<str>], context: Context<'c>) -> Vec<Option<Value<'c>>> {
    let mut values = vec![None; keys.len()];
    for (key, value) in context.attributes() {
        if let Ok(place) = keys.binary_search_by(|known| (**known).cmp(key))
            && let Some(slot @ None) = values.get_mut(place)
        {
            *slot = Some(*value);
        }
    }
    values
}
