//! The behaviour every engine must show.
//!
//! One public function, run by each engine's own tests, so that two engines cannot differ in silence. It includes the
//! unpleasant parts: races, batches that lose, readers that lag, logs that are closed and opened again. It needs a tokio
//! runtime, preferably one with several threads, and it panics at the first thing that is not as it must be.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a suite of tests: a failure is a panic"
)]

use crate::{
    AppendError, Batch, Content, ContentHash, Digest, Draft, Error, Log, Record, Seq, Snapshot, verify,
};
use bytes::Bytes;
use std::collections::HashSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::task::JoinSet;

/// Checks an engine. `fresh` makes an empty log; `reopen` ends the one it is given and opens what that one had stored.
///
/// # Panics
/// When the engine does not behave.
pub async fn suite<L: Log>(fresh: impl AsyncFn() -> L, reopen: impl AsyncFn(L) -> L) {
    an_empty_log_has_nothing_after_its_end(fresh().await).await;
    what_was_appended_is_read_back_as_it_was_answered(fresh().await).await;
    a_stale_expectation_is_refused(fresh().await).await;
    a_batch_is_there_whole_or_not_at_all(fresh().await).await;
    an_empty_batch_still_checks_the_end(fresh().await).await;
    every_record_names_the_digest_of_the_one_before(fresh().await).await;
    a_limit_is_respected_and_filled(fresh().await).await;
    a_lagging_reader_gets_everything_in_pages(fresh().await).await;
    a_reader_ahead_of_the_end_gets_nothing(fresh().await).await;
    readers_see_no_gap_under_concurrent_appends(fresh().await).await;
    any_text_is_kept_as_it_is(fresh().await).await;
    missing_content_is_none(fresh().await).await;
    content_may_be_put_twice(fresh().await).await;
    large_and_empty_content_is_kept(fresh().await).await;
    a_snapshot_is_loaded_as_it_was_saved(fresh().await).await;
    a_newer_snapshot_replaces_an_older_one_and_not_the_reverse(fresh().await).await;
    a_snapshot_of_another_history_is_not_believed(fresh().await).await;
    waiting_ends_when_the_log_grows(fresh().await).await;
    waiting_for_what_is_there_already_ends_at_once(fresh().await).await;
    every_waiter_is_woken(fresh().await).await;
    what_was_acknowledged_survives_a_reopen(fresh().await, &reopen).await;
    a_reopened_log_goes_on_where_it_ended(fresh().await, &reopen).await;
}

async fn an_empty_log_has_nothing_after_its_end(log: impl Log) {
    assert_eq!(log.end().await.unwrap(), Seq::ZERO);
    assert_eq!(log.read(Seq::ZERO, 10).await.unwrap(), []);
    assert_eq!(log.load_snapshot().await.unwrap(), None);
    let verified = verify(&log).await.unwrap();
    assert_eq!((verified.records, verified.end, verified.digest), (0, Seq::ZERO, Digest::ZERO));
}

async fn what_was_appended_is_read_back_as_it_was_answered(log: impl Log) {
    let drafts = vec![draft("first"), Draft { reason: Some("because".into()), ..draft("second") }];
    let written = log.append(Seq::ZERO, records(drafts.clone())).await.unwrap();
    assert_eq!(written.iter().map(|record| record.draft.clone()).collect::<Vec<_>>(), drafts);
    assert_eq!(written.iter().map(|record| record.seq.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(log.read(Seq::ZERO, 10).await.unwrap(), written);
    assert_eq!(log.read(Seq(1), 10).await.unwrap(), written[1..]);
    assert_eq!(log.read(Seq(2), 10).await.unwrap(), []);
    assert_eq!(log.end().await.unwrap(), Seq(2));
}

async fn a_stale_expectation_is_refused(log: impl Log) {
    append(&log, Seq::ZERO, 3).await;
    for wrong in [0, 2, 4, u64::MAX] {
        match log.append(Seq(wrong), records(vec![draft("late")])).await {
            Err(AppendError::Conflict { expected, actual }) => {
                assert_eq!((expected, actual), (Seq(wrong), Seq(3)));
            }
            other => panic!("expected a conflict, got {other:?}"),
        }
    }
    assert_eq!(log.end().await.unwrap(), Seq(3));
    append(&log, Seq(3), 1).await;
}

async fn a_batch_is_there_whole_or_not_at_all(log: impl Log) {
    let (kept, lost) = (content("kept"), content("lost"));
    let batch =
        Batch { drafts: (0..50).map(|n| draft(&n.to_string())).collect(), contents: vec![kept.clone()] };
    assert_eq!(log.append(Seq::ZERO, batch).await.unwrap().len(), 50);
    let late = Batch { drafts: vec![draft("a"), draft("b")], contents: vec![lost.clone()] };
    log.append(Seq(49), late).await.unwrap_err();
    assert_eq!(log.read(Seq::ZERO, 100).await.unwrap().len(), 50);
    assert_eq!(log.content(kept.hash()).await.unwrap(), Some(kept.bytes().clone()));
    assert_eq!(log.content(lost.hash()).await.unwrap(), None, "a refused batch leaves no content behind");
}

async fn an_empty_batch_still_checks_the_end(log: impl Log) {
    append(&log, Seq::ZERO, 1).await;
    let stored = content("without a record");
    let batch = Batch { drafts: vec![], contents: vec![stored.clone()] };
    assert_eq!(log.append(Seq(1), batch).await.unwrap(), []);
    assert_eq!(log.content(stored.hash()).await.unwrap(), Some(stored.bytes().clone()));
    assert!(matches!(log.append(Seq::ZERO, Batch::default()).await, Err(AppendError::Conflict { .. })));
    assert_eq!(log.end().await.unwrap(), Seq(1));
}

async fn every_record_names_the_digest_of_the_one_before(log: impl Log) {
    append(&log, Seq::ZERO, 2).await;
    append(&log, Seq(2), 1).await;
    append(&log, Seq(3), 4).await;
    let mut previous = Digest::ZERO;
    for record in log.read(Seq::ZERO, 100).await.unwrap() {
        assert_eq!(record.previous, previous);
        assert!(record.is_intact());
        previous = record.digest;
    }
    let verified = verify(&log).await.unwrap();
    assert_eq!((verified.records, verified.end, verified.digest), (7, Seq(7), previous));
}

async fn a_limit_is_respected_and_filled(log: impl Log) {
    append(&log, Seq::ZERO, 7).await;
    for limit in [0, 1, 6, 7, 8, usize::MAX] {
        let page = log.read(Seq::ZERO, limit).await.unwrap();
        assert_eq!(page.len(), limit.min(7));
    }
}

async fn a_lagging_reader_gets_everything_in_pages(log: impl Log) {
    let mut read = Vec::new();
    for round in 0..10 {
        append(&log, Seq(round * 9), 9).await;
        let after = Seq(read.len() as u64);
        read.extend(log.read(after, 4).await.unwrap());
    }
    assert_eq!(read.len(), 40, "four of every nine so far");
    while let Some(last) = read.last().map(|record: &Record| record.seq) {
        let page = log.read(last, 4).await.unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read.len(), 90);
    assert_chained(&read);
}

async fn a_reader_ahead_of_the_end_gets_nothing(log: impl Log) {
    append(&log, Seq::ZERO, 2).await;
    for after in [3, 1000, i64::MAX as u64, u64::MAX] {
        assert_eq!(log.read(Seq(after), 10).await.unwrap(), []);
    }
}

async fn readers_see_no_gap_under_concurrent_appends(log: impl Log) {
    const WRITERS: usize = 8;
    const BATCHES: usize = 12;
    const TOTAL: usize = WRITERS * BATCHES * 2;
    let log = Arc::new(log);
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let log = Arc::clone(&log);
        tasks.spawn(async move {
            let mut expected = Seq::ZERO;
            for batch in 0..BATCHES {
                let name = format!("{writer}/{batch}");
                loop {
                    let drafts = vec![draft(&name), draft(&name)];
                    match log.append(expected, records(drafts)).await {
                        Ok(written) => {
                            expected = written[1].seq;
                            break;
                        }
                        Err(AppendError::Conflict { actual, .. }) => expected = actual,
                        Err(AppendError::Backend(error)) => panic!("{error}"),
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    for limit in [1, 3, 1000] {
        let log = Arc::clone(&log);
        tasks.spawn(async move {
            let mut read: Vec<Record> = Vec::new();
            while read.len() < TOTAL {
                let end = Seq(read.len() as u64);
                log.wait_for_change(end).await.unwrap();
                read.extend(log.read(end, limit).await.unwrap());
                assert_chained(&read[end.0.saturating_sub(1) as usize..]);
            }
            assert_chained(&read);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let read = log.read(Seq::ZERO, TOTAL + 1).await.unwrap();
    assert_eq!(read.len(), TOTAL);
    let mut seen = HashSet::new();
    for pair in read.chunks(2) {
        assert_eq!(pair[0].draft.body, pair[1].draft.body, "a batch stays together");
        assert!(seen.insert(pair[0].draft.body.clone()), "written once");
    }
    assert_eq!(log.end().await.unwrap(), Seq(TOTAL as u64));
}

async fn any_text_is_kept_as_it_is(log: impl Log) {
    let odd = Draft {
        time_ms: i64::MIN,
        actor: String::new(),
        request_id: "\0 nul \u{10ffff} ünïcödé".into(),
        reason: Some(String::new()),
        kind: "'; drop table records; --".into(),
        version: u16::MAX,
        body: "{\"a\":\"\\u0000\"}\n".repeat(5000),
    };
    let written = log.append(Seq::ZERO, records(vec![odd.clone()])).await.unwrap();
    let read = log.read(Seq::ZERO, 1).await.unwrap();
    assert_eq!(read, written);
    assert_eq!(read[0].draft, odd);
}

async fn missing_content_is_none(log: impl Log) {
    assert_eq!(log.content(ContentHash::of(b"never put")).await.unwrap(), None);
}

async fn content_may_be_put_twice(log: impl Log) {
    let twice = content("twice");
    let batch = Batch { drafts: vec![draft("1")], contents: vec![twice.clone(), twice.clone()] };
    log.append(Seq::ZERO, batch).await.unwrap();
    let batch = Batch { drafts: vec![draft("2")], contents: vec![twice.clone()] };
    log.append(Seq(1), batch).await.unwrap();
    assert_eq!(log.content(twice.hash()).await.unwrap(), Some(twice.bytes().clone()));
}

async fn large_and_empty_content_is_kept(log: impl Log) {
    let large: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 251) as u8).collect();
    let contents = vec![Content::new(Bytes::new()), Content::new(large.into())];
    log.append(Seq::ZERO, Batch { drafts: vec![draft("both")], contents: contents.clone() }).await.unwrap();
    for content in contents {
        let read = log.content(content.hash()).await.unwrap();
        assert!(read.as_ref() == Some(content.bytes()), "{} changed", content.hash());
    }
}

async fn a_snapshot_is_loaded_as_it_was_saved(log: impl Log) {
    let empty = Snapshot { seq: Seq::ZERO, digest: Digest::ZERO, format: u32::MAX, bytes: Bytes::new() };
    log.save_snapshot(empty.clone()).await.unwrap();
    assert_eq!(log.load_snapshot().await.unwrap(), Some(empty));
    let written = append(&log, Seq::ZERO, 3).await;
    let snapshot = snapshot_at(&written[1], b"state");
    log.save_snapshot(snapshot.clone()).await.unwrap();
    assert_eq!(log.load_snapshot().await.unwrap(), Some(snapshot));
    assert_eq!(log.end().await.unwrap(), Seq(3), "a snapshot changes nothing else");
}

async fn a_newer_snapshot_replaces_an_older_one_and_not_the_reverse(log: impl Log) {
    let written = append(&log, Seq::ZERO, 3).await;
    for (record, loaded) in [(1, 1), (2, 2), (0, 2)] {
        log.save_snapshot(snapshot_at(&written[record], b"state")).await.unwrap();
        let expected = snapshot_at(&written[loaded], b"state");
        assert_eq!(log.load_snapshot().await.unwrap(), Some(expected));
    }
    let again = snapshot_at(&written[2], b"of the same record, written anew");
    log.save_snapshot(again.clone()).await.unwrap();
    assert_eq!(log.load_snapshot().await.unwrap(), Some(again));
}

async fn a_snapshot_of_another_history_is_not_believed(log: impl Log) {
    let written = append(&log, Seq::ZERO, 3).await;
    let good = snapshot_at(&written[1], b"ours");
    log.save_snapshot(good.clone()).await.unwrap();
    let elsewhere = Snapshot { digest: written[0].digest, ..snapshot_at(&written[2], b"theirs") };
    let beyond = Snapshot { seq: Seq(4), ..elsewhere.clone() };
    let before = Snapshot { seq: Seq::ZERO, ..elsewhere.clone() };
    for other in [elsewhere, beyond, before] {
        let seq = other.seq;
        match log.save_snapshot(other).await {
            Err(Error::Corrupt { seq: named, .. }) => assert_eq!(named, seq),
            other => panic!("expected a refusal, got {other:?}"),
        }
        assert_eq!(log.load_snapshot().await.unwrap().as_ref(), Some(&good));
    }
}

async fn waiting_ends_when_the_log_grows(log: impl Log) {
    append(&log, Seq::ZERO, 1).await;
    let mut waiting = pin!(log.wait_for_change(Seq(1)));
    // Waiting has begun before the append; an engine may end it early, so being pending is not demanded.
    let early = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_ready())).await;
    append(&log, Seq(1), 1).await;
    if !early {
        waiting.await.unwrap();
    }
    assert_eq!(log.read(Seq(1), 10).await.unwrap().len(), 1);
}

async fn waiting_for_what_is_there_already_ends_at_once(log: impl Log) {
    append(&log, Seq::ZERO, 5).await;
    log.wait_for_change(Seq::ZERO).await.unwrap();
    log.wait_for_change(Seq(4)).await.unwrap();
}

async fn every_waiter_is_woken(log: impl Log) {
    let log = Arc::new(log);
    let mut waiting = JoinSet::new();
    for _ in 0..16 {
        let log = Arc::clone(&log);
        waiting.spawn(async move {
            while log.read(Seq(1), 1).await.unwrap().is_empty() {
                log.wait_for_change(Seq(1)).await.unwrap();
            }
        });
    }
    append(&*log, Seq::ZERO, 1).await;
    append(&*log, Seq(1), 1).await;
    while let Some(done) = waiting.join_next().await {
        done.unwrap();
    }
}

async fn what_was_acknowledged_survives_a_reopen<L: Log>(log: L, reopen: &impl AsyncFn(L) -> L) {
    let stored = content("survives");
    let batch = Batch { drafts: vec![draft("a"), draft("b")], contents: vec![stored.clone()] };
    let written = log.append(Seq::ZERO, batch).await.unwrap();
    let snapshot = snapshot_at(&written[1], b"state");
    log.save_snapshot(snapshot.clone()).await.unwrap();
    let log = reopen(log).await;
    assert_eq!(log.read(Seq::ZERO, 10).await.unwrap(), written);
    assert_eq!(log.end().await.unwrap(), Seq(2));
    assert_eq!(log.content(stored.hash()).await.unwrap(), Some(stored.bytes().clone()));
    assert_eq!(log.load_snapshot().await.unwrap(), Some(snapshot));
}

async fn a_reopened_log_goes_on_where_it_ended<L: Log>(log: L, reopen: &impl AsyncFn(L) -> L) {
    append(&log, Seq::ZERO, 2).await;
    let log = reopen(log).await;
    assert!(matches!(
        log.append(Seq::ZERO, records(vec![draft("late")])).await,
        Err(AppendError::Conflict { actual: Seq(2), .. })
    ));
    log.wait_for_change(Seq(1)).await.unwrap();
    append(&log, Seq(2), 2).await;
    let log = reopen(reopen(log).await).await;
    assert_chained(&log.read(Seq::ZERO, 10).await.unwrap());
    assert_eq!(verify(&log).await.unwrap().records, 4);
}

fn draft(name: &str) -> Draft {
    Draft {
        time_ms: 1_767_225_600_000,
        actor: "AKIAEXAMPLE".into(),
        request_id: format!("request-{name}"),
        reason: None,
        kind: "application-created".into(),
        version: 1,
        body: format!("{{\"name\":\"{name}\"}}"),
    }
}

fn content(text: &str) -> Content {
    Content::new(Bytes::copy_from_slice(text.as_bytes()))
}

fn records(drafts: Vec<Draft>) -> Batch {
    Batch { drafts, contents: vec![] }
}

fn snapshot_at(record: &Record, bytes: &'static [u8]) -> Snapshot {
    Snapshot { seq: record.seq, digest: record.digest, format: 3, bytes: Bytes::from_static(bytes) }
}

async fn append(log: &impl Log, expected: Seq, count: u64) -> Vec<Record> {
    let drafts = (1..=count).map(|n| draft(&(expected.0 + n).to_string())).collect();
    let written = log.append(expected, records(drafts)).await.unwrap();
    assert_eq!(written.len() as u64, count);
    written
}

fn assert_chained(records: &[Record]) {
    for pair in records.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq.next(), "no gap");
        assert_eq!(pair[1].previous, pair[0].digest, "each names the one before");
    }
}
