//! One flag back to what it was, the others as they are.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use yardarm_domain::{DeploymentState, NotRevertible, ProfileType, Refusal, VersionNumber};
use yardarm_node::{ConfigurationRefused, Error, RevertFlag, RevertedFlag};
use yardarm_testkit::{Shop, TestNode, cause};

fn document(checkout: bool, banner: bool) -> String {
    format!(
        r#"{{"version":"1","flags":{{"checkout":{{"name":"c"}},"banner":{{"name":"b"}}}},
            "values":{{"checkout":{{"enabled":{checkout}}},"banner":{{"enabled":{banner}}}}}}}"#
    )
}

async fn open() -> (TestNode, Shop) {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    for (checkout, banner) in [(false, false), (true, false), (true, true)] {
        shop.serve(&document(checkout, banner)).await.unwrap();
    }
    (test, shop)
}

async fn revert(test: &TestNode, shop: &Shop, flag: &str) -> Result<RevertedFlag, ConfigurationRefused> {
    let wanted = RevertFlag {
        application: shop.application.clone(),
        environment: shop.environment.clone(),
        profile: shop.profile.clone(),
        flag: flag.parse().unwrap(),
        to: None,
        strategy: shop.strategy(0, 0, 100).await.unwrap(),
        reason: Some("it sells nothing".into()),
    };
    test.node.revert_flag(wanted, cause()).await
}

fn served(test: &TestNode) -> String {
    let address = test.node.address("shop", "production", "settings").unwrap();
    let served = test.node.served(&address).unwrap();
    String::from_utf8(served.for_anyone().unwrap().body.to_vec()).unwrap()
}

#[tokio::test]
async fn only_the_flag_that_is_named_goes_back_and_forth() {
    let (test, shop) = open().await;
    let back = revert(&test, &shop, "checkout").await.unwrap();
    assert_eq!((back.as_in, back.version), (VersionNumber(1), VersionNumber(4)));
    assert_eq!(served(&test), r#"{"banner":{"enabled":true},"checkout":{"enabled":false}}"#);
    let forth = revert(&test, &shop, "checkout").await.unwrap();
    assert_eq!((forth.as_in, forth.version), (VersionNumber(3), VersionNumber(5)));
    assert_eq!(served(&test), r#"{"banner":{"enabled":true},"checkout":{"enabled":true}}"#);
}

#[tokio::test]
async fn what_was_reverted_as_a_whole_is_nothing_to_go_back_to() {
    let (test, shop) = open().await;
    let third = shop.serve(&document(false, true)).await.unwrap();
    shop.stop(third).await.unwrap();
    let back = revert(&test, &shop, "checkout").await.unwrap();
    assert_eq!(back.as_in, VersionNumber(1), "not the fourth, which was taken back");
}

#[tokio::test]
async fn a_flag_that_was_not_there_goes_away_again() {
    let (test, shop) = open().await;
    let with_new = document(true, true).replacen(r#""flags":{"#, r#""flags":{"new":{"name":"n"},"#, 1);
    let with_new = with_new.replacen(r#""values":{"#, r#""values":{"new":{"enabled":true},"#, 1);
    shop.serve(&with_new).await.unwrap();
    revert(&test, &shop, "new").await.unwrap();
    assert_eq!(served(&test), r#"{"banner":{"enabled":true},"checkout":{"enabled":true}}"#);
}

#[tokio::test]
async fn a_deployment_in_the_way_is_told_before_anything_is_stored() {
    let (test, shop) = open().await;
    shop.store(&document(false, true), None).await.unwrap();
    let number = shop.deploy(&shop.strategy(600, 0, 10).await.unwrap()).await.unwrap();
    let refused = revert(&test, &shop, "checkout").await.unwrap_err();
    assert!(
        matches!(refused, ConfigurationRefused::Node(Error::Refused(Refusal::DeploymentInProgress { number: one, .. })) if one == number),
        "{refused}"
    );
    let view = test.node.view();
    assert_eq!(view.world.profile(&shop.application, &shop.profile).unwrap().latest_version, 4);
}

#[tokio::test]
async fn what_never_changed_and_what_never_was_are_told_apart() {
    let (test, shop) = open().await;
    let why = |refused| match refused {
        ConfigurationRefused::Node(Error::Refused(Refusal::FlagNotRevertible { why, .. })) => why,
        other => unreachable!("{other}"),
    };
    assert_eq!(why(revert(&test, &shop, "nothing").await.unwrap_err()), NotRevertible::Unknown);
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    shop.store(&document(true, true), None).await.unwrap();
    assert_eq!(why(revert(&test, &shop, "checkout").await.unwrap_err()), NotRevertible::NotDeployed);
    let number = shop.deploy(&shop.strategy(0, 0, 100).await.unwrap()).await.unwrap();
    let view = test.node.view();
    let environment = view.world.environment(&shop.application, &shop.environment).unwrap();
    assert_eq!(environment.deployment(&shop.application, number).unwrap().state(), DeploymentState::Complete);
    assert_eq!(why(revert(&test, &shop, "checkout").await.unwrap_err()), NotRevertible::Unchanged);
}
