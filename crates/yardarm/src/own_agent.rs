//! The agent that the server brings along.

use crate::commands::Failure;
use crate::environment;
use crate::options::{AgentListen, InForce};
use crate::own_server::OwnServer;
use std::net::SocketAddr;
use std::time::Duration;
use yardarm_agent::{Agent, Door, Draw, KeepingSettings, Secret};
use yardarm_listen::Listener;
use yardarm_node::{Entropy, Node, OsEntropy};

/// The agent hears of what is deployed. This is how soon it looks again for what was missing.
const INTERVAL: Duration = Duration::from_secs(1);

/// What callers of the agent must send.
pub(crate) const ACCESS_TOKEN: &str = "YARDARM_AGENT_ACCESS_TOKEN";

/// The agent, at its port.
pub(crate) struct OwnAgent {
    pub(crate) listener: Listener,
    pub(crate) address: SocketAddr,
    pub(crate) router: yardarm_agent::Router,
    /// Ends when it is dropped.
    pub(crate) agent: Agent,
}

/// Starts the agent. `None`: it is switched off, or its usual port is taken and nobody has asked for it by name.
pub(crate) async fn start(node: &Node, options: &InForce) -> Result<Option<OwnAgent>, Failure> {
    let (wanted, if_free) = match options.agent_listen {
        AgentListen::Off => return Ok(None),
        AgentListen::IfFree(address) => (address, true),
        AgentListen::At(address) => (address, false),
    };
    let listener = match Listener::bind(wanted).await {
        Ok(listener) => listener,
        Err(error) if if_free => {
            tracing::warn!(
                "the agent is not served: {wanted}: {error}. Another agent may be there; \
                 --agent-listen names another address, or `off`"
            );
            return Ok(None);
        }
        Err(error) => {
            let text = format!("cannot listen at {wanted} for the agent: {error}; see --agent-listen");
            return Err(Failure::failed(text));
        }
    };
    let address = listener.address().map_err(|error| Failure::failed(error.to_string()))?;
    let settings = KeepingSettings { poll_interval: INTERVAL, ..KeepingSettings::default() };
    let draw = Draw::new(|| OsEntropy.number());
    let source = Box::new(OwnServer(node.clone()));
    let agent = Agent::start(source, settings, yardarm_client::system_now, draw);
    let agent = agent.await.map_err(|error| Failure::failed(error.to_string()))?;
    let access_token = environment::variable(ACCESS_TOKEN).map(Secret::from);
    let door = Door { access_token, loopback: address.ip().is_loopback() };
    let router = yardarm_agent::router(&agent, door, options.streams());
    Ok(Some(OwnAgent { listener, address, router, agent }))
}
