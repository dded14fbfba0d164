//! SQLite and nothing else: the yardstick of durable writes.
//!
//! Inserts one record of a Yardarm log again and again, the same bytes in the same columns: WAL, `synchronous=FULL`, other
//! settings as SQLite has them.

use anyhow::Context;
use rusqlite::Connection;
use std::path::Path;
use yardarm_log::{Log, Record, SqliteLog};

const SCHEMA: &str = "
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL, request_id TEXT NOT NULL, reason TEXT,
        kind TEXT NOT NULL, version INTEGER NOT NULL, previous BLOB NOT NULL, digest BLOB NOT NULL, body TEXT NOT NULL
    ) STRICT";

/// A database of its own, and the record that is written to it.
#[derive(Debug)]
pub struct BareSqlite {
    db: Connection,
    record: Record,
    seq: i64,
}

impl BareSqlite {
    /// Makes the database at `path`, for writing `record`.
    ///
    /// # Errors
    /// SQLite cannot.
    pub fn create(path: &Path, record: Record) -> anyhow::Result<Self> {
        let db = Connection::open(path)?;
        db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "full")?;
        db.execute_batch(SCHEMA)?;
        Ok(Self { db, record, seq: 0 })
    }

    /// Inserts the record and commits.
    ///
    /// # Errors
    /// SQLite cannot.
    pub fn write(&mut self) -> anyhow::Result<()> {
        self.seq += 1;
        let Record { previous, digest, draft, .. } = &self.record;
        let mut insert =
            self.db.prepare_cached("INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
        // Outside a transaction each statement is one of its own.
        insert.execute((
            self.seq,
            draft.time_ms,
            &draft.actor,
            &draft.request_id,
            &draft.reason,
            &draft.kind,
            draft.version,
            previous.0,
            digest.0,
            &draft.body,
        ))?;
        Ok(())
    }

    /// Inserts the record `count` times and commits once.
    ///
    /// # Errors
    /// SQLite cannot.
    pub fn write_together(&mut self, count: usize) -> anyhow::Result<()> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for _ in 0..count {
            self.write()?;
        }
        self.db.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

/// The last record of the log in the file at `path`.
///
/// # Errors
/// There is no such log, or nothing in it.
pub fn newest_record(path: &Path) -> anyhow::Result<Record> {
    let log = SqliteLog::open_read_only(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let mut end = log.end().await?;
        end.0 = end.0.saturating_sub(1);
        log.read(end, 1).await?.pop().context("no record")
    })
}
