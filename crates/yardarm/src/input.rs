//! Reading what a command is given: a file, or standard input.

use crate::commands::Failure;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The bytes of the file, or of standard input for `-`; at most one more than `limit`, so that too many are noticed.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let told = |error: io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(told)?;
    Ok(bytes)
}
