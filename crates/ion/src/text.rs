//! From Ion text to the tree that rules are read to: by the reader of rules, which is bounded.

use yardarm_flags::json_position::position_at;
use yardarm_flags::rule::{Node, NodeKind, read_values};

use crate::MAX_ION_DEPTH;
use crate::layout::ReadError;

/// What text may begin with.
const VERSION: &str = "ion_1_0";

/// All values of a text.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Node>, ReadError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ReadError::NeitherTextNorBinary { at: error.valid_up_to() })?;
    let reading = read_values(text, MAX_ION_DEPTH);
    if let Some(wrong) = reading.diagnostics.first() {
        return Err(ReadError::Text { message: wrong.to_string(), at: position_at(text, wrong.span.start) });
    }
    let version = |node: &Node| matches!(&node.kind, NodeKind::Context(key) if &**key == VERSION);
    Ok(reading.nodes.into_iter().filter(|node| !version(node)).collect())
}
