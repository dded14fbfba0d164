//! Secrets in the log: sealed, rotated, and gone when their key is.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::sync::Arc;
use yardarm_domain::{ChangeAccessKey, DeleteAccessKey};
use yardarm_log::{Log, Seq};
use yardarm_node::{Error, MasterKeys};
use yardarm_testkit::{TestNode, cause, log_text, master_keys};
use zeroize::Zeroizing;

const OLD: &str = "00000001:4242424242424242424242424242424242424242424242424242424242424242";
const NEW: &str = "00000002:2323232323232323232323232323232323232323232323232323232323232323";

fn keys(lines: &[&str]) -> MasterKeys {
    MasterKeys::parse(&lines.join("\n")).unwrap()
}

async fn with_a_key() -> TestNode {
    let test = TestNode::start().await.unwrap();
    let secret = Some(Zeroizing::new("open sesame".to_owned()));
    let id = Some("YDMTEST".parse().unwrap());
    test.node.create_access_key(id, secret, "test".parse().unwrap(), None, cause()).await.unwrap();
    test
}

#[tokio::test]
async fn with_another_master_key_a_node_does_not_start() {
    let test = with_a_key().await;
    let end = test.log.end().await.unwrap();
    let log = test.log.clone();
    let Err(error) = test.restart(keys(&[NEW])).await else { panic!("it starts") };
    assert!(matches!(error, Error::Sealed(_)), "{error}");
    assert_eq!(log.end().await.unwrap(), end, "nothing was written");
}

#[tokio::test]
async fn after_a_rotation_the_old_master_key_can_go() {
    let test = with_a_key().await;
    let token_sealed_before = test.node.view().world.token_key().cloned();
    let test = test.restart(keys(&[NEW, OLD])).await.unwrap();
    assert!(test.node.access_secret("YDMTEST").is_some());
    assert_ne!(test.node.view().world.token_key().cloned(), token_sealed_before);
    let end = test.log.end().await.unwrap();
    let test = test.restart(keys(&[NEW])).await.unwrap();
    assert!(test.node.access_secret("YDMTEST").is_some());
    assert_eq!(test.log.end().await.unwrap(), end, "there was nothing left to seal anew");
    assert!(matches!(test.restart(master_keys()).await, Err(Error::Sealed(_))));
}

#[tokio::test]
async fn the_log_never_holds_a_secret_in_the_open() {
    let test = with_a_key().await;
    let drawn =
        test.node.create_access_key(None, None, "drawn".parse().unwrap(), None, cause()).await.unwrap();
    let test = test.restart(keys(&[NEW, OLD])).await.unwrap();
    test.node.save_snapshot().await.unwrap();
    let text = log_text::export(&test.log).await.unwrap();
    let snapshot = test.log.load_snapshot().await.unwrap().unwrap();
    let snapshot = String::from_utf8_lossy(&snapshot.bytes).into_owned();
    assert!(text.contains("YDMTEST") && snapshot.contains("YDMTEST"));
    for secret in ["open sesame", drawn.secret.as_str()] {
        assert!(!text.contains(secret) && !snapshot.contains(secret), "{secret}");
    }
    assert!(test.log.read(Seq::ZERO, 100).await.unwrap().len() > 3);
}

#[tokio::test]
async fn an_access_key_counts_while_it_is_enabled_and_there() {
    let test = with_a_key().await;
    let id: yardarm_domain::AccessKeyId = "YDMTEST".parse().unwrap();
    let set =
        |enabled| ChangeAccessKey { id: id.clone(), enabled: Some(enabled), name: None, description: None };
    let before = test.node.access_secret("YDMTEST").unwrap();
    assert!(test.node.access_secret("YDMOTHER").is_none());
    test.node.execute(set(false), cause()).await.unwrap();
    assert!(test.node.access_secret("YDMTEST").is_none());
    test.node.execute(set(true), cause()).await.unwrap();
    assert!(test.node.access_secret("YDMTEST").is_some());
    test.node.execute(DeleteAccessKey { id: id.clone() }, cause()).await.unwrap();
    assert!(test.node.access_secret("YDMTEST").is_none());
    drop(before);
}

#[tokio::test]
async fn a_secret_that_stays_keeps_what_was_derived_from_it() {
    let test = with_a_key().await;
    let before = test.node.access_secret("YDMTEST").unwrap();
    test.node.create_access_key(None, None, "another".parse().unwrap(), None, cause()).await.unwrap();
    assert!(Arc::ptr_eq(&before, &test.node.access_secret("YDMTEST").unwrap()));
}

#[tokio::test]
async fn drawn_access_keys_differ_and_look_like_access_keys() {
    let test = TestNode::start().await.unwrap();
    let mut seen = vec![];
    for _ in 0..3 {
        let made =
            test.node.create_access_key(None, None, "k".parse().unwrap(), None, cause()).await.unwrap();
        assert_eq!((made.id.as_str().len(), made.secret.len()), (20, 40));
        assert!(!seen.contains(&made.secret));
        assert!(!format!("{:?}", test.node.access_secret(made.id.as_str())).contains(made.secret.as_str()));
        seen.push(made.secret);
    }
}
