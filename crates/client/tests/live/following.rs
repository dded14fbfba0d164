//! What changes on the server changes here.

use crate::server::{Rig, until, until_version, version};
use jiff::SignedDuration;
use std::time::Duration;
use yardarm_client::Freshness;
use yardarm_domain::ProfileType;
use yardarm_flags::Context;

pub(crate) const ON: &str = r#"{"version":"1","values":{"banner":{"enabled":true}}}"#;
pub(crate) const OFF: &str = r#"{"version":"1","values":{"banner":{"enabled":false}}}"#;

const PLENTY: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_change_is_here_as_soon_as_it_is_decided() {
    let rig = Rig::start(ProfileType::FeatureFlags).await;
    rig.shop.serve(ON).await.unwrap();
    let flags = rig.follow(None).await;
    assert!(flags.settled(PLENTY).await);
    assert_eq!(flags.freshness(), Freshness::Current);
    let on = |entity| {
        let version = flags.version_for(entity).unwrap();
        version.flags().evaluate("banner", &Context::EMPTY).unwrap().enabled
    };
    assert!(on(None) && on(Some("anyone")));
    for (number, content) in [(2, OFF), (3, ON), (4, OFF)] {
        rig.shop.serve(content).await.unwrap();
        until_version(&flags, number).await;
        assert_eq!(on(None), content == ON);
    }
}

#[tokio::test]
async fn a_deployment_reaches_here_whom_it_reaches_on_the_server_and_a_rollback_all_at_once() {
    let rig = Rig::start(ProfileType::FeatureFlags).await;
    rig.shop.serve(OFF).await.unwrap();
    let flags = rig.follow(None).await;
    assert!(flags.settled(PLENTY).await);
    let entities: Vec<String> = (0..300).map(|number| format!("user-{number}")).collect();
    let here = || -> Vec<Option<u32>> { entities.iter().map(|one| version(&flags, Some(one))).collect() };
    let there = || -> Vec<Option<u32>> {
        let address = rig.shop.node.address("shop", "production", "settings").unwrap();
        let served = rig.shop.node.served(&address).unwrap();
        entities.iter().map(|one| served.for_entity(one).map(|version| version.version.0)).collect()
    };

    let steps = rig.shop.strategy(600, 600, 20).await.unwrap();
    rig.shop.store(ON, None).await.unwrap();
    let deployment = rig.shop.deploy(&steps).await.unwrap();
    let mut reached = 0;
    for _ in 0..4 {
        rig.clock.advance(SignedDuration::from_secs(120));
        let before = here();
        // One step at a time: the next is not due before the clock moves on.
        until(flags.watch_changes(), || here() != before).await;
        let now = here();
        assert_eq!(now, there());
        assert!(now.iter().zip(&before).all(|(now, before)| now >= before), "nobody goes back");
        let count = now.iter().filter(|number| **number == Some(2)).count();
        assert!(count > reached && count < entities.len(), "{count} after {reached}");
        reached = count;
        assert_eq!(version(&flags, None), Some(1), "who cannot be told apart waits until the end");
    }

    rig.shop.stop(deployment).await.unwrap();
    until(flags.watch_changes(), || here().iter().all(|number| *number == Some(1))).await;

    let deployment = rig.shop.deploy(&steps).await.unwrap();
    while version(&flags, None) != Some(2) {
        let changes = flags.watch_changes();
        let count = *changes.borrow();
        rig.clock.advance(SignedDuration::from_secs(120));
        until(changes, || *flags.watch_changes().borrow() != count).await;
    }
    assert!(here().iter().all(|number| *number == Some(2)), "{deployment:?} has reached everybody");
}

#[tokio::test]
async fn a_first_deployment_is_waited_for() {
    let rig = Rig::start(ProfileType::FeatureFlags).await;
    let flags = rig.follow(None).await;
    let stale = || matches!(flags.freshness(), Freshness::Stale(why) if why.contains("nothing deployed"));
    until(flags.watch_freshness(), stale).await;
    assert!(!flags.settled(PLENTY).await);
    rig.shop.serve(ON).await.unwrap();
    until_version(&flags, 1).await;
    until(flags.watch_freshness(), || flags.freshness() == Freshness::Current).await;
}

#[tokio::test]
async fn what_holds_no_flags_is_said_to_hold_none() {
    let rig = Rig::start(ProfileType::Freeform).await;
    rig.shop.serve("speed = 1").await.unwrap();
    let flags = rig.follow(None).await;
    assert!(!flags.settled(PLENTY).await);
    let Freshness::Stale(why) = flags.freshness() else { panic!("{:?}", flags.freshness()) };
    assert!(why.contains("AWS.Freeform"), "{why}");
}
