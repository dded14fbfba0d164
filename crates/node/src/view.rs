//! The world at a position of the log.

use jiff::Timestamp;
use std::sync::Arc;
use yardarm_domain::World;
use yardarm_log::{Digest, Seq};

/// An immutable world and where in the log it stands.
#[derive(Clone, Debug)]
pub struct View {
    /// The last record it includes.
    pub seq: Seq,
    /// That record's digest.
    pub digest: Digest,
    /// Everything the log says up to there.
    pub world: Arc<World>,
    /// When the log was last known to end here.
    pub as_of: Timestamp,
}
