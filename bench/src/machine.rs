//! On what it was measured: without this, figures are hearsay. Names no host and no path.

use crate::spread::{Spread, microseconds};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Waits for the disk that are measured.
const SYNCS: usize = 200;

/// The machine, in words.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Lines of the report: what, and what it is.
    pub(crate) lines: Vec<(&'static str, String)>,
}

impl Machine {
    /// Looks at this machine, and at the disk under `folder`.
    pub(crate) fn look(folder: &Path) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let syncs = syncs(folder)?;
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').take(3).collect::<Vec<_>>().join(", ");
        let lines = vec![
            ("Processor", processor()),
            ("Cores", cores.to_string()),
            ("Memory", memory()),
            (
                "Kernel",
                fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            ),
            ("File system", file_system(folder)),
            ("write 4 KiB + fdatasync, µs (min / median / max)", format!("{syncs:.0}")),
            ("Load before the run (1, 5, 15 min)", load),
        ];
        Ok(Self { lines })
    }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("?", |(_, value)| value).trim().to_owned()
    };
    format!("{}, family {} model {}", field("model name"), field("cpu family"), field("model\t"))
}

fn memory() -> String {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or("?");
    let kilobytes: Option<u64> = total.trim().trim_end_matches(" kB").parse().ok();
    kilobytes
        .map_or_else(|| "?".into(), |kilobytes| format!("{:.1} GiB", crate::spread::mebibytes(kilobytes)))
}

/// The type of the file system that `folder` is on.
fn file_system(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_default();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let under = mounts.lines().filter_map(|line| {
        let mut parts = line.split(' ').skip(1);
        let (at, kind) = (parts.next()?, parts.next()?);
        folder.starts_with(at).then(|| (at.len(), kind.to_owned()))
    });
    under.max_by_key(|(length, _)| *length).map_or_else(|| "?".into(), |(_, kind)| kind)
}

/// How long one write of a page takes until the disk has it, microseconds.
fn syncs(folder: &Path) -> anyhow::Result<Spread> {
    let path = folder.join("fdatasync");
    let mut file = File::create(&path)?;
    // Written once before, so that what is measured is overwriting, as a write-ahead log that has its size does.
    file.write_all(&vec![0; 4_096 * SYNCS])?;
    file.sync_all()?;
    let mut file = File::options().write(true).open(&path)?;
    let mut took = vec![];
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&[1; 4_096])?;
        file.sync_data()?;
        took.push(microseconds(begun.elapsed()));
    }
    fs::remove_file(path)?;
    Ok(took.into_iter().collect())
}
