//! Control-plane writes with full durability against bare SQLite on the same disk.
//!
//! A write is one `UpdateApplication` with a new description, signed, over HTTP: one record in the log. The yardstick
//! inserts that very record, with its own sequence number, and commits: WAL, `synchronous=FULL`, one transaction a write.

use crate::api::{Api, Maker, Unsigned};
use crate::http::Head;
use crate::lab::Lab;
use crate::load::{Client, Counted, Round};
use crate::report::{Section, Verdict};
use crate::spread::{Spread, microseconds};
use anyhow::{Context, bail};
use http::Method;
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use yardarm_log::{Log, Record, SqliteLog};

/// Writers that share commits.
const MANY: usize = 16;

const METHOD: &str = "\
A write is one `UpdateApplication` (a new description), signed and verified, over HTTP on keep-alive connections; it is \
answered once its record is on the disk. Bare SQLite: one thread inserts the same record (the same bytes in the same \
columns) and commits, one transaction a write; `journal_mode=WAL`, `synchronous=FULL`, other settings as SQLite has them. \
Rounds are interleaved: bare, 1 writer, 16 writers, bare, … on the same disk; ratios are taken within each round. Nothing is \
pinned to a core. 16 writers are compared with the same bare SQLite, which has one writer at a time.";

const SCHEMA: &str = "
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL, request_id TEXT NOT NULL, reason TEXT,
        kind TEXT NOT NULL, version INTEGER NOT NULL, previous BLOB NOT NULL, digest BLOB NOT NULL, body TEXT NOT NULL
    ) STRICT";

/// One writer, 16 writers and bare SQLite, in turn.
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
    let mut writers = Writers { maker: Maker::new(server.address()), paths, written: 0, request: vec![] };
    api.send(writers.next(0)?)?;
    let mut bare = Bare::open(&lab.folder.join("writes").join("bare.db"), newest_record(&data)?)?;

    let (mut bare_rates, mut bare_latencies) = (vec![], vec![]);
    let (mut one, mut many): (Vec<Counted>, Vec<Counted>) = (vec![], vec![]);
    for round in 0..=lab.rounds {
        let (rate, mut latencies) = bare.round(lab.warm_up, lab.window)?;
        let mut load = |connections| {
            let address = server.address();
            Round { address, connections, warm_up: lab.warm_up, window: lab.window }
                .run(&mut writers, || server.cpu())
        };
        let (alone, together) = (load(1)?, load(MANY)?);
        // The first round warms everything up.
        if round > 0 {
            latencies.sort_unstable();
            bare_rates.push(rate);
            bare_latencies.push(latencies);
            one.push(alone);
            many.push(together);
        }
    }
    server.stop()?;

    let at = |quantile: f64| -> Spread {
        let of = |sorted: &Vec<Duration>| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "an index"
            )]
            let index = (sorted.len() as f64 * quantile) as usize;
            microseconds(sorted.get(index).copied().unwrap_or_default())
        };
        bare_latencies.iter().map(of).collect()
    };
    let mut rows = vec![vec![
        "bare SQLite".into(),
        format!("{:.0}", bare_rates.iter().copied().collect::<Spread>()),
        String::new(),
        format!("{:.0}", at(0.5)),
        format!("{:.0}", at(0.99)),
        String::new(),
    ]];
    let mut verdicts = vec![];
    for (name, counted, target) in [("1 writer", &one, 0.8), ("16 writers", &many, 4.0)] {
        let pairs = counted.iter().zip(&bare_rates);
        let ratio: Spread = pairs.map(|(own, bare)| own.rate() / bare).collect();
        let spread = |figure: &dyn Fn(&Counted) -> f64| counted.iter().map(figure).collect::<Spread>();
        rows.push(vec![
            name.into(),
            format!("{:.0}", spread(&Counted::rate)),
            format!("{ratio:.2}"),
            format!("{:.0}", spread(&|counted| microseconds(counted.latency_at(0.5)))),
            format!("{:.0}", spread(&|counted| microseconds(counted.latency_at(0.99)))),
            format!("{:.0}", spread(&|counted| microseconds(counted.cpu_per_request()))),
        ]);
        let what = format!("durable writes per second, {name}, against bare SQLite");
        verdicts.push(Verdict::at_least(what, target, "×", ratio.median()));
    }
    let columns = vec!["writer", "writes/s", "ratio", "p50 µs", "p99 µs", "server CPU µs/write"];
    Ok(Section { title: "Durable writes", method: METHOD.into(), columns, rows, verdicts })
}

/// The last record of the server's log.
fn newest_record(data: &Path) -> anyhow::Result<Record> {
    let log = SqliteLog::open_read_only(data.join("yardarm.db"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let mut end = log.end().await?;
        end.0 = end.0.saturating_sub(1);
        log.read(end, 1).await?.pop().context("no record")
    })
}

/// SQLite and nothing else.
struct Bare {
    db: Connection,
    record: Record,
    seq: i64,
}

impl Bare {
    fn open(path: &Path, record: Record) -> anyhow::Result<Self> {
        let db = Connection::open(path)?;
        db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "full")?;
        db.execute_batch(SCHEMA)?;
        Ok(Self { db, record, seq: 0 })
    }

    /// Writes for a while. Answers writes per second, and how long each took.
    fn round(&mut self, warm_up: Duration, window: Duration) -> anyhow::Result<(f64, Vec<Duration>)> {
        let begun = Instant::now();
        while begun.elapsed() < warm_up {
            self.write()?;
        }
        let (begun, mut took) = (Instant::now(), vec![]);
        while begun.elapsed() < window {
            let one = Instant::now();
            self.write()?;
            took.push(one.elapsed());
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of writes")]
        let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
        Ok((rate, took))
    }

    fn write(&mut self) -> anyhow::Result<()> {
        self.seq += 1;
        let Record { previous, digest, draft, .. } = &self.record;
        let mut insert =
            self.db.prepare_cached("INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
        // Outside a transaction each statement is one of its own.
        insert.execute((
            self.seq,
            draft.time_ms,
            &draft.actor,
            &draft.request_id,
            &draft.reason,
            &draft.kind,
            draft.version,
            previous.0,
            digest.0,
            &draft.body,
        ))?;
        Ok(())
    }
}

/// Each connection updates an application of its own.
struct Writers {
    maker: Maker,
    paths: Vec<String>,
    written: u64,
    request: Vec<u8>,
}

impl Writers {
    fn next(&mut self, connection: usize) -> anyhow::Result<&[u8]> {
        self.written += 1;
        let path = self.paths.get(connection).context("no such connection")?;
        let body = format!("{{\"Description\":\"written for the {:>12}th time\"}}", self.written);
        let content_type = Some("application/json");
        self.request = self.maker.bytes(&Unsigned {
            method: &Method::PATCH,
            path,
            query: "",
            content_type,
            body: body.as_bytes(),
        })?;
        Ok(&self.request)
    }
}

impl Client for Writers {
    fn request(&mut self, connection: usize) -> anyhow::Result<&[u8]> {
        self.next(connection)
    }

    fn answered(&mut self, _: usize, head: &Head, answer: &[u8]) -> anyhow::Result<()> {
        if head.status != 200 {
            bail!("an unexpected answer: {}", String::from_utf8_lossy(answer));
        }
        Ok(())
    }
}
