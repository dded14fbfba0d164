//! What clients say of what they were given, and what comes of it.

use crate::following::ON;
use crate::server::{Rig, until, until_version};
use jiff::SignedDuration;
use std::time::Duration;
use yardarm_client::{AcknowledgeSettings, LiveFlags, LiveSettings};
use yardarm_domain::{DeploymentNumber, DeploymentState, Gate, Percent, ProfileType};

const PLENTY: Duration = Duration::from_secs(60);

const ALL_AND_NO_REFUSAL: Gate = Gate { applied: Percent::ALL, refused: Percent::NONE };

async fn follow(rig: &Rig, client: &str) -> LiveFlags {
    let acknowledge = AcknowledgeSettings {
        client: Some(client.into()),
        software: "shop/1.4".into(),
        within: Duration::ZERO,
        ..AcknowledgeSettings::default()
    };
    let settings = LiveSettings { acknowledge: Some(acknowledge), ..Rig::settings() };
    let flags = rig.follow_with(settings, rig.address()).await;
    assert!(flags.settled(PLENTY).await || flags.rollout().is_none());
    flags
}

fn state(rig: &Rig, number: DeploymentNumber) -> (DeploymentState, u32) {
    let view = rig.shop.node.view();
    let environment = view.world.environment(&rig.shop.application, &rig.shop.environment).unwrap();
    let deployment = environment.deployments.get(&number).unwrap();
    (deployment.state(), deployment.exposure().parts_per_million())
}

#[tokio::test]
async fn a_deployment_that_asks_goes_on_because_clients_say_what_they_have() {
    let rig = Rig::start(ProfileType::FeatureFlags).await;
    rig.shop.serve(ON).await.unwrap();
    let clients = [follow(&rig, "a").await, follow(&rig, "b").await];
    rig.shop.store(r#"{"version":"1","values":{"other":{"enabled":true}}}"#, None).await.unwrap();
    let slowly = rig.shop.strategy(100, 0, 50).await.unwrap();
    let number = rig.shop.deploy_asking(&slowly, Some(ALL_AND_NO_REFUSAL)).await.unwrap();
    for exposure in [500_000, 1_000_000] {
        rig.clock.advance(SignedDuration::from_secs(50));
        until(rig.shop.node.changes(), || state(&rig, number).1 == exposure).await;
    }
    until(rig.shop.node.changes(), || state(&rig, number).0 == DeploymentState::Complete).await;
    for flags in &clients {
        until_version(flags, 2).await;
    }
    let known = rig.shop.node.clients_of(&rig.shop.application, &rig.shop.environment, number).unwrap();
    assert!(known.clients.iter().any(|client| client.software == "shop/1.4"), "{known:?}");
}

#[tokio::test]
async fn what_a_client_cannot_read_is_taken_back() {
    let rig = Rig::start(ProfileType::Freeform).await;
    rig.shop.store("no flags", None).await.unwrap();
    let slowly = rig.shop.strategy(600, 0, 10).await.unwrap();
    let number = rig.shop.deploy_asking(&slowly, Some(ALL_AND_NO_REFUSAL)).await.unwrap();
    let _flags = follow(&rig, "a").await;
    until(rig.shop.node.changes(), || state(&rig, number).0 == DeploymentState::RolledBack).await;
}
