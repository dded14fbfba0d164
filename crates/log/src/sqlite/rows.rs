//! Rows into values, and the queries that fetch them.
//!
//! **Invariant:** whatever the file holds, the answer is a checked value or a fault that names the record; the file may
//! have been damaged by a disk or changed by hand.

use super::fault::Fault;
use crate::chain::{Break, Chain};
use crate::{ContentHash, Digest, Draft, Record, Seq, Snapshot};
use bytes::Bytes;
use rusqlite::types::{FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row};

const PAGE: &str = "
    SELECT seq, time_ms, actor, request_id, reason, kind, version, previous, digest, body
    FROM records WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// Up to `limit` records after `after`, each following the one before.
pub(super) fn page(db: &Connection, after: Seq, limit: usize) -> Result<Vec<Record>, Fault> {
    let Ok(first) = i64::try_from(after.0) else {
        return Ok(Vec::new());
    };
    let mut statement = db.prepare_cached(PAGE)?;
    let mut rows = statement.query((first, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let mut chain = Chain::after(after);
    let mut records = Vec::with_capacity(limit.min(1024));
    while let Some(row) = rows.next()? {
        let record = record(row)?;
        chain.follow(&record)?;
        records.push(record);
    }
    Ok(records)
}

/// The last record's number and digest.
pub(super) fn end(db: &Connection) -> Result<(Seq, Digest), Fault> {
    let mut statement = db.prepare_cached("SELECT max(seq) FROM records")?;
    let Some(last) = statement.query_row([], |row| row.get::<_, Option<i64>>(0))? else {
        return Ok((Seq::ZERO, Digest::ZERO));
    };
    let before = u64::try_from(last).ok().and_then(|last| last.checked_sub(1)).map(Seq);
    let before = before.ok_or_else(|| corrupt(Seq::ZERO, format!("there is a record numbered {last}")))?;
    match page(db, before, 1)?.pop() {
        Some(record) => Ok((record.seq, record.digest)),
        None => Err(corrupt(before.next(), "it is there and cannot be found")),
    }
}

/// The content filed under `hash`, if it is that content.
pub(super) fn content(db: &Connection, hash: ContentHash) -> Result<Option<Bytes>, Fault> {
    let mut statement = db.prepare_cached("SELECT bytes FROM contents WHERE hash = ?1")?;
    let bytes =
        statement.query_row([hash.0], |row| Ok(row.get_ref(0)?.as_bytes().map(Bytes::copy_from_slice)));
    match bytes.optional()? {
        None => Ok(None),
        Some(Ok(bytes)) if ContentHash::of(&bytes) == hash => Ok(Some(bytes)),
        Some(_) => Err(Fault::CorruptContent(hash)),
    }
}

/// The newest snapshot that is whole and belongs to this log. One that is not is a loss of time only, so it is passed over.
pub(super) fn snapshot(db: &Connection) -> Result<Option<Snapshot>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT seq, digest, format, hash, bytes FROM snapshots ORDER BY seq DESC")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match stored_snapshot(row) {
            Ok(found) if belongs(db, found.seq, found.digest)? => return Ok(Some(found)),
            Ok(found) => tracing::warn!(seq = found.seq.0, "passing over a snapshot of another history"),
            Err(Break { seq, what }) => tracing::warn!(seq = seq.0, what, "passing over a damaged snapshot"),
        }
    }
    Ok(None)
}

/// Whether the record at `seq` has this digest.
pub(super) fn belongs(db: &Connection, seq: Seq, digest: Digest) -> Result<bool, Fault> {
    if seq == Seq::ZERO {
        return Ok(digest == Digest::ZERO);
    }
    let Ok(seq) = i64::try_from(seq.0) else {
        return Ok(false);
    };
    let mut statement = db.prepare_cached("SELECT 1 FROM records WHERE seq = ?1 AND digest = ?2")?;
    Ok(statement.exists((seq, digest.0))?)
}

pub(super) fn corrupt(seq: Seq, what: impl Into<String>) -> Fault {
    Fault::Corrupt(Break { seq, what: what.into() })
}

/// Reads the columns of [`PAGE`].
fn record(row: &Row<'_>) -> Result<Record, Break> {
    let seq = seq(row)?;
    let text = |index| column(row, seq, index, |value| value.as_str().map(str::to_owned));
    let digest = |index| column(row, seq, index, hash).map(Digest);
    Ok(Record {
        seq,
        previous: digest(7)?,
        digest: digest(8)?,
        draft: Draft {
            time_ms: column(row, seq, 1, |value| value.as_i64())?,
            actor: text(2)?,
            request_id: text(3)?,
            reason: column(row, seq, 4, |value| Ok(value.as_str_or_null()?.map(str::to_owned)))?,
            kind: text(5)?,
            version: column(row, seq, 6, number)?,
            body: text(9)?,
        },
    })
}

fn stored_snapshot(row: &Row<'_>) -> Result<Snapshot, Break> {
    let seq = seq(row)?;
    let digest = Digest(column(row, seq, 1, hash)?);
    let format = column(row, seq, 2, number)?;
    let expected = ContentHash(column(row, seq, 3, hash)?);
    let bytes = column(row, seq, 4, |value| value.as_blob().map(Bytes::copy_from_slice))?;
    if ContentHash::of(&bytes) == expected {
        Ok(Snapshot { seq, digest, format, bytes })
    } else {
        Err(Break { seq, what: "the snapshot does not match its hash".into() })
    }
}

/// The first column of every row that has a place in the log.
fn seq(row: &Row<'_>) -> Result<Seq, Break> {
    column(row, Seq::ZERO, 0, number).map(Seq)
}

fn column<T>(
    row: &Row<'_>,
    seq: Seq,
    index: usize,
    read: impl FnOnce(ValueRef<'_>) -> FromSqlResult<T>,
) -> Result<T, Break> {
    row.get_ref(index).and_then(|value| Ok(read(value)?)).map_err(|error| {
        let name = row.as_ref().column_name(index).unwrap_or("?");
        Break { seq, what: format!("column {name}: {error}") }
    })
}

fn number<T: TryFrom<i64>>(value: ValueRef<'_>) -> FromSqlResult<T> {
    let number = value.as_i64()?;
    T::try_from(number).map_err(|_| FromSqlError::OutOfRange(number))
}

fn hash(value: ValueRef<'_>) -> FromSqlResult<[u8; 32]> {
    let blob = value.as_blob()?;
    blob.try_into().map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 32, blob_size: blob.len() })
}
