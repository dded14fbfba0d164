//! Checking a whole log.
//!
//! Walks the hash chain from the first record to the last. A log that passes has lost, gained and changed nothing
//! *before* its last record; that nothing was cut off its end shows only by comparing [`Verified::digest`] with one noted
//! earlier. Whether the content that records refer to is there is not checked: the log does not know what records mean.

use crate::chain::Chain;
use crate::{Digest, Error, Log, Seq};

/// Records read at a time.
const PAGE: usize = 1000;

/// What a whole, unbroken log looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many records there are.
    pub records: u64,
    /// The last record; zero for an empty log.
    pub end: Seq,
    /// The last record's digest, which stands for the whole history; [`Digest::ZERO`] for an empty log.
    pub digest: Digest,
}

/// Checks every record of `log` and its link to the one before. Records appended meanwhile may or may not be included.
///
/// # Errors
/// [`Error::Corrupt`] names the first record at which the chain breaks; other errors are the engine's.
pub async fn verify(log: &dyn Log) -> Result<Verified, Error> {
    let mut chain = Chain::after(Seq::ZERO);
    let mut records = 0;
    loop {
        let page = log.read(chain.end(), PAGE).await?;
        if page.is_empty() {
            let digest = chain.digest().unwrap_or(Digest::ZERO);
            return Ok(Verified { records, end: chain.end(), digest });
        }
        for record in &page {
            chain.follow(record)?;
            records += 1;
        }
    }
}
