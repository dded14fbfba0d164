//! Deployments that ask their clients before they go on, and how long it takes until clients have what is served.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use jiff::SignedDuration;
use yardarm_domain::rollout::TriggeredBy;
use yardarm_domain::{
    DeploymentLogKind, DeploymentNumber, DeploymentState, Exposure, Gate, Measure, MeasureEnd, Measured,
    Percent, ProfileType,
};
use yardarm_node::{Acknowledgement, Address, Standing};
use yardarm_testkit::{Shop, TestNode, master_keys};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A shop with one version complete and another on its way, four minutes to everyone in steps of a quarter, a minute of bake.
struct Stage {
    test: TestNode,
    shop: Shop,
    address: Address,
    deployment: DeploymentNumber,
}

impl Stage {
    async fn new(gate: Option<Gate>) -> Self {
        let test = TestNode::start().await.unwrap();
        let shop = Shop::open(&test, ProfileType::Freeform, vec![]).await.unwrap();
        shop.serve("one").await.unwrap();
        shop.store("two", None).await.unwrap();
        let slowly = shop.strategy(240, 60, 25).await.unwrap();
        let address = Address::new(&shop.application, &shop.environment, &shop.profile);
        let stage = Self { test, shop, address, deployment: DeploymentNumber(0) };
        stage.all_say(&["a", "b", "c", "d"]);
        let deployment = stage.shop.deploy_asking(&slowly, gate).await.unwrap();
        Self { deployment, ..stage }
    }

    async fn asking(applied: u8, refused: u8) -> Self {
        let percent = |percent| Percent::try_from(percent).unwrap();
        Self::new(Some(Gate { applied: percent(applied), refused: percent(refused) })).await
    }

    fn says(&self, client: &str, refused: Option<&str>) {
        let served = self.shop.node.served(&self.address).unwrap();
        let said = Acknowledgement {
            client: client.into(),
            software: "test/1".into(),
            per_entity: true,
            tag: served.tag(),
            deployment: served.candidate().map(|candidate| candidate.deployment),
            refused: refused.map(Into::into),
        };
        self.shop.node.acknowledge(&self.address, said).unwrap();
    }

    fn all_say(&self, clients: &[&str]) {
        clients.iter().for_each(|client| self.says(client, None));
    }

    async fn pass(&self) {
        self.test.advance(MINUTE).await;
    }

    fn look<T>(&self, look: impl FnOnce(&yardarm_domain::Deployment) -> T) -> T {
        let view = self.shop.node.view();
        let environment = view.world.environment(&self.shop.application, &self.shop.environment).unwrap();
        look(environment.deployments.get(&self.deployment).unwrap())
    }

    fn percent(&self) -> u32 {
        self.look(|deployment| deployment.exposure().parts_per_million() / 10_000)
    }

    fn state(&self) -> DeploymentState {
        self.look(|deployment| deployment.state())
    }

    fn measures(&self) -> Vec<Measure> {
        self.look(|deployment| deployment.measures.clone())
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_step_waits_for_enough_clients_and_comes_as_soon_as_they_have_said_so() {
    let stage = Stage::asking(75, 0).await;
    stage.pass().await;
    assert_eq!(stage.percent(), 25, "the first step needs nobody");
    stage.pass().await;
    stage.all_say(&["a", "b"]);
    stage.test.rest().await;
    assert_eq!(stage.percent(), 25, "two of four");
    let node = &stage.shop.node;
    let clients =
        node.clients_of(&stage.shop.application, &stage.shop.environment, stage.deployment).unwrap();
    assert_eq!((clients.counts.exposed, clients.counts.applied), (4, 2));
    let lag: Vec<&str> = clients
        .clients
        .iter()
        .filter(|client| client.standing == Standing::Lags)
        .map(|client| &*client.client)
        .collect();
    assert_eq!(lag, ["c", "d"]);
    stage.all_say(&["c"]);
    stage.test.rest().await;
    assert_eq!(stage.percent(), 50, "three of four, and the step was due");
    for percent in [75, 100] {
        stage.all_say(&["a", "b", "c", "d"]);
        stage.pass().await;
        assert_eq!(stage.percent(), percent);
    }
    stage.pass().await;
    assert_eq!(stage.state(), DeploymentState::Baking, "nobody has acknowledged the last step");
    stage.all_say(&["a", "b", "c"]);
    stage.test.rest().await;
    assert_eq!(stage.state(), DeploymentState::Complete);
}

#[tokio::test(flavor = "current_thread")]
async fn silence_holds_and_a_restart_forgets_what_was_said() {
    let stage = Stage::asking(100, 0).await;
    stage.pass().await;
    stage.all_say(&["a", "b", "c", "d"]);
    let Stage { test, mut shop, address, deployment } = stage;
    let test = test.restart(master_keys()).await.unwrap();
    shop.node = test.node.clone();
    let stage = Stage { test, shop, address, deployment };
    for _ in 0..10 {
        stage.pass().await;
    }
    assert_eq!(stage.percent(), 25, "nobody has said anything since");
    stage.says("a", None);
    stage.test.rest().await;
    assert_eq!(stage.percent(), 50);
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_has_died_holds_a_step_up_until_it_is_forgotten() {
    let stage = Stage::asking(100, 0).await;
    stage.pass().await;
    for minute in 1..=4 {
        stage.pass().await;
        stage.all_say(&["a", "b", "c"]);
        stage.test.rest().await;
        let percent = if minute < 4 { 25 } else { 50 };
        assert_eq!(stage.percent(), percent, "minute {minute}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn refusals_above_the_share_roll_back_at_once_also_before_the_first_step() {
    let stage = Stage::asking(50, 25).await;
    stage.says("a", Some("no such attribute"));
    stage.test.rest().await;
    assert_eq!(stage.state(), DeploymentState::Deploying, "a quarter is not above a quarter");
    stage.says("b", Some("no such attribute"));
    stage.test.rest().await;
    assert_eq!(stage.state(), DeploymentState::RolledBack);
    let last = stage.look(|deployment| deployment.log.last().unwrap().kind.clone());
    assert_eq!(last, DeploymentLogKind::RolledBack(TriggeredBy::Refused { refused: 2, exposed: 4 }));
}

#[tokio::test(flavor = "current_thread")]
async fn what_asks_nobody_waits_for_nobody() {
    let stage = Stage::new(None).await;
    stage.says("a", Some("no such attribute"));
    for percent in [25, 50, 75, 100] {
        stage.pass().await;
        assert_eq!(stage.percent(), percent);
    }
    stage.pass().await;
    assert_eq!(stage.state(), DeploymentState::Complete);
}

#[tokio::test(flavor = "current_thread")]
async fn steps_and_the_way_back_are_measured_until_all_have_them_or_something_newer_is_served() {
    let stage = Stage::new(None).await;
    stage.pass().await;
    stage.test.advance(SignedDuration::from_millis(100)).await;
    stage.all_say(&["a", "b"]);
    stage.test.advance(SignedDuration::from_millis(50)).await;
    stage.all_say(&["c", "d"]);
    stage.test.rest().await;
    let first = stage.measures();
    let [first] = &*first else { unreachable!("{first:?}") };
    let quarter = Exposure::from_parts_per_million(250_000).unwrap();
    assert_eq!((first.of, first.clients, first.served_ms), (Measured::Step(quarter), 4, 0));
    assert_eq!((first.half_ms, first.nearly_all_ms, first.all_ms), (Some(100), Some(150), Some(150)));
    assert_eq!(first.ended, MeasureEnd::Complete);

    stage.pass().await;
    stage.says("a", None);
    stage.shop.stop(stage.deployment).await.unwrap();
    stage.test.advance(SignedDuration::from_millis(20)).await;
    stage.all_say(&["a", "b", "c"]);
    stage.test.advance(SignedDuration::from_mins(11)).await;
    let all = stage.measures();
    let [_, second, back] = &*all else { unreachable!("{all:?}") };
    assert_eq!((second.ended, second.half_ms), (MeasureEnd::Superseded, None));
    assert_eq!((back.of, back.ended), (Measured::Rollback, MeasureEnd::GivenUp));
    assert_eq!((back.half_ms, back.nearly_all_ms, back.all_ms), (Some(20), None, None));
}

#[tokio::test(flavor = "current_thread")]
async fn only_what_passed_its_bake_and_was_not_reverted_is_known_to_be_good() {
    let stage = Stage::new(None).await;
    let good = |stage: &Stage| {
        let view = stage.shop.node.view();
        let environment = view.world.environment(&stage.shop.application, &stage.shop.environment).unwrap();
        let good = environment.known_good(&stage.shop.profile);
        good.map(|deployment| deployment.version.0).collect::<Vec<_>>()
    };
    assert_eq!(good(&stage), [1], "the other one is on its way");
    for _ in 0..5 {
        stage.pass().await;
    }
    assert_eq!(good(&stage), [2, 1]);
    stage.shop.stop(stage.deployment).await.unwrap();
    assert_eq!(good(&stage), [1]);
}
