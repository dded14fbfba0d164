//! What a crash leaves behind: the files as they are at some moment, the newest one cut anywhere.

use super::*;
use crate::{Log, verify};
use std::fs;

const RECORDS_IN_BATCH: u64 = 3;

/// Appends `count` batches, each with a content of its own, from where the log ends.
async fn append_batches(log: &SqliteLog, count: u64) {
    for _ in 0..count {
        let end = log.end().await.unwrap();
        let drafts = (0..RECORDS_IN_BATCH).map(|_| draft(&end.to_string())).collect();
        let contents = vec![Content::new(end.to_string().into())];
        log.append(end, Batch { drafts, contents }).await.unwrap();
    }
}

/// Opens what is in `file` and checks that it is a beginning of the history in whole batches; answers its length.
async fn recovered(file: &Path) -> u64 {
    let log = SqliteLog::open(file).unwrap();
    let verified = verify(&log).await.unwrap();
    assert_eq!(verified.records % RECORDS_IN_BATCH, 0, "a batch is there whole or not at all");
    for start in (0..verified.records).step_by(RECORDS_IN_BATCH as usize) {
        let content = Content::new(start.to_string().into());
        assert_eq!(log.content(content.hash()).await.unwrap().as_ref(), Some(content.bytes()));
    }
    append_batches(&log, 1).await;
    verified.records
}

#[tokio::test]
async fn the_write_ahead_log_cut_anywhere_leaves_whole_batches() {
    let place = Place::new();
    let log = place.open();
    append_batches(&log, 40).await;
    let wal = fs::read(place.folder.path().join("log.sqlite-wal")).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut lengths: Vec<usize> = (0..30).map(|_| random.usize(..wal.len())).collect();
    lengths.extend([0, 1, 31, 32, 33, wal.len() - 1, wal.len()]);
    lengths.sort_unstable();
    let mut before = 0;
    for length in lengths {
        let copy = Place::new();
        fs::copy(place.file(), copy.file()).unwrap();
        fs::write(copy.folder.path().join("log.sqlite-wal"), &wal[..length]).unwrap();
        let records = recovered(&copy.file()).await;
        assert!(records >= before, "a longer log holds no less");
        before = records;
    }
    assert_eq!(before, 40 * RECORDS_IN_BATCH, "uncut, it holds everything that was acknowledged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_while_writing_holds_what_was_acknowledged_before() {
    let place = Place::new();
    let log = place.open();
    // The writer goes on by itself while its files are copied. It writes too little for a checkpoint, which would change
    // the database between the two copies; a crash takes both files at the same moment.
    append_batches(&log, 10).await;
    let writing = async {
        for _ in 0..8 {
            append_batches(&log, 5).await;
        }
    };
    let copying = async {
        let mut copies = Vec::new();
        for _ in 0..16 {
            let acknowledged = log.end().await.unwrap();
            let copy = Place::new();
            for name in ["log.sqlite", "log.sqlite-wal"] {
                fs::copy(place.folder.path().join(name), copy.folder.path().join(name)).unwrap();
            }
            copies.push((acknowledged, copy));
            tokio::task::yield_now().await;
        }
        copies
    };
    let ((), copies) = tokio::join!(writing, copying);
    for (acknowledged, copy) in copies {
        assert!(recovered(&copy.file()).await >= acknowledged.0);
    }
}

#[tokio::test]
async fn history_longer_than_the_write_ahead_log_survives_a_crash() {
    let place = Place::new();
    let log = place.open();
    // Large enough that the write-ahead log is copied into the database and begun again several times.
    for seq in 0..40 {
        log.append(Seq(seq), batch(&"x".repeat(500_000))).await.unwrap();
    }
    let wal = fs::metadata(place.folder.path().join("log.sqlite-wal")).unwrap().len();
    assert!(wal < 17 << 20, "its size is bounded: {wal}");
    let copy = Place::new();
    for name in ["log.sqlite", "log.sqlite-wal"] {
        fs::copy(place.folder.path().join(name), copy.folder.path().join(name)).unwrap();
    }
    assert_eq!(verify(&copy.open()).await.unwrap().records, 40);
}
