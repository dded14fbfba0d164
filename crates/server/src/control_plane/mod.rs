//! The control plane: every served operation of `appconfig`, one module per noun.
//!
//! A handler checks the members of its request, finds what the path names, has the node carry out a command, and writes
//! down what there is then. Business facts are the domain's; what stands here are conversions, and the quirks of the
//! wire that clients depend on:
//!
//! - A path names things by id or by name; the id comes first.
//! - Constraints of the request's own members are reported before anything is looked up.
//! - An explicit empty description is echoed by the answer to the change that sent it and by no other.

pub(crate) mod applications;
pub(crate) mod configuration_profiles;
pub(crate) mod deployment_strategies;
pub(crate) mod deployments;
pub(crate) mod environments;
pub(crate) mod extension_associations;
pub(crate) mod extensions;
pub(crate) mod hosted_versions;
mod pages;
pub(crate) mod settings;
pub(crate) mod tags;

#[cfg(test)]
mod tests;

pub(crate) use configuration_profiles::type_name;
pub(crate) use extensions::action_point_word;

use crate::arguments::{Arguments, Checked};
use crate::call::Call;
use yardarm_domain::{DeletionProtectionCheck, Description};
use yardarm_wire::{enums, headers};

/// The description of an answer: what is stored, or the empty text that the same request sent to remove it.
fn described(stored: Option<&Description>, sent: Option<&str>) -> Option<String> {
    match (stored, sent) {
        (None, Some("")) => Some(String::new()),
        (stored, _) => stored.map(ToString::to_string),
    }
}

/// The header that says how far a deletion respects recent reads.
pub(crate) fn deletion_protection_check(
    arguments: &mut Arguments,
    call: &Call,
) -> Checked<DeletionProtectionCheck> {
    use enums::DeletionProtectionCheck as Wire;
    let sent = call.header(&headers::X_AMZN_DELETION_PROTECTION_CHECK);
    let check = arguments.optional_word("DeletionProtectionCheck", sent.as_deref(), Wire::WORDS, Wire::parse);
    check.map(|check| match check {
        None | Some(Wire::AccountDefault) => DeletionProtectionCheck::AccountDefault,
        Some(Wire::Apply) => DeletionProtectionCheck::Apply,
        Some(Wire::Bypass) => DeletionProtectionCheck::Bypass,
    })
}
