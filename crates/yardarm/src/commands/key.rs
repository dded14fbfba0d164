//! `yardarm key`: access keys of a running server.

use super::output::{Output, Table, print_json};
use super::{Failure, say};
use crate::api::Api;
use clap::{Args, Subcommand};
use http::Method;
use std::process::ExitCode;
use yardarm_wire::native::{AccessKey, CreateAccessKey, CreatedAccessKey, Items, UpdateAccessKey, paths};

#[derive(Args)]
pub(crate) struct KeyArguments {
    #[command(subcommand)]
    command: KeyCommand,
    /// How results look.
    #[arg(long, global = true, default_value = "table")]
    output: Output,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make an access key. Its secret is shown this once.
    Create {
        /// What people call it.
        name: String,
        /// What it is for.
        #[arg(long)]
        description: Option<String>,
    },
    /// List the access keys.
    List,
    /// Accept requests signed with a key again.
    Enable {
        /// The key's id.
        access_key_id: String,
    },
    /// Refuse requests signed with a key, until it is enabled again.
    Disable {
        /// The key's id.
        access_key_id: String,
    },
    /// Remove a key for good.
    Delete {
        /// The key's id.
        access_key_id: String,
    },
}

pub(super) fn run(arguments: &KeyArguments) -> Result<ExitCode, Failure> {
    let api = Api::from_environment()?;
    let output = arguments.output;
    match &arguments.command {
        KeyCommand::Create { name, description } => {
            let body = CreateAccessKey { name: name.clone(), description: description.clone() };
            let created: CreatedAccessKey = api.call(Method::POST, paths::ACCESS_KEYS, Some(&body))?;
            if output == Output::Json {
                print_json(&created)?;
            } else {
                say(format!("Access key id:     {}", created.access_key.access_key_id));
                say(format!("Secret access key: {}", created.secret_access_key));
                say("The secret is not shown again.");
            }
        }
        KeyCommand::List => {
            let keys: Items<AccessKey> = api.call(Method::GET, paths::ACCESS_KEYS, None::<&()>)?;
            if output == Output::Json { print_json(&keys)? } else { print_table(&keys.items) }
        }
        KeyCommand::Enable { access_key_id } => switch(&api, access_key_id, true, output)?,
        KeyCommand::Disable { access_key_id } => switch(&api, access_key_id, false, output)?,
        KeyCommand::Delete { access_key_id } => {
            api.tell(Method::DELETE, &path(access_key_id)?)?;
            if output == Output::Table {
                say(format!("{access_key_id} is removed."));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn switch(api: &Api, id: &str, enabled: bool, output: Output) -> Result<(), Failure> {
    let body = UpdateAccessKey { enabled: Some(enabled), ..UpdateAccessKey::default() };
    let key: AccessKey = api.call(Method::PATCH, &path(id)?, Some(&body))?;
    if output == Output::Json {
        return print_json(&key);
    }
    say(format!("{id} is {}.", if key.enabled { "enabled" } else { "disabled" }));
    Ok(())
}

fn path(id: &str) -> Result<String, Failure> {
    let id: yardarm_domain::AccessKeyId =
        id.parse().map_err(|_| Failure::usage(format!("`{id}` is no access key id")))?;
    Ok(paths::ACCESS_KEY.replace("{accessKeyId}", id.as_str()))
}

fn print_table(keys: &[AccessKey]) {
    let mut table = Table::new(["ACCESS KEY ID", "NAME", "STATE", "CREATED", "DESCRIPTION"]);
    for key in keys {
        let state = if key.enabled { "enabled" } else { "disabled" };
        let created = key.created_at.timestamp().to_string();
        let description = key.description.as_deref().unwrap_or("");
        table.row([key.access_key_id.as_str(), &key.name, state, &created, description]);
    }
    table.print();
}
