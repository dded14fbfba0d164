//! A whole server in a runtime of its own, so that it can be killed like a process.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use yardarm_client::{
    Backoff, Credentials, HttpClient, HttpSettings, LiveFlags, LiveSettings, Place, Server,
};
use yardarm_domain::ProfileType;
use yardarm_listen::{Listener, serve};
use yardarm_log::MemoryLog;
use yardarm_node::{Node, NodeConfig};
use yardarm_server::{Authentication, RolloutStreamSettings, ServerSettings, router};
use yardarm_testkit::{ManualClock, Shop, TestNode, account};

/// For a broken server or client only: nothing waits for it otherwise.
const FOR_EVER: Duration = Duration::from_secs(60);

pub(crate) struct Rig {
    pub(crate) shop: Shop,
    pub(crate) clock: ManualClock,
    log: MemoryLog,
    address: SocketAddr,
    settings: ServerSettings,
    runtime: Option<Runtime>,
}

impl Rig {
    /// A server with an application `shop`, an environment `production` and a profile `settings`. It asks nobody who they
    /// are.
    pub(crate) async fn start(kind: ProfileType) -> Self {
        Self::start_with(kind, Authentication::None).await
    }

    pub(crate) async fn start_with(kind: ProfileType, authentication: Authentication) -> Self {
        Self::start_as(kind, ServerSettings { authentication, ..ServerSettings::default() }).await
    }

    pub(crate) async fn start_streaming(rollout_streams: RolloutStreamSettings) -> Self {
        let authentication = Authentication::None;
        let settings = ServerSettings { authentication, rollout_streams, ..ServerSettings::default() };
        Self::start_as(ProfileType::FeatureFlags, settings).await
    }

    async fn start_as(kind: ProfileType, settings: ServerSettings) -> Self {
        let (log, clock) = (MemoryLog::new(), ManualClock::default());
        let (runtime, node, address) = run(&log, &clock, 1, ([127, 0, 0, 1], 0).into(), &settings).await;
        let test = TestNode::start_with(NodeConfig::new(account()), MemoryLog::new(), clock.clone(), 9);
        let test = TestNode { node, ..test.await.unwrap() };
        let shop = Shop::open(&test, kind, vec![]).await.unwrap();
        Self { shop, clock, log, address, settings, runtime: Some(runtime) }
    }

    /// Ends the server as a crash does: connections break, nothing is said to anybody.
    pub(crate) async fn kill(&mut self) {
        self.shop.node.abort();
        let runtime = self.runtime.take().unwrap();
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(FOR_EVER)).await.unwrap();
    }

    /// Starts it again at the same address with what is in its log.
    pub(crate) async fn restart(&mut self) {
        let (runtime, node, _) = run(&self.log, &self.clock, 2, self.address, &self.settings).await;
        self.shop.node = node;
        self.runtime = Some(runtime);
    }

    pub(crate) async fn follow(&self, copies: Option<&Path>) -> LiveFlags {
        self.follow_as(Credentials::None, copies).await
    }

    pub(crate) async fn follow_as(&self, credentials: Credentials, copies: Option<&Path>) -> LiveFlags {
        let settings = LiveSettings { copies: copies.map(Into::into), ..Self::settings() };
        self.start_following(credentials, settings, self.address).await
    }

    /// Follows what is served here by way of `address`.
    pub(crate) async fn follow_with(&self, settings: LiveSettings, address: SocketAddr) -> LiveFlags {
        self.start_following(Credentials::None, settings, address).await
    }

    /// Of followers that do not wait for long.
    pub(crate) fn settings() -> LiveSettings {
        let backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(50));
        LiveSettings { backoff, ..LiveSettings::default() }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    async fn start_following(
        &self,
        credentials: Credentials,
        settings: LiveSettings,
        address: SocketAddr,
    ) -> LiveFlags {
        let http = HttpClient::new(&HttpSettings::default()).unwrap();
        let server = Server::new(http, format!("http://{address}").parse().unwrap(), credentials);
        LiveFlags::start(server, Place::new("shop", "production", "settings"), settings).await
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn run(
    log: &MemoryLog,
    clock: &ManualClock,
    seed: u64,
    address: SocketAddr,
    settings: &ServerSettings,
) -> (Runtime, Node, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (log, clock, settings) = (log.clone(), clock.clone(), settings.clone());
    let started = runtime.spawn(async move {
        let test = TestNode::start_with(NodeConfig::new(account()), log, clock, seed).await.unwrap();
        let listener = Listener::bind(address).await.unwrap();
        let address = listener.address().unwrap();
        let bounds = settings.limits.listen.clone();
        let app = router(test.node.clone(), settings);
        tokio::spawn(async move { serve(listener, app, &bounds, std::future::pending()).await });
        (test.node, address)
    });
    let (node, address) = started.await.unwrap();
    (runtime, node, address)
}

/// Waits until `wanted` is true of what `changes` tells of.
pub(crate) async fn until<T>(mut changes: watch::Receiver<T>, mut wanted: impl FnMut() -> bool) {
    let waiting = async {
        while !wanted() {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(FOR_EVER, waiting).await.expect("what was waited for never came");
}

/// Waits until everybody gets the version `number`.
pub(crate) async fn until_version(flags: &LiveFlags, number: u32) {
    until(flags.watch_changes(), || version(flags, None) == Some(number)).await;
}

/// The number of the version that an entity gets.
pub(crate) fn version(flags: &LiveFlags, entity: Option<&str>) -> Option<u32> {
    flags.version_for(entity).map(|version| version.number())
}
