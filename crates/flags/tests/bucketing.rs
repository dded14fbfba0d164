//! Bucketing: the frozen vectors and the laws of a rollout.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use yardarm_flags::bucketing::{Exposure, PARTS_PER_MILLION, RolloutKey, bucket, exposed, named_subject};

const VECTORS: &str = include_str!("../../../conformance/bucketing/rollout.tsv");

/// The vectors that were there first. Add vectors below them, and never change these two constants.
const FROZEN_VECTORS: usize = 63;
const FROZEN_SHA256: &str = "cb3c7526b1468cf89a97d803948bd53ec95038d6edb5c4453a307c4b7d3d3408";

const SUBJECTS: &str = include_str!("../../../conformance/bucketing/subjects.tsv");

fn vectors() -> impl Iterator<Item = &'static str> {
    VECTORS.lines().filter(|line| !line.starts_with('#'))
}

fn subject(column: &str) -> Vec<u8> {
    match column.strip_prefix("0x") {
        Some(hex) => hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect(),
        None => serde_json::from_str::<String>(column).unwrap().into_bytes(),
    }
}

#[test]
fn every_name_becomes_its_subject() {
    let lines: Vec<&str> = SUBJECTS.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= 11, "vectors are only added");
    for line in lines {
        let (name, expected) = line.split_once('\t').unwrap();
        let name: String = serde_json::from_str(name).unwrap();
        assert_eq!(named_subject(&name).to_vec(), subject(&format!("0x{expected}")), "{line}");
    }
}

#[test]
fn every_vector_falls_into_its_bucket() {
    for line in vectors() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [deployment, id, expected] = columns[..] else { panic!("three columns: {line}") };
        assert_eq!(bucket(deployment, &subject(id)), expected.parse::<u32>().unwrap(), "{line}");
    }
}

#[test]
fn the_first_vectors_have_not_been_edited() {
    let mut hash = Sha256::new();
    for line in vectors().take(FROZEN_VECTORS) {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, FROZEN_SHA256);
    assert!(vectors().count() >= FROZEN_VECTORS);
}

#[test]
fn a_rollout_is_named_after_its_deployment() {
    let key = RolloutKey::new("abc1234", "def5678", 7);
    assert_eq!(key.as_str(), "application/abc1234/environment/def5678/deployment/7");
    assert_eq!(key.bucket(b"user-1"), bucket(key.as_str(), b"user-1"));
}

#[test]
fn an_exposure_is_at_most_everybody() {
    assert_eq!(Exposure::from_parts_per_million(1_000_000), Some(Exposure::ALL));
    assert_eq!(Exposure::from_parts_per_million(1_000_001), None);
    assert_eq!(serde_json::from_str::<Exposure>("250000").unwrap().percent(), 25.0);
    assert!(serde_json::from_str::<Exposure>("1000001").is_err());
}

#[test]
fn percentages_become_the_nearest_part_per_million() {
    let ppm = |percent| Exposure::from_percent(percent).map(Exposure::parts_per_million);
    assert_eq!(ppm(0.0), Some(0));
    assert_eq!(ppm(100.0), Some(1_000_000));
    assert_eq!(ppm(33.3), Some(333_000));
    assert_eq!(ppm(f64::from(33.3_f32)), Some(333_000));
    assert_eq!(ppm(f64::from(1.1_f32)), Some(11_000));
    assert_eq!(ppm(0.0001), Some(1));
    for outside in [-0.1, 100.000_001, f64::NAN, f64::INFINITY] {
        assert_eq!(ppm(outside), None, "{outside}");
    }
    assert_eq!(Exposure::from_percent(12.5).unwrap().to_string(), "12.5 %");
}

/// 100 000 made-up ids and their buckets in one deployment.
fn population(deployment: u32) -> Vec<u32> {
    let key = RolloutKey::new("abc1234", "def5678", deployment);
    (0..100_000_u32).map(|n| key.bucket(format!("user-{n}").as_bytes())).collect()
}

fn share(buckets: &[u32], percent: f64) -> f64 {
    let exposure = Exposure::from_percent(percent).unwrap();
    buckets.iter().filter(|bucket| exposed(**bucket, exposure)).count() as f64 / buckets.len() as f64
}

#[test]
fn the_exposed_share_is_the_exposure() {
    let buckets = population(1);
    for percent in [0.1, 1.0, 10.0, 25.0, 50.0, 90.0, 99.9] {
        let p = percent / 100.0;
        let four_sigma = 4.0 * (p * (1.0 - p) / buckets.len() as f64).sqrt();
        let share = share(&buckets, percent);
        assert!((share - p).abs() < four_sigma, "{percent} % exposed {share}, allowed +-{four_sigma}");
    }
}

#[test]
fn no_range_of_buckets_is_favoured() {
    let mut counts = [0_u32; 100];
    for bucket in population(2) {
        counts[(bucket / 10_000) as usize] += 1;
    }
    let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - 1000.0).powi(2) / 1000.0).sum();
    // 99 degrees of freedom: one deployment in a million would exceed 180.
    assert!(chi_square < 180.0, "{chi_square}");
}

#[test]
fn deployments_draw_independently() {
    let (first, second) = (population(1), population(2));
    let mut cells: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    for (a, b) in first.iter().zip(&second) {
        *cells.entry((a / 100_000, b / 100_000)).or_default() += 1;
    }
    let expected = 1000.0;
    let chi_square: f64 = cells.values().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    assert_eq!(cells.len(), 100);
    // 99 degrees of freedom, as above.
    assert!(chi_square < 180.0, "{chi_square}");
}

proptest! {
    #[test]
    fn raising_the_exposure_never_loses_a_subject(
        subject: Vec<u8>,
        a in 0..=PARTS_PER_MILLION,
        b in 0..=PARTS_PER_MILLION,
    ) {
        let bucket = bucket("application/a/environment/e/deployment/1", &subject);
        let exposure = |ppm| Exposure::from_parts_per_million(ppm).unwrap();
        let (low, high) = (exposure(a.min(b)), exposure(a.max(b)));
        prop_assert!(!exposed(bucket, low) || exposed(bucket, high));
    }

    #[test]
    fn none_is_nobody_and_all_is_everybody(deployment: String, subject: Vec<u8>) {
        let bucket = bucket(&deployment, &subject);
        prop_assert!(bucket < PARTS_PER_MILLION);
        prop_assert!(!exposed(bucket, Exposure::NONE));
        prop_assert!(exposed(bucket, Exposure::ALL));
    }

    #[test]
    fn a_percentage_survives_printing(ppm in 0..=PARTS_PER_MILLION) {
        let exposure = Exposure::from_parts_per_million(ppm).unwrap();
        prop_assert_eq!(Exposure::from_percent(exposure.percent()), Some(exposure));
    }
}
