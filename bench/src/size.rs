//! How much room Yardarm takes: on the disk, and in memory while it idles.

use crate::api::{Api, Maker, poll_request};
use crate::http::Head;
use crate::lab::Lab;
use crate::load::{Client, Round};
use crate::report::{Section, Verdict};
use crate::spread::{Spread, mebibytes};
use anyhow::{Context, bail};
use std::time::Duration;

const CONNECTIONS: usize = 64;
/// Polls after which memory is looked at again.
const POLLS: u64 = 10_000;
/// Runs of the server.
const RUNS: usize = 3;
/// How long a server is left alone before its memory is looked at.
const REST: Duration = Duration::from_secs(2);

const METHOD: &str = "\
Resident memory is `VmRSS`, two seconds after the last request: of a server just started on an empty store, and after at \
least 10,000 polls with a body of 4 KB over 64 connections, signatures verified. The size is that of the release binary as \
it is built, stripped.";

/// Sizes of the binary and of its memory.
pub(crate) fn measure(lab: &Lab) -> anyhow::Result<Section> {
    let binary = mebibytes(std::fs::metadata(&lab.yardarm)?.len());
    let (mut idle, mut polled) = (vec![], vec![]);
    for _ in 0..RUNS {
        let data = lab.empty_folder("size")?;
        let mut server = lab.yardarm(&data, &["--token-reuse-seconds", "3600"], None)?;
        server.ready()?;
        std::thread::sleep(REST);
        idle.push(mebibytes(server.resident_bytes()?));
        let mut api = Api::connect(server.address())?;
        let session = api.deploy(&[b'x'; 4_096])?;
        let maker = Maker::new(server.address());
        let mut requests = vec![];
        for _ in 0..CONNECTIONS {
            let token = api.start_session(&session)?;
            requests.push(maker.bytes(&poll_request(&format!("configuration_token={token}")))?);
        }
        let mut polls = Polls { requests, answered: 0 };
        while polls.answered < POLLS {
            let window = Duration::from_millis(500);
            let round = Round {
                address: server.address(),
                connections: CONNECTIONS,
                warm_up: Duration::ZERO,
                window,
                awake: false,
            };
            round.run(&mut polls, || server.cpu())?;
        }
        std::thread::sleep(REST);
        polled.push(mebibytes(server.resident_bytes()?));
        server.stop()?;
    }
    let (idle, polled): (Spread, Spread) = (idle.into_iter().collect(), polled.into_iter().collect());
    Ok(Section {
        title: "Size",
        method: METHOD.into(),
        columns: vec!["what", "MiB"],
        rows: vec![
            vec!["release binary".into(), format!("{binary:.2}")],
            vec!["resident, just started on an empty store".into(), format!("{idle:.2}")],
            vec!["resident, after 10,000 polls".into(), format!("{polled:.2}")],
        ],
        verdicts: vec![
            Verdict::at_most("stripped release binary", 25.0, " MiB", binary),
            Verdict::at_most("resident memory, idle on an empty store", 25.0, " MiB", idle.median()),
            Verdict::at_most("resident memory, idle after 10,000 polls", 25.0, " MiB", polled.median()),
        ],
    })
}

/// Each connection asks with an initial token, again and again.
struct Polls {
    requests: Vec<Vec<u8>>,
    answered: u64,
}

impl Client for Polls {
    fn request(&mut self, connection: usize) -> anyhow::Result<&[u8]> {
        self.requests.get(connection).map(Vec::as_slice).context("no such connection")
    }

    fn answered(&mut self, _: usize, head: &Head, answer: &[u8]) -> anyhow::Result<()> {
        self.answered += 1;
        if head.status != 200 || head.body_bytes != 4_096 {
            bail!("an unexpected answer: {}", String::from_utf8_lossy(answer));
        }
        Ok(())
    }
}
