//! What is served without a session: to those who evaluate flags, and to those who wait for a change.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use jiff::SignedDuration;
use std::sync::Arc;
use yardarm_domain::{CascadeDeleteApplication, DeletionProtectionCheck, Exposure, ProfileType};
use yardarm_flags::Context;
use yardarm_node::{Address, MissingPlace, Subscription};
use yardarm_testkit::{Shop, TestNode, cause};

const ON: &str =
    r#"{"version":"1","flags":{"banner":{"name":"Banner"}},"values":{"banner":{"enabled":true}}}"#;
const OFF: &str =
    r#"{"version":"1","flags":{"banner":{"name":"Banner"}},"values":{"banner":{"enabled":false}}}"#;

async fn open(kind: ProfileType) -> (TestNode, Shop, Address) {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, kind, vec![]).await.unwrap();
    let address = test.node.address("shop", "production", "settings").unwrap();
    (test, shop, address)
}

/// Whether the subscriber has heard of a change, without waiting for one.
fn heard(subscription: &mut Subscription) -> bool {
    let changed = std::pin::pin!(subscription.changed());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    changed.poll(&mut context).is_ready()
}

#[tokio::test]
async fn flags_are_served_compiled_and_other_configurations_are_not() {
    let (test, shop, address) = open(ProfileType::FeatureFlags).await;
    assert!(test.node.served(&address).is_none(), "nothing is deployed");
    shop.serve(ON).await.unwrap();
    let served = test.node.served(&address).unwrap();
    let version = served.for_anyone().unwrap();
    assert_eq!(version.body, r#"{"banner":{"enabled":true}}"#);
    assert!(version.stored.starts_with(b"{\"flags\":{\"banner\":{\"_createdAt\":"));
    let flags = version.flags.as_ref().unwrap();
    assert!(flags.evaluate("banner", &Context::EMPTY).unwrap().enabled);
    assert_eq!(test.node.flag_profiles(&shop.application, &shop.environment), [address]);

    let (test, shop, address) = open(ProfileType::Freeform).await;
    shop.serve("speed = 1").await.unwrap();
    let served = test.node.served(&address).unwrap();
    assert!(served.for_anyone().unwrap().flags.is_none());
    assert!(test.node.flag_profiles(&shop.application, &shop.environment).is_empty());
}

#[tokio::test]
async fn what_is_missing_of_an_address_is_named() {
    let (test, ..) = open(ProfileType::Freeform).await;
    assert_eq!(test.node.address("bakery", "production", "settings"), Err(MissingPlace::Application));
    assert_eq!(test.node.address("shop", "staging", "settings"), Err(MissingPlace::Environment));
    assert_eq!(test.node.address("shop", "production", "flags"), Err(MissingPlace::Profile));
}

#[tokio::test]
async fn what_several_places_serve_is_loaded_once() {
    let (test, shop, address) = open(ProfileType::FeatureFlags).await;
    shop.serve(ON).await.unwrap();
    let other = Shop::open_as("bakery", &test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    other.serve(ON).await.unwrap();
    let elsewhere = test.node.address("bakery", "production", "settings").unwrap();
    let flags = |address| test.node.served(address).unwrap().for_anyone().unwrap().flags.clone().unwrap();
    let (one, two) = (flags(&address), flags(&elsewhere));
    // The clock stands still, so that both documents have the same stamps.
    assert!(Arc::ptr_eq(&one, &two));
}

#[tokio::test]
async fn a_rollout_is_served_with_both_versions() {
    let (test, shop, address) = open(ProfileType::FeatureFlags).await;
    shop.serve(OFF).await.unwrap();
    assert!(test.node.served(&address).unwrap().candidate().is_none());
    let stepwise = shop.strategy(600, 600, 20).await.unwrap();
    shop.store(ON, None).await.unwrap();
    let number = shop.deploy(&stepwise).await.unwrap();
    test.advance(SignedDuration::from_secs(120)).await;

    let served = test.node.served(&address).unwrap();
    let candidate = served.candidate().unwrap();
    assert_eq!(candidate.deployment, number);
    assert_eq!((served.stable().unwrap().version.0, candidate.version.version.0), (1, 2));
    assert_eq!(served.for_anyone().unwrap().version.0, 1);
    assert!(candidate.exposure > Exposure::NONE && candidate.exposure < Exposure::ALL);
    let inside = (0..1_000).filter(|n| served.for_entity(&format!("user-{n}")).unwrap().version.0 == 2);
    let expected = candidate.exposure.percent() * 10.0;
    assert!((inside.count() as f64 - expected).abs() < 60.0, "about {expected}");
}

#[tokio::test]
async fn subscribers_hear_of_what_concerns_them_and_find_it_done() {
    let (test, shop, address) = open(ProfileType::Freeform).await;
    let other = Shop::open_as("bakery", &test, ProfileType::Freeform, vec![]).await.unwrap();
    let mut one = test.node.subscribe(&address);
    let mut environment = test.node.subscribe_environment(&shop.application, &shop.environment);
    other.serve("speed = 0").await.unwrap();
    assert!(!heard(&mut one) && !heard(&mut environment), "another application");

    shop.serve("speed = 1").await.unwrap();
    let seq = one.changed().await.unwrap();
    assert_eq!(test.node.served(&address).unwrap().revision(), seq);
    assert!(test.node.view().seq >= seq);
    assert_eq!(environment.changed().await, Some(seq));
    assert!(!heard(&mut one) && !heard(&mut environment), "nothing new since");

    shop.store("speed = 2", None).await.unwrap();
    assert!(!heard(&mut one), "a version that is stored is not served");
    let stepwise = shop.strategy(600, 600, 50).await.unwrap();
    let number = shop.deploy(&stepwise).await.unwrap();
    assert!(heard(&mut one));
    test.advance(SignedDuration::from_secs(300)).await;
    assert!(heard(&mut one), "a step");
    shop.stop(number).await.unwrap();
    assert!(heard(&mut one), "a rollback");
}

#[tokio::test]
async fn subscribers_hear_of_the_end() {
    let (test, shop, address) = open(ProfileType::Freeform).await;
    shop.serve("speed = 1").await.unwrap();
    let mut subscription = test.node.subscribe(&address);
    let check = DeletionProtectionCheck::Bypass;
    let command = CascadeDeleteApplication {
        application: shop.application.clone(),
        check,
        last_reads: Default::default(),
    };
    test.node.execute(command, cause()).await.unwrap();
    assert!(heard(&mut subscription));
    assert!(test.node.served(&address).is_none());
}
