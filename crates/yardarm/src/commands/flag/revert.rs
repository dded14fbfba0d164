//! `yardarm flag revert`.

use super::super::output::{Output, print_json};
use super::super::{Failure, say};
use crate::control_plane::ControlPlane;
use crate::options::{EnvironmentOption, Target};
use yardarm_flags::document::FlagKey;
use yardarm_wire::native::RevertFlag;

/// A flag to bring back to what it was.
pub(super) struct Revert<'a> {
    pub(super) flag: &'a FlagKey,
    pub(super) to: Option<u32>,
    pub(super) reason: Option<&'a str>,
    pub(super) strategy: Option<&'a str>,
    pub(super) environment: &'a EnvironmentOption,
    pub(super) target: &'a Target,
    pub(super) output: Output,
}

impl Revert<'_> {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let plane = ControlPlane::from_environment()?;
        let profile = plane.profile(self.target)?;
        let environment = plane.environment(&profile, self.environment.get())?;
        let strategy = self.strategy.filter(|strategy| !strategy.is_empty()).map(str::to_owned);
        let wanted = RevertFlag { to_version: self.to, strategy };
        let reverted = plane.revert_flag(&profile, &environment, self.flag, &wanted, self.reason)?;
        if self.output == Output::Json {
            return print_json(&reverted);
        }
        let name = &environment.name;
        say(format!(
            "{} is as in version {} again: version {}.",
            self.flag, reverted.as_in_version, reverted.version
        ));
        say(format!("Deployment {} to {name}: {}.", reverted.deployment, reverted.state));
        Ok(())
    }
}
