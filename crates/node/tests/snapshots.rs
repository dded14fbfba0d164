//! Snapshots bound how much of the log a start reads, and are believed only when they fit.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use bytes::Bytes;
use yardarm_domain::{CreateApplication, ProfileType, Tags};
use yardarm_log::{Log, Snapshot};
use yardarm_node::NodeConfig;
use yardarm_testkit::{ManualClock, Shop, TestNode, account, cause, master_keys};

async fn busy() -> TestNode {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    shop.serve(r#"{"version":"1","flags":{"a":{"name":"A"}},"values":{"a":{"enabled":true}}}"#)
        .await
        .unwrap();
    test
}

#[tokio::test]
async fn a_start_reads_only_what_came_after_the_snapshot() {
    let test = busy().await;
    test.node.save_snapshot().await.unwrap();
    let another =
        CreateApplication { name: "later".parse().unwrap(), description: None, tags: Tags::default() };
    test.node.execute(another, cause()).await.unwrap();
    let before = test.node.view();
    let test = test.restart(master_keys()).await.unwrap();
    assert_eq!(test.faults.records_read(), 1);
    let after = test.node.view();
    assert_eq!((&after.world, after.seq, after.digest), (&before.world, before.seq, before.digest));
}

#[tokio::test]
async fn without_a_snapshot_the_whole_log_is_read() {
    let test = busy().await;
    let before = test.node.view();
    let test = test.restart(master_keys()).await.unwrap();
    assert_eq!(test.faults.records_read(), before.seq.0);
    assert_eq!(test.node.view().world, before.world);
}

#[tokio::test]
async fn a_snapshot_of_another_layout_or_a_damaged_one_costs_time_only() {
    let mut test = busy().await;
    test.node.save_snapshot().await.unwrap();
    let good = test.log.load_snapshot().await.unwrap().unwrap();
    let damaged = Bytes::from_static(b"\xff\xff\xff");
    for bad in [Snapshot { format: 999, ..good.clone() }, Snapshot { bytes: damaged, ..good.clone() }] {
        let before = test.node.view();
        test.log.save_snapshot(bad).await.unwrap();
        test = test.restart(master_keys()).await.unwrap();
        assert_eq!(test.faults.records_read(), before.seq.0);
        assert_eq!(test.node.view().world, before.world);
    }
}

#[tokio::test]
async fn a_snapshot_is_saved_whenever_enough_has_been_recorded() {
    let config = NodeConfig { snapshot_every: 3, ..NodeConfig::new(account()) };
    let test = TestNode::start_with(config, Default::default(), ManualClock::default(), 1).await.unwrap();
    let shop = Shop::open(&test, ProfileType::Freeform, vec![]).await.unwrap();
    // It is encoded on another thread, of whose end nothing tells.
    let mut turns = 0;
    while test.log.load_snapshot().await.unwrap().is_none() {
        tokio::task::yield_now().await;
        turns += 1;
        assert!(turns < 10_000_000, "no snapshot after {:?}", shop.node.view().seq);
    }
}
