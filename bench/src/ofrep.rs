//! OFREP: one flag against a bare axum handler that parses the same POST, unchanged answers for all flags against a bare
//! answer of 1 KB, and all of 200 flags against Unleash Edge.
//!
//! As with polls, servers take turns on one core and the load has the other; what an answer must look like is checked for
//! every single one.

use crate::api::{Answer, Api};
use crate::http::{self, Head};
use crate::lab::Lab;
use crate::load::{Client, Counted, Round};
use crate::process::{Server, pin};
use crate::report::{Section, Verdict};
use crate::spread::{Spread, microseconds};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::net::SocketAddr;

const CONNECTIONS: usize = 64;

/// Users whose requests a connection sends in turn.
const REQUESTS: usize = 32;

const FLAGS: usize = 200;

const METHOD: &str = "\
One server at a time on one core, the load on the other; 64 keep-alive connections with one request under way each, rounds \
interleaved; processor time and ratios as for polls. Yardarm runs with its defaults and is asked with a bearer token; it \
serves 200 flags of five rules each, those of the part on evaluation. Every connection sends the contexts of 32 users with 8 \
attributes in turn.

`one flag`: `POST /ofrep/v1/evaluate/flags/{key}`; bare: an axum handler that parses the same body as JSON and answers the \
same bytes, always the same. `unchanged`: `POST /ofrep/v1/evaluate/flags` with the `ETag` of the last answer, answered with \
304; bare: an axum handler that leaves the body unread and answers 1 KB. `all flags`: the same without an `ETag`; Unleash \
Edge (offline, the same rules as strategies): `POST /api/frontend/all`, which leaves out the flags that are off.";

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    One,
    Unchanged,
    All,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::One => "one flag",
            Self::Unchanged => "unchanged",
            Self::All => "all flags",
        }
    }
}

/// A server among those that are compared.
struct Contender {
    name: &'static str,
    server: Server,
    asked: Asked,
    counted: Vec<Counted>,
}

/// Measures the three kinds of evaluation.
pub(crate) fn measure(lab: &Lab) -> anyhow::Result<Section> {
    pin(lab.load_core)?;
    let mut section = Section {
        title: "OFREP",
        method: METHOD.into(),
        columns: vec![
            "evaluation",
            "server",
            "CPU µs/request",
            "CPU ratio",
            "requests/s",
            "rate ratio",
            "p50 µs",
            "p99 µs",
            "answer, bytes",
            "server core %",
        ],
        rows: vec![],
        verdicts: vec![],
    };
    for kind in [Kind::One, Kind::Unchanged, Kind::All] {
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

/// The yardstick, if there is one, and Yardarm.
fn contenders(lab: &Lab, kind: Kind) -> anyhow::Result<Vec<Contender>> {
    let data = lab.empty_folder("ofrep")?;
    let mut server = lab.yardarm(&data, &[], Some(lab.server_core))?;
    server.ready()?;
    let address = server.address();
    let mut api = Api::connect(address)?;
    api.deploy_as("AWS.AppConfig.FeatureFlags", document().to_string().as_bytes())?;
    let token = api.bearer_token()?;
    let all = "/ofrep/v1/evaluate/flags";
    let one = format!("{all}/{}", flag(0));
    let path = if kind == Kind::One { one.as_str() } else { all };
    let bearer = format!("Authorization: Bearer {token}");
    let mut requests = vec![];
    for user in 0..CONNECTIONS * REQUESTS {
        let body = json!({ "context": user_attributes(user) });
        let mut request = post(address, path, &[&bearer], &body);
        if kind == Kind::Unchanged {
            let answer = api.send(&request)?;
            ensure!(answer.head.status == 200, "{}", String::from_utf8_lossy(&answer.bytes));
            let headers = http::headers(&answer.bytes);
            let tag = headers.iter().find(|(name, _)| name == "etag").context("no ETag")?;
            request = post(address, path, &[&bearer, &format!("If-None-Match: {}", tag.1)], &body);
        }
        requests.push(request);
    }
    let answer = api.send(requests.first().context("nobody asks")?)?;
    check(kind, &answer)?;
    let asked = Asked::new(requests, answer.head.status);
    let yardarm = Contender { name: "Yardarm", server, asked, counted: vec![] };
    Ok(match yardstick(lab, kind, &answer)? {
        Some(yardstick) => vec![yardstick, yardarm],
        None => vec![yardarm],
    })
}

fn yardstick(lab: &Lab, kind: Kind, ours: &Answer) -> anyhow::Result<Option<Contender>> {
    let (name, mut server, path, header) = match kind {
        Kind::One => {
            let mut headers = http::headers(&ours.bytes);
            // These two are hyper's.
            headers.retain(|(name, _)| name != "date" && name != "content-length");
            ("bare", lab.bare(&headers, ours.body(), "evaluation")?, "/parsed", String::new())
        }
        Kind::Unchanged => {
            let headers = [("content-type".to_owned(), "application/json".to_owned())];
            ("bare, 1 KB", lab.bare(&headers, &[b'x'; 1_024], "kilobyte")?, "/unparsed", String::new())
        }
        Kind::All => {
            const TOKEN: &str = "*:production.4a798ad11cde8c0e637ff19f3287683ebc21d23d607c641f2dd79daa54";
            let Some(program) = &lab.edge else { return Ok(None) };
            let server = lab.edge(program, &features().to_string(), TOKEN)?;
            ("Unleash Edge", server, "/api/frontend/all", format!("Authorization: {TOKEN}"))
        }
    };
    server.ready_at(if kind == Kind::All { "/internal-backstage/ready" } else { "/readyz" })?;
    let address = server.address();
    let request = |user: usize| {
        let attributes = user_attributes(user);
        let body = if kind == Kind::All {
            json!({ "userId": attributes.get("targetingKey"), "properties": attributes })
        } else {
            json!({ "context": attributes })
        };
        let headers: &[&str] = if header.is_empty() { &[] } else { &[&header] };
        post(address, path, headers, &body)
    };
    let requests: Vec<Vec<u8>> = (0..CONNECTIONS * REQUESTS).map(request).collect();
    let answer = Api::connect(address)?.send(requests.first().context("nobody asks")?)?;
    ensure!(answer.head.status == 200, "{name}: {}", String::from_utf8_lossy(&answer.bytes));
    if kind == Kind::One {
        ensure!(answer.body() == ours.body(), "the bare server answers another body");
    }
    let asked = Asked::new(requests, answer.head.status);
    Ok(Some(Contender { name, server, asked, counted: vec![] }))
}

fn check(kind: Kind, answer: &Answer) -> anyhow::Result<()> {
    let told = || String::from_utf8_lossy(&answer.bytes).into_owned();
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    match kind {
        Kind::One => {
            let variant = body.get("variant").and_then(Value::as_str).unwrap_or_default();
            ensure!(["treatment", "control"].contains(&variant), "{}", told());
        }
        Kind::Unchanged => ensure!(answer.head.status == 304, "{}", told()),
        Kind::All => {
            let flags = body.get("flags").and_then(Value::as_array).map_or(0, Vec::len);
            ensure!(answer.head.status == 200 && flags >= FLAGS, "{flags} flags");
        }
    }
    Ok(())
}

fn flag(number: usize) -> String {
    format!("checkout-feature-{number:04}")
}

const COUNTRIES: &[&str] = &[
    "AR", "AU", "BR", "CA", "CL", "CN", "CO", "EG", "ID", "IL", "IN", "JP", "KE", "KR", "MX", "NG", "NZ",
    "SG", "TH", "ZA",
];

fn companies() -> Vec<String> {
    (900..1_000).step_by(5).map(|number| format!("company-{number}")).collect()
}

/// Boolean flags, as Unleash's are.
fn document() -> Value {
    let list = |members: Value| members.to_string();
    let rules = [
        format!("(in $country {})", list(json!(COUNTRIES))),
        format!("(in $company {})", list(json!(companies()))),
        "(eq $plan \"enterprise\")".to_owned(),
        "(eq $platform \"console\")".to_owned(),
        "(split pct::20 by::$userId)".to_owned(),
    ];
    let names = ["by-country", "by-company", "by-plan", "by-platform", "treatment"];
    let ruled =
        names.iter().zip(rules).map(|(name, rule)| json!({ "name": name, "enabled": true, "rule": rule }));
    let control = json!({ "name": "control", "enabled": false });
    let variants: Vec<Value> = ruled.chain([control]).collect();
    let each = |value: Value| {
        (0..FLAGS).map(|number| (flag(number), value.clone())).collect::<serde_json::Map<_, _>>()
    };
    json!({ "version": "1", "flags": each(json!({ "name": "feature" })), "values": each(json!({ "_variants": variants })) })
}

/// The same for Unleash.
fn features() -> Value {
    let within = |name: &str, values: Value| {
        let constraint = json!({
            "contextName": name, "operator": "IN", "values": values, "inverted": false, "caseInsensitive": false,
        });
        json!({ "name": "default", "parameters": {}, "constraints": [constraint] })
    };
    let strategies = json!([
        within("country", json!(COUNTRIES)),
        within("company", json!(companies())),
        within("plan", json!(["enterprise"])),
        within("platform", json!(["console"])),
        { "name": "flexibleRollout", "parameters": { "rollout": "20", "stickiness": "userId" }, "constraints": [] },
    ]);
    let feature = |number| {
        json!({
            "name": flag(number), "type": "release", "enabled": true, "project": "default", "strategies": strategies,
            "variants": [], "impressionData": false,
        })
    };
    json!({ "version": 2, "features": (0..FLAGS).map(feature).collect::<Vec<Value>>() })
}

/// A context of OFREP.
fn user_attributes(user: usize) -> Value {
    let one_of = |choices: &[&str]| choices.get(user % choices.len()).copied().unwrap_or_default().to_owned();
    let id = format!("user-{user:08}");
    json!({
        "targetingKey": id, "userId": id, "country": one_of(&["DE", "FR", "GB", "NL", "SE", "US"]),
        "company": format!("company-{:03}", user * 7 % 500), "plan": one_of(&["free", "basic", "team", "business"]),
        "platform": one_of(&["web", "ios", "android", "desktop"]), "language": one_of(&["de", "en", "fr"]),
        "appVersion": format!("1.{}.0", user % 10),
    })
}

fn post(address: SocketAddr, path: &str, headers: &[&str], body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\nContent-Type: application/json\r\n\
         {headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// What the connections ask: each its own users in turn.
struct Asked {
    requests: Vec<Vec<u8>>,
    next: Vec<usize>,
    status: u16,
    answer_bytes: usize,
}

impl Asked {
    fn new(requests: Vec<Vec<u8>>, status: u16) -> Self {
        Self { requests, next: vec![0; CONNECTIONS], status, answer_bytes: 0 }
    }
}

impl Client for Asked {
    fn request(&mut self, connection: usize) -> anyhow::Result<&[u8]> {
        let next = self.next.get_mut(connection).context("no such connection")?;
        let index = connection * REQUESTS + *next % REQUESTS;
        *next += 1;
        self.requests.get(index).map(Vec::as_slice).context("no request")
    }

    fn answered(&mut self, _: usize, head: &Head, answer: &[u8]) -> anyhow::Result<()> {
        ensure!(head.status == self.status, "an unexpected answer: {}", String::from_utf8_lossy(answer));
        self.answer_bytes = head.body_bytes;
        Ok(())
    }
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
        round.run(&mut self.asked, || self.server.cpu())
    }
}

fn judge(kind: Kind, contenders: &[Contender], section: &mut Section) -> anyhow::Result<()> {
    let yardstick = contenders.first().context("nobody was measured")?;
    for contender in contenders {
        let spread =
            |figure: &dyn Fn(&Counted) -> f64| contender.counted.iter().map(figure).collect::<Spread>();
        let ratio = |figure: &dyn Fn(&Counted) -> f64| -> Spread {
            let pairs = contender.counted.iter().zip(&yardstick.counted);
            pairs.map(|(own, other)| figure(own) / figure(other)).collect()
        };
        let cpu = ratio(&|counted| counted.cpu_per_request().as_secs_f64());
        let rate = ratio(&Counted::rate);
        section.rows.push(vec![
            kind.name().into(),
            contender.name.into(),
            format!("{:.2}", spread(&|counted| microseconds(counted.cpu_per_request()))),
            format!("{cpu:.2}"),
            format!("{:.0}", spread(&Counted::rate)),
            format!("{rate:.2}"),
            format!("{:.0}", spread(&|counted| microseconds(counted.latency_at(0.5)))),
            format!("{:.0}", spread(&|counted| microseconds(counted.latency_at(0.99)))),
            contender.asked.answer_bytes.to_string(),
            format!("{:.0}", spread(&|counted| counted.utilisation() * 100.0)),
        ]);
        if std::ptr::eq(contender, yardstick) {
            continue;
        }
        section.verdicts.push(match kind {
            Kind::One => Verdict::at_most(
                "OFREP, one flag: CPU per request against bare axum that parses the same",
                1.2,
                "×",
                cpu.median(),
            ),
            Kind::Unchanged => Verdict::at_most(
                "OFREP, unchanged: CPU per request against a bare answer of 1 KB",
                1.2,
                "×",
                cpu.median(),
            ),
            Kind::All => Verdict::at_least(
                "OFREP, all of 200 flags: requests per second against Unleash Edge",
                12.0,
                "×",
                rate.median(),
            ),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_how_long_its_body_is() {
        let request = post(([127, 0, 0, 1], 80).into(), "/x", &["A: b"], &json!({ "a": 1 }));
        let text = String::from_utf8(request).unwrap();
        assert!(text.starts_with("POST /x HTTP/1.1\r\nHost: 127.0.0.1:80\r\n"));
        assert!(text.ends_with("\r\nA: b\r\nContent-Length: 7\r\n\r\n{\"a\":1}"));
    }

    #[test]
    fn every_connection_has_its_own_users() {
        let requests = (0..CONNECTIONS * REQUESTS).map(|number| number.to_string().into_bytes()).collect();
        let mut asked = Asked::new(requests, 200);
        for _ in 0..=REQUESTS {
            asked.request(1).unwrap();
        }
        assert_eq!(asked.request(1).unwrap(), (REQUESTS + 1).to_string().as_bytes());
        assert_eq!(asked.request(0).unwrap(), b"0");
    }
}
