//! Logs that releases wrote must load for ever: see `conformance/logs/README.md`.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yardarm_domain::Event;
use yardarm_log::{Log, Seq, verify};
use yardarm_node::{Error, MasterKeys, Node, NodeConfig};
use yardarm_testkit::events::{KINDS, ordinal};
use yardarm_testkit::{ManualClock, SeededEntropy, account, describe, log_text, scenario};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/logs")
}

fn releases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut releases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    releases.sort();
    releases
}

/// The keys that the scenario's secrets are sealed with.
fn master_keys() -> MasterKeys {
    MasterKeys::parse(&format!("00000002:{}", "22".repeat(32))).unwrap()
}

async fn start(log: Arc<dyn Log>) -> Result<Node, Error> {
    let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(9)));
    Node::start(NodeConfig::new(account()), log, clock, entropy, master_keys()).await
}

#[tokio::test(flavor = "current_thread")]
async fn every_log_that_a_release_wrote_is_read_and_means_the_same() {
    let releases = releases();
    assert!(!releases.is_empty());
    for release in releases {
        let text = std::fs::read_to_string(release.join("log.jsonl")).unwrap();
        let log = log_text::import(&text).await.unwrap_or_else(|error| panic!("{release:?}: {error}"));
        let verified = verify(&log).await.unwrap();
        let node = start(Arc::new(log.clone())).await.unwrap();
        let view = node.view();
        assert_eq!(
            (view.seq, view.digest),
            (verified.end, verified.digest),
            "{release:?}: nothing was written"
        );
        let world = std::fs::read_to_string(release.join("world.txt")).unwrap();
        assert_eq!(describe(&view.world), world, "{release:?}");
        node.abort();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn exported_and_imported_a_log_is_the_same() {
    let log = scenario::play().await.unwrap();
    let text = log_text::export(&log).await.unwrap();
    let again = log_text::import(&text).await.unwrap();
    assert_eq!(verify(&again).await.unwrap(), verify(&log).await.unwrap());
    assert_eq!(log_text::export(&again).await.unwrap(), text);
}

#[tokio::test(flavor = "current_thread")]
async fn a_changed_line_is_noticed() {
    let text = log_text::export(&scenario::play().await.unwrap()).await.unwrap();
    for (good, bad) in
        [("Sells things", "Sells nothing"), ("request-3", "request-4"), ("\"version\":1", "\"version\":2")]
    {
        assert!(log_text::import(&text.replacen(good, bad, 1)).await.is_err(), "{good} changed to {bad}");
    }
    let without_first = text.split_once('\n').unwrap().1;
    assert!(log_text::import(without_first).await.is_err());
}

#[tokio::test(flavor = "current_thread")]
async fn the_scenario_is_the_same_in_every_run_and_misses_no_kind_of_event() {
    let log = scenario::play().await.unwrap();
    assert_eq!(verify(&log).await.unwrap(), verify(&scenario::play().await.unwrap()).await.unwrap());
    let events = log
        .read(Seq::ZERO, usize::MAX)
        .await
        .unwrap()
        .into_iter()
        .map(|record| Event::read(&record.draft.kind, record.draft.version, &record.draft.body).unwrap());
    let kinds: BTreeSet<usize> = events.map(|event| ordinal(&event)).collect();
    assert_eq!(kinds, (0..KINDS).collect());
}

/// Records the log of the release named by `YARDARM_RECORD_LOG`, which must not be there yet.
#[tokio::test(flavor = "current_thread")]
#[ignore = "run once for a release"]
#[expect(clippy::disallowed_methods, reason = "the release is named from outside")]
async fn record_the_log_of_a_release() {
    let release =
        std::env::var("YARDARM_RECORD_LOG").expect("YARDARM_RECORD_LOG names the release, as in 0.2");
    let folder = folder().join(release);
    assert!(!folder.exists(), "{folder:?} is there, and what is there is never changed");
    let log = scenario::play().await.unwrap();
    let node = start(Arc::new(log.clone())).await.unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("log.jsonl"), log_text::export(&log).await.unwrap()).unwrap();
    std::fs::write(folder.join("world.txt"), describe(&node.view().world)).unwrap();
    node.abort();
}
