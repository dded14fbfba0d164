//! `yardarm token`: bearer tokens of a running server.

use super::output::{Output, Table, print_json};
use super::{Failure, say};
use crate::api::Api;
use crate::lifetime;
use clap::{Args, Subcommand, ValueEnum};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use std::process::ExitCode;
use yardarm_node::{Clock, SystemClock};
use yardarm_wire::native::{BearerToken, CreateBearerToken, CreatedBearerToken, Items, TokenScope, paths};

#[derive(Args)]
pub(crate) struct TokenArguments {
    #[command(subcommand)]
    command: TokenCommand,
    /// How results look.
    #[arg(long, global = true, default_value = "table")]
    output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scope {
    /// Evaluating flags over OFREP, and hearing when they change.
    Evaluate,
    /// That, and reading deployed configuration.
    Read,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a bearer token for one environment. It is shown this once.
    Create {
        /// What people call it.
        name: String,
        /// Id or name of the application.
        #[arg(long, short, env = "YARDARM_APPLICATION")]
        application: String,
        /// Id or name of the environment.
        #[arg(long, short, env = "YARDARM_ENVIRONMENT")]
        environment: String,
        /// What it is good for.
        #[arg(long, default_value = "evaluate")]
        scope: Scope,
        /// How long it is accepted: a number with s, m, h or d, as in 90d. For ever if left out.
        #[arg(long)]
        expires_in: Option<String>,
        /// What it is for.
        #[arg(long)]
        description: Option<String>,
    },
    /// List the bearer tokens.
    List,
    /// Have a token accepted no longer, for good.
    Revoke {
        /// The token's id: the twelve characters after `ydm_`.
        token_id: String,
    },
}

pub(super) fn run(arguments: &TokenArguments) -> Result<ExitCode, Failure> {
    let output = arguments.output;
    match &arguments.command {
        TokenCommand::Create { name, application, environment, scope, expires_in, description } => {
            let expires_at = expires_in.as_deref().map(|text| expiry(text, SystemClock.now())).transpose()?;
            let body = CreateBearerToken {
                name: name.clone(),
                description: description.clone(),
                application: application.clone(),
                environment: environment.clone(),
                scope: match scope {
                    Scope::Evaluate => TokenScope::Evaluate,
                    Scope::Read => TokenScope::Read,
                },
                expires_at: expires_at.map(Into::into),
            };
            let api = Api::from_environment()?;
            let created: CreatedBearerToken = api.call(Method::POST, paths::TOKENS, Some(&body))?;
            if output == Output::Json {
                print_json(&created)?;
            } else {
                say(format!("Token id:  {}", created.bearer_token.token_id));
                say(format!("Token:     {}", created.token));
                say("The token is not shown again.");
            }
        }
        TokenCommand::List => {
            let api = Api::from_environment()?;
            let tokens: Items<BearerToken> = api.call(Method::GET, paths::TOKENS, None::<&()>)?;
            if output == Output::Json { print_json(&tokens)? } else { print_table(&tokens.items) }
        }
        TokenCommand::Revoke { token_id } => {
            let id: yardarm_domain::BearerTokenId =
                token_id.parse().map_err(|_| Failure::usage(format!("`{token_id}` is no token id")))?;
            let api = Api::from_environment()?;
            api.tell(Method::DELETE, &paths::TOKEN.replace("{tokenId}", id.as_str()))?;
            if output == Output::Table {
                say(format!("{id} is revoked."));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The time that lies `text` after `now`.
fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let bad =
        || Failure::usage(format!("--expires-in is a number with s, m, h or d, as in 90d, not `{text}`"));
    let seconds = lifetime::seconds(text).filter(|seconds| *seconds > 0);
    let lifetime = SignedDuration::from_secs(seconds.ok_or_else(bad)?);
    now.checked_add(lifetime).map_err(|_| bad())
}

fn print_table(tokens: &[BearerToken]) {
    let head = ["TOKEN ID", "NAME", "APPLICATION", "ENVIRONMENT", "SCOPE", "EXPIRES", "DESCRIPTION"];
    let mut table = Table::new(head);
    for token in tokens {
        let expires = match token.expires_at {
            Some(_) if token.expired => "expired".to_owned(),
            Some(at) => at.timestamp().to_string(),
            None => "never".to_owned(),
        };
        table.row([
            token.token_id.as_str(),
            &token.name,
            &token.application_id,
            &token.environment_id,
            token.scope.as_str(),
            &expires,
            token.description.as_deref().unwrap_or(""),
        ]);
    }
    table.print();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_number_with_a_unit() {
        let now = Timestamp::from_second(1_000).unwrap();
        for (text, second) in [("1s", 1_001), ("2m", 1_120), ("1h", 4_600), ("1d", 87_400)] {
            assert_eq!(expiry(text, now).unwrap().as_second(), second, "{text}");
        }
        for bad in ["", "d", "0d", "-1d", "1", "1w", "1.5h", "9999999999d", "4000000000d", "1ä"] {
            assert_eq!(expiry(bad, now).unwrap_err().exit_code(), 2, "{bad}");
        }
    }
}
