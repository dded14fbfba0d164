//! Deployments that are taken back unless somebody confirms them.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use jiff::SignedDuration;
use yardarm_domain::{
    ConfirmDeployment, Deployment, DeploymentNumber, DeploymentState, ProfileType, Refusal,
};
use yardarm_node::{Error, Node};
use yardarm_testkit::{Shop, TestNode, cause, master_keys};

async fn open() -> (TestNode, Shop) {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::Freeform, vec![]).await.unwrap();
    shop.serve("old").await.unwrap();
    shop.store("new", None).await.unwrap();
    (test, shop)
}

fn deployment(node: &Node, shop: &Shop, number: DeploymentNumber) -> Deployment {
    let view = node.view();
    let environment = view.world.environment(&shop.application, &shop.environment).unwrap();
    Deployment::clone(environment.deployment(&shop.application, number).unwrap())
}

fn served(node: &Node) -> String {
    let address = node.address("shop", "production", "settings").unwrap();
    let served = node.served(&address).unwrap();
    String::from_utf8(served.for_anyone().unwrap().body.to_vec()).unwrap()
}

async fn confirm(node: &Node, shop: &Shop, number: DeploymentNumber) -> Result<(), Error> {
    let command = ConfirmDeployment {
        application: shop.application.clone(),
        environment: shop.environment.clone(),
        deployment: number,
        by: "somebody".into(),
        reason: "it sells".parse().ok(),
    };
    node.execute(command, cause()).await.map(|_| ())
}

#[tokio::test]
async fn what_nobody_confirms_goes_back_by_itself_also_across_a_restart() {
    let (test, shop) = open().await;
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    let number = shop.deploy_to_be_confirmed(&at_once, 600).await.unwrap();
    test.rest().await;
    let waiting = deployment(&test.node, &shop, number);
    assert_eq!((waiting.state(), served(&test.node).as_str()), (DeploymentState::Baking, "new"));
    test.advance(SignedDuration::from_secs(599)).await;
    assert_eq!(
        deployment(&test.node, &shop, number).state(),
        DeploymentState::Baking,
        "nobody has judged it"
    );
    let test = test.restart(master_keys()).await.unwrap();
    test.rest().await;
    assert_eq!(deployment(&test.node, &shop, number).confirm_by(), waiting.confirm_by());
    test.advance(SignedDuration::from_secs(1)).await;
    let back = deployment(&test.node, &shop, number);
    assert_eq!((back.state(), served(&test.node).as_str()), (DeploymentState::RolledBack, "old"));
    let late = confirm(&test.node, &shop, number).await.unwrap_err();
    assert!(matches!(late, Error::Refused(Refusal::NotConfirmable { .. })), "{late}");
}

#[tokio::test]
async fn it_goes_back_in_the_middle_of_its_growth_too() {
    let (test, shop) = open().await;
    let slow = shop.strategy(1_200, 0, 50).await.unwrap();
    let number = shop.deploy_to_be_confirmed(&slow, 700).await.unwrap();
    test.advance(SignedDuration::from_secs(600)).await;
    assert_eq!(deployment(&test.node, &shop, number).exposure().parts_per_million(), 500_000);
    test.advance(SignedDuration::from_secs(100)).await;
    assert_eq!(deployment(&test.node, &shop, number).state(), DeploymentState::RolledBack);
}

#[tokio::test]
async fn what_is_confirmed_completes_at_the_end_of_its_bake_and_not_before() {
    let (test, shop) = open().await;
    let strategy = shop.strategy(0, 300, 100).await.unwrap();
    let number = shop.deploy_to_be_confirmed(&strategy, 3_600).await.unwrap();
    test.rest().await;
    confirm(&test.node, &shop, number).await.unwrap();
    confirm(&test.node, &shop, number).await.unwrap();
    test.advance(SignedDuration::from_secs(299)).await;
    assert_eq!(deployment(&test.node, &shop, number).state(), DeploymentState::Baking);
    test.advance(SignedDuration::from_secs(1)).await;
    let done = deployment(&test.node, &shop, number);
    assert_eq!(done.state(), DeploymentState::Complete);
    let confirmed = done.confirmation.unwrap().confirmed.unwrap();
    assert_eq!((&*confirmed.by, confirmed.reason.unwrap().as_str()), ("somebody", "it sells"));

    shop.store("newer", None).await.unwrap();
    let number = shop.deploy_to_be_confirmed(&strategy, 3_600).await.unwrap();
    test.advance(SignedDuration::from_secs(1_800)).await;
    assert_eq!(deployment(&test.node, &shop, number).state(), DeploymentState::Baking, "long past its bake");
    confirm(&test.node, &shop, number).await.unwrap();
    test.rest().await;
    assert_eq!(deployment(&test.node, &shop, number).state(), DeploymentState::Complete);
    test.advance(SignedDuration::from_hours(2)).await;
    assert_eq!(deployment(&test.node, &shop, number).state(), DeploymentState::Complete);
}

#[tokio::test]
async fn only_what_was_started_to_be_confirmed_can_be() {
    let (test, shop) = open().await;
    let number = shop.deploy(&shop.strategy(600, 0, 50).await.unwrap()).await.unwrap();
    let refused = confirm(&test.node, &shop, number).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::NothingToConfirm { .. })), "{refused}");
}
