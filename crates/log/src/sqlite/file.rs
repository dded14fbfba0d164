//! The database file: its lock, its layout, and connections to it.
//!
//! **Invariants.** At most one [`SqliteLog`](super::SqliteLog) has a file open for writing: a lock on a file of its own
//! beside the database says so. (Not on the database itself: closing any other handle to that would drop SQLite's own
//! locks.) A file that is not ours, or that a newer version wrote, is refused before anything in it is changed.

use super::fault::Fault;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// "Ydrm", in the header of every file of ours.
const APPLICATION_ID: i32 = 0x5964_726d;

/// The layout below. A change is a new number and a migration.
const SCHEMA_VERSION: i32 = 1;

const SCHEMA: &str = "
    CREATE TABLE records (
        seq        INTEGER PRIMARY KEY,
        time_ms    INTEGER NOT NULL,
        actor      TEXT NOT NULL,
        request_id TEXT NOT NULL,
        reason     TEXT,
        kind       TEXT NOT NULL,
        version    INTEGER NOT NULL,
        previous   BLOB NOT NULL,
        digest     BLOB NOT NULL,
        body       TEXT NOT NULL
    ) STRICT;
    CREATE TABLE contents (
        hash  BLOB NOT NULL PRIMARY KEY,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE snapshots (
        seq    INTEGER PRIMARY KEY,
        digest BLOB NOT NULL,
        format INTEGER NOT NULL,
        hash   BLOB NOT NULL,
        bytes  BLOB NOT NULL
    ) STRICT;
";

/// Keeps others from opening the file for writing while it lives.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the lock is held as long as this handle is open")] File);

/// Makes the file if there is none, and answers the one name by which it is known from now on: whoever comes by another
/// path to the same file must meet the same lock.
pub(super) fn create(path: &Path) -> Result<PathBuf, Fault> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Whoever may read the file may read every configuration. SQLite gives its side files the same mode.
        options.mode(0o600);
    }
    if !path.exists() {
        options.open(path).map_err(|error| cannot_open(path, error))?;
    }
    resolve(path)
}

/// The file's absolute path without symbolic links.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, Fault> {
    path.canonicalize().map_err(|error| cannot_open(path, error))
}

/// Claims the file for this engine.
pub(super) fn lock(path: &Path) -> Result<Lock, Fault> {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let name = PathBuf::from(name);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&name);
    let file = file.map_err(|error| cannot_open(&name, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(Fault::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(cannot_open(&name, error)),
    }
}

fn cannot_open(path: &Path, error: std::io::Error) -> Fault {
    Fault::File { path: path.to_owned(), source: Arc::new(error) }
}

/// The connection that writes. Lays the file out if it is empty.
pub(super) fn connect_for_writing(path: &Path) -> Result<Connection, Fault> {
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let empty = identify(&db, path)?;
    let mode = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    if mode != "wal" {
        return Err(Fault::NoWriteAheadLog(path.to_owned()));
    }
    // Every commit is on the disk before it is acknowledged (`fullfsync` is what that takes on macOS).
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "fullfsync", true)?;
    // The writer checkpoints between commits rather than inside one, and keeps the write-ahead log's file at a size
    // to be overwritten in place: a commit that makes a file longer costs the disk more.
    db.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    db.pragma_update_and_check(None, "journal_size_limit", 16 << 20, |_| Ok(()))?;
    if empty {
        let layout = db.transaction()?;
        layout.execute_batch(SCHEMA)?;
        layout.pragma_update(None, "application_id", APPLICATION_ID)?;
        layout.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        layout.commit()?;
    }
    Ok(db)
}

/// A connection that cannot change the file, which must be laid out already.
pub(super) fn connect_for_reading(path: &Path) -> Result<Connection, Fault> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    if identify(&db, path)? { Err(Fault::NotALog(path.to_owned())) } else { Ok(db) }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, Fault> {
    // Each connection stays on one thread, and a path is a path, never a URI.
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // What the file brings along (views, triggers) gets no privileges.
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    Ok(db)
}

/// Whether the file is still empty. Fails if it is not empty and not ours, or too new for us.
fn identify(db: &Connection, path: &Path) -> Result<bool, Fault> {
    let header = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let application_id = header("application_id").map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Fault::NotALog(path.to_owned()),
        _ => error.into(),
    })?;
    let version = header("user_version")?;
    let objects = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    match (application_id, version, objects) {
        (0, 0, 0) => Ok(true),
        (APPLICATION_ID, SCHEMA_VERSION, _) => Ok(false),
        (APPLICATION_ID, found, _) if found > SCHEMA_VERSION => {
            Err(Fault::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION })
        }
        _ => Err(Fault::NotALog(path.to_owned())),
    }
}
