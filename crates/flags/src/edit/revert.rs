//! One flag as it was in another version of its document, the others as they are.

use super::{EditError, check};
use crate::diff::diff;
use crate::document::{FlagDocument, FlagKey};

/// Whether the flag means the same in both documents. Stamps do not count.
#[must_use]
pub fn means_the_same(one: &FlagDocument, other: &FlagDocument, flag: &FlagKey) -> bool {
    diff(one, other).iter().all(|difference| difference.flag != *flag)
}

/// `document` with the flag as it is in `earlier`: definition and value, or neither if it was not there.
///
/// # Errors
/// Neither document has the flag; or everything that would be wrong with the document.
pub fn revert_flag(
    document: &FlagDocument,
    earlier: &FlagDocument,
    flag: &FlagKey,
) -> Result<FlagDocument, EditError> {
    let mut reverted = document.clone();
    let had = reverted.flags.remove(flag).is_some() | reverted.values.remove(flag).is_some();
    let (definition, value) = (earlier.flags().get(flag), earlier.values().get(flag));
    if !had && definition.is_none() && value.is_none() {
        return Err(EditError::NoSuchFlag { flag: flag.clone() });
    }
    reverted.flags.extend(definition.map(|definition| (flag.clone(), definition.clone())));
    reverted.values.extend(value.map(|value| (flag.clone(), value.clone())));
    check(&reverted)?;
    Ok(reverted)
}
