//! Processes under test: started on a core of their own, watched through `/proc`, ended with the harness.

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start or to stop before the run is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at whether a server answers.
const GLANCE: Duration = Duration::from_micros(100);

/// A server that was started, and ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    started: Instant,
}

impl Server {
    /// Starts `command`, which listens at `address`, on `core` or anywhere. What it says goes to `log`.
    pub(crate) fn start(
        mut command: Command,
        address: SocketAddr,
        core: Option<usize>,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let out = File::options().append(true).create(true).open(log)?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let program = command.get_program().to_owned();
        // Affinity is inherited from the thread that starts the process, so that its runtime counts one core.
        let start = move || -> anyhow::Result<(Child, Instant)> {
            if let Some(core) = core {
                pin(core)?;
            }
            let started = Instant::now();
            Ok((command.spawn()?, started))
        };
        let (child, started) = std::thread::scope(|scope| scope.spawn(start).join())
            .map_err(|_| anyhow::anyhow!("the starting thread panicked"))?
            .with_context(|| format!("{} cannot be started", program.display()))?;
        Ok(Self { child, address, started })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the first good answer of `/readyz`, looking all the time. Answers how long that took since the start.
    pub(crate) fn ready(&mut self) -> anyhow::Result<Duration> {
        self.ready_at("/readyz")
    }

    /// The same, of another path.
    pub(crate) fn ready_at(&mut self, path: &str) -> anyhow::Result<Duration> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        loop {
            if let Ok(mut stream) = TcpStream::connect(self.address) {
                stream.set_read_timeout(Some(PATIENCE))?;
                let mut answer = vec![];
                let asked =
                    stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
                if asked.is_ok() && answer.starts_with(b"HTTP/1.1 200 ") {
                    return Ok(self.started.elapsed());
                }
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server at {} ended before it answered: {status}", self.address);
            }
            if self.started.elapsed() > PATIENCE {
                bail!("the server at {} does not answer", self.address);
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Processor time of all its threads so far, user and system.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let mut nanoseconds = 0_u64;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end while we look.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            let spent = text.split(' ').next().and_then(|number| number.parse::<u64>().ok());
            nanoseconds = nanoseconds.saturating_add(spent.context("schedstat without a number")?);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Memory that is resident, bytes.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes.saturating_mul(1_024))
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > PATIENCE {
                bail!("the server at {} does not stop", self.address);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Keeps the calling thread on `core`.
pub(crate) fn pin(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("no core {core}"))
}

/// A loopback address that nobody listens at.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
