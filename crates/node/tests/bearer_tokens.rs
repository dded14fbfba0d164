//! Bearer tokens: recognised while they are good, and only then.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use jiff::SignedDuration;
use yardarm_domain::{ProfileType, RevokeBearerToken, TokenScope, WantedBearerToken};
use yardarm_log::{Log, Seq};
use yardarm_node::NewBearerToken;
use yardarm_testkit::{Shop, TestNode, cause, master_keys};

async fn token(test: &TestNode, shop: &Shop, lifetime_s: Option<i64>) -> NewBearerToken {
    let wanted = WantedBearerToken {
        name: "browser".parse().unwrap(),
        description: None,
        application: shop.application.clone(),
        environment: shop.environment.clone(),
        scope: TokenScope::Evaluate,
        expires_at: lifetime_s.map(|seconds| test.node.now() + SignedDuration::from_secs(seconds)),
    };
    test.node.create_bearer_token(wanted, cause()).await.unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_token_is_recognised_until_it_is_revoked_also_after_a_restart() {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    let new = token(&test, &shop, None).await;
    let known = test.node.bearer_token(&new.text).unwrap();
    assert_eq!((&known.id, &known.environment), (&new.id, &shop.environment));

    let test = test.restart(master_keys()).await.unwrap();
    assert!(test.node.bearer_token(&new.text).is_some());
    test.node.execute(RevokeBearerToken { id: new.id.clone() }, cause()).await.unwrap();
    assert!(test.node.bearer_token(&new.text).is_none());
}

#[tokio::test(flavor = "current_thread")]
async fn a_token_expires_by_the_clock() {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    let new = token(&test, &shop, Some(60)).await;
    test.advance(SignedDuration::from_secs(59)).await;
    assert!(test.node.bearer_token(&new.text).is_some());
    test.advance(SignedDuration::from_secs(1)).await;
    assert!(test.node.bearer_token(&new.text).is_none());
}

#[tokio::test(flavor = "current_thread")]
async fn another_secret_with_the_same_id_is_no_token() {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    let new = token(&test, &shop, None).await;
    let last = if new.text.ends_with('A') { 'E' } else { 'A' };
    let other = format!("{}{last}", &new.text[..new.text.len() - 1]);
    assert!(test.node.bearer_token(&other).is_none());
    let same_id = format!("ydm_{}_{}", new.id, "A".repeat(43));
    assert!(test.node.bearer_token(&same_id).is_none());
}

#[tokio::test(flavor = "current_thread")]
async fn the_log_does_not_know_the_token() {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    let new = token(&test, &shop, None).await;
    let secret = &new.text["ydm_".len() + 13..];
    for record in test.log.read(Seq::ZERO, usize::MAX).await.unwrap() {
        assert!(!record.draft.body.contains(secret), "{}", record.draft.body);
    }
}
