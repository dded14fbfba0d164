mod crash;
mod damage;
mod failure;
mod opening;

use super::SqliteLog;
use crate::suite::suite;
use crate::{Batch, Content, Draft, Log, Record, Seq};
use bytes::Bytes;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_log_behaves() {
    let folder = TempDir::new().unwrap();
    let made = AtomicU32::new(0);
    let fresh = async || {
        let name = made.fetch_add(1, Ordering::Relaxed).to_string();
        SqliteLog::open(folder.path().join(name)).unwrap()
    };
    suite(fresh, async |log: SqliteLog| {
        log.close().await;
        SqliteLog::open(log.path()).unwrap()
    })
    .await;
}

/// A folder that goes with the test, and the log's file in it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("log.sqlite")
    }

    fn open(&self) -> SqliteLog {
        SqliteLog::open(self.file()).unwrap()
    }

    /// Changes the file behind the log's back.
    fn tamper(&self, sql: &str) {
        run(&self.file(), sql);
    }
}

fn run(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

fn draft(body: &str) -> Draft {
    Draft {
        time_ms: 1_767_225_600_000,
        actor: "AKIAEXAMPLE".into(),
        request_id: "4f1c".into(),
        reason: None,
        kind: "application-created".into(),
        version: 1,
        body: body.into(),
    }
}

fn batch(body: &str) -> Batch {
    Batch { drafts: vec![draft(body)], contents: vec![] }
}

fn content(text: &'static str) -> Content {
    Content::new(Bytes::from_static(text.as_bytes()))
}

/// Appends `count` records, one by one, to an empty log.
async fn fill(log: &SqliteLog, count: u64) -> Vec<Record> {
    let mut written = Vec::new();
    for seq in 0..count {
        written.extend(log.append(Seq(seq), batch(&seq.to_string())).await.unwrap());
    }
    written
}
