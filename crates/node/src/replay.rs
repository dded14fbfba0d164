//! From the log to the world: at start, and whenever another node has appended.

use crate::error::Error;
use crate::snapshot;
use crate::view::View;
use jiff::Timestamp;
use std::sync::Arc;
use yardarm_domain::{Event, World};
use yardarm_log::{Digest, Log, Record, Seq};

/// Records read at a time.
const PAGE: usize = 4_096;

/// The world at the end of `log`, from the newest usable snapshot on.
pub(crate) async fn open(log: &dyn Log, now: Timestamp) -> Result<View, Error> {
    let snapshot = log.load_snapshot().await?;
    let start = snapshot.as_ref().and_then(|snapshot| snapshot::decode(snapshot, now));
    if snapshot.is_some() && start.is_none() {
        tracing::info!("the snapshot is of another layout: reading the log from its beginning");
    }
    let empty =
        || View { seq: Seq::ZERO, digest: Digest::ZERO, world: Arc::new(World::default()), as_of: now };
    catch_up(log, start.unwrap_or_else(empty), now, |_| {}).await
}

/// The world at the end of `log`, coming from `view`. `seen` is told each event on the way.
pub(crate) async fn catch_up(
    log: &dyn Log,
    view: View,
    now: Timestamp,
    mut seen: impl FnMut(&Event) + Send,
) -> Result<View, Error> {
    let mut world = World::clone(&view.world);
    let (mut seq, mut digest) = (view.seq, view.digest);
    loop {
        let page = log.read(seq, PAGE).await?;
        let last = page.len() < PAGE;
        for record in page {
            if record.seq != seq.next() || record.previous != digest {
                return Err(Error::Unreadable(format!("record {} does not follow {seq}", record.seq)));
            }
            let (at, event) = read(&record)?;
            seen(&event);
            world
                .apply(record.seq.0, at, event)
                .map_err(|error| Error::Unreadable(format!("record {}: {error}", record.seq)))?;
            (seq, digest) = (record.seq, record.digest);
        }
        if last {
            return Ok(View { seq, digest, world: Arc::new(world), as_of: now });
        }
    }
}

/// The event that `record` holds, and its time.
pub(crate) fn read(record: &Record) -> Result<(Timestamp, Event), Error> {
    let unreadable = |what: String| Error::Unreadable(format!("record {}: {what}", record.seq));
    let draft = &record.draft;
    let event = Event::read(&draft.kind, draft.version, &draft.body)
        .map_err(|error| unreadable(error.to_string()))?;
    let at = Timestamp::from_millisecond(draft.time_ms).map_err(|error| unreadable(error.to_string()))?;
    Ok((at, event))
}
