//! What changes an answer, what does not, and how that is told by its tag.

use super::{ALL, Desk, dev, document};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeSet;
use yardarm_domain::ProfileType;
use yardarm_log::MemoryLog;
use yardarm_node::NodeConfig;
use yardarm_testkit::{ManualClock, Shop, TestNode, account};

#[tokio::test(flavor = "current_thread")]
async fn an_unchanged_answer_is_named_and_not_sent_again() {
    let desk = Desk::serving(dev()).await;
    let context = json!({"targetingKey": "u", "plan": "free", "n": 1});
    let first = desk.post(ALL, context.clone()).await;
    let again = desk.post(ALL, context).await;
    assert_eq!((first.etag(), &first.body), (again.etag(), &again.body), "to the byte");
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let reordered = r#"{"context":{ "n" : 1.0, "plan":"free","targetingKey":"u"}}"#;
    let weak = format!("W/{}", first.etag());
    let bare = first.etag().trim_matches('"').to_owned();
    for known in [first.etag(), &weak, &bare, "*", &format!("\"other\", {}", first.etag())] {
        let told = desk.send("POST", ALL, &[("if-none-match", known)], reordered).await;
        assert_eq!((told.status, told.body.len(), told.etag()), (304, 0, first.etag()), "{known}");
    }
    for changed in [
        json!({"targetingKey": "u", "plan": "pro", "n": 1}),
        json!({"targetingKey": "v", "plan": "free", "n": 1}),
        json!({"targetingKey": "u", "plan": "free", "n": 2}),
        json!({"targetingKey": "u", "plan": "free", "n": 1, "flags": ["plain"]}),
    ] {
        let body = json!({"context": changed}).to_string();
        let told = desk.send("POST", ALL, &[("if-none-match", first.etag())], &body).await;
        assert_eq!(told.status, 200, "{changed}");
        assert_ne!(told.etag(), first.etag());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_tag_is_good_again_once_a_change_is_taken_back() {
    let desk = Desk::serving(dev()).await;
    let before = desk.post(ALL, json!({})).await;
    let second = desk.shop.serve(&document("two")).await.unwrap();
    desk.test.rest().await;
    let known = [("if-none-match", before.etag())];
    let changed = desk.send("POST", ALL, &known, "").await;
    assert_eq!(changed.status, 200);
    desk.shop.stop(second).await.unwrap();
    desk.test.rest().await;
    assert_eq!(desk.send("POST", ALL, &known, "").await.status, 304);
}

#[tokio::test(flavor = "current_thread")]
async fn a_gradual_deployment_reaches_targeting_keys_and_never_loses_one() {
    let desk = Desk::serving(dev()).await;
    desk.shop.store(&document("two"), None).await.unwrap();
    let slowly = desk.shop.strategy(400, 0, 25).await.unwrap();
    desk.shop.deploy(&slowly).await.unwrap();
    let mut reached: BTreeSet<u32> = BTreeSet::new();
    let keys = 0..80_u32;
    for step in 0..=4 {
        desk.test.advance(SignedDuration::from_secs(if step == 0 { 0 } else { 100 })).await;
        let mut now = BTreeSet::new();
        for key in keys.clone() {
            let told =
                desk.post(&format!("{ALL}/banner.text"), json!({"targetingKey": format!("u{key}")})).await;
            if told.json()["value"] == "two" {
                now.insert(key);
            }
        }
        assert!(now.is_superset(&reached), "step {step}");
        let anonymous = desk.post(&format!("{ALL}/banner.text"), json!({})).await;
        assert_eq!(anonymous.json()["value"] == "two", step == 4, "step {step}");
        reached = now;
    }
    assert_eq!(reached.len(), 80);
}

#[tokio::test(flavor = "current_thread")]
async fn a_scheduled_step_changes_the_answer_without_an_edit() {
    let desk = Desk::serving(dev()).await;
    desk.shop.store(&document("two"), None).await.unwrap();
    let slowly = desk.shop.strategy(100, 0, 100).await.unwrap();
    desk.shop.deploy(&slowly).await.unwrap();
    desk.test.rest().await;
    let body = r#"{"context":{"targetingKey":"u"}}"#;
    let before = desk.send("POST", ALL, &[], body).await;
    desk.test.advance(SignedDuration::from_secs(100)).await;
    let after = desk.send("POST", ALL, &[("if-none-match", before.etag())], body).await;
    assert_eq!(after.status, 200);
    assert!(String::from_utf8_lossy(&after.body).contains("\"two\""));
}

#[tokio::test(flavor = "current_thread")]
async fn a_node_that_knows_less_than_the_event_reads_on_before_it_answers() {
    let (log, clock) = (MemoryLog::new(), ManualClock::default());
    let config = || NodeConfig { shared_log: true, ..NodeConfig::new(account()) };
    let writer = TestNode::start_with(config(), log.clone(), clock.clone(), 1).await.unwrap();
    let shop = Shop::open(&writer, ProfileType::FeatureFlags, vec![]).await.unwrap();
    shop.serve(&document("one")).await.unwrap();
    writer.rest().await;
    let reader = TestNode::start_with(config(), log, clock, 2).await.unwrap();
    let desk = Desk { router: crate::router(reader.node.clone(), dev()), test: reader, shop };
    desk.shop.serve(&document("two")).await.unwrap();
    let revision = writer.node.view().seq.0;
    let told = desk.post(&format!("{ALL}?flagConfigEtag=%22r{revision}%22"), json!({})).await;
    assert!(String::from_utf8_lossy(&told.body).contains("\"two\""));
}
