//! Whose file it is, and who may open it when.

use super::*;
use crate::{AppendError, Error, Snapshot, verify};
use std::sync::Arc;

fn refusal(opened: Result<SqliteLog, Error>) -> String {
    match opened {
        Err(Error::Storage(error)) => error.to_string(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn a_log_in_use_cannot_be_opened_for_writing_again() {
    let place = Place::new();
    let log = place.open();
    assert!(refusal(SqliteLog::open(place.file())).ends_with("is already in use by another process"));
    log.append(Seq::ZERO, batch("still works")).await.unwrap();
    drop(log);
    place.open();
}

#[cfg(unix)]
#[tokio::test]
async fn another_path_to_the_same_file_meets_the_same_lock() {
    let place = Place::new();
    let _log = place.open();
    let link = place.folder.path().join("link");
    std::os::unix::fs::symlink(place.file(), &link).unwrap();
    assert!(refusal(SqliteLog::open(link)).ends_with("is already in use by another process"));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let log = place.open();
    fill(&log, 1).await;
    for name in ["log.sqlite", "log.sqlite-wal", "log.sqlite-shm"] {
        let mode = place.folder.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_closed_log_refuses_everything_and_lets_go_of_the_file() {
    let place = Place::new();
    let log = Arc::new(place.open());
    fill(&log, 3).await;
    let waiting = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.wait_for_change(Seq(3)).await }
    });
    tokio::task::yield_now().await;
    log.close().await;
    log.close().await;
    assert!(matches!(waiting.await.unwrap(), Err(Error::Closed)));
    assert!(matches!(log.append(Seq(3), batch("late")).await, Err(AppendError::Backend(Error::Closed))));
    assert!(matches!(log.read(Seq::ZERO, 1).await, Err(Error::Closed)));
    assert!(matches!(log.end().await, Err(Error::Closed)));
    assert!(matches!(log.wait_for_change(Seq::ZERO).await, Err(Error::Closed)));
    assert!(!place.folder.path().join("log.sqlite-wal").exists(), "everything is in the database itself");
    assert_eq!(place.open().end().await.unwrap(), Seq(3));
}

#[tokio::test]
async fn appends_that_were_asked_for_are_finished_before_closing() {
    let place = Place::new();
    let log = Arc::new(place.open());
    let mut appends: Vec<_> = (0..20).map(|seq| Box::pin(log.append(Seq(seq), batch("queued")))).collect();
    for append in &mut appends {
        // Polled once: it is in the queue.
        let enqueued = std::future::poll_fn(|context| {
            let _ = append.as_mut().poll(context);
            std::task::Poll::Ready(())
        });
        enqueued.await;
    }
    log.close().await;
    drop(appends);
    assert_eq!(place.open().end().await.unwrap(), Seq(20));
}

#[tokio::test]
async fn a_log_opened_for_reading_reads_beside_its_writer_and_cannot_write() {
    let place = Place::new();
    let log = place.open();
    let written = fill(&log, 3).await;
    let reader = SqliteLog::open_read_only(place.file()).unwrap();
    assert_eq!(reader.read(Seq::ZERO, 10).await.unwrap(), written);
    log.append(Seq(3), batch("seen too")).await.unwrap();
    assert_eq!(reader.end().await.unwrap(), Seq(4));
    reader.wait_for_change(Seq(3)).await.unwrap();
    assert_eq!(verify(&reader).await.unwrap().records, 4);
    let Err(AppendError::Backend(refused)) = reader.append(Seq(4), batch("no")).await else {
        panic!("appended");
    };
    assert_eq!(refused.to_string(), "storage: the log was opened for reading only");
    let snapshot = Snapshot { seq: Seq(3), digest: written[2].digest, format: 1, bytes: Bytes::new() };
    assert!(reader.save_snapshot(snapshot).await.is_err());
    drop(log);
    assert_eq!(reader.end().await.unwrap(), Seq(4), "also when the server has stopped");
    reader.close().await;
    assert!(matches!(reader.end().await, Err(Error::Closed)));
}

#[tokio::test]
async fn reading_a_log_that_is_not_there_does_not_make_one() {
    let place = Place::new();
    assert!(refusal(SqliteLog::open_read_only(place.file())).starts_with("cannot open"));
    assert!(!place.file().exists());
    std::fs::write(place.file(), "").unwrap();
    assert!(refusal(SqliteLog::open_read_only(place.file())).ends_with("is not a Yardarm log"));
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let place = Place::new();
    let message = refusal(SqliteLog::open(place.folder.path().join("nowhere/log.sqlite")));
    assert!(message.contains("nowhere/log.sqlite"), "{message}");
}

#[tokio::test]
async fn any_other_file_is_refused_and_left_alone() {
    let place = Place::new();
    for garbage in
        [b"not a database, but longer than its header is: ".repeat(4), vec![0; 4096], vec![0xff; 10]]
    {
        std::fs::write(place.file(), &garbage).unwrap();
        refusal(SqliteLog::open(place.file()));
        refusal(SqliteLog::open_read_only(place.file()));
        assert_eq!(std::fs::read(place.file()).unwrap(), garbage);
    }
}

#[tokio::test]
async fn somebody_elses_database_is_refused_and_left_alone() {
    let place = Place::new();
    place.tamper("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);");
    let before = std::fs::read(place.file()).unwrap();
    assert!(refusal(SqliteLog::open(place.file())).ends_with("is not a Yardarm log"));
    assert!(refusal(SqliteLog::open_read_only(place.file())).ends_with("is not a Yardarm log"));
    assert_eq!(std::fs::read(place.file()).unwrap(), before);
}

#[tokio::test]
async fn a_log_of_a_newer_version_is_refused() {
    let place = Place::new();
    drop(place.open());
    place.tamper("PRAGMA user_version = 2");
    let message = refusal(SqliteLog::open(place.file()));
    assert!(message.ends_with("was written by a newer Yardarm (schema 2; this one knows 1)"), "{message}");
}

#[tokio::test]
async fn a_path_is_never_taken_for_a_uri() {
    let place = Place::new();
    let odd = place.folder.path().join("file:log?mode=memory");
    let log = SqliteLog::open(&odd).unwrap();
    fill(&log, 1).await;
    assert!(odd.exists());
}
