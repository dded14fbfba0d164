//! Flag evaluation beside the other Rust evaluators: one thread, one process, rounds interleaved.
//!
//! Every contender gets the same users and flags, in its own form and made beforehand, and is checked to answer rightly
//! before it is timed. What was measured goes to standard output as JSON; `yardarm-bench` makes a table of it.

mod allocations;
mod contender;
mod eppo;
mod flagd;
mod flags;
mod floor;
mod growthbook;
mod launchdarkly;
mod population;
mod statsig;
mod yardarm;
mod yggdrasil;

use anyhow::{Context, ensure};
use clap::Parser;
use contender::{Answer, Calls, Contender, Maker};
use flags::{CASES, CONTROL, Case, PERCENT, Shape, TREATMENT, VARIANTS};
use population::{USERS, User};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// Everybody, by the name to choose them by.
const CONTENDERS: [(&str, Maker); 8] = [
    ("floor", floor::make),
    ("yardarm", yardarm::make),
    ("eppo", eppo::make),
    ("yggdrasil", yggdrasil::make),
    ("launchdarkly", launchdarkly::make),
    ("flagd", flagd::make),
    ("growthbook", growthbook::make),
    ("statsig", statsig::make),
];

/// Calls over which allocations are counted.
const COUNTED_CALLS: usize = 200;

/// Times flag evaluation by Yardarm and by other evaluators.
#[derive(Parser)]
struct Arguments {
    /// Rounds of each measurement, after one that warms up.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// About how long a contender is timed in a round, milliseconds.
    #[arg(long, default_value_t = 50)]
    milliseconds: u64,
    /// Only these contenders; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// Only this case; may be repeated.
    #[arg(long)]
    case: Vec<String>,
}

/// What was measured of one contender in one case.
#[derive(Serialize)]
struct Measured {
    case: &'static str,
    contender: &'static str,
    gives: &'static str,
    /// Of one call, one figure a round.
    nanoseconds: Vec<f64>,
    /// Of one call.
    allocations: f64,
}

#[expect(clippy::print_stdout, reason = "the result is what this program is for")]
fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut users: Vec<User> = (0..USERS).map(User::ordinary).collect();
    users.extend(flags::matching().map(|(user, _)| user));
    let is_asked = |asked: &[String], name: &str| asked.is_empty() || asked.iter().any(|one| one == name);
    let mut contenders = vec![];
    for (name, make) in CONTENDERS.into_iter().filter(|(name, _)| is_asked(&arguments.only, name)) {
        contenders.push(make(&users).with_context(|| name.to_owned())?);
    }
    let mut measured = vec![];
    for case in CASES.iter().filter(|case| is_asked(&arguments.case, case.name)) {
        measured.extend(measure(case, &mut contenders, &arguments)?);
    }
    println!("{}", serde_json::to_string_pretty(&measured)?);
    Ok(())
}

fn measure(
    case: &Case,
    contenders: &mut [Box<dyn Contender>],
    arguments: &Arguments,
) -> anyhow::Result<Vec<Measured>> {
    let names = case.names();
    let mut timed = vec![];
    for contender in contenders.iter_mut() {
        contender.load(case).with_context(|| format!("{} does not load {}", contender.name(), case.name))?;
        check(case, &names, &**contender)
            .with_context(|| format!("{} in {}", contender.name(), case.name))?;
        let window = Duration::from_millis(arguments.milliseconds);
        let batch = batch(case, &names, &**contender, window);
        let measured = Measured {
            case: case.name,
            contender: contender.name(),
            gives: contender.gives(case),
            nanoseconds: vec![],
            allocations: allocations(case, &names, &**contender),
        };
        timed.push((batch, measured));
    }
    for round in 0..=arguments.rounds {
        for (contender, (batch, measured)) in contenders.iter().zip(&mut timed) {
            let calls = Calls { flags: &names, from: round * *batch, count: *batch };
            let took = time(case, &calls, &**contender);
            // The first round warms everything up.
            if round > 0 {
                measured.nanoseconds.push(per_call(took, *batch));
            }
        }
    }
    Ok(timed.into_iter().map(|(_, measured)| measured).collect())
}

fn run(case: &Case, calls: &Calls<'_>, contender: &dyn Contender) -> usize {
    if case.all { contender.all(calls) } else { contender.one(calls) }
}

fn time(case: &Case, calls: &Calls<'_>, contender: &dyn Contender) -> Duration {
    let begun = Instant::now();
    std::hint::black_box(run(case, calls, contender));
    begun.elapsed()
}

/// As many calls as take about `window`.
fn batch(case: &Case, flags: &[String], contender: &dyn Contender, window: Duration) -> usize {
    let mut count = 16;
    loop {
        let took = time(case, &Calls { flags, from: 0, count }, contender);
        if took * 4 >= window {
            let calls = window.as_secs_f64() / took.as_secs_f64() * as_f64(count);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small positive count"
            )]
            return (calls as usize).max(1);
        }
        count *= 2;
    }
}

fn allocations(case: &Case, flags: &[String], contender: &dyn Contender) -> f64 {
    let calls = Calls { flags, from: 0, count: COUNTED_CALLS };
    let counted = allocations::during(|| {
        std::hint::black_box(run(case, &calls, contender));
    });
    counted as f64 / as_f64(COUNTED_CALLS)
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

fn per_call(took: Duration, calls: usize) -> f64 {
    took.as_secs_f64() * 1e9 / as_f64(calls)
}

/// That the contender answers what the flags mean, one by one and in the loops that are timed.
fn check(case: &Case, names: &[String], contender: &dyn Contender) -> anyhow::Result<()> {
    let share = f64::from(PERCENT) / 100.0;
    let near = |got: f64, expected: f64| (got - expected).abs() < 0.02;
    for name in names.iter().take(3) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for user in 0..USERS {
            contender.answer(name, user, &mut |answer| {
                *counts.entry(text(answer).to_owned()).or_default() += 1;
            });
        }
        let of = |name: &str| as_f64(counts.get(name).copied().unwrap_or(0)) / as_f64(USERS);
        let is_right = match case.shape {
            Shape::Plain => near(of("on"), 1.0),
            Shape::FiveRules => {
                near(of(TREATMENT) + of("on"), share) && near(of(CONTROL) + of("off"), 1.0 - share)
            }
        };
        ensure!(is_right, "{name}: {counts:?}");
        if case.shape == Shape::Plain {
            continue;
        }
        for (index, (_, variant)) in flags::matching().iter().enumerate() {
            let mut got = String::new();
            contender.answer(name, USERS + index, &mut |answer| text(answer).clone_into(&mut got));
            let expected = VARIANTS.get(*variant).copied().unwrap_or_default();
            ensure!(got == expected || got == "on", "{name}: {got} instead of {expected}");
        }
    }
    let flags = if case.all { names.len() } else { 1 };
    let count = USERS / flags;
    let treated = as_f64(run(case, &Calls { flags: names, from: 0, count }, contender));
    let treated = treated / as_f64(count * flags);
    let expected = if case.shape == Shape::Plain { 1.0 } else { share };
    ensure!(near(treated, expected), "{treated} instead of {expected} in the loop that is timed");
    Ok(())
}

fn text(answer: Answer<'_>) -> &str {
    match answer {
        Answer::Variant(variant) => variant,
        Answer::On(true) => "on",
        Answer::On(false) => "off",
    }
}
