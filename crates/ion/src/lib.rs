//! Flags as Amazon Ion: the form agents receive, with rules in it.
//!
//! - [`write()`] makes it from a document: binary, with the symbols of the document only, which every reader understands.
//! - [`read()`] takes both encodings, text and binary, with or without the names of variants as annotations, and with
//!   the two shared symbol tables of the vendor's service as far as they are known.
//! - [`has_variants`] says whether a document is served so at all.
//!
//! A flag without variants is a string of its content, a flag with variants a list of pairs of a rule and a content,
//! ended by the content of the default; each is annotated with the flag's key. Rules travel as Ion values, and between
//! those and the evaluator stands the tree that rules are read to anyway, so a rule means the same however it came.
//!
//! **Invariants:** pure. Reading is bounded in size and depth and panics on nothing, for its bytes come from outside:
//! that is why the readers are our own, and why the library for Ion only judges them in tests (see the decision record
//! in the book). What cannot be understood as a whole is refused as a whole.

mod binary;
mod layout;
mod shared;
mod symbols;
mod text;
mod time;
mod write;

pub use layout::{BinaryFault, FlagFault, ReadError, VariantFault};
pub use write::{has_variants, write};

use std::collections::BTreeMap;

use yardarm_flags::document::{FlagKey, MAX_DOCUMENT_BYTES, Setting};
use yardarm_flags::rule::MAX_DEPTH;

/// Most bytes that are read: a document may grow a little on its way, its names being repeated in the contents.
pub const MAX_BYTES: usize = 2 * MAX_DOCUMENT_BYTES;

/// Deepest nesting: a rule in a pair in a list.
const MAX_ION_DEPTH: usize = MAX_DEPTH + 2;

/// What binary Ion 1.0 begins with.
const VERSION_MARKER: [u8; 4] = [0xE0, 0x01, 0x00, 0xEA];

/// Reads flags, ready for [`CompiledFlags::from_settings`](yardarm_flags::CompiledFlags::from_settings). Of two flags
/// with one key the last one counts.
///
/// # Errors
/// [`ReadError`]: the first thing that is wrong.
pub fn read(bytes: &[u8]) -> Result<BTreeMap<FlagKey, Setting>, ReadError> {
    if bytes.len() > MAX_BYTES {
        return Err(ReadError::TooLarge { limit: MAX_BYTES, size: bytes.len() });
    }
    let values = if bytes.starts_with(&VERSION_MARKER) { binary::read(bytes)? } else { text::read(bytes)? };
    layout::settings(values)
}
