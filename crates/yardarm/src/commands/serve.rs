//! `yardarm serve`: the server.

use super::{Failure, say};
use crate::environment;
use crate::files;
use crate::options::{InForce, LogFormat, Sources};
use crate::own_agent::{self, OwnAgent};
use crate::signals::Signals;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;
use yardarm_alarms::{CloudWatchKeys, HttpSources};
use yardarm_domain::{Name, Refusal};
use yardarm_listen::{Bounds, Listener};
use yardarm_log::{Log, SqliteLog};
use yardarm_node::{Cause, Error, NewAccessKey, Node, OsEntropy, SystemClock};
use yardarm_outbound::{Outbound, Policy, Settings};
use yardarm_server::{HttpOutside, router};

pub(super) fn run(sources: &Sources) -> Result<ExitCode, Failure> {
    let options = sources.resolve()?;
    start_log(&options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime cannot start: {error}")))?;
    runtime.block_on(serve(&options))
}

fn start_log(options: &InForce) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&options.log_level)
        .map_err(|error| Failure::usage(format!("--log-level `{}`: {error}", options.log_level)))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match options.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::failed(error.to_string()))
}

async fn serve(options: &InForce) -> Result<ExitCode, Failure> {
    // Before anything else: a signal that comes while the server starts stops it in good order too.
    let mut signals = Signals::heed().map_err(|error| Failure::failed(format!("no signals: {error}")))?;
    let keys = files::master_keys(options)?;
    files::make_folder(&options.data)?;
    let path = options.database();
    let shown = path.display().to_string();
    let store = SqliteLog::open(&path).map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
    let store = Arc::new(store);
    let log: Arc<dyn Log> = store.clone();
    let node = Node::start(options.node()?, log, Arc::new(SystemClock), Arc::new(OsEntropy), keys)
        .await
        .map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
    call_outside(&node, options)?;
    node.watch_alarms(Arc::new(alarm_sources(options)?), options.alarms());
    let administrator = first_administrator(&node, options).await?;
    let listener = Listener::bind(options.listen)
        .await
        .map_err(|error| Failure::failed(format!("cannot listen at {}: {error}", options.listen)))?;
    let address = listener.address().map_err(|error| Failure::failed(error.to_string()))?;
    let settings = options.server()?;
    let bounds = settings.limits.listen.clone();
    let own_agent = own_agent::start(&node, options).await?;
    let agent_url = own_agent.as_ref().map(|agent| format!("http://{}", agent.address));
    welcome(options, &format!("http://{address}"), agent_url.as_deref(), administrator.as_ref());
    tracing::info!(%address, seq = node.view().seq.0, "serving");

    let (stopping, stopped) = watch::channel(());
    let stop = async {
        signals.told_to_stop().await;
        node.begin_closing();
        drop(stopping);
    };
    let serving = yardarm_listen::serve(listener, router(node.clone(), settings), &bounds, stop);
    let (drained, ()) = tokio::join!(serving, serve_agent(own_agent, &bounds, stopped));
    if !drained {
        tracing::warn!("requests under way were cut off");
    }
    node.close().await;
    store.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Lets the node call extensions and functions.
fn call_outside(node: &Node, options: &InForce) -> Result<(), Failure> {
    let outbound = |policy| {
        let made = Outbound::new(&Settings::new(policy));
        made.map_err(|error| Failure::failed(format!("no calls to the outside: {error}")))
    };
    let users = outbound(options.call_policy()?)?;
    let operators = outbound(Policy::internal())?;
    let account = node.config().account.clone();
    let outside = HttpOutside::new(account, options.outside()?, users, operators);
    node.call_outside(Arc::new(outside), options.retries());
    Ok(())
}

/// Whom alarms are asked of. CloudWatch only with the usual AWS credential variables.
fn alarm_sources(options: &InForce) -> Result<HttpSources, Failure> {
    let id = environment::variable("AWS_ACCESS_KEY_ID");
    let secret = environment::secret("AWS_SECRET_ACCESS_KEY");
    let keys = id.zip(secret).map(|(access_key_id, secret_access_key)| CloudWatchKeys {
        access_key_id,
        secret_access_key,
        session_token: environment::secret("AWS_SESSION_TOKEN"),
    });
    if options.cloudwatch_alarms && keys.is_none() {
        let text = "--cloudwatch-alarms needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
        return Err(Failure::usage(text));
    }
    let endpoint = (!options.cloudwatch_endpoint.is_empty()).then(|| options.cloudwatch_endpoint.clone());
    HttpSources::new(keys, endpoint, Arc::new(SystemClock))
        .map_err(|error| Failure::failed(format!("alarms cannot be watched: {error}")))
}

/// Serves the agent until `stopped` is closed.
async fn serve_agent(agent: Option<OwnAgent>, bounds: &Bounds, mut stopped: watch::Receiver<()>) {
    let Some(OwnAgent { listener, router, agent, .. }) = agent else { return };
    let stop = async {
        while stopped.changed().await.is_ok() {}
        agent.begin_closing();
    };
    yardarm_listen::serve(listener, router, bounds, stop).await;
    drop(agent);
}

/// The first access key of an empty store: given in the environment, or made up. Not needed in development mode.
async fn first_administrator(node: &Node, options: &InForce) -> Result<Option<NewAccessKey>, Failure> {
    if !node.view().world.access_keys().is_empty() {
        return Ok(None);
    }
    let id = environment::variable("YARDARM_ADMIN_ACCESS_KEY_ID");
    let secret = environment::secret("YARDARM_ADMIN_SECRET_ACCESS_KEY");
    let id = match (&id, &secret) {
        (Some(id), Some(_)) => {
            let bad =
                || Failure::usage("YARDARM_ADMIN_ACCESS_KEY_ID has 4 to 128 letters, digits, `_` or `-`");
            Some(id.parse().map_err(|_| bad())?)
        }
        (None, None) if options.dev => return Ok(None),
        (None, None) => None,
        _ => {
            let text = "YARDARM_ADMIN_ACCESS_KEY_ID and YARDARM_ADMIN_SECRET_ACCESS_KEY go together";
            return Err(Failure::usage(text));
        }
    };
    let given = id.is_some();
    let name: Name =
        "administrator".parse().map_err(|_| Failure::failed("no name for the first access key"))?;
    match node.create_access_key(id, secret, name, None, Cause::node("first administrator")).await {
        Ok(made) => Ok((!given).then_some(made)),
        // Another node was first.
        Err(Error::Refused(Refusal::AccessKeyTaken(_))) => Ok(None),
        Err(error) => Err(Failure::failed(format!("no first access key: {error}"))),
    }
}

/// Tells a person what is there and how to use it.
fn welcome(options: &InForce, url: &str, agent: Option<&str>, administrator: Option<&NewAccessKey>) {
    let (id, secret) = match administrator {
        Some(made) => (made.id.as_str(), made.secret.as_str()),
        None if options.dev => ("yardarm", "yardarm-dev-secret"),
        None => ("…", "…"),
    };
    say(format!("Yardarm {} serves AWS AppConfig at {url}", env!("CARGO_PKG_VERSION")));
    say(format!("  OpenFeature        {url}/ofrep/v1"));
    if let Some(agent) = agent {
        say(format!("  agent              {agent}"));
    }
    say(format!("  store              {}", options.database().display()));
    if administrator.is_some() {
        say("  The first access key. Its secret is not shown again:");
    }
    if administrator.is_some() || options.dev {
        say(format!("  access key id      {id}"));
        say(format!("  secret access key  {secret}"));
    }
    say("  try it with boto3:");
    say(format!(
        "    python3 -c \"import boto3; print(boto3.client('appconfig', endpoint_url='{url}', region_name='{}', \
         aws_access_key_id='{id}', aws_secret_access_key='{secret}').list_deployment_strategies()['Items'])\"",
        options.region
    ));
}
