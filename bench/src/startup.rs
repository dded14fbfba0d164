//! From starting the process to its first good answer.

use crate::lab::Lab;
use crate::million;
use crate::report::{Section, Verdict};
use crate::spread::{Spread, mebibytes, milliseconds};
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;

/// Starts on small stores.
const STARTS: usize = 11;
/// Starts on the large log, which take longer.
const LARGE_STARTS: usize = 5;
/// Starts on the large log without a snapshot, which take much longer.
const REPLAYS: usize = 3;

/// Start-up on a new store, an empty one, and a log of a million records with and without a snapshot.
pub(crate) fn measure(lab: &Lab) -> anyhow::Result<Section> {
    let mut fresh = vec![];
    for _ in 0..STARTS {
        fresh.push(start(lab, &lab.empty_folder("startup")?)?.0);
    }
    let data = lab.folder.join("startup");
    let mut empty = vec![];
    for _ in 0..STARTS {
        empty.push(start(lab, &data)?.0);
    }

    let (data, mix) = million::prepared(&lab.folder)?;
    let mut replayed = vec![];
    for _ in 0..REPLAYS {
        let db = Connection::open(data.join("yardarm.db"))?;
        db.execute("DELETE FROM snapshots", [])?;
        db.close().map_err(|(_, error)| error)?;
        replayed.push(start(lab, &data)?.0);
    }
    // The last of these left a snapshot when it stopped.
    let (mut large, mut resident) = (vec![], vec![]);
    for _ in 0..LARGE_STARTS {
        let (took, bytes) = start(lab, &data)?;
        large.push(took);
        resident.push(mebibytes(bytes));
    }
    let (bytes, records) = snapshot(&data)?;

    let [fresh, empty, replayed, large]: [Spread; 4] = [fresh, empty, replayed, large]
        .map(|took: Vec<Duration>| took.into_iter().map(milliseconds).collect());
    let resident: Spread = resident.into_iter().collect();
    let method = format!(
        "From before the process is made to the first 200 of `/readyz`, looking every 0.1 ms. Files are in the page cache. \
         {STARTS} starts on small stores, {LARGE_STARTS} on the large log, {REPLAYS} without a snapshot.\n\nThe large log, \
         written through the crates' own commands and events: {mix} Snapshot: {:.1} MiB at record {records}; resident memory \
         of the server on it {resident:.0} MiB.",
        mebibytes(bytes),
    );
    let row = |what: &str, spread: &Spread| vec![what.to_owned(), format!("{spread:.1}")];
    Ok(Section {
        title: "Start-up",
        method,
        columns: vec!["store", "ms to the first answer"],
        rows: vec![
            row("none yet: made at this start", &fresh),
            row("empty", &empty),
            row("1,000,000 records, with a snapshot", &large),
            row("1,000,000 records, without a snapshot", &replayed),
        ],
        verdicts: vec![
            Verdict::at_most("start-up, store made at this start", 50.0, " ms", fresh.median()),
            Verdict::at_most("start-up, empty store", 50.0, " ms", empty.median()),
            Verdict::at_most(
                "start-up, log of 1,000,000 records with a snapshot",
                1_000.0,
                " ms",
                large.median(),
            ),
        ],
    })
}

/// Starts and stops a server. Answers how long it took to answer, and how much memory it then had.
fn start(lab: &Lab, data: &Path) -> anyhow::Result<(Duration, u64)> {
    let mut server = lab.yardarm(data, &[], None)?;
    let took = server.ready()?;
    let resident_bytes = server.resident_bytes()?;
    server.stop()?;
    Ok((took, resident_bytes))
}

/// Size of the snapshot in the store, and the record at which it was taken.
fn snapshot(data: &Path) -> anyhow::Result<(u64, i64)> {
    let db = Connection::open(data.join("yardarm.db"))?;
    let found = db.query_row("SELECT length(bytes), seq FROM snapshots", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    })?;
    Ok((u64::try_from(found.0)?, found.1))
}
