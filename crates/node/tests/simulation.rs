//! Whole nodes under thousands of seeds: see [`yardarm_testkit::simulator`] for what happens and which laws must hold.
//!
//! `YARDARM_SEED=17` runs one seed, `YARDARM_SEEDS=100000` more of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

use yardarm_testkit::simulator::{Outcome, Simulation};

const STEPS: u32 = 80;

#[expect(clippy::disallowed_methods, reason = "tests are tuned from outside")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn run(seed: u64, nodes: usize) -> Outcome {
    Simulation { seed, nodes, steps: STEPS }.run().unwrap_or_else(|failure| panic!("{failure}"))
}

fn run_all(nodes: usize) {
    if let Some(seed) = number("YARDARM_SEED") {
        run(seed, nodes);
        return;
    }
    for seed in 0..number("YARDARM_SEEDS").unwrap_or(1_000) {
        run(seed, nodes);
    }
}

#[test]
fn one_node_keeps_the_laws() {
    run_all(1);
}

#[test]
fn two_nodes_on_one_log_keep_the_laws() {
    run_all(2);
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in 0..20 {
        for nodes in [1, 2] {
            assert_eq!(run(seed, nodes), run(seed, nodes), "seed {seed}");
        }
    }
}

#[test]
fn deployments_grow_under_alarms_that_are_quiet() {
    let steps: u64 = (0..100).map(|seed| run(seed, 1).watched_steps).sum();
    assert!(steps > 5, "{steps} steps under alarms");
}
