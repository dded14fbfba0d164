//! From what rules mean to the program that evaluates them.
//!
//! Steps are made from the end: whatever a test leads to exists before the test does, so every arrow is known when it is
//! drawn, and all of them lead forwards once the list is turned round.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Rule;
use super::compare;
use super::draw::{Salt, threshold};
use super::expression::{Comparison, Constant, Expression, Kind, Operand, Split};
use super::program::{Arrow, By, Drawing, Instructions, Orders, Program, Read, Source, Step, Test};
use super::set::Set;
use super::vocabulary::{Speech, Symbol, Vocabulary, small};
use crate::context::Context;

/// One rule, ready to be evaluated: what an experiment's audience needs.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    program: Program,
    flag_key: Box<str>,
}

impl CompiledRule {
    /// Compiles a rule. Splits without a seed draw for the flag `flag_key`.
    #[must_use]
    pub fn compile(rule: &Rule, flag_key: &str) -> Self {
        let mut compilation = Compilation::default();
        let mut program = compilation.program(std::slice::from_ref(rule));
        program.speak(compilation.finish());
        Self { program, flag_key: flag_key.into() }
    }

    /// Whether the rule is true. Never fails; see the module about what is missing or does not fit.
    #[must_use]
    pub fn is_true(&self, context: &Context<'_>) -> bool {
        self.program.scan(&self.flag_key, *context).rule == 0
    }

    /// The context keys the rule reads.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.program.keys()
    }
}

/// Compiles the rules of a document's flags.
#[derive(Debug, Default)]
pub(crate) struct Compilation {
    speech: Speech,
    /// What the rules so far came to.
    known: HashMap<Box<[Rule]>, Arc<Instructions>>,
}

impl Compilation {
    /// The program of one flag's rules, in the order in which they are tried. It answers once it speaks the vocabulary
    /// that comes of [`Self::finish`].
    pub(crate) fn program(&mut self, rules: &[Rule]) -> Program {
        let instructions = match self.known.get(rules) {
            Some(known) => Arc::clone(known),
            None => {
                let instructions = Arc::new(compile(rules, &mut self.speech));
                self.known.insert(rules.into(), Arc::clone(&instructions));
                instructions
            }
        };
        Program { instructions, vocabulary: Arc::default() }
    }

    /// What all rules speak of, when they are compiled.
    pub(crate) fn finish(self) -> Arc<Vocabulary> {
        Arc::new(self.speech.finish())
    }
}

fn compile(rules: &[Rule], speech: &mut Speech) -> Instructions {
    let mut compiler = Compiler {
        speech,
        steps: Vec::new(),
        members: Vec::new(),
        reads: Vec::new(),
        slots: BTreeMap::new(),
        drawings: Vec::new(),
        drawn: BTreeMap::new(),
    };
    let mut next = Target::Rule(rules.len());
    for (index, rule) in rules.iter().enumerate().rev() {
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

struct Compiler<'r, 's> {
    speech: &'s mut Speech,
    steps: Vec<(Test, Target, Target)>,
    members: Vec<Symbol>,
    reads: Vec<u32>,
    slots: BTreeMap<&'r str, Read>,
    drawings: Vec<Drawing>,
    /// The drawings by seed and values.
    drawn: BTreeMap<(Option<&'r str>, Box<[Source]>), u32>,
}

impl<'r> Compiler<'r, '_> {
    /// Steps that lead to `yes` or `no`; where they begin.
    fn expression(&mut self, expression: &'r Expression, rule: usize, yes: Target, no: Target) -> Target {
        match &expression.kind {
            Kind::Constant(true) => yes,
            Kind::Constant(false) => no,
            Kind::Flag(key) => {
                let test = Test::Boolean(self.read(key), true);
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
                    let test = Test::Part(Box::new((*test, self.source(text), self.source(part))));
                    self.step(test, yes, no)
                }
            },
            Kind::In(Operand::Constant(value), list) => {
                let is_in = list.iter().any(|one| Comparison::Equal.holds(compare::constants(value, one)));
                if is_in { yes } else { no }
            }
            Kind::In(Operand::Context(key), list) => {
                let test = self.member(key, list);
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
                let test = Test::Matches(self.read(key), Box::new(pattern.clone()));
                self.step(test, yes, no)
            }
            Kind::Exists(key) => {
                let test = Test::Present(self.read(key));
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
                let pair = (self.read(left), orders(comparison), self.read(right));
                let test = Test::Pair(Box::new(pair));
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
            Constant::Boolean(boolean) => Test::Boolean(self.read(key), *boolean),
            Constant::Text(text) if comparison == Comparison::Equal => {
                let read = self.read(key);
                Test::Equal(read, self.speech.symbol(read.place, text))
            }
            Constant::Text(text) => Test::Text(self.read(key), Box::new((orders(comparison), text.clone()))),
            Constant::Timestamp(timestamp) => {
                Test::Instant(self.read(key), Box::new((orders(comparison), timestamp.instant())))
            }
            Constant::Integer(_) | Constant::Float(_) => match constant.number() {
                Some(number) => Test::Number(self.read(key), Box::new((orders(comparison), number))),
                None => return no,
            },
        };
        self.step(test, yes, no)
    }

    fn step(&mut self, test: Test, yes: Target, no: Target) -> Target {
        self.steps.push((test, yes, no));
        Target::Step(self.steps.len() - 1)
    }

    fn member(&mut self, key: &'r str, list: &[Constant]) -> Test {
        let read = self.read(key);
        let set = Set::new(list, |text| self.speech.symbol(read.place, text));
        let Some(texts) = set.only_texts() else { return Test::Member(read, Box::new(set)) };
        let start = small(self.members.len());
        self.members.extend_from_slice(texts);
        Test::OneOf(read, start..small(self.members.len()))
    }

    fn read(&mut self, key: &'r str) -> Read {
        *self.slots.entry(key).or_insert_with(|| {
            let place = self.speech.place(key);
            self.reads.push(place);
            Read { slot: small(self.reads.len() - 1), place }
        })
    }

    fn source(&mut self, operand: &'r Operand) -> Source {
        match operand {
            Operand::Context(key) => Source::Key(self.read(key)),
            Operand::Constant(constant) => Source::Constant(constant.to_text()),
        }
    }

    fn drawing(&mut self, split: &'r Split) -> u32 {
        let by: Box<[Source]> = split.by.iter().map(|operand| self.source(operand)).collect();
        let seed = split.seed.as_deref();
        *self.drawn.entry((seed, by)).or_insert_with_key(|(seed, by)| {
            let by = match &**by {
                [Source::Key(read)] => By::One(*read),
                _ => By::Several(by.clone()),
            };
            self.drawings.push(Drawing { salt: Salt::new(*seed), by });
            small(self.drawings.len() - 1)
        })
    }

    fn finish(self, entry: Target) -> Instructions {
        let count = self.steps.len();
        let arrow = |target| match target {
            Target::Step(from_end) => Arrow(small(count.saturating_sub(from_end + 1))),
            Target::Rule(rule) => Arrow(Arrow::OUT | small(rule)),
        };
        let steps = self.steps.into_iter().rev();
        Instructions {
            steps: steps.map(|(test, yes, no)| Step { test, yes: arrow(yes), no: arrow(no) }).collect(),
            entry: arrow(entry),
            members: self.members.into(),
            drawings: self.drawings.into(),
            reads: self.reads.into(),
        }
    }
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
