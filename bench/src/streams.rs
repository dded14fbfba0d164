//! Streams of rollouts against a bare axum fan-out of shared bytes: how soon the last client is told, and what a stream takes.

use crate::api::{Api, Maker, Unsigned};
use crate::lab::Lab;
use crate::listeners::Listeners;
use crate::process::{Server, free_address, pin};
use crate::report::{Section, Verdict};
use crate::spread::{Spread, milliseconds};
use anyhow::{Context, ensure};
use http::Method;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

/// How many clients listen.
const SIZES: [usize; 3] = [1_000, 5_000, 10_000];

/// Before them, so that memory and code that every server needs once is there.
const FIRST: usize = 100;

const METHOD: &str = "\
One server at a time on one core, all clients on the other, driven by one thread: each holds a stream open, and hears of \
every change. The bare server (`src/bin/bare-streams.rs`) sends all who listen the same bytes, those of Yardarm's own event. Yardarm runs \
with its defaults, durable log included, but lets in any number of streams at once. \
*stop*: a deployment grows and everybody has both versions; the clock runs from the write of `StopDeployment`, signed, to each client having read the event that \
takes it back, so it holds the decision and the commit. *alarm*: the same from the write of the alarm's `PUT …/state`. *bare*: from \
the write of the post that publishes. Each round tells all clients; p50 and p99 are over clients and rounds, *last* is least / \
**median** / most of the rounds' last clients. \
Memory is resident memory with all streams open after the rounds, less that with 100, for each of the rest.

Reconnecting: 10,000 streams, `--rollout-streams-per-second` at its default of 1,000; the server is killed and started again at \
the same address. Every client comes back when the `retry` field or `Retry-After` told it to, or after a drawn, doubling wait if \
nobody was there.";

/// A server whose clients are told something.
struct Contender {
    name: &'static str,
    server: Server,
    request: Vec<u8>,
}

/// What was measured of one way to tell everybody.
#[derive(Default)]
struct Told {
    all: Vec<f64>,
    last: Vec<f64>,
}

impl Told {
    fn round(&mut self, took: &[Duration]) {
        let took: Vec<f64> = took.iter().copied().map(milliseconds).collect();
        self.last.push(took.iter().copied().fold(0.0, f64::max));
        self.all.extend(took);
    }

    fn last(&self) -> Spread {
        self.last.iter().copied().collect()
    }

    /// What at most this share of clients took longer than.
    fn at(&mut self, quantile: f64) -> f64 {
        self.all.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "counts of clients"
        )]
        let at = ((self.all.len() as f64 * quantile) as usize).min(self.all.len().saturating_sub(1));
        self.all.get(at).copied().unwrap_or(0.0)
    }
}

/// Measures streams.
pub(crate) fn measure(lab: &Lab) -> anyhow::Result<Section> {
    pin(lab.load_core)?;
    let mut section = Section {
        title: "Streams",
        method: METHOD.into(),
        columns: vec!["streams", "what", "p50 ms", "p99 ms", "last ms", "KiB a stream", "all MiB"],
        rows: vec![],
        verdicts: vec![],
    };
    for size in SIZES {
        let (mut bare, bare_memory) = bare(lab, size, &example())?;
        let (mut stop, mut alarm, memory) = yardarm(lab, size)?;
        let limit = bare.last().median();
        for (what, told, memory) in [
            ("bare", &mut bare, Some(bare_memory)),
            ("Yardarm, stop", &mut stop, Some(memory)),
            ("Yardarm, alarm", &mut alarm, None),
        ] {
            let (each, all) = memory.map_or((String::new(), String::new()), |memory| {
                (format!("{:.1}", memory.each_kib), format!("{:.0}", memory.all_mib))
            });
            let (p50, p99) = (told.at(0.5), told.at(0.99));
            let cells = [format!("{p50:.1}"), format!("{p99:.1}"), format!("{:.1}", told.last()), each, all];
            section.rows.push([size.to_string(), what.into()].into_iter().chain(cells).collect());
            if what != "bare" {
                let claim = format!("{size} streams: last client told, {what}, against bare axum");
                section.verdicts.push(Verdict::at_most(claim, 1.2, "×", told.last().median() / limit));
            }
        }
        let claim = format!("{size} streams: memory of one");
        section.verdicts.push(Verdict::at_most(claim, 12.0, " KiB", memory.each_kib));
        if size == 10_000 {
            section.verdicts.push(Verdict::at_most("10,000 streams: memory", 130.0, " MiB", memory.all_mib));
        }
    }
    reconnect(lab, &mut section)?;
    Ok(section)
}

#[derive(Clone, Copy)]
struct Memory {
    each_kib: f64,
    all_mib: f64,
}

impl Memory {
    #[expect(clippy::cast_precision_loss, reason = "sizes of processes")]
    fn of(first: u64, all: u64, streams: usize) -> Self {
        let each = all.saturating_sub(first) as f64 / (streams - FIRST) as f64;
        Self { each_kib: each / 1_024.0, all_mib: all as f64 / 1_048_576.0 }
    }
}

/// The event of a rollback, as Yardarm tells it.
fn example() -> Vec<u8> {
    let state = json!({
        "type": "AWS.AppConfig.FeatureFlags", "seq": 123_456,
        "stable": {"version": 1, "contentType": "application/json", "sha256": "0".repeat(64)},
    });
    format!("id: \"1-0123456789abcdef\"\ndata: {state}\n\n").into_bytes()
}

fn bare(lab: &Lab, size: usize, event: &[u8]) -> anyhow::Result<(Told, Memory)> {
    let address = free_address()?;
    let mut command = Command::new(&lab.bare_streams);
    command.args(["--listen", &address.to_string()]);
    let mut server = Server::start(command, address, Some(lab.server_core), &lab.folder.join("bare.log"))?;
    server.ready()?;
    let publish = {
        let mut request =
            format!("POST /publish HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n", event.len())
                .into_bytes();
        request.extend_from_slice(event);
        request
    };
    // What there is, for those who come.
    ensure!(Api::connect(address)?.send(&publish)?.head.status == 200, "the bare server does not publish");
    let request = format!("GET /stream HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\r\n");
    let contender = Contender { name: "bare", server, request: request.into_bytes() };
    let (mut listeners, first) = contender.open(size)?;
    let mut told = Told::default();
    for round in 0..=lab.rounds {
        let took = tell(&mut listeners, address, &publish)?;
        // The first round warms everything up.
        if round > 0 {
            told.round(&took);
        }
    }
    let memory = Memory::of(first, contender.server.resident_bytes()?, size);
    drop(listeners);
    contender.server.stop()?;
    Ok((told, memory))
}

impl Contender {
    /// Opens as many streams. Answers them, and the memory that was resident with the first of them.
    fn open(&self, size: usize) -> anyhow::Result<(Listeners, u64)> {
        let address = self.server.address();
        let few = Listeners::open(address, self.request.clone(), FIRST, 1)
            .with_context(|| format!("{} takes no streams", self.name))?;
        let first = self.server.resident_bytes()?;
        drop(few);
        Ok((Listeners::open(address, self.request.clone(), size, 1)?, first))
    }
}

/// Sends `request` and waits until everybody has heard one more event. Answers how long that took for each.
fn tell(listeners: &mut Listeners, address: SocketAddr, request: &[u8]) -> anyhow::Result<Vec<Duration>> {
    listeners.reset();
    let mut api = Api::connect(address)?;
    let since = Instant::now();
    api.write(request)?;
    let took = listeners.until_told(1, since)?;
    let answer = api.read()?;
    ensure!(answer.head.status < 300, "{}", String::from_utf8_lossy(&answer.bytes));
    Ok(took)
}

/// A Yardarm with a deployment to take back.
struct Shop {
    contender: Contender,
    place: Value,
    strategy: String,
}

const ALARM: &str = "errors";

impl Shop {
    fn open(lab: &Lab, options: &[&str]) -> anyhow::Result<Self> {
        let data = lab.empty_folder("streams")?;
        let mut server = lab.yardarm(&data, options, Some(lab.server_core))?;
        server.ready()?;
        let address = server.address();
        let mut api = Api::connect(address)?;
        let place = api.deploy_as("AWS.AppConfig.FeatureFlags", &document(1))?;
        let strategy = json!({ "name": "slowly", "durationSeconds": 86_400, "growthFactor": 1 });
        let strategy = api.post("/yardarm/v1/deployment-strategies", &strategy)?.text("id")?;
        let put = |path: String, body: Value| (path, body.to_string());
        let alarm = put(format!("/yardarm/v1/alarms/{ALARM}"), json!({ "source": "pushed" }));
        api.call(&json_request(&Method::PUT, &alarm.0, alarm.1.as_bytes()))?;
        let shop =
            Self { contender: Contender { name: "Yardarm", server, request: vec![] }, place, strategy };
        let environment = shop.environment();
        let monitors = json!({ "Monitors": [{ "AlarmArn": ALARM }] }).to_string();
        api.call(&json_request(&Method::PATCH, &environment, monitors.as_bytes()))?;
        let versions = format!(
            "/applications/{}/configurationprofiles/{}/hostedconfigurationversions",
            shop.id("Application"),
            shop.id("ConfigurationProfile")
        );
        api.call(&json_request(&Method::POST, &versions, &document(2)))?;
        let token =
            json!({ "name": "bench", "application": "shop", "environment": "production", "scope": "read" });
        let token = api.post("/yardarm/v1/tokens", &token)?.text("token")?;
        let request = format!(
            "GET /yardarm/v1/applications/shop/environments/production/configurations/settings/rollout HTTP/1.1\r\n\
             host: {address}\r\naccept: text/event-stream\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        let Self { contender: Contender { name, server, .. }, place, strategy } = shop;
        let contender = Contender { name, server, request: request.into_bytes() };
        Ok(Self { contender, place, strategy })
    }

    fn id(&self, of: &str) -> &str {
        let member = format!("{of}Identifier");
        self.place.get(&member).and_then(Value::as_str).unwrap_or_default()
    }

    fn environment(&self) -> String {
        format!("/applications/{}/environments/{}", self.id("Application"), self.id("Environment"))
    }

    fn api(&self) -> anyhow::Result<Api> {
        Api::connect(self.contender.server.address())
    }

    /// Says what the alarm says.
    fn say(&self, state: &str) -> anyhow::Result<Vec<u8>> {
        let (path, body) =
            (format!("/yardarm/v1/alarms/{ALARM}/state"), json!({ "state": state }).to_string());
        self.maker().bytes(&json_request(&Method::PUT, &path, body.as_bytes()))
    }

    fn maker(&self) -> Maker {
        Maker::new(self.contender.server.address())
    }

    /// Starts a deployment and waits until everybody has heard of it. Answers how to take it back.
    fn start(&self, listeners: &mut Listeners) -> anyhow::Result<Vec<u8>> {
        let mut api = self.api()?;
        ensure!(api.send(&self.say("OK")?)?.head.status == 200, "the alarm cannot be set");
        listeners.reset();
        let since = Instant::now();
        let deployment = json!({
            "ConfigurationProfileId": self.id("ConfigurationProfile"),
            "ConfigurationVersion": "2",
            "DeploymentStrategyId": self.strategy,
        });
        let deployments = format!("{}/deployments", self.environment());
        let started = api.post(&deployments, &deployment)?;
        let number = serde_json::from_slice::<Value>(started.body())?;
        let number = number.get("DeploymentNumber").and_then(Value::as_u64).context("no number")?;
        listeners.until_told(1, since)?;
        let path = format!("{deployments}/{number}");
        self.maker().bytes(&Unsigned {
            method: &Method::DELETE,
            path: &path,
            query: "",
            content_type: None,
            body: b"",
        })
    }
}

fn json_request<'a>(method: &'a Method, path: &'a str, body: &'a [u8]) -> Unsigned<'a> {
    Unsigned { method, path, query: "", content_type: Some("application/json"), body }
}

/// A document of some 4 KB.
fn document(number: u32) -> Vec<u8> {
    let flags: serde_json::Map<String, Value> = (0..40)
        .map(|flag| (format!("flag-{flag}"), json!({ "name": format!("Flag {flag} of a shop") })))
        .collect();
    let values: serde_json::Map<String, Value> =
        (0..40).map(|flag| (format!("flag-{flag}"), json!({ "enabled": flag % 2 == number % 2 }))).collect();
    json!({ "version": "1", "flags": flags, "values": values }).to_string().into_bytes()
}

fn yardarm(lab: &Lab, size: usize) -> anyhow::Result<(Told, Told, Memory)> {
    let shop = Shop::open(lab, &["--rollout-streams-per-second", "0"])?;
    let address = shop.contender.server.address();
    let (mut listeners, first) = shop.contender.open(size)?;
    let (mut stop, mut alarm) = (Told::default(), Told::default());
    for round in 0..=lab.rounds {
        let request = shop.start(&mut listeners)?;
        let stopped = tell(&mut listeners, address, &request)?;
        shop.start(&mut listeners)?;
        let fired = tell(&mut listeners, address, &shop.say("ALARM")?)?;
        if round > 0 {
            stop.round(&stopped);
            alarm.round(&fired);
        }
    }
    let memory = Memory::of(first, shop.contender.server.resident_bytes()?, size);
    drop(listeners);
    shop.contender.server.stop()?;
    Ok((stop, alarm, memory))
}

/// All clients come back after a restart.
fn reconnect(lab: &Lab, section: &mut Section) -> anyhow::Result<()> {
    let size = SIZES.into_iter().max().unwrap_or(0);
    let shop = Shop::open(lab, &["--rollout-streams-per-second", "0"])?;
    let (mut listeners, _) = shop.contender.open(size)?;
    let address = shop.contender.server.address();
    let data = lab.folder.join("streams");
    // From now on with the default rate. Its clients were told when to come back before.
    let Shop { contender, .. } = shop;
    let mut again = None;
    let result = listeners.reconnect(|| {
        drop(contender.server);
        let mut server = lab.yardarm_at(address, &data, &[], Some(lab.server_core))?;
        server.ready()?;
        again = Some(server);
        Ok(())
    })?;
    ensure!(result.admitted.len() == size, "{} of {size} came back", result.admitted.len());
    let most = u32::try_from(result.most_in_a_second()).unwrap_or(u32::MAX);
    let told = format!(
        "reconnected, last after {:.1} s; most in a second {most}; told to wait {}; found nobody {}",
        result.took.as_secs_f64(),
        result.told_to_wait,
        result.unreachable
    );
    let empty = String::new;
    section.rows.push(vec![size.to_string(), told, empty(), empty(), empty(), empty(), empty()]);
    let claim =
        "10,000 streams after a restart: most let in within a second, of 1,000 a second and 1,000 at once";
    section.verdicts.push(Verdict::at_most(claim, 2_000.0, "", most.into()));
    drop(listeners);
    again.context("no server")?.stop()?;
    Ok(())
}
