//! The kill switch as clients see it: sessions, entities and agents, during deployments, and after a restart.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::sync::Arc;
use yardarm_domain::{ForceTo, GrowFor, ProfileType, Refusal, ReleaseFlag, WatchFor};
use yardarm_flags::{Context, NotForceable};
use yardarm_node::{Address, Error, Form, PollingClient, Served, ServedVersion, StartSession, WantedForce};
use yardarm_testkit::{Shop, TestNode, cause, master_keys};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn document(banner: bool, variants: &str) -> String {
    format!(
        r#"{{"version":"1","flags":{{"banner":{{"name":"b"}},"checkout":{{"name":"c"}}}},
            "values":{{"banner":{{"enabled":{banner}}},"checkout":{{"_variants":[{variants}]}}}}}}"#
    )
}

const VARIANTS: &str =
    r#"{"name":"new","enabled":true,"rule":"(eq $who \"me\")"},{"name":"old","enabled":true}"#;

async fn open() -> (TestNode, Shop, Address) {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    shop.serve(&document(true, VARIANTS)).await.unwrap();
    let address = test.node.address("shop", "production", "settings").unwrap();
    (test, shop, address)
}

fn wanted(shop: &Shop, flag: &str, to: ForceTo) -> WantedForce {
    WantedForce {
        application: shop.application.clone(),
        environment: shop.environment.clone(),
        profile: shop.profile.clone(),
        flag: flag.parse().unwrap(),
        to,
        reason: "it charges twice".parse().unwrap(),
        grow_for: GrowFor::DEFAULT,
        watch_for: WatchFor::DEFAULT,
    }
}

async fn force(test: &TestNode, shop: &Shop, flag: &str, to: ForceTo) {
    test.node.force_flag(wanted(shop, flag, to), cause()).await.unwrap();
}

async fn release(test: &TestNode, shop: &Shop, flag: &str) {
    let command = ReleaseFlag {
        application: shop.application.clone(),
        environment: shop.environment.clone(),
        profile: shop.profile.clone(),
        flag: flag.parse().unwrap(),
        by: "test".into(),
        reason: None,
    };
    test.node.execute(command, cause()).await.unwrap();
}

fn served(test: &TestNode, address: &Address) -> Arc<Served> {
    test.node.served(address).unwrap()
}

fn is_on(version: &ServedVersion, flag: &str) -> bool {
    version.flags.as_ref().unwrap().evaluate(flag, &Context::EMPTY).unwrap().enabled
}

/// Clients by name, enough that some are among the first.
fn names() -> impl Iterator<Item = String> {
    (0..1_000).map(|number| format!("client-{number}"))
}

fn reached(served: &Served, flag: &str) -> BTreeSet<String> {
    names().filter(|name| !is_on(served.for_entity(name).unwrap(), flag)).collect()
}

/// A client that polls, and what it was last sent.
struct Client {
    token: String,
    body: String,
}

impl Client {
    fn start(test: &TestNode, shop: &Shop, name: &str) -> Self {
        let start = StartSession { client: Some(name), ..shop.session() };
        let token = test.node.start_session(&start).unwrap();
        let mut client = Self { token, body: String::new() };
        assert!(client.poll(test));
        client
    }

    /// Whether there was anything new.
    fn poll(&mut self, test: &TestNode) -> bool {
        let latest = test.node.latest(&self.token).unwrap();
        self.token = latest.next_token;
        if latest.changed {
            self.body = String::from_utf8(latest.version.unwrap().body.to_vec()).unwrap();
        }
        latest.changed
    }

    fn has_banner(&self) -> bool {
        self.body.contains(r#""banner":{"enabled":true}"#)
    }
}

#[tokio::test]
async fn sessions_get_a_forced_flag_a_few_first_then_all_and_the_deployed_one_when_it_is_released() {
    let (test, shop, address) = open().await;
    force(&test, &shop, "banner", ForceTo::Off).await;
    let first = reached(&served(&test, &address), "banner");
    assert!((1..40).contains(&first.len()), "about one in a hundred: {first:?}");
    let (inside, outside) = (first.first().unwrap(), names().find(|name| !first.contains(name)).unwrap());
    release(&test, &shop, "banner").await;

    let (mut one, mut other) = (Client::start(&test, &shop, inside), Client::start(&test, &shop, &outside));
    let before = one.body.clone();
    assert!(one.has_banner() && other.has_banner());
    force(&test, &shop, "banner", ForceTo::Off).await;
    // Another draw than before.
    let first = reached(&served(&test, &address), "banner");
    for (client, name) in [(&mut one, inside), (&mut other, &outside)] {
        assert_eq!(client.poll(&test), first.contains(name));
        assert_eq!(client.has_banner(), !first.contains(name));
        assert!(!client.poll(&test), "nothing new since");
    }
    assert!(is_on(served(&test, &address).for_anyone().unwrap(), "banner"), "who cannot be told apart waits");

    test.advance(SECOND * 5).await;
    for (client, name) in [(&mut one, inside), (&mut other, &outside)] {
        assert_eq!(client.poll(&test), !first.contains(name), "who had it has it");
        assert!(!client.has_banner());
        assert!(!client.poll(&test));
    }
    let now = served(&test, &address);
    assert!(now.forced().is_none() && !is_on(now.for_anyone().unwrap(), "banner"));
    assert_eq!(now.for_anyone().unwrap().version.0, 1, "under the same number");

    release(&test, &shop, "banner").await;
    for client in [&mut one, &mut other] {
        assert!(client.poll(&test));
        assert_eq!(client.body, before);
        assert!(!client.poll(&test));
    }
}

#[tokio::test]
async fn growing_takes_a_forced_flag_from_nobody_also_when_others_join() {
    let (test, shop, address) = open().await;
    force(&test, &shop, "banner", ForceTo::Off).await;
    let first = reached(&served(&test, &address), "banner");
    test.advance(SECOND * 3).await;
    force(&test, &shop, "checkout", ForceTo::Variant("new".into())).await;
    let joined = served(&test, &address);
    assert_eq!(reached(&joined, "banner"), first);
    for name in names() {
        let version = joined.for_entity(&name).unwrap();
        let evaluation = version.flags.as_ref().unwrap().evaluate("checkout", &Context::EMPTY).unwrap();
        assert_eq!(evaluation.variant, Some(if first.contains(&name) { "new" } else { "old" }));
    }
    test.advance(SECOND * 5).await;
    assert_eq!(reached(&served(&test, &address), "banner").len(), 1_000);
}

#[tokio::test]
async fn a_deployment_goes_on_below_and_a_later_one_is_overruled_too() {
    let (test, shop, address) = open().await;
    let stepwise = shop.strategy(600, 0, 50).await.unwrap();
    shop.store(&document(true, r#"{"name":"newer","enabled":true}"#), None).await.unwrap();
    shop.deploy(&stepwise).await.unwrap();
    test.advance(SECOND * 300).await;
    let plain = served(&test, &address);
    let number = |served: &Served, name: &str| served.for_entity(name).unwrap().version.0;
    let mut agent = test.node.start_session(&shop.session()).unwrap();
    let decides = PollingClient { form: Form::Stored, decides: true };
    force(&test, &shop, "banner", ForceTo::Off).await;
    test.advance(SECOND * 5).await;
    let forced = served(&test, &address);
    assert_eq!(reached(&forced, "banner").len(), 1_000, "in both versions");
    assert!(names().all(|name| number(&plain, &name) == number(&forced, &name)), "who is inside stays so");
    let latest = test.node.latest_for(decides, &agent).unwrap();
    agent = latest.next_token;
    assert!(!is_on(&latest.version.unwrap(), "banner"));
    let previous = latest.rollout.unwrap().previous.unwrap();
    assert!(!is_on(&test.node.latest_for(decides, &previous).unwrap().version.unwrap(), "banner"));
    assert!(!test.node.latest_for(decides, &agent).unwrap().changed);

    test.advance(SECOND * 295).await;
    test.advance(SECOND * 300).await;
    assert!(served(&test, &address).candidate().is_none(), "complete");
    assert_eq!(reached(&served(&test, &address), "banner").len(), 1_000);
    shop.serve(&document(true, VARIANTS)).await.unwrap();
    assert_eq!(reached(&served(&test, &address), "banner").len(), 1_000, "a new version");
    release(&test, &shop, "banner").await;
    assert!(reached(&served(&test, &address), "banner").is_empty());
}

#[tokio::test]
async fn a_restart_in_the_middle_changes_nothing_and_the_rest_follows() {
    let (test, shop, address) = open().await;
    force(&test, &shop, "banner", ForceTo::Off).await;
    let before = served(&test, &address);
    let mut client = Client::start(&test, &shop, reached(&before, "banner").first().unwrap());
    test.node.save_snapshot().await.unwrap();
    let test = test.restart(master_keys()).await.unwrap();
    assert_eq!(reached(&served(&test, &address), "banner"), reached(&before, "banner"));
    assert!(!client.poll(&test), "what a token says holds on every node");
    test.advance(SECOND * 5).await;
    assert_eq!(reached(&served(&test, &address), "banner").len(), 1_000);
    assert!(!client.poll(&test));
}

#[tokio::test]
async fn a_flag_that_nothing_served_has_cannot_be_forced() {
    let (test, shop, _) = open().await;
    let refused = async |flag, to| match test.node.force_flag(wanted(&shop, flag, to), cause()).await {
        Err(Error::Refused(Refusal::NotForceable { why, .. })) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("forced"),
    };
    assert_eq!(refused("search", ForceTo::Off).await, NotForceable::NoFlag);
    let names = vec!["new".to_owned(), "old".to_owned()];
    assert_eq!(refused("checkout", ForceTo::Variant("x".into())).await, NotForceable::NoVariant(names));
}
