//! Snapshots of the world: derived, compact, and thrown away when their layout changes.

use crate::view::View;
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;
use yardarm_domain::World;
use yardarm_log::Snapshot;

/// Layout of the encoded world. Raised whenever a type of the world changes shape; older snapshots are then ignored
/// and the log is read from its beginning.
const FORMAT: u32 = 5;

/// Encodes the world of `view`.
pub(crate) fn encode(view: &View) -> Result<Snapshot, postcard::Error> {
    let bytes = Bytes::from(postcard::to_stdvec(&*view.world)?);
    Ok(Snapshot { seq: view.seq, digest: view.digest, format: FORMAT, bytes })
}

/// The view that `snapshot` holds; `None` when it is of another layout or damaged, which costs time only.
pub(crate) fn decode(snapshot: &Snapshot, as_of: Timestamp) -> Option<View> {
    if snapshot.format != FORMAT {
        return None;
    }
    let world: World = postcard::from_bytes(&snapshot.bytes).ok()?;
    Some(View { seq: snapshot.seq, digest: snapshot.digest, world: Arc::new(world), as_of })
}
