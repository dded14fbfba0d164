//! `yardarm config`: what is in force.

use super::{Failure, say};
use crate::environment;
use crate::options::Sources;
use std::process::ExitCode;

pub(super) fn run(sources: &Sources) -> Result<ExitCode, Failure> {
    let mut in_force = sources.resolve()?;
    in_force.master_key_file = in_force.master_key_path();
    let text = toml::to_string(&in_force).map_err(|error| Failure::failed(error.to_string()))?;
    say(text.trim_end());
    for name in [
        "YARDARM_MASTER_KEY",
        "YARDARM_ADMIN_ACCESS_KEY_ID",
        "YARDARM_ADMIN_SECRET_ACCESS_KEY",
        "YARDARM_AGENT_ACCESS_TOKEN",
    ] {
        if environment::variable(name).is_some() {
            say(format!("# {name} is set (hidden)"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
