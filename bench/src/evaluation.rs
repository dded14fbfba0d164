//! Flag evaluation in process, beside the other Rust evaluators.
//!
//! A program of its own measures (`bench/peers`), so that only who wants this part compiles the others; here its figures
//! become a table.

use crate::lab::Lab;
use crate::report::{Section, Verdict};
use crate::spread::Spread;
use anyhow::{Context, bail};
use serde::Deserialize;
use std::process::{Command, Stdio};

const METHOD: &str = "\
One process, one thread; rounds are interleaved: by hand, Yardarm, a peer, the next peer, …, by hand, … 10,000 users with 8 \
attributes take turns, in the form each evaluator wants, made beforehand. Before anything is timed every evaluator is asked \
about each user and about users whom exactly one rule picks, and has to answer rightly; so has the loop that is timed.

`plain`: a flag that is on. `five-rules`: `in` lists of 20 countries and of 20 companies, two equalities of texts, none of \
which is true of anybody, then 20 percent by `userId`. `one-of-1000`: the same, 1,000 flags, another one each call, by name. \
`all-of-200`: one call for all of 200 such flags; evaluators without such a call are asked 200 times. `by hand` is what one \
would write without a library: structs, arrays, `HashMap` by name, FNV-1a. Ratios are taken within each round: how many \
times the evaluator takes what Yardarm does.";

/// What the program says of one evaluator in one case.
#[derive(Debug, Deserialize)]
struct Measured {
    case: String,
    contender: String,
    gives: String,
    nanoseconds: Vec<f64>,
    allocations: f64,
}

/// A claim: how many times faster than whom.
struct Claim {
    case: &'static str,
    peer: &'static str,
    /// At least this many times Yardarm's time.
    times: f64,
}

const CLAIMS: [Claim; 4] = [
    Claim { case: "five-rules", peer: "eppo_core", times: 6.0 },
    Claim { case: "five-rules", peer: "unleash-yggdrasil", times: 10.0 },
    Claim { case: "one-of-1000", peer: "eppo_core", times: 8.0 },
    Claim { case: "all-of-200", peer: "eppo_core", times: 8.0 },
];

const OURS: &str = "yardarm";
const FLOOR: &str = "by hand";

/// Runs the program and makes a table of what it says.
pub(crate) fn measure(lab: &Lab) -> anyhow::Result<Section> {
    let output = Command::new(&lab.peers)
        .args(["--rounds", &(2 * lab.rounds + 1).to_string()])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{}: build it first: make bench-peers", lab.peers.display()))?;
    if !output.status.success() {
        bail!("the evaluators were not measured: {}", output.status);
    }
    let measured: Vec<Measured> = serde_json::from_slice(&output.stdout)?;
    Ok(Section {
        title: "Flag evaluation",
        method: METHOD.into(),
        columns: vec!["case", "evaluator", "ns/call", "ratio", "allocations/call", "gives"],
        rows: measured.iter().map(|one| row(one, &measured)).collect(),
        verdicts: verdicts(&measured)?,
    })
}

fn row(one: &Measured, all: &[Measured]) -> Vec<String> {
    let spread: Spread = one.nanoseconds.iter().copied().collect();
    let ratio = find(all, &one.case, OURS).map(|ours| format!("{:.1}", ratio(one, ours)));
    vec![
        one.case.clone(),
        one.contender.clone(),
        format!("{spread:.0}"),
        ratio.unwrap_or_default(),
        format!("{:.0}", one.allocations),
        one.gives.clone(),
    ]
}

fn find<'m>(measured: &'m [Measured], case: &str, contender: &str) -> Option<&'m Measured> {
    measured.iter().find(|one| one.case == case && one.contender == contender)
}

/// How many times the time of `other` that of `one` is, in each round.
fn ratio(one: &Measured, other: &Measured) -> Spread {
    one.nanoseconds.iter().zip(&other.nanoseconds).map(|(one, other)| one / other).collect()
}

fn verdicts(measured: &[Measured]) -> anyhow::Result<Vec<Verdict>> {
    let get = |case: &str, contender: &str| {
        find(measured, case, contender).with_context(|| format!("no {contender} in {case}"))
    };
    let plain = ratio(get("plain", OURS)?, get("plain", FLOOR)?).median();
    let mut verdicts =
        vec![Verdict::at_most("plain flag: time against one written by hand", 1.7, "×", plain)];
    for Claim { case, peer, times } in CLAIMS {
        let times_faster = ratio(get(case, peer)?, get(case, OURS)?).median();
        verdicts.push(Verdict::at_least(format!("{case}: faster than {peer}"), times, "×", times_faster));
    }
    for (case, most) in [("five-rules", 0.0), ("all-of-200", 1.0)] {
        let allocations = get(case, OURS)?.allocations;
        verdicts.push(Verdict::at_most(format!("{case}: allocations a call"), most, "", allocations));
    }
    Ok(verdicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_rounds() {
        let of = |contender: &str, nanoseconds: &[f64]| Measured {
            case: "plain".into(),
            contender: contender.into(),
            gives: String::new(),
            nanoseconds: nanoseconds.to_vec(),
            allocations: 0.0,
        };
        let (one, other) = (of("eppo_core", &[40.0, 90.0, 20.0]), of(OURS, &[10.0, 30.0, 10.0]));
        assert_eq!(format!("{:.1}", ratio(&one, &other)), "2.0 / **3.0** / 4.0");
        assert_eq!(row(&one, &[other])[3], "2.0 / **3.0** / 4.0");
    }
}
