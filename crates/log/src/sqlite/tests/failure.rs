//! Transactions that fail: who is told, what is kept, and that the log goes on. Triggers put into the file make the
//! statements fail that shall fail.

use super::*;
use crate::{AppendError, Error, Log, verify};
use tokio::task::JoinSet;

/// Fails the insert of a record whose body is `bad`.
const BAD_RECORD: &str = "CREATE TRIGGER bad BEFORE INSERT ON records WHEN new.body = 'bad'
    BEGIN SELECT RAISE(ABORT, 'injected'); END";

/// Ends the whole transaction there.
const ROLLED_BACK: &str = "CREATE TRIGGER bad BEFORE INSERT ON records WHEN new.body = 'bad'
    BEGIN SELECT RAISE(ROLLBACK, 'injected'); END";

/// Lets the insert pass and fails the commit.
const BAD_COMMIT: &str = "CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE children (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER bad BEFORE INSERT ON records WHEN new.body = 'bad' BEGIN INSERT INTO children VALUES (1); END";

fn assert_storage_failure(result: Result<Vec<Record>, AppendError>) {
    assert!(matches!(result, Err(AppendError::Backend(Error::Storage(_)))), "{result:?}");
}

#[tokio::test]
async fn a_failed_append_leaves_nothing_and_the_log_goes_on() {
    for failure in [BAD_RECORD, ROLLED_BACK, BAD_COMMIT] {
        let place = Place::new();
        let log = place.open();
        fill(&log, 2).await;
        place.tamper(failure);
        let lost = content("lost");
        let half = Batch { drafts: vec![draft("good"), draft("bad")], contents: vec![lost.clone()] };
        assert_storage_failure(log.append(Seq(2), half).await);
        assert_eq!(log.content(lost.hash()).await.unwrap(), None);
        assert_eq!(log.end().await.unwrap(), Seq(2));
        log.append(Seq(2), batch("good")).await.unwrap();
        assert_eq!(verify(&log).await.unwrap().records, 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_fails_does_not_spoil_those_that_share_its_transaction() {
    for failure in [BAD_RECORD, ROLLED_BACK] {
        let place = Place::new();
        let log = std::sync::Arc::new(place.open());
        place.tamper(failure);
        let mut tasks = JoinSet::new();
        for task in 0..6 {
            let log = std::sync::Arc::clone(&log);
            tasks.spawn(async move {
                let mut expected = Seq::ZERO;
                for body in ["good", "bad", "good", "bad", "good"] {
                    loop {
                        let both = Batch { drafts: vec![draft("good"), draft(body)], contents: vec![] };
                        match log.append(expected, both).await {
                            Err(AppendError::Conflict { actual, .. }) => expected = actual,
                            Ok(written) => {
                                assert_eq!(body, "good", "task {task}");
                                expected = written[1].seq;
                                break;
                            }
                            failed => {
                                assert_eq!(body, "bad", "task {task}");
                                assert_storage_failure(failed);
                                break;
                            }
                        }
                    }
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        assert_eq!(verify(&*log).await.unwrap().records, 6 * 3 * 2);
    }
}

#[tokio::test]
async fn a_group_is_decided_in_order_and_only_the_failing_append_fails() {
    let place = Place::new();
    let log = place.open();
    place.tamper(BAD_RECORD);
    // The writer cannot begin while somebody else writes, so all of these are in its queue when it can.
    let blocker = Connection::open(place.file()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let first = log.append(Seq(0), batch("first"));
    let second = log.append(Seq(1), batch("second"));
    let bad = log.append(Seq(2), batch("bad"));
    let stale = log.append(Seq(1), batch("stale"));
    let third = log.append(Seq(2), batch("third"));
    let release = async {
        tokio::task::yield_now().await;
        blocker.execute_batch("COMMIT").unwrap();
    };
    let (first, second, bad, stale, third, ()) = tokio::join!(first, second, bad, stale, third, release);
    assert_eq!(first.unwrap()[0].seq, Seq(1));
    assert_storage_failure(bad);
    assert_eq!(second.unwrap()[0].draft.body, "second");
    assert!(matches!(stale, Err(AppendError::Conflict { actual: Seq(2), .. })), "{stale:?}");
    assert_eq!(third.unwrap()[0].draft.body, "third");
    assert_eq!(verify(&log).await.unwrap().records, 3);
}

#[tokio::test]
async fn what_another_process_wrote_is_noticed() {
    let place = Place::new();
    let log = place.open();
    let written = fill(&log, 2).await;
    place.tamper("DELETE FROM records WHERE seq = 2");
    let stale = log.append(Seq(2), batch("stale")).await;
    assert!(matches!(stale, Err(AppendError::Conflict { actual: Seq(1), .. })), "{stale:?}");
    let next = log.append(Seq(1), batch("next")).await.unwrap();
    assert_eq!(next[0].previous, written[0].digest);
    assert_eq!(verify(&log).await.unwrap().records, 2);
}
