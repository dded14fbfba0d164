//! Deployments as entities see them through agents: an agent polls for both versions and decides itself who gets which.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use bytes::Bytes;
use jiff::SignedDuration;
use proptest::prelude::*;
use std::collections::BTreeSet;
use yardarm_domain::ProfileType;
use yardarm_flags::bucketing::{RolloutKey, exposed, named_subject};
use yardarm_node::{EntityRollout, Form, Node, NodeConfig, PollingClient};
use yardarm_testkit::{ManualClock, Shop, TestNode, account, master_keys};

const DECIDES: PollingClient = PollingClient { form: Form::Plain, decides: true };

/// What an agent of ours does, as far as it concerns deployments.
struct Agent {
    token: String,
    content: Option<Bytes>,
    rollout: Option<EntityRollout>,
    previous: Option<Bytes>,
}

impl Agent {
    fn start(node: &Node, shop: &Shop) -> Self {
        let token = node.start_session(&shop.session()).unwrap();
        let mut agent = Self { token, content: None, rollout: None, previous: None };
        agent.poll(node);
        agent
    }

    /// Answers whether there was anything new.
    fn poll(&mut self, node: &Node) -> bool {
        let latest = node.latest_for(DECIDES, &self.token).unwrap();
        self.token = latest.next_token;
        if latest.changed {
            self.content = Some(latest.version.unwrap().body.clone());
        }
        if let Some(previous) = latest.rollout.as_ref().and_then(|rollout| rollout.previous.as_ref())
            && self.previous.is_none()
        {
            let answered = node.latest_for(DECIDES, previous).unwrap();
            assert!(answered.changed && answered.rollout.is_none());
            self.previous = Some(answered.version.unwrap().body.clone());
        }
        self.rollout = latest.rollout;
        latest.changed
    }

    fn is_inside(&self, entity: &str) -> bool {
        self.rollout.as_ref().is_none_or(|rollout| {
            let EntityRollout { application, environment, deployment, .. } = rollout;
            let key = RolloutKey::new(application.as_str(), environment.as_str(), deployment.0);
            exposed(key.bucket(&named_subject(entity)), rollout.exposure)
        })
    }

    /// What an entity gets.
    fn content(&self, entity: &str) -> Option<&Bytes> {
        if self.is_inside(entity) { self.content.as_ref() } else { self.previous.as_ref() }
    }
}

/// Two nodes on one log, and an agent at each.
struct Fleet {
    one: TestNode,
    other: TestNode,
    shop: Shop,
    entities: Vec<String>,
}

impl Fleet {
    async fn start(entities: Vec<String>) -> Self {
        let config = NodeConfig { shared_log: true, ..NodeConfig::new(account()) };
        let one = TestNode::start_with(config.clone(), Default::default(), ManualClock::default(), 1)
            .await
            .unwrap();
        let other = TestNode::start_on(
            config,
            one.log.clone(),
            one.faults.clone(),
            one.clock.clone(),
            master_keys(),
            2,
        );
        let shop = Shop::open(&one, ProfileType::Freeform, vec![]).await.unwrap();
        Self { other: other.await.unwrap(), one, shop, entities }
    }

    async fn agents(&self) -> [Agent; 2] {
        self.other.node.catch_up().await.unwrap();
        [Agent::start(&self.one.node, &self.shop), Agent::start(&self.other.node, &self.shop)]
    }

    /// Lets both agents poll and answers who gets `new`, as both agree and as the nodes do.
    async fn poll(&self, agents: &mut [Agent; 2], new: &str) -> BTreeSet<&str> {
        self.other.node.catch_up().await.unwrap();
        agents[0].poll(&self.one.node);
        agents[1].poll(&self.other.node);
        let address = self.one.node.address("shop", "production", "settings").unwrap();
        let [here, there] = [&self.one, &self.other].map(|test| test.node.served(&address).unwrap());
        let mut inside = BTreeSet::new();
        for entity in &self.entities {
            let content = agents[0].content(entity);
            assert_eq!(content, agents[1].content(entity), "{entity}: the agents agree");
            for served in [&here, &there] {
                assert_eq!(content, served.for_entity(entity).map(|version| &version.body), "{entity}");
            }
            if content.is_some_and(|content| content == new) {
                inside.insert(entity.as_str());
            }
        }
        inside
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn entities_only_ever_join_all_agents_agree_and_the_end_is_the_same_for_everyone(
        entities in prop::collection::vec(".{0,40}", 1..60),
        percent in 5_u32..=100,
        stop_after in prop::option::of(0_usize..12),
        first in any::<bool>(),
    ) {
        run(async {
            let fleet = Fleet::start(entities).await;
            if !first {
                fleet.shop.serve("old").await.unwrap();
            }
            fleet.shop.store("new", None).await.unwrap();
            let stepwise = fleet.shop.strategy(1_000, 500, percent).await.unwrap();
            let number = fleet.shop.deploy(&stepwise).await.unwrap();
            let mut agents = fleet.agents().await;
            let mut inside = BTreeSet::new();
            let mut steps = 0;
            while agents[0].rollout.is_some() && stop_after.is_none_or(|stop| steps < stop) {
                let now = fleet.poll(&mut agents, "new").await;
                assert!(now.is_superset(&inside), "nobody leaves");
                inside = now;
                steps += 1;
                fleet.one.advance(SignedDuration::from_secs(100)).await;
                fleet.poll(&mut agents, "new").await;
            }
            if agents[0].rollout.is_none() {
                assert_eq!(fleet.poll(&mut agents, "new").await.len(), fleet.entities.iter().collect::<BTreeSet<_>>().len());
                return;
            }
            fleet.shop.stop(number).await.unwrap();
            if first {
                let gone = fleet.one.node.latest_for(DECIDES, &agents[0].token);
                assert!(gone.is_err(), "there is nothing to go back to");
                return;
            }
            assert!(fleet.poll(&mut agents, "new").await.is_empty(), "everyone is back at the next poll");
            assert!(agents.iter().all(|agent| agent.rollout.is_none() && agent.content.as_deref() == Some(b"old")));
        });
    }
}

#[tokio::test]
async fn a_growing_exposure_is_told_with_an_unchanged_answer() {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::Freeform, vec![]).await.unwrap();
    shop.serve("old").await.unwrap();
    let mut agent = Agent::start(&test.node, &shop);
    assert!(agent.rollout.is_none());
    shop.store("new", None).await.unwrap();
    let stepwise = shop.strategy(100, 100, 50).await.unwrap();
    let number = shop.deploy(&stepwise).await.unwrap();
    assert!(agent.poll(&test.node), "both versions are there from the start");
    let exposure = |agent: &Agent| agent.rollout.as_ref().unwrap().exposure.percent();
    assert_eq!((exposure(&agent), agent.rollout.as_ref().unwrap().deployment), (0.0, number));
    test.advance(SignedDuration::from_secs(50)).await;
    assert!(!agent.poll(&test.node));
    assert_eq!(exposure(&agent), 50.0);
    test.advance(SignedDuration::from_secs(50)).await;
    assert!(!agent.poll(&test.node));
    assert_eq!(exposure(&agent), 100.0, "while it bakes");
    test.advance(SignedDuration::from_secs(100)).await;
    assert!(!agent.poll(&test.node));
    assert!(agent.rollout.is_none(), "it is over");
}

#[tokio::test]
async fn clients_that_do_not_decide_are_told_nothing_and_drawn_as_ever() {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::Freeform, vec![]).await.unwrap();
    shop.serve("old").await.unwrap();
    shop.store("new", None).await.unwrap();
    let stepwise = shop.strategy(100, 100, 50).await.unwrap();
    shop.deploy(&stepwise).await.unwrap();
    test.advance(SignedDuration::from_secs(50)).await;
    let bodies: BTreeSet<Bytes> = (0..100)
        .map(|_| {
            let latest = test.node.latest(&test.node.start_session(&shop.session()).unwrap()).unwrap();
            assert!(latest.rollout.is_none());
            latest.version.unwrap().body.clone()
        })
        .collect();
    assert_eq!(bodies.len(), 2);
}

#[tokio::test]
async fn a_session_that_asks_for_another_form_is_sent_it() {
    const FLAGS: &str = r#"{"version":"1","flags":{"f":{}},"values":{"f":{"_variants":[
        {"name":"on","enabled":true,"rule":"(eq $tier \"gold\")"},{"name":"off","enabled":false}]}}}"#;
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    shop.serve(FLAGS).await.unwrap();
    let mut token = test.node.start_session(&shop.session()).unwrap();
    let mut poll = |form| {
        let latest = test.node.latest_for(PollingClient { form, decides: false }, &token).unwrap();
        token = latest.next_token.clone();
        assert_eq!(latest.form, form);
        latest.changed.then(|| latest.version.unwrap().bytes(form).clone())
    };
    assert_eq!(poll(Form::Plain).unwrap(), r#"{"f":{"_variant":"off","enabled":false}}"#);
    assert!(poll(Form::Plain).is_none());
    assert!(poll(Form::Stored).unwrap().starts_with(b"{\"flags\":"));
    assert!(poll(Form::Stored).is_none());
    assert!(poll(Form::Ion).unwrap().starts_with(&[0xe0, 1, 0, 0xea]));
    assert!(poll(Form::Ion).is_none());
}

#[tokio::test]
async fn what_has_no_such_form_stays_as_it_is() {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::Freeform, vec![]).await.unwrap();
    shop.serve("speed = 1").await.unwrap();
    let mut token = test.node.start_session(&shop.session()).unwrap();
    for (turn, form) in [Form::Plain, Form::Stored, Form::Ion].into_iter().enumerate() {
        let latest = test.node.latest_for(PollingClient { form, decides: false }, &token).unwrap();
        assert_eq!((latest.form, latest.changed), (Form::Plain, turn == 0));
        token = latest.next_token;
    }
}
