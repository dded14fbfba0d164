//! Sessions: what a polling client gets, and with which token it goes on.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

use jiff::SignedDuration;
use std::collections::BTreeSet;
use yardarm_domain::ProfileType;
use yardarm_node::{Latest, NodeConfig, SessionRefusal, SessionSettings, StartSession, TokenProblem};
use yardarm_testkit::{ManualClock, Shop, TestNode, account};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn open() -> (TestNode, Shop) {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::Freeform, vec![]).await.unwrap();
    (test, shop)
}

fn body(latest: &Latest) -> &str {
    std::str::from_utf8(&latest.version.as_ref().unwrap().body).unwrap()
}

fn problem(result: Result<Latest, SessionRefusal>) -> TokenProblem {
    match result.unwrap_err() {
        SessionRefusal::Token(problem) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_poll_is_full_and_the_second_says_unchanged() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let token = test.node.start_session(&shop.session()).unwrap();
    let first = test.node.latest(&token).unwrap();
    assert!(first.changed);
    assert_eq!(body(&first), "speed = 1");
    let second = test.node.latest(&first.next_token).unwrap();
    assert!(!second.changed);
    assert_eq!(second.version.unwrap().content_type, "text/plain", "said even when there is nothing new");
}

#[tokio::test]
async fn a_new_version_is_a_change_and_the_same_one_deployed_again_is_none() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let token = test.node.start_session(&shop.session()).unwrap();
    let first = test.node.latest(&token).unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    shop.deploy(&at_once).await.unwrap();
    let second = test.node.latest(&first.next_token).unwrap();
    assert!(!second.changed, "the version is what counts");
    shop.serve("speed = 2").await.unwrap();
    let third = test.node.latest(&second.next_token).unwrap();
    assert!(third.changed);
    assert_eq!(body(&third), "speed = 2");
}

#[tokio::test]
async fn an_altered_token_is_refused_and_other_sessions_go_on() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let (one, two) = (shop.session(), shop.session());
    let token = test.node.start_session(&one).unwrap();
    let other = test.node.start_session(&two).unwrap();
    let last = if token.ends_with('A') { 'B' } else { 'A' };
    let altered = format!("{last}{}", &token[1..]);
    assert_eq!(problem(test.node.latest(&altered)), TokenProblem::Corrupted);
    assert_eq!(problem(test.node.latest("")), TokenProblem::Corrupted);
    assert!(test.node.latest(&other).is_ok());
    assert!(test.node.latest(&token).is_ok(), "the altered copy did no harm");
}

#[tokio::test]
async fn a_token_sent_twice_is_answered_twice_for_ten_seconds() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let token = test.node.start_session(&shop.session()).unwrap();
    let first = test.node.latest(&token).unwrap();
    test.clock.advance(SECOND * 10);
    let again = test.node.latest(&token).unwrap();
    assert!(again.changed);
    assert_eq!(body(&again), body(&first));
    assert!(test.node.latest(&again.next_token).is_ok());
    assert_eq!(problem(test.node.latest(&token)), TokenProblem::Corrupted, "two answers ago");
}

#[tokio::test]
async fn a_token_sent_again_later_than_that_is_refused() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let token = test.node.start_session(&shop.session()).unwrap();
    let first = test.node.latest(&token).unwrap();
    test.clock.advance(SECOND * 11);
    assert_eq!(problem(test.node.latest(&token)), TokenProblem::Corrupted);
    assert!(test.node.latest(&first.next_token).is_ok());
}

#[tokio::test]
async fn single_use_can_be_strict() {
    let sessions = SessionSettings { reuse_tolerance_s: 0, ..SessionSettings::default() };
    let config = NodeConfig { sessions, ..NodeConfig::new(account()) };
    let test = TestNode::start_with(config, Default::default(), ManualClock::default(), 1).await.unwrap();
    let shop = Shop::open(&test, ProfileType::Freeform, vec![]).await.unwrap();
    shop.serve("speed = 1").await.unwrap();
    let token = test.node.start_session(&shop.session()).unwrap();
    test.node.latest(&token).unwrap();
    test.clock.advance(SECOND);
    assert_eq!(problem(test.node.latest(&token)), TokenProblem::Corrupted);
}

#[tokio::test]
async fn the_interval_a_client_asked_for_binds_it_and_the_token_stays_usable() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let start = StartSession { interval_s: Some(15), ..shop.session() };
    let token = test.node.start_session(&start).unwrap();
    let first = test.node.latest(&token).unwrap();
    assert_eq!(first.poll_interval_s, 15);
    test.clock.advance(SECOND * 5);
    assert_eq!(problem(test.node.latest(&first.next_token)), TokenProblem::TooEarly);
    test.clock.advance(SignedDuration::from_millis(9_499));
    assert_eq!(problem(test.node.latest(&first.next_token)), TokenProblem::TooEarly);
    test.clock.advance(SignedDuration::from_millis(1));
    assert!(test.node.latest(&first.next_token).is_ok(), "half a second early is in time");
}

#[tokio::test]
async fn the_announced_interval_is_advice_unless_it_is_strict() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let token = test.node.start_session(&shop.session()).unwrap();
    let first = test.node.latest(&token).unwrap();
    assert_eq!(first.poll_interval_s, 60);
    assert!(test.node.latest(&first.next_token).is_ok());

    let sessions =
        SessionSettings { poll_interval_s: 30, strict_interval: true, ..SessionSettings::default() };
    let config = NodeConfig { sessions, ..NodeConfig::new(account()) };
    let test = TestNode::start_with(config, test.log.clone(), ManualClock::default(), 2).await.unwrap();
    let first = test.node.latest(&test.node.start_session(&shop.session()).unwrap()).unwrap();
    assert_eq!(first.poll_interval_s, 30);
    test.clock.advance(SECOND * 29);
    assert_eq!(problem(test.node.latest(&first.next_token)), TokenProblem::TooEarly);
    test.clock.advance(SECOND);
    assert!(test.node.latest(&first.next_token).is_ok());
}

#[tokio::test]
async fn a_clock_set_back_makes_nobody_wait_for_it_to_catch_up() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let start = StartSession { interval_s: Some(15), ..shop.session() };
    let first = test.node.latest(&test.node.start_session(&start).unwrap()).unwrap();
    test.clock.advance(SignedDuration::from_hours(-5));
    assert!(test.node.latest(&first.next_token).is_ok());
}

#[tokio::test]
async fn a_token_expires_after_24_hours() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let token = test.node.start_session(&shop.session()).unwrap();
    test.clock.advance(SignedDuration::from_hours(24));
    let first = test.node.latest(&token).unwrap();
    test.clock.advance(SignedDuration::from_hours(24) + SECOND);
    assert_eq!(problem(test.node.latest(&first.next_token)), TokenProblem::Expired);
}

#[tokio::test]
async fn a_rollout_to_half_reaches_about_half_and_loses_nobody_until_it_is_rolled_back() {
    let (test, shop) = open().await;
    shop.serve("old").await.unwrap();
    shop.store("new", None).await.unwrap();
    let slowly = shop.strategy(100, 100, 25).await.unwrap();
    let deployment = shop.deploy(&slowly).await.unwrap();
    let mut tokens: Vec<String> =
        (0..1_000).map(|_| test.node.start_session(&shop.session()).unwrap()).collect();
    let mut inside = BTreeSet::new();
    let mut counts = vec![];
    for _ in 0..5 {
        let before = inside.clone();
        inside.clear();
        for (client, token) in tokens.iter_mut().enumerate() {
            let latest = test.node.latest(token).unwrap();
            if body(&latest) == "new" {
                inside.insert(client);
            }
            *token = latest.next_token;
        }
        assert!(inside.is_superset(&before));
        counts.push(inside.len());
        test.advance(SECOND * 25).await;
    }
    assert_eq!((counts[0], counts[4]), (0, 1_000));
    assert!((450..=550).contains(&counts[2]), "{counts:?}");
    shop.stop(deployment).await.unwrap();
    for token in &tokens {
        let latest = test.node.latest(token).unwrap();
        assert!(latest.changed);
        assert_eq!(body(&latest), "old");
    }
}

#[tokio::test]
async fn a_client_outside_the_first_rollout_gets_nothing_yet() {
    let (test, shop) = open().await;
    assert_eq!(test.node.start_session(&shop.session()), Err(SessionRefusal::NoDeployment));
    shop.store("first", None).await.unwrap();
    let slowly = shop.strategy(100, 0, 50).await.unwrap();
    shop.deploy(&slowly).await.unwrap();
    let latest = test.node.latest(&test.node.start_session(&shop.session()).unwrap()).unwrap();
    assert!(!latest.changed);
    assert!(latest.version.is_none());
    test.advance(SECOND * 50).await;
    test.advance(SECOND * 50).await;
    let latest = test.node.latest(&latest.next_token).unwrap();
    assert!(latest.changed);
    assert_eq!(body(&latest), "first");
}

#[tokio::test]
async fn when_the_only_deployment_is_reverted_the_configuration_is_gone() {
    let (test, shop) = open().await;
    let deployment = shop.serve("speed = 1").await.unwrap();
    let first = test.node.latest(&test.node.start_session(&shop.session()).unwrap()).unwrap();
    shop.stop(deployment).await.unwrap();
    assert_eq!(test.node.latest(&first.next_token).unwrap_err(), SessionRefusal::NoConfiguration);
    assert_eq!(test.node.start_session(&shop.session()), Err(SessionRefusal::NoDeployment));
    shop.serve("speed = 2").await.unwrap();
    let latest = test.node.latest(&first.next_token).unwrap();
    assert_eq!(body(&latest), "speed = 2", "the token is good again");
}

#[tokio::test]
async fn after_a_revert_clients_get_the_version_before() {
    let (test, shop) = open().await;
    shop.serve("old").await.unwrap();
    let deployment = shop.serve("new").await.unwrap();
    let first = test.node.latest(&test.node.start_session(&shop.session()).unwrap()).unwrap();
    assert_eq!(body(&first), "new");
    shop.stop(deployment).await.unwrap();
    let second = test.node.latest(&first.next_token).unwrap();
    assert!(second.changed);
    assert_eq!(body(&second), "old");
}

#[tokio::test]
async fn a_named_client_keeps_its_draw_from_session_to_session() {
    let (test, shop) = open().await;
    shop.serve("old").await.unwrap();
    shop.store("new", None).await.unwrap();
    let slowly = shop.strategy(100, 0, 50).await.unwrap();
    shop.deploy(&slowly).await.unwrap();
    test.advance(SECOND * 50).await;
    let (mut named, mut anonymous) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..30 {
        let poll = |client| {
            let token = test.node.start_session(&StartSession { client, ..shop.session() }).unwrap();
            body(&test.node.latest(&token).unwrap()).to_owned()
        };
        named.insert(poll(Some("till 7")));
        anonymous.insert(poll(None));
    }
    assert_eq!(named.len(), 1);
    assert_eq!(anonymous.len(), 2, "every session without a name is drawn anew");
}

#[tokio::test]
async fn what_is_missing_is_named_in_the_order_application_profile_environment() {
    let (test, shop) = open().await;
    let start = |application, profile, environment| {
        test.node.start_session(&StartSession { application, profile, environment, ..shop.session() })
    };
    assert_eq!(start("none", "none", "none"), Err(SessionRefusal::NoApplication));
    assert_eq!(start("shop", "none", "none"), Err(SessionRefusal::NoProfile));
    assert_eq!(start("shop", "settings", "none"), Err(SessionRefusal::NoEnvironment));
    assert_eq!(start("shop", "settings", "production"), Err(SessionRefusal::NoDeployment));
    shop.serve("speed = 1").await.unwrap();
    let by_id = start(shop.application.as_str(), shop.profile.as_str(), shop.environment.as_str());
    assert!(by_id.is_ok());
}

#[tokio::test]
async fn a_version_has_its_label_or_none() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let token = test.node.start_session(&shop.session()).unwrap();
    assert_eq!(test.node.latest(&token).unwrap().version.unwrap().label, None);
    shop.store("speed = 2", Some("fast")).await.unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    shop.deploy(&at_once).await.unwrap();
    assert_eq!(test.node.latest(&token).unwrap().version.unwrap().label.as_deref(), Some(&b"fast"[..]));
}

#[tokio::test]
async fn a_disabled_flag_shows_nothing_but_that_it_is_disabled() {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::FeatureFlags, vec![]).await.unwrap();
    let document = r#"{"version":"1","flags":{"a":{"name":"A","attributes":{"n":{"constraints":{"type":"number"}}}},
        "b":{"name":"B"}},"values":{"a":{"enabled":false,"n":7},"b":{"enabled":true}}}"#;
    shop.serve(document).await.unwrap();
    let latest = test.node.latest(&test.node.start_session(&shop.session()).unwrap()).unwrap();
    assert_eq!(body(&latest), r#"{"a":{"enabled":false},"b":{"enabled":true}}"#);
}

#[tokio::test]
async fn a_token_is_good_on_every_node_and_after_a_restart() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let first = test.node.latest(&test.node.start_session(&shop.session()).unwrap()).unwrap();
    let test = test.restart(yardarm_testkit::master_keys()).await.unwrap();
    let second = test.node.latest(&first.next_token).unwrap();
    assert!(!second.changed);
}

#[tokio::test]
async fn readers_without_a_session_get_a_new_version_with_their_name_or_once_everybody_has_it() {
    let (test, shop) = open().await;
    shop.serve("old").await.unwrap();
    shop.store("new", None).await.unwrap();
    let slowly = shop.strategy(100, 0, 50).await.unwrap();
    shop.deploy(&slowly).await.unwrap();
    test.advance(SECOND * 50).await;
    assert_eq!(shop.read(&test.node).unwrap(), "old");
    let named: BTreeSet<_> = (0..40)
        .map(|n| {
            let client = format!("client {n}");
            let read = test.node.read_configuration("shop", "production", "settings", Some(&client)).unwrap();
            read.version.unwrap().body.clone()
        })
        .collect();
    assert_eq!(named.len(), 2);
    test.advance(SECOND * 50).await;
    assert_eq!(shop.read(&test.node).unwrap(), "new");
}
