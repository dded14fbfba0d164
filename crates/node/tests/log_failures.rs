//! A node whose log fails goes on answering, says how old its answers are, and recovers by itself.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use jiff::SignedDuration;
use std::sync::Arc;
use yardarm_domain::{CreateApplication, ProfileType, Tags, UpdateApplication};
use yardarm_log::{ContentHash, Log, MemoryLog, Seq};
use yardarm_node::{Error, NodeConfig};
use yardarm_testkit::{
    AppendFate, FaultyLog, ManualClock, Shop, TestNode, Trouble, account, cause, master_keys,
};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn open() -> (TestNode, Shop) {
    let test = TestNode::start().await.unwrap();
    let shop = Shop::open(&test, ProfileType::Freeform, vec![]).await.unwrap();
    (test, shop)
}

fn application(name: &str) -> CreateApplication {
    CreateApplication { name: name.parse().unwrap(), description: None, tags: Tags::default() }
}

#[tokio::test]
async fn readers_are_answered_while_the_log_is_down_and_the_node_says_how_stale_it_is() {
    let (test, shop) = open().await;
    shop.serve("speed = 1").await.unwrap();
    let mut latest = test.node.latest(&test.node.start_session(&shop.session()).unwrap()).unwrap();
    assert_eq!(test.node.status().stale_for, SignedDuration::ZERO);
    test.faults.set(Trouble::DOWN);
    let error = test.node.execute(application("other"), cause()).await.unwrap_err();
    assert!(matches!(error, Error::Log(_)), "{error}");
    for _ in 0..5 {
        test.advance(SECOND * 60).await;
        latest = test.node.latest(&latest.next_token).unwrap();
        assert_eq!(latest.version.as_ref().unwrap().body, "speed = 1");
        assert!(test.node.start_session(&shop.session()).is_ok());
        assert!(!test.node.status().log_answers);
    }
    assert_eq!(test.node.status().stale_for, SECOND * 300);
    test.faults.set(Trouble::NONE);
    test.advance(SECOND).await;
    assert!(test.node.status().log_answers, "without anybody asking for anything");
    assert_eq!(test.node.status().stale_for, SignedDuration::ZERO);
    test.node.execute(application("other"), cause()).await.unwrap();
}

#[tokio::test]
async fn a_rollback_whose_answer_was_lost_takes_effect_without_another_command() {
    let (test, shop) = open().await;
    shop.serve("old").await.unwrap();
    let deployment = shop.serve("bad").await.unwrap();
    test.faults.script([AppendFate::AnswerLost]);
    let error = shop.stop(deployment).await.unwrap_err();
    assert!(matches!(error, Error::Log(_)), "{error}");
    test.rest().await;
    assert_eq!(shop.read(&test.node).unwrap(), "old");
}

#[tokio::test]
async fn an_append_whose_answer_was_lost_is_not_done_twice() {
    let test = TestNode::start().await.unwrap();
    test.faults.script([AppendFate::AnswerLost]);
    test.node.execute(application("shop"), cause()).await.unwrap_err();
    let again = test.node.execute(application("shop"), cause()).await.unwrap_err();
    assert!(matches!(again, Error::Refused(_)), "the name is taken, by the one before: {again}");
    assert_eq!(test.node.view().world.applications().len(), 1);
}

#[tokio::test]
async fn an_append_that_failed_can_be_done_again() {
    let test = TestNode::start().await.unwrap();
    test.faults.script([AppendFate::Fails]);
    test.node.execute(application("shop"), cause()).await.unwrap_err();
    assert_eq!(test.node.view().world.applications().len(), 0);
    test.node.execute(application("shop"), cause()).await.unwrap();
}

#[tokio::test]
async fn a_log_that_takes_nothing_is_tried_once_a_second() {
    let (test, shop) = open().await;
    shop.store("new", None).await.unwrap();
    let slowly = shop.strategy(60, 0, 50).await.unwrap();
    shop.deploy(&slowly).await.unwrap();
    test.faults.set(Trouble { appends_fail: 1_000, ..Trouble::NONE });
    let before = test.faults.appends();
    test.advance(SECOND * 30).await;
    for _ in 0..10 {
        test.advance(SECOND).await;
    }
    let tried = test.faults.appends() - before;
    assert!((10..=12).contains(&tried), "{tried} times in 10 seconds");
    test.faults.set(Trouble::NONE);
    test.advance(SECOND).await;
    test.advance(SECOND * 60).await;
    assert_eq!(shop.read(&test.node).unwrap(), "new");
}

#[tokio::test]
async fn content_that_cannot_be_loaded_is_loaded_later_and_the_state_before_is_served_meanwhile() {
    let (test, shop) = open().await;
    shop.serve("old").await.unwrap();
    shop.store("new", None).await.unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    test.faults.set(Trouble { content_fails: 1_000, ..Trouble::NONE });
    shop.deploy(&at_once).await.unwrap();
    assert_eq!(shop.read(&test.node).unwrap(), "old");
    assert_eq!(test.node.status().behind, 1);
    test.advance(SECOND).await;
    assert_eq!(test.node.status().behind, 1);
    test.faults.set(Trouble::NONE);
    test.advance(SECOND).await;
    assert_eq!((shop.read(&test.node).unwrap().as_str(), test.node.status().behind), ("new", 0));
}

#[tokio::test]
async fn content_loaded_late_never_covers_what_came_after() {
    let (test, shop) = open().await;
    shop.serve("old").await.unwrap();
    shop.store("bad", None).await.unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    test.faults.set(Trouble { content_fails: 1_000, ..Trouble::NONE });
    let deployment = shop.deploy(&at_once).await.unwrap();
    // While the content is on its way at last, the deployment is reverted.
    test.faults.set(Trouble { most_yields: 100, ..Trouble::NONE });
    test.clock.advance(SECOND);
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    shop.stop(deployment).await.unwrap();
    test.rest().await;
    test.advance(SECOND).await;
    assert_eq!(shop.read(&test.node).unwrap(), "old");
}

#[tokio::test]
async fn a_command_that_a_crash_cuts_off_may_have_been_done() {
    let test = TestNode::start().await.unwrap();
    test.faults.set(Trouble { most_yields: 100, ..Trouble::NONE });
    let node = test.node.clone();
    let asked = tokio::spawn(async move { node.execute(application("shop"), cause()).await.map(|_| ()) });
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    test.node.abort();
    let error = asked.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Log(_)), "`Busy` would mean that nothing has happened: {error}");
    let late = test.node.execute(application("late"), cause()).await.unwrap_err();
    assert!(matches!(late, Error::Busy(_)), "{late}");
}

#[tokio::test]
async fn closing_carries_out_what_was_accepted_and_turns_away_the_rest() {
    let test = TestNode::start().await.unwrap();
    test.faults.set(Trouble { most_yields: 5, ..Trouble::NONE });
    let mut asked = vec![];
    for n in 0..20 {
        let node = test.node.clone();
        asked.push(tokio::spawn(
            async move { node.execute(application(&format!("shop {n}")), cause()).await },
        ));
    }
    tokio::task::yield_now().await;
    test.node.close().await;
    for answer in asked {
        answer.await.unwrap().unwrap();
    }
    let late = test.node.execute(application("late"), cause()).await.unwrap_err();
    assert!(matches!(late, Error::Busy(_)), "{late}");
    let snapshot = test.log.load_snapshot().await.unwrap().unwrap();
    assert_eq!(snapshot.seq, test.log.end().await.unwrap(), "the snapshot includes everything");
}

#[tokio::test]
async fn a_rollout_goes_on_after_the_clock_was_set_back() {
    let (test, shop) = open().await;
    shop.store("new", None).await.unwrap();
    let slowly = shop.strategy(600, 0, 50).await.unwrap();
    shop.deploy(&slowly).await.unwrap();
    test.advance(SECOND * 300).await;
    test.advance(SignedDuration::from_hours(-24)).await;
    test.advance(SECOND * 299).await;
    assert_eq!(shop.read(&test.node), None);
    test.advance(SECOND).await;
    assert_eq!(shop.read(&test.node).unwrap(), "new");
}

/// Two nodes on one log, the second with a clock of its own.
async fn two_nodes() -> (TestNode, TestNode) {
    let config = NodeConfig { shared_log: true, ..NodeConfig::new(account()) };
    let clock = ManualClock::default();
    let one = TestNode::start_with(config.clone(), Default::default(), clock, 1).await.unwrap();
    let faults = FaultyLog::new(std::sync::Arc::new(one.log.clone()), 2);
    let clock = ManualClock::default();
    let two = TestNode::start_on(config, one.log.clone(), faults, clock, master_keys(), 2).await.unwrap();
    (one, two)
}

#[tokio::test]
async fn a_node_with_a_slow_clock_hurries_nothing() {
    let (fast, slow) = two_nodes().await;
    fast.clock.advance(SECOND * 7_200);
    let shop = Shop::open(&fast, ProfileType::Freeform, vec![]).await.unwrap();
    shop.store("new", None).await.unwrap();
    let slowly = shop.strategy(600, 600, 10).await.unwrap();
    shop.deploy(&slowly).await.unwrap();
    slow.rest().await;
    let exposure = |shop: &Shop| {
        let view = slow.node.view();
        let environment = view.world.environment(&shop.application, &shop.environment).unwrap();
        environment.open().next().unwrap().exposure().parts_per_million()
    };
    // The fast node is cut off, so that the slow one advances something by its own clock.
    fast.faults.set(Trouble::DOWN);
    let other = Shop::open_as("other", &slow, ProfileType::Freeform, vec![]).await.unwrap();
    other.store("new", None).await.unwrap();
    let quickly = other.strategy(100, 600, 1).await.unwrap();
    other.deploy(&quickly).await.unwrap();
    for _ in 0..30 {
        fast.advance(SECOND).await;
        slow.advance(SECOND).await;
    }
    assert_eq!((exposure(&shop), exposure(&other)), (0, 300_000));
    fast.faults.set(Trouble::NONE);
    for _ in 30..59 {
        fast.advance(SECOND).await;
        slow.advance(SECOND).await;
        assert_eq!(exposure(&shop), 0, "a minute is not over for anybody");
    }
    fast.advance(SECOND).await;
    slow.rest().await;
    assert_eq!(exposure(&shop), 100_000);
}

#[tokio::test]
async fn a_node_that_has_not_read_on_refuses_nothing_because_of_that() {
    let (one, two) = two_nodes().await;
    two.faults.set(Trouble { reads_fail: 1_000, ..Trouble::NONE });
    let shop = Shop::open(&one, ProfileType::Freeform, vec![]).await.unwrap();
    two.rest().await;
    two.faults.set(Trouble::NONE);
    assert_eq!(two.node.view().world.applications().len(), 0, "it will try again in a second");
    let (application, name) = (shop.application.clone(), Some("store".parse().unwrap()));
    let rename = UpdateApplication { application, name, description: None };
    two.node.execute(rename, cause()).await.unwrap();
}

#[tokio::test]
async fn a_node_that_has_not_read_on_stores_and_deploys_all_the_same() {
    let (one, two) = two_nodes().await;
    two.faults.set(Trouble { reads_fail: 1_000, ..Trouble::NONE });
    let mut shop = Shop::open(&one, ProfileType::Freeform, vec![]).await.unwrap();
    two.rest().await;
    two.faults.set(Trouble::NONE);
    shop.node = two.node.clone();
    shop.store("speed = 1", None).await.unwrap();
    let at_once = shop.strategy(0, 0, 100).await.unwrap();
    shop.deploy(&at_once).await.unwrap();
}

#[tokio::test]
async fn many_commands_share_an_append() {
    let test = TestNode::start().await.unwrap();
    let before = test.node.status();
    let mut asked = vec![];
    for n in 0..100 {
        let node = test.node.clone();
        asked.push(tokio::spawn(
            async move { node.execute(application(&format!("shop {n}")), cause()).await },
        ));
    }
    let mut outcomes = std::collections::BTreeSet::new();
    for answer in asked {
        let committed = answer.await.unwrap().unwrap();
        let own = committed.view.world.applications().len() as u64;
        assert_eq!(own, committed.view.seq.0 - before.seq.0, "the world right after the command");
        outcomes.insert(committed.outcome);
    }
    let after = test.node.status();
    assert_eq!((outcomes.len(), after.records - before.records), (100, 100));
    assert!(after.appends - before.appends < 10, "{} appends", after.appends - before.appends);
    let records = test.log.read(Seq::ZERO, 1_000).await.unwrap();
    assert_eq!(records.len() as u64, after.seq.0);
}

#[tokio::test]
async fn too_many_waiting_commands_are_turned_away() {
    let config = NodeConfig { waiting_commands: 3, ..NodeConfig::new(account()) };
    let test = TestNode::start_with(config, Default::default(), ManualClock::default(), 1).await.unwrap();
    let mut asked = vec![];
    for n in 0..10 {
        let node = test.node.clone();
        asked.push(tokio::spawn(
            async move { node.execute(application(&format!("shop {n}")), cause()).await },
        ));
    }
    let (mut done, mut busy) = (0, 0);
    for answer in asked {
        match answer.await.unwrap() {
            Ok(_) => done += 1,
            Err(Error::Busy(_)) => busy += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((done, busy), (3, 7));
    assert_eq!(test.node.view().world.applications().len(), 3);
}

#[tokio::test]
async fn a_version_on_its_way_that_cannot_be_loaded_keeps_nobody_from_the_one_before() {
    let (log, clock) = (MemoryLog::new(), ManualClock::default());
    let config = || NodeConfig::new(account());
    let first = TestNode::start_with(config(), log.clone(), clock.clone(), 1).await.unwrap();
    let shop = Shop::open(&first, ProfileType::Freeform, vec![]).await.unwrap();
    shop.serve("old").await.unwrap();
    shop.store("new", None).await.unwrap();
    let slowly = shop.strategy(600, 600, 50).await.unwrap();
    shop.deploy(&slowly).await.unwrap();
    first.advance(SECOND * 300).await;
    let address = first.node.address("shop", "production", "settings").unwrap();
    let new = first.node.served(&address).unwrap().candidate().unwrap().version.content;
    drop(first);

    let faults = FaultyLog::new(Arc::new(log.clone()), 2);
    faults.lose(ContentHash(new.0));
    let second = TestNode::start_on(config(), log, faults, clock, master_keys(), 2).await.unwrap();
    let served = second.node.served(&address).unwrap();
    assert_eq!(served.for_anyone().unwrap().body, "old");
    assert!(served.candidate().is_none());
    assert_eq!(second.node.status().behind, 1, "and that is said");
    second.faults.find_all();
    second.advance(SECOND * 5).await;
    assert!(second.node.served(&address).unwrap().candidate().is_some());
    assert_eq!(second.node.status().behind, 0);
}
