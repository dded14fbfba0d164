//! What Yardarm claims about speed and size, measured side by side in one run.
//!
//! Each part measures what is claimed next to its yardstick, in interleaved rounds, so that whatever else the machine does
//! falls on both. Nothing here passes or fails: the report has a verdict column, and people read it.

mod api;
mod evaluation;
mod http;
mod lab;
mod listeners;
mod load;
mod machine;
mod million;
mod ofrep;
mod polls;
mod process;
mod report;
mod size;
mod spread;
mod startup;
mod streams;
mod writes;

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use lab::Lab;
use machine::Machine;
use report::Section;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// GetLatestConfiguration against a bare axum handler.
    Polls,
    /// Durable writes against bare SQLite.
    Writes,
    /// From start to the first answer.
    Startup,
    /// The binary and its memory.
    Size,
    /// Flag evaluation in process, beside the other Rust evaluators.
    Flags,
    /// OFREP against a bare axum handler and Unleash Edge.
    Ofrep,
    /// Streams of rollouts against a bare axum fan-out.
    Streams,
}

/// Measures what Yardarm claims about speed and size.
#[derive(Parser)]
struct Arguments {
    /// Only this part; may be repeated.
    #[arg(long, value_enum)]
    part: Vec<Part>,
    /// The release binary of Yardarm.
    #[arg(long, default_value = "target/release/yardarm")]
    yardarm: PathBuf,
    /// The program that evaluates flags beside other evaluators, built of `bench/peers`.
    #[arg(long, default_value = "target/release/yardarm-bench-peers")]
    peers: PathBuf,
    /// Unleash Edge; where there is none, nothing is compared with it.
    #[arg(long, default_value = "target/bench-tools/bin/unleash-edge")]
    edge: PathBuf,
    /// Where stores are made: on the disk that is to be measured. The log of a million records is kept there.
    #[arg(long, default_value = "target/bench-data")]
    folder: PathBuf,
    /// Where the report goes besides standard output.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Rounds of each measurement, after one that warms up.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long a round counts, seconds.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// The core of servers that are measured for processor time.
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// The core of the load.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
}

#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.server_core != arguments.load_core, "server and load need a core each");
    std::fs::create_dir_all(&arguments.folder)?;
    let beside = |name| std::env::current_exe()?.with_file_name(name).canonicalize();
    let together = "the bare servers are built together with this program";
    let lab = Lab {
        yardarm: arguments
            .yardarm
            .canonicalize()
            .context("build it first: cargo build --release -p yardarm")?,
        peers: arguments.peers,
        edge: arguments.edge.canonicalize().ok(),
        bare: beside("bare").context(together)?,
        bare_writes: beside("bare-writes").context(together)?,
        bare_streams: beside("bare-streams").context(together)?,
        folder: arguments.folder.canonicalize()?,
        server_core: arguments.server_core,
        load_core: arguments.load_core,
        rounds: arguments.rounds.max(1),
        window: Duration::from_secs(arguments.seconds.max(1)),
        warm_up: Duration::from_millis(500),
    };
    raise_open_files()?;
    let machine = Machine::look(&lab.folder)?;
    let parts = if arguments.part.is_empty() { Part::value_variants().to_vec() } else { arguments.part };
    let sections =
        parts.into_iter().map(|part| measure(part, &lab)).collect::<anyhow::Result<Vec<Section>>>()?;
    let setting = format!(
        "{} rounds of {} s each, after one that is not counted. Figures are least / **median** / most of the rounds; verdicts \
         take the median.",
        lab.rounds,
        lab.window.as_secs(),
    );
    let text = report::render(&machine, &setting, &sections);
    print!("{text}");
    if let Some(path) = arguments.report {
        std::fs::write(path, text)?;
    }
    Ok(())
}

fn measure(part: Part, lab: &Lab) -> anyhow::Result<Section> {
    match part {
        Part::Polls => apart(|| polls::measure(lab)),
        Part::Writes => writes::measure(lab),
        Part::Startup => startup::measure(lab),
        Part::Size => size::measure(lab),
        Part::Flags => evaluation::measure(lab),
        Part::Ofrep => apart(|| ofrep::measure(lab)),
        Part::Streams => apart(|| streams::measure(lab)),
    }
}

/// Lets this process, and the servers that it starts, have as many connections as the system allows.
fn raise_open_files() -> anyhow::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// On a thread of its own, which is pinned: the other parts may use every core.
fn apart(measure: impl FnOnce() -> anyhow::Result<Section> + Send) -> anyhow::Result<Section> {
    std::thread::scope(|scope| scope.spawn(measure).join())
        .map_err(|_| anyhow::anyhow!("the measuring thread panicked"))?
}
