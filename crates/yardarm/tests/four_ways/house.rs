//! A server and an agent before it, in this process.

use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use yardarm_agent::settings::Origin;
use yardarm_agent::{Agent, Door, Draw, Settings, StreamSettings, Upstream};
use yardarm_client::{Credentials, HttpClient, HttpSettings, LiveFlags, LiveSettings, Place, Server};
use yardarm_domain::{ProfileType, StrategyId};
use yardarm_listen::{Bounds, Listener, Router, serve};
use yardarm_server::{Authentication, ServerSettings};
use yardarm_testkit::TestNode;

pub(crate) struct House {
    test: TestNode,
    pub(crate) http: HttpClient,
    /// Where the server is.
    pub(crate) server: String,
    /// Where the agent is.
    pub(crate) agent: String,
    /// Ends with the house.
    _agent: Agent,
    at_once: StrategyId,
    half: StrategyId,
    stop: watch::Sender<bool>,
    serving: JoinSet<bool>,
}

/// An application with one flag configuration.
pub(crate) struct Shop {
    pub(crate) name: String,
    /// Whether nothing is on its way.
    pub(crate) settled: bool,
    pub(crate) flags: Arc<LiveFlags>,
}

impl House {
    pub(crate) async fn open() -> Self {
        let test = TestNode::start().await.unwrap();
        let any = open_shop("any", &test).await;
        let at_once = any.strategy(0, 0, 100).await.unwrap();
        let half = any.strategy(600, 600, 50).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let mut serving = JoinSet::new();
        let settings = ServerSettings { authentication: Authentication::None, ..ServerSettings::default() };
        let router = yardarm_server::router(test.node.clone(), settings);
        let server = open_door(router, stopped.clone(), &mut serving).await;

        let told = |name: &str| (name == "YARDARM_URL").then(|| server.clone());
        let settings = Settings::read(&told).unwrap();
        let Origin::Upstream(upstream) = settings.origin else { panic!("an agent without an upstream") };
        let (now, draw) = (yardarm_client::system_now, Draw::new(|| 7));
        let upstream = Upstream::connect(*upstream, now, draw.clone()).await.unwrap();
        let agent = Agent::start(Box::new(upstream), settings.keeping, now, draw).await.unwrap();
        let door = Door { access_token: None, loopback: true };
        let address =
            open_door(yardarm_agent::router(&agent, door, StreamSettings::default()), stopped, &mut serving)
                .await;
        let http = HttpClient::new(&HttpSettings::default()).unwrap();
        Self { test, http, server, agent: address, _agent: agent, at_once, half, stop, serving }
    }

    /// An application in which `content` is deployed: to everybody, or to some while the others have `before`.
    pub(crate) async fn shop(&self, name: &str, before: Option<&str>, content: &str) -> Shop {
        let shop = open_shop(name, &self.test).await;
        if let Some(before) = before {
            shop.store(before, None).await.unwrap();
            shop.deploy(&self.at_once).await.unwrap();
        }
        let (label, strategy) = before.map_or((None, &self.at_once), |_| (Some("on its way"), &self.half));
        shop.store(content, label).await.unwrap();
        shop.deploy(strategy).await.unwrap();
        if before.is_some() {
            self.let_half_have_it(name).await;
        }
        let server = Server::new(self.http.clone(), self.server.parse().unwrap(), Credentials::None);
        let place = Place::new(name, "production", "settings");
        let flags = LiveFlags::start(server, place, LiveSettings::default()).await;
        assert!(flags.settled(Duration::from_secs(60)).await, "{:?}", flags.freshness());
        Shop { name: name.into(), settled: before.is_none(), flags: Arc::new(flags) }
    }

    /// Lets the first of two steps of a deployment be due, and waits for it.
    async fn let_half_have_it(&self, name: &str) {
        let node = &self.test.node;
        let address = node.address(name, "production", "settings").unwrap();
        let mut changes = node.subscribe(&address);
        self.test.clock.advance(SignedDuration::from_secs(300));
        while node.served(&address).unwrap().candidate().unwrap().exposure.percent() < 50.0 {
            changes.changed().await.unwrap();
        }
    }

    pub(crate) async fn close(mut self) {
        self.test.node.begin_closing();
        self.stop.send_replace(true);
        while self.serving.join_next().await.is_some() {}
    }
}

impl Shop {
    pub(crate) async fn close(self) {
        self.flags.close().await;
    }
}

async fn open_shop(name: &str, test: &TestNode) -> yardarm_testkit::Shop {
    yardarm_testkit::Shop::open_as(name, test, ProfileType::FeatureFlags, vec![]).await.unwrap()
}

/// Answers where it is.
async fn open_door(
    router: Router,
    mut stopped: watch::Receiver<bool>,
    serving: &mut JoinSet<bool>,
) -> String {
    let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let url = format!("http://{}", listener.address().unwrap());
    serving.spawn(async move {
        let stop = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
        serve(listener, router, &Bounds::default(), stop).await
    });
    url
}
