//! What a path of the native API names, by ids or names.

use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use yardarm_domain::{Application, ConfigurationProfile, Environment, World};

/// The environment of `{application}` and `{environment}`.
pub(super) fn environment<'w>(
    call: &Call,
    world: &'w World,
) -> Result<(&'w Application, &'w Environment), Fault> {
    let application = world.find_application(call.label("application")).or_fault(call)?;
    let environment = application.find_environment(call.label("environment")).or_fault(call)?;
    Ok((application, environment))
}

/// The configuration of `{application}`, `{environment}` and `{profile}`.
pub(super) fn configuration<'w>(
    call: &Call,
    world: &'w World,
) -> Result<(&'w Application, &'w Environment, &'w ConfigurationProfile), Fault> {
    let (application, environment) = environment(call, world)?;
    let profile = application.find_profile(call.label("profile")).or_fault(call)?;
    Ok((application, environment, profile))
}
