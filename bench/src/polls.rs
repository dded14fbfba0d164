//! `GetLatestConfiguration` against a bare axum handler that answers the same bytes.
//!
//! The servers take turns on one core: the bare one, Yardarm with signatures switched off (tokens are opened, sealed and
//! checked for reuse), Yardarm with its defaults. All get the same kind of request, signature headers included, and answer
//! with the same headers of the same lengths and the same body; that is checked before anything is measured.

use crate::api::{Answer, Api, Maker, poll_request};
use crate::http::{self, Head};
use crate::lab::Lab;
use crate::load::{Client, Counted, Round};
use crate::process::{Server, pin};
use crate::report::{Section, Verdict};
use crate::spread::{Spread, microseconds};
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

const CONNECTIONS: usize = 64;

/// Prepared requests of a connection; asked in turn.
const REQUESTS: usize = 32;

/// A token may then be used again and again while the one before it was the newest: see the method.
const REUSE: [&str; 2] = ["--token-reuse-seconds", "3600"];

const METHOD: &str = "\
One server at a time on one core, the load on the other; 64 keep-alive connections with one request under way each. Rounds \
are interleaved: bare, bare in turn, token, SigV4, bare, … Processor time is the sum of `/proc/PID/task/*/schedstat`; ratios are taken \
within each round. `token`: `--authentication none`; `SigV4`: the defaults. All three get requests with the headers of \
AWS's SDK for Python, `Authorization` included, and give answers of the same bytes but for token, date and request id.

Unchanged polls follow the chain of tokens where signatures are not checked. Where they are, requests are signed before the \
round, 32 sessions for each connection, and each is asked again and again; so are initial tokens, which give the whole body \
every time. `--token-reuse-seconds 3600` allows that. The server's work for a poll is the same either way: the token is \
opened, looked up in the table of used ones, the next one sealed and noted. Who sends one request again and again has it in \
the nearest cache, who takes turns with 2,048 has not: so the bare server is asked both ways, and each is compared with the \
one that is asked alike.

At saturation a closed loop waits in the server's queue, so latency grows with processor time per request by itself.";

/// A kind of poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unchanged,
    Body,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Body => "4 KB body",
        }
    }
}

/// A server among those that are compared.
struct Contender {
    name: &'static str,
    server: Server,
    /// Tokens of its own; the bare server is asked with somebody else's.
    tokens: Vec<String>,
    follow: bool,
    /// Whether it is a yardstick.
    is_bare: bool,
    counted: Vec<Counted>,
}

/// Measures unchanged polls and those with a body of 4 KB.
pub(crate) fn measure(lab: &Lab) -> anyhow::Result<Section> {
    pin(lab.load_core)?;
    let mut section = Section {
        title: "Polls",
        method: METHOD.into(),
        columns: vec![
            "poll",
            "server",
            "CPU µs/request",
            "CPU ratio",
            "requests/s",
            "p50 µs",
            "p99 µs",
            "p99 ratio",
            "server core %",
        ],
        rows: vec![],
        verdicts: vec![],
    };
    for kind in [Kind::Unchanged, Kind::Body] {
        let mut contenders = contenders(lab, kind)?;
        for round in 0..=lab.rounds {
            for contender in &mut contenders {
                let counted = contender.round(lab)?;
                // The first round warms everything up.
                if round > 0 {
                    contender.counted.push(counted);
                }
            }
        }
        judge(kind, &contenders, &mut section)?;
        for contender in contenders {
            contender.server.stop()?;
        }
    }
    Ok(section)
}

fn contenders(lab: &Lab, kind: Kind) -> anyhow::Result<Vec<Contender>> {
    let content = content();
    let mut prepared = vec![];
    for (name, options) in [("token", &["--authentication", "none"][..]), ("SigV4", &[][..])] {
        let data: PathBuf = lab.empty_folder(&format!("polls-{name}"))?;
        let options = [&REUSE[..], options].concat();
        let mut server = lab.yardarm(&data, &options, Some(lab.server_core))?;
        server.ready()?;
        let mut api = Api::connect(server.address())?;
        let session = api.deploy(&content)?;
        prepared.push((name, server, api, session));
    }
    let mut contenders = vec![];
    let mut recorded: Option<Answer> = None;
    for (name, server, mut api, session) in prepared {
        let tokens = tokens(&mut api, &session, kind)?;
        let first = tokens.first().context("no token")?;
        let answer = api.poll(first)?;
        check(&answer, kind, &content)?;
        // This one is used up if the chain is followed: its session goes on with the next.
        recorded = Some(answer);
        let follow = kind == Kind::Unchanged && name == "token";
        contenders.push(Contender { name, server, tokens, follow, is_bare: false, counted: vec![] });
    }
    let recorded = recorded.context("nothing was recorded")?;
    let tokens = contenders.first().map(|contender| contender.tokens.clone()).unwrap_or_default();
    let mut all = vec![];
    if contenders.iter().any(|contender| contender.follow) {
        all.push(bare(lab, &recorded, tokens.clone(), true)?);
    }
    all.push(bare(lab, &recorded, tokens, false)?);
    all.append(&mut contenders);
    Ok(all)
}

/// The yardstick for those whose requests follow their answers, or for those who are asked prepared ones in turn.
fn bare(lab: &Lab, recorded: &Answer, tokens: Vec<String>, follow: bool) -> anyhow::Result<Contender> {
    let mut headers = http::headers(&recorded.bytes);
    // These two are hyper's.
    headers.retain(|(name, _)| name != "date" && name != "content-length");
    let (name, file) = if follow { ("bare", "body") } else { ("bare, in turn", "body-in-turn") };
    let mut server = lab.bare(&headers, recorded.body(), file)?;
    server.ready()?;
    let answer = Api::connect(server.address())?.poll(tokens.first().context("no token")?)?;
    let shape = |answer: &Answer| -> Vec<(String, usize)> {
        let mut headers: Vec<_> =
            http::headers(&answer.bytes).into_iter().map(|(name, value)| (name, value.len())).collect();
        headers.sort();
        headers
    };
    ensure!(answer.body() == recorded.body(), "the bare server answers another body");
    ensure!(shape(&answer) == shape(recorded), "the bare server answers other headers");
    Ok(Contender { name, server, tokens, follow, is_bare: true, counted: vec![] })
}

/// Tokens that give this kind of answer, one of each session.
fn tokens(api: &mut Api, session: &Value, kind: Kind) -> anyhow::Result<Vec<String>> {
    let mut tokens = vec![];
    for _ in 0..CONNECTIONS * REQUESTS {
        let initial = api.start_session(session)?;
        tokens.push(match kind {
            Kind::Body => initial,
            Kind::Unchanged => api.poll(&initial)?.token().to_owned(),
        });
    }
    Ok(tokens)
}

fn check(answer: &Answer, kind: Kind, content: &[u8]) -> anyhow::Result<()> {
    match kind {
        Kind::Unchanged => ensure!(answer.body().is_empty(), "an unchanged poll was answered with a body"),
        Kind::Body => ensure!(answer.body() == content, "a first poll was answered with another body"),
    }
    Ok(())
}

/// JSON of 4,096 bytes.
fn content() -> Vec<u8> {
    let mut text = String::from("{\"settings\":[");
    for number in 0.. {
        let line = format!("{{\"key\":\"setting-{number}\",\"value\":\"{}\"}},", "x".repeat(40));
        if text.len() + line.len() > 4_000 {
            break;
        }
        text.push_str(&line);
    }
    let end = "\"]}";
    text.push('"');
    let filling = 4_096_usize.saturating_sub(text.len() + end.len());
    text.push_str(&"y".repeat(filling));
    text.push_str(end);
    text.into_bytes()
}

impl Contender {
    fn round(&mut self, lab: &Lab) -> anyhow::Result<Counted> {
        let round = Round {
            address: self.server.address(),
            connections: CONNECTIONS,
            warm_up: lab.warm_up,
            window: lab.window,
            awake: false,
        };
        // Signed anew for each round: a signature is valid for five minutes.
        let mut polls = Polls::make(self)?;
        let counted = round.run(&mut polls, || self.server.cpu())?;
        // Where a chain was followed, the next round goes on where this one ended.
        if self.follow {
            for (kept, line) in self.tokens.chunks_mut(REQUESTS).zip(&polls.lines) {
                if let (Some(kept), Some(request)) = (kept.first_mut(), line.requests.first()) {
                    let token = request.get(polls.token.0..polls.token.0 + polls.token.1);
                    *kept = String::from_utf8_lossy(token.unwrap_or_default()).into_owned();
                }
            }
        }
        Ok(counted)
    }
}

/// Requests of one connection.
struct Line {
    requests: Vec<Vec<u8>>,
    next: usize,
}

/// What the connections ask.
struct Polls {
    lines: Vec<Line>,
    /// Where the token is in a request, and how long: all have the same length.
    token: (usize, usize),
    follow: bool,
    body_bytes: Option<usize>,
}

impl Polls {
    fn make(contender: &Contender) -> anyhow::Result<Self> {
        let maker = Maker::new(contender.server.address());
        let line = |tokens: &[String]| -> anyhow::Result<Line> {
            // A chain has one request, in which the token is replaced each time.
            let wanted = if contender.follow { 1 } else { tokens.len() };
            let request =
                |token: &String| maker.bytes(&poll_request(&format!("configuration_token={token}")));
            let requests = tokens.iter().take(wanted).map(request).collect::<anyhow::Result<_>>()?;
            Ok(Line { requests, next: 0 })
        };
        let lines = contender.tokens.chunks(REQUESTS).map(line).collect::<anyhow::Result<Vec<_>>>()?;
        let length = contender.tokens.first().context("no token")?.len();
        let at = "GET /configuration?configuration_token=".len();
        Ok(Self { lines, token: (at, length), follow: contender.follow, body_bytes: None })
    }
}

impl Client for Polls {
    fn request(&mut self, connection: usize) -> anyhow::Result<&[u8]> {
        let line = self.lines.get_mut(connection).context("no such connection")?;
        let index = line.next;
        line.next = if index + 1 < line.requests.len() { index + 1 } else { 0 };
        line.requests.get(index).map(Vec::as_slice).context("no request")
    }

    fn answered(&mut self, connection: usize, head: &Head, answer: &[u8]) -> anyhow::Result<()> {
        let expected = *self.body_bytes.get_or_insert(head.body_bytes);
        if head.status != 200 || head.body_bytes != expected || head.token.1 != self.token.1 {
            bail!("an unexpected answer: {}", String::from_utf8_lossy(answer));
        }
        if self.follow {
            let next = answer.get(head.token.0..head.token.0 + head.token.1).unwrap_or_default();
            let request = self.lines.get_mut(connection).and_then(|line| line.requests.first_mut());
            let token =
                request.and_then(|request| request.get_mut(self.token.0..self.token.0 + self.token.1));
            token.context("no place for a token")?.copy_from_slice(next);
        }
        Ok(())
    }
}

fn judge(kind: Kind, contenders: &[Contender], section: &mut Section) -> anyhow::Result<()> {
    for contender in contenders {
        let mut alike = contenders.iter().filter(|other| other.is_bare && other.follow == contender.follow);
        let yardstick = &alike.next().context("nobody to compare with")?.counted;
        let spread =
            |figure: &dyn Fn(&Counted) -> f64| contender.counted.iter().map(figure).collect::<Spread>();
        let ratio = |figure: &dyn Fn(&Counted) -> Duration| -> Spread {
            let pairs = contender.counted.iter().zip(yardstick);
            pairs.map(|(own, bare)| figure(own).as_secs_f64() / figure(bare).as_secs_f64()).collect()
        };
        let cpu = ratio(&Counted::cpu_per_request);
        let p99 = ratio(&|counted| counted.latency_at(0.99));
        section.rows.push(vec![
            kind.name().into(),
            contender.name.into(),
            format!("{:.2}", spread(&|counted| microseconds(counted.cpu_per_request()))),
            format!("{cpu:.2}"),
            format!("{:.0}", spread(&Counted::rate)),
            format!("{:.0}", spread(&|counted| microseconds(counted.latency_at(0.5)))),
            format!("{:.0}", spread(&|counted| microseconds(counted.latency_at(0.99)))),
            format!("{p99:.2}"),
            format!("{:.0}", spread(&|counted| counted.utilisation() * 100.0)),
        ]);
        let target = match contender.name {
            "token" => 1.4,
            "SigV4" => 1.8,
            _ => continue,
        };
        let what = format!("{} poll, {}", kind.name(), contender.name);
        section.verdicts.push(Verdict::at_most(
            format!("{what}: CPU per request against bare axum"),
            target,
            "×",
            cpu.median(),
        ));
        section.verdicts.push(Verdict::at_most(
            format!("{what}: p99 at saturation against bare axum"),
            1.5,
            "×",
            p99.median(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_is_json_of_4096_bytes() {
        let content = content();
        assert_eq!(content.len(), 4_096);
        assert!(serde_json::from_slice::<Value>(&content).is_ok());
    }
}
