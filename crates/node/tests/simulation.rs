//! Whole nodes under thousands of seeds: see [`yardarm_testkit::simulator`] for what happens and which laws must hold.
//!
//! `YARDARM_SEED=17` runs one seed, `YARDARM_SEEDS=100000` more of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

use yardarm_testkit::simulator::{Outcome, Scene, Simulation};

const STEPS: u32 = 80;

#[expect(clippy::disallowed_methods, reason = "tests are tuned from outside")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn run(scene: Scene, seed: u64, nodes: usize) -> Outcome {
    Simulation { scene, seed, nodes, steps: STEPS }.run().unwrap_or_else(|failure| panic!("{failure}"))
}

fn run_all(scene: Scene, nodes: usize, seeds: u64) {
    if let Some(seed) = number("YARDARM_SEED") {
        run(scene, seed, nodes);
        return;
    }
    for seed in 0..number("YARDARM_SEEDS").unwrap_or(seeds) {
        run(scene, seed, nodes);
    }
}

#[test]
fn one_node_keeps_the_laws() {
    run_all(Scene::Anything, 1, 1_000);
}

#[test]
fn two_nodes_on_one_log_keep_the_laws() {
    run_all(Scene::Anything, 2, 1_000);
}

#[test]
fn one_node_keeps_the_laws_under_alarms() {
    run_all(Scene::Watched, 1, 300);
}

#[test]
fn two_nodes_on_one_log_keep_the_laws_under_alarms() {
    run_all(Scene::Watched, 2, 300);
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in 0..20 {
        for (scene, nodes) in
            [(Scene::Anything, 1), (Scene::Anything, 2), (Scene::Watched, 1), (Scene::Watched, 2)]
        {
            assert_eq!(run(scene, seed, nodes), run(scene, seed, nodes), "seed {seed}");
        }
    }
}

#[test]
fn deployments_grow_under_alarms_that_are_quiet_and_meet_all_others() {
    let (mut steps, mut firing, mut unknown) = (0, 0, 0);
    for seed in 0..50 {
        let outcome = run(Scene::Watched, seed, 1);
        steps += outcome.watched_steps;
        firing += outcome.taken_back.firing;
        unknown += outcome.taken_back.unknown;
    }
    assert!(steps > 200 && firing > 25 && unknown > 25, "{steps} steps, {firing} fired, {unknown} unknown");
}
