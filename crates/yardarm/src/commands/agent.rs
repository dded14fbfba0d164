//! `yardarm agent`: the agent alone, next to an application.

use super::{Failure, say};
use crate::agent_log;
use crate::environment;
use crate::signals::Signals;
use clap::Args;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use tokio::sync::watch;
use yardarm_agent::settings::{Host, Origin};
use yardarm_agent::{Agent, Door, Draw, LocalDirectory, Settings, Source, Upstream};
use yardarm_listen::{Bounds, Listener};
use yardarm_node::{Entropy, OsEntropy};

/// The agent reads the variables of the AWS AppConfig agent: HTTP_PORT, POLL_INTERVAL, PREFETCH_LIST and so on. Options
/// come before them.
#[derive(Args)]
pub(crate) struct AgentArguments {
    /// The Yardarm server to ask, instead of AWS AppConfig. YARDARM_URL.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where to listen: localhost, all, an address or a name. HTTP_HOST.
    #[arg(long, value_name = "HOST")]
    http_host: Option<String>,
    /// The port to listen at; 0 takes a free one. HTTP_PORT.
    #[arg(long, value_name = "PORT")]
    http_port: Option<String>,
    /// How often to ask for a configuration: 45, 45s, 5m, 1h. POLL_INTERVAL.
    #[arg(long, value_name = "TIME")]
    poll_interval: Option<String>,
    /// Configurations to fetch at the start: App:Env:Profile,… PREFETCH_LIST.
    #[arg(long, value_name = "LIST")]
    prefetch_list: Option<String>,
    /// The manifest: file:/path or App:Env:Profile. MANIFEST.
    #[arg(long, value_name = "PLACE")]
    manifest: Option<String>,
    /// Where to keep copies for a restart during an outage. BACKUP_DIRECTORY.
    #[arg(long, value_name = "FOLDER")]
    backup_directory: Option<String>,
    /// Read configurations from a folder instead of a server. LOCAL_DEVELOPMENT_DIRECTORY.
    #[arg(long, value_name = "FOLDER")]
    local_development_directory: Option<String>,
    /// Which lines to write: trace, debug, info, warn, error, fatal, none. LOG_LEVEL.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

impl AgentArguments {
    /// What was given for a variable.
    fn given(&self, variable: &str) -> Option<String> {
        match variable {
            "YARDARM_URL" => self.url.clone(),
            "HTTP_HOST" => self.http_host.clone(),
            "HTTP_PORT" => self.http_port.clone(),
            "POLL_INTERVAL" => self.poll_interval.clone(),
            "PREFETCH_LIST" => self.prefetch_list.clone(),
            "MANIFEST" => self.manifest.clone(),
            "BACKUP_DIRECTORY" => self.backup_directory.clone(),
            "LOCAL_DEVELOPMENT_DIRECTORY" => self.local_development_directory.clone(),
            "LOG_LEVEL" => self.log_level.clone(),
            _ => None,
        }
    }
}

pub(super) fn run(arguments: &AgentArguments) -> Result<ExitCode, Failure> {
    let lookup = |name: &str| arguments.given(name).or_else(|| environment::variable(name));
    let settings = Settings::read(&lookup).map_err(|error| Failure::usage(error.to_string()))?;
    agent_log::start(settings.log_level, settings.log_path.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime cannot start: {error}")))?;
    runtime.block_on(serve(settings))
}

async fn serve(settings: Settings) -> Result<ExitCode, Failure> {
    let mut signals = Signals::heed().map_err(|error| Failure::failed(format!("no signals: {error}")))?;
    tracing::info!("Yardarm agent {}", env!("CARGO_PKG_VERSION"));
    // Taken before anything is fetched: a port that is taken is told at once, and early callers wait in the kernel.
    let listeners = bind(&settings.host, settings.port).await?;
    let bounds = Bounds::default();
    let loopback = listeners.iter().all(|(address, _)| address.ip().is_loopback());
    if !loopback && settings.access_token.is_none() {
        tracing::warn!("everybody who reaches this machine can read configurations: set ACCESS_TOKEN");
    }
    if settings.experiment_log.is_some() {
        tracing::warn!("experiments are not served yet: nothing will be recorded of them");
    }
    let starting = async {
        let source = source(settings.origin).await?;
        Agent::start(source, settings.keeping, yardarm_client::system_now, draw())
            .await
            .map_err(|error| Failure::failed(error.to_string()))
    };
    let agent = tokio::select! {
        agent = starting => agent?,
        () = signals.told_to_stop() => return Ok(ExitCode::SUCCESS),
    };
    let door = Door { access_token: settings.access_token, loopback };
    let router = yardarm_agent::router(&agent, door, settings.streams);
    let (stop, stopped) = watch::channel(false);
    let mut serving = tokio::task::JoinSet::new();
    for (address, listener) in listeners {
        tracing::info!("serving on {address}");
        say(format!("Yardarm agent {} serves at http://{address}", env!("CARGO_PKG_VERSION")));
        let (router, bounds, mut stopped) = (router.clone(), bounds.clone(), stopped.clone());
        serving.spawn(async move {
            let stop = async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            yardarm_listen::serve(listener, router, &bounds, stop).await
        });
    }
    signals.told_to_stop().await;
    agent.begin_closing();
    stop.send_replace(true);
    serving.join_all().await;
    Ok(ExitCode::SUCCESS)
}

async fn source(origin: Origin) -> Result<Box<dyn Source>, Failure> {
    match origin {
        Origin::LocalDirectory(folder) => {
            if !folder.is_dir() {
                let text = format!("LOCAL_DEVELOPMENT_DIRECTORY {} is no folder", folder.display());
                return Err(Failure::usage(text));
            }
            tracing::info!("configurations come from {}", folder.display());
            Ok(Box::new(LocalDirectory::new(folder)))
        }
        Origin::Upstream(settings) => {
            let upstream = Upstream::connect(*settings, yardarm_client::system_now, draw()).await;
            let upstream = upstream.map_err(|error| Failure::usage(error.to_string()))?;
            tracing::info!("configurations come from {}", upstream.url());
            Ok(Box::new(upstream))
        }
    }
}

/// The machine's randomness.
pub(super) fn draw() -> Draw {
    Draw::new(|| OsEntropy.number())
}

/// Takes the port on all addresses that `host` stands for.
async fn bind(host: &Host, port: u16) -> Result<Vec<(SocketAddr, Listener)>, Failure> {
    const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    const ALL: [IpAddr; 2] = [IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)];
    match host {
        // A machine without IPv6 has one of them only.
        Host::Loopback => {
            let (address, first) = listen(LOOPBACK[0], port).await?;
            let second = listen(LOOPBACK[1], address.port()).await.ok();
            Ok([(address, first)].into_iter().chain(second).collect())
        }
        // The first takes both versions of IP where there are both.
        Host::All => match listen(ALL[0], port).await {
            Ok(bound) => Ok(vec![bound]),
            Err(_) => Ok(vec![listen(ALL[1], port).await?]),
        },
        Host::Address(address) => Ok(vec![listen(*address, port).await?]),
        Host::Name(name) => {
            let failed = |error: io::Error| Failure::failed(format!("HTTP_HOST {name}: {error}"));
            let mut bound: Vec<(SocketAddr, Listener)> = vec![];
            for address in tokio::net::lookup_host((name.as_str(), port)).await.map_err(failed)? {
                let port = bound.first().map_or(port, |(first, _)| first.port());
                if !bound.iter().any(|(known, _)| known.ip() == address.ip()) {
                    bound.push(listen(address.ip(), port).await?);
                }
            }
            if bound.is_empty() {
                return Err(Failure::failed(format!("HTTP_HOST {name} has no address")));
            }
            Ok(bound)
        }
    }
}

async fn listen(ip: IpAddr, port: u16) -> Result<(SocketAddr, Listener), Failure> {
    let address = SocketAddr::new(ip, port);
    let failed = |error| {
        Failure::failed(format!(
            "cannot listen at {address}: {error}; HTTP_PORT or --http-port names another port"
        ))
    };
    let listener = Listener::bind(address).await.map_err(failed)?;
    let address = listener.address().map_err(|error| Failure::failed(error.to_string()))?;
    Ok((address, listener))
}
