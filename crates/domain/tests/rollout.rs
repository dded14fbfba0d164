//! The rollout engine, told as stories and held to its laws.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use yardarm_domain::Exposure;
use yardarm_domain::rollout::{
    Begin, GrowthFactor, GrowthType, Input, NotPossible, Phase, Plan, Transition, TriggeredBy, step,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn plan(duration_s: u32, bake_s: u32, growth: GrowthType, percent: f64) -> Plan {
    let factor = GrowthFactor::from_percent(percent).unwrap();
    Plan { duration_s, bake_s, growth, factor, begin: Begin::AfterInterval }
}

/// Drives a rollout at the given seconds and tells what happened.
fn story(plan: &Plan, inputs: &[(i64, Input)]) -> Vec<String> {
    let mut phase = Phase::Growing { step: 0, since: at(0) };
    let mut told = vec![];
    for (second, input) in inputs {
        for transition in step(plan, phase, input.clone(), at(*second)).unwrap() {
            phase = phase.after(&transition, at(*second));
            told.push(match transition {
                Transition::Begun => format!("{second}s begun"),
                Transition::Advanced { exposure, .. } => {
                    format!("{second}s {} %", f64::from(exposure.parts_per_million()) / 10_000.0)
                }
                Transition::BakeStarted { .. } => format!("{second}s baking"),
                Transition::Completed => format!("{second}s complete"),
                Transition::RolledBack(by) => format!("{second}s rolled back by {by:?}"),
                Transition::Reverted => format!("{second}s reverted"),
                Transition::Rescheduled { .. } => format!("{second}s rescheduled"),
            });
        }
    }
    told
}

fn ticks(seconds: &[i64]) -> Vec<(i64, Input)> {
    seconds.iter().map(|second| (*second, Input::Tick)).collect()
}

#[test]
fn linear_50_percent_every_30_seconds() {
    let plan = plan(60, 60, GrowthType::Linear, 50.0);
    let told = story(&plan, &ticks(&[0, 29, 30, 31, 59, 60, 119, 120, 121]));
    assert_eq!(told, ["30s 50 %", "60s 100 %", "60s baking", "120s complete"]);
}

#[test]
fn all_at_once_reaches_everyone_at_the_first_tick_and_bakes() {
    let told = story(&plan(0, 600, GrowthType::Linear, 100.0), &ticks(&[1, 2, 600, 601, 602]));
    assert_eq!(told, ["1s 100 %", "1s baking", "601s complete"]);
}

#[test]
fn without_bake_the_last_step_completes() {
    let told = story(&plan(20, 0, GrowthType::Exponential, 50.0), &ticks(&[10, 20]));
    assert_eq!(told, ["10s 50 %", "20s 100 %", "20s baking", "20s complete"]);
}

#[test]
fn growth_may_begin_at_once_and_then_still_takes_the_whole_duration() {
    let plan = Plan { begin: Begin::AtOnce, ..plan(50, 10, GrowthType::Linear, 20.0) };
    let told = story(&plan, &ticks(&[0, 10, 20, 30, 40, 49, 50, 60]));
    let expected = ["0s 20 %", "10s 40 %", "20s 60 %", "30s 80 %", "40s 100 %", "50s baking", "60s complete"];
    assert_eq!(told, expected);
}

#[test]
fn an_outage_neither_skips_steps_nor_shortens_the_bake() {
    let plan = plan(60, 60, GrowthType::Linear, 25.0);
    let told = story(&plan, &ticks(&[15, 1_000, 1_001, 1_014, 1_015, 1_030, 5_000, 5_059, 5_060]));
    let expected = ["15s 25 %", "1000s 50 %", "1015s 75 %", "1030s 100 %", "1030s baking", "5000s complete"];
    assert_eq!(told, expected);
}

#[test]
fn small_delays_do_not_add_up() {
    let told = story(&plan(120, 0, GrowthType::Linear, 25.0), &ticks(&[33, 60, 93, 120]));
    assert_eq!(told, ["33s 25 %", "60s 50 %", "93s 75 %", "120s 100 %", "120s baking", "120s complete"]);
}

#[test]
fn a_step_that_comes_late_does_not_shorten_the_bake() {
    let told = story(&plan(60, 5, GrowthType::Linear, 50.0), &ticks(&[30, 68, 72, 73]));
    assert_eq!(told, ["30s 50 %", "68s 100 %", "68s baking", "73s complete"]);
}

#[test]
fn a_clock_set_back_re_anchors_the_waiting() {
    let plan = plan(60, 60, GrowthType::Linear, 50.0);
    let told = story(&plan, &ticks(&[30, -100_000, -99_971, -99_970, -99_911, -99_910]));
    let expected =
        ["30s 50 %", "-100000s rescheduled", "-99970s 100 %", "-99970s baking", "-99910s complete"];
    assert_eq!(told, expected);
}

#[test]
fn a_stop_rolls_back_while_growing_and_while_baking() {
    let plan = plan(60, 60, GrowthType::Linear, 50.0);
    let stop = Input::Stop { allow_revert: false };
    assert_eq!(
        story(&plan, &[(30, Input::Tick), (40, stop.clone())]),
        ["30s 50 %", "40s rolled back by User"]
    );
    let told = story(&plan, &[(30, Input::Tick), (60, Input::Tick), (61, stop)]);
    assert_eq!(told.last().map(String::as_str), Some("61s rolled back by User"));
}

#[test]
fn a_complete_deployment_can_be_reverted_for_72_hours_by_who_says_so() {
    let plan = plan(0, 0, GrowthType::Linear, 100.0);
    let complete = Phase::Complete { at: at(0) };
    let stop = |allow_revert, seconds| step(&plan, complete, Input::Stop { allow_revert }, at(seconds));
    assert_eq!(stop(true, 72 * 3_600), Ok(vec![Transition::Reverted]));
    assert_eq!(stop(true, 72 * 3_600 + 1), Err(NotPossible));
    assert_eq!(stop(false, 1), Err(NotPossible));
    for over in [Phase::RolledBack, Phase::Reverted] {
        assert_eq!(step(&plan, over, Input::Stop { allow_revert: true }, at(1)), Err(NotPossible));
    }
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let growth = prop_oneof![Just(GrowthType::Linear), Just(GrowthType::Exponential)];
    let begin = prop_oneof![Just(Begin::AfterInterval), Just(Begin::AtOnce)];
    (0..=Plan::LONGEST_S, 0..=Plan::LONGEST_S, growth, 10_000..=1_000_000_u32, begin).prop_map(
        |(duration_s, bake_s, growth, ppm, begin)| {
            let factor = GrowthFactor::from_parts_per_million(ppm).unwrap();
            Plan { duration_s, bake_s, growth, factor, begin }
        },
    )
}

proptest! {
    #[test]
    fn left_alone_every_rollout_ends_complete_after_all_its_steps(plan in any_plan()) {
        let (mut phase, mut now, mut exposures) = (Phase::Growing { step: 0, since: at(0) }, at(0), vec![]);
        for _ in 0..400 {
            let Some(due) = plan.wake_at(phase) else { break };
            now = now.max(due);
            for transition in step(&plan, phase, Input::Tick, now).unwrap() {
                phase = phase.after(&transition, now);
                if let Transition::Advanced { exposure, .. } = transition {
                    exposures.push(exposure);
                }
            }
        }
        prop_assert_eq!(phase, Phase::Complete { at: now });
        prop_assert_eq!(exposures.len() as u32, plan.steps());
        prop_assert_eq!(exposures.last().copied(), Some(Exposure::ALL));
        prop_assert!(exposures.is_sorted_by(|a, b| a < b));
        let planned = SignedDuration::from_secs(i64::from(plan.duration_s) + i64::from(plan.bake_s));
        let drift = now.duration_since(at(0)).saturating_sub(planned).abs();
        prop_assert!(drift <= SignedDuration::from_millis(100), "{drift:?}");
    }

    #[test]
    fn whatever_the_clock_does_exposure_falls_only_by_going_back(
        plan in any_plan(),
        jumps in proptest::collection::vec((-200_000_i64..200_000, 0_u8..20), 1..80),
    ) {
        let (mut phase, mut now) = (Phase::Growing { step: 0, since: at(0) }, 0_i64);
        for (jump, dice) in jumps {
            now += jump;
            let input = if dice == 0 { Input::Stop { allow_revert: true } } else { Input::Tick };
            let before = plan.exposure(phase);
            let transitions = step(&plan, phase, input, at(now)).unwrap_or_default();
            let advances = transitions.iter().filter(|t| matches!(t, Transition::Advanced { .. })).count();
            prop_assert!(advances <= 1, "one decision takes at most one step");
            for transition in transitions {
                phase = phase.after(&transition, at(now));
                let went_back =
                    matches!(transition, Transition::RolledBack(TriggeredBy::User) | Transition::Reverted);
                prop_assert!(went_back || plan.exposure(phase) >= before);
            }
        }
    }

    #[test]
    fn the_engine_never_asks_to_be_woken_for_nothing(plan in any_plan()) {
        let mut phase = Phase::Growing { step: 0, since: at(0) };
        for _ in 0..400 {
            let Some(due) = plan.wake_at(phase) else { break };
            let transitions = step(&plan, phase, Input::Tick, due).unwrap();
            prop_assert!(!transitions.is_empty());
            for transition in transitions {
                phase = phase.after(&transition, due);
            }
        }
        prop_assert!(phase.is_over());
    }
}
