//! `yardarm master-key`: rotation.

use super::{Failure, say};
use crate::options::Sources;
use clap::{Args, Subcommand};
use std::process::ExitCode;
use yardarm_client::private_file;
use yardarm_node::{MasterKeys, OsEntropy};

#[derive(Args)]
pub(crate) struct MasterKeyArguments {
    #[command(subcommand)]
    command: MasterKeyCommand,
}

#[derive(Subcommand)]
enum MasterKeyCommand {
    /// Put a new key in front. The server seals its secrets anew at its next start; then the older keys can go.
    Rotate(Box<Sources>),
}

pub(super) fn run(arguments: &MasterKeyArguments) -> Result<ExitCode, Failure> {
    let MasterKeyCommand::Rotate(sources) = &arguments.command;
    let path = sources.resolve()?.master_key_path();
    let shown = path.display();
    let old = std::fs::read_to_string(&path).map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
    MasterKeys::parse(&old).map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
    let new = format!("{}\n{old}", *MasterKeys::generate(&OsEntropy));
    private_file::replace(&path, new.as_bytes())
        .map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
    say(format!("A new master key stands first in {shown}."));
    say("Restart the server: it seals its secrets with the new key. Then remove the older keys below it.");
    Ok(ExitCode::SUCCESS)
}
