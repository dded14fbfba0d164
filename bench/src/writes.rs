//! Control-plane writes with full durability against bare SQLite on the same disk.
//!
//! A write is one `UpdateApplication` with a new description, signed, over HTTP: one record in the log. The yardstick
//! inserts that very record, with its own sequence number, and commits: WAL, `synchronous=FULL`, one transaction a write.
//! Between the two stands the floor: a bare axum handler that does what the yardstick does, asked over the same HTTP.

use crate::api::{Answer, Api, Maker, Unsigned};
use crate::http::{self, Head};
use crate::lab::Lab;
use crate::load::{Client, Counted, Round};
use crate::process::{Server, free_address};
use crate::report::{Section, Verdict};
use crate::spread::{Spread, microseconds};
use ::http::Method;
use anyhow::{Context, bail, ensure};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use yardarm_bench::bare_sqlite::{BareSqlite, newest_record};

/// Writers that share commits.
const MANY: usize = 16;

/// Prepared requests of a connection; asked in turn.
const REQUESTS: usize = 32;

const METHOD: &str = "\
A write is one `UpdateApplication` (a new description), signed and verified, over HTTP on keep-alive connections; it is \
answered once its record is on the disk. Bare SQLite: one thread inserts the same record (the same bytes in the same \
columns) and commits, one transaction a write; `journal_mode=WAL`, `synchronous=FULL`, other settings as SQLite has them. \
Rounds are interleaved: bare, 1 writer, 16 writers, the floors, bare, … on the same disk; ratios are taken within each \
round. Nothing is pinned to a core: load and server share all there are. Requests are signed before the round, 32 for each \
connection, and a load of one writer never sleeps: what the client takes is not what is measured. 16 writers are compared with the same bare SQLite, which has one writer at a time.

The floors are what this machine allows: axum handlers that are sent the same requests and give answers of the same bytes. \
They verify, decide and hash nothing. *Inline* inserts and commits on the thread that has the request, one request after \
the other; *together* has a thread that commits all that wait in one transaction.";

/// One way to write, and what was counted of it.
struct Contender {
    name: &'static str,
    connections: usize,
    /// Whose address is asked, as an index into the servers.
    server: usize,
    /// For what is claimed: at least so many times the rate of bare SQLite.
    target: Option<f64>,
    counted: Vec<Counted>,
}

/// Bare SQLite, Yardarm and the floors, in turn.
pub(crate) fn measure(lab: &Lab) -> anyhow::Result<Section> {
    let data = lab.empty_folder("writes")?;
    let mut server = lab.yardarm(&data, &[], None)?;
    server.ready()?;
    let mut api = Api::connect(server.address())?;
    let mut paths = vec![];
    for number in 0..MANY {
        let made = api.post("/applications", &json!({ "Name": format!("application-{number}") }))?;
        paths.push(format!("/applications/{}", made.text("Id")?));
    }
    let maker = Maker::new(server.address());
    let recorded = api.send(&update(&maker, paths.first().context("no application")?, 0)?)?;
    ensure!(recorded.head.status == 200, "the first write was refused");
    let log = data.join("yardarm.db");
    let record = newest_record(&log)?;
    let mut bare = BareSqlite::create(&data.join("bare.db"), record)?;
    let servers = [
        server,
        floor(lab, &data, &log, &recorded, "inline", &[])?,
        floor(lab, &data, &log, &recorded, "together", &["--together"])?,
    ];
    let contender =
        |name, connections, server, target| Contender { name, connections, server, target, counted: vec![] };
    let mut contenders = [
        contender("1 writer", 1, 0, Some(0.8)),
        contender("16 writers", MANY, 0, Some(4.0)),
        contender("floor, inline, 1 writer", 1, 1, None),
        contender("floor, inline, 16 writers", MANY, 1, None),
        contender("floor, together, 16 writers", MANY, 2, None),
    ];

    let mut bare_rounds = vec![];
    for round in 0..=lab.rounds {
        let of_bare = bare_round(&mut bare, lab.warm_up, lab.window)?;
        // The first round warms everything up.
        if round > 0 {
            bare_rounds.push(of_bare);
        }
        for contender in &mut contenders {
            let asked = servers.get(contender.server).context("no such server")?;
            let counted = Round {
                address: asked.address(),
                connections: contender.connections,
                warm_up: lab.warm_up,
                window: lab.window,
                awake: contender.connections == 1,
            }
            .run(&mut Writers::make(&maker, &paths)?, || asked.cpu())?;
            if round > 0 {
                contender.counted.push(counted);
            }
        }
    }
    for server in servers {
        server.stop()?;
    }
    Ok(report(&bare_rounds, &contenders))
}

/// Writes per second of bare SQLite, and how long each write took, in order.
struct BareRound {
    rate: f64,
    took: Vec<Duration>,
}

impl BareRound {
    fn latency_at(&self, quantile: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let index = (self.took.len() as f64 * quantile) as usize;
        self.took.get(index).copied().unwrap_or_default()
    }
}

fn bare_round(bare: &mut BareSqlite, warm_up: Duration, window: Duration) -> anyhow::Result<BareRound> {
    let begun = Instant::now();
    while begun.elapsed() < warm_up {
        bare.write()?;
    }
    let (begun, mut took) = (Instant::now(), vec![]);
    while begun.elapsed() < window {
        let one = Instant::now();
        bare.write()?;
        took.push(one.elapsed());
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of writes")]
    let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    Ok(BareRound { rate, took })
}

fn report(bare_rounds: &[BareRound], contenders: &[Contender]) -> Section {
    let bare = |figure: &dyn Fn(&BareRound) -> f64| bare_rounds.iter().map(figure).collect::<Spread>();
    let mut rows = vec![vec![
        "bare SQLite".into(),
        format!("{:.0}", bare(&|round| round.rate)),
        String::new(),
        format!("{:.0}", bare(&|round| microseconds(round.latency_at(0.5)))),
        format!("{:.0}", bare(&|round| microseconds(round.latency_at(0.99)))),
        String::new(),
    ]];
    let mut verdicts = vec![];
    for Contender { name, counted, target, .. } in contenders {
        let pairs = counted.iter().zip(bare_rounds);
        let ratio: Spread = pairs.map(|(own, bare)| own.rate() / bare.rate).collect();
        let spread = |figure: &dyn Fn(&Counted) -> f64| counted.iter().map(figure).collect::<Spread>();
        rows.push(vec![
            (*name).into(),
            format!("{:.0}", spread(&Counted::rate)),
            format!("{ratio:.2}"),
            format!("{:.0}", spread(&|counted| microseconds(counted.latency_at(0.5)))),
            format!("{:.0}", spread(&|counted| microseconds(counted.latency_at(0.99)))),
            format!("{:.0}", spread(&|counted| microseconds(counted.cpu_per_request()))),
        ]);
        if let Some(target) = *target {
            let what = format!("durable writes per second, {name}, against bare SQLite");
            verdicts.push(Verdict::at_least(what, target, "×", ratio.median()));
        }
    }
    let columns = vec!["writer", "writes/s", "ratio", "p50 µs", "p99 µs", "server CPU µs/write"];
    Section { title: "Durable writes", method: METHOD.into(), columns, rows, verdicts }
}

/// Starts a floor that writes the last record of `log` and answers as Yardarm did.
fn floor(
    lab: &Lab,
    data: &Path,
    log: &Path,
    recorded: &Answer,
    name: &str,
    options: &[&str],
) -> anyhow::Result<Server> {
    let address = free_address()?;
    let body = data.join("floor-body");
    std::fs::write(&body, recorded.body())?;
    let mut command = Command::new(&lab.bare_writes);
    command.args(["--listen", &address.to_string()]).args(options);
    command.arg("--body").arg(body).arg("--record-of").arg(log);
    command.arg("--database").arg(data.join(format!("floor-{name}.db")));
    for (name, value) in http::headers(&recorded.bytes) {
        // These two are hyper's.
        if name != "date" && name != "content-length" {
            command.args(["--header", &format!("{name}: {value}")]);
        }
    }
    let mut server = Server::start(command, address, None, &lab.folder.join("bare.log"))?;
    server.ready()?;
    Ok(server)
}

/// Each connection updates an application of its own, with requests made beforehand and asked in turn.
struct Writers {
    requests: Vec<Vec<Vec<u8>>>,
    next: Vec<usize>,
}

impl Writers {
    /// Signed anew for each round: a signature is valid for five minutes.
    fn make(maker: &Maker, paths: &[String]) -> anyhow::Result<Self> {
        let line = |path: &String| (0..REQUESTS).map(|number| update(maker, path, number)).collect();
        let requests = paths.iter().map(line).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { next: vec![0; requests.len()], requests })
    }
}

/// The request for a new description.
fn update(maker: &Maker, path: &str, number: usize) -> anyhow::Result<Vec<u8>> {
    let body = format!("{{\"Description\":\"written for the {number:>12}th time\"}}");
    let content_type = Some("application/json");
    maker.bytes(&Unsigned { method: &Method::PATCH, path, query: "", content_type, body: body.as_bytes() })
}

impl Client for Writers {
    fn request(&mut self, connection: usize) -> anyhow::Result<&[u8]> {
        let line = self.requests.get(connection).context("no such connection")?;
        let next = self.next.get_mut(connection).context("no such connection")?;
        let index = *next;
        *next = if index + 1 < line.len() { index + 1 } else { 0 };
        line.get(index).map(Vec::as_slice).context("no request")
    }

    fn answered(&mut self, _: usize, head: &Head, answer: &[u8]) -> anyhow::Result<()> {
        if head.status != 200 {
            bail!("an unexpected answer: {}", String::from_utf8_lossy(answer));
        }
        Ok(())
    }
}
