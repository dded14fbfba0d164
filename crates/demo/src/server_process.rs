//! The server, as a process that can be killed.

use crate::failure::DemoError;
use crate::waiting::PATIENCE;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What the server says when it is there, before its address.
const SERVES_AT: &str = "serves AWS AppConfig at ";

/// The server and its data. Killed when this is dropped.
pub(crate) struct ServerProcess {
    binary: PathBuf,
    data: PathBuf,
    /// Where it listens; before the first start any free port.
    listen: String,
    child: Option<Child>,
}

impl ServerProcess {
    /// A server that keeps its data in `data`. Not started yet.
    pub(crate) fn new(binary: &Path, data: PathBuf) -> Self {
        Self { binary: binary.into(), data, listen: "127.0.0.1:0".into(), child: None }
    }

    /// Its address, once it was started.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Starts it, at the address that it had before, and waits until it serves.
    ///
    /// # Errors
    /// It does not.
    pub(crate) async fn start(&mut self) -> Result<(), DemoError> {
        let mut child = Command::new(&self.binary)
            .args(["serve", "--dev", "--agent-listen", "off", "--log-level", "error"])
            .args(["--listen", &self.listen])
            .arg("--data")
            .arg(&self.data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(DemoError::machine("the server cannot be run"))?;
        let address = match child.stdout.take() {
            Some(output) => timeout(PATIENCE, address(BufReader::new(output))).await.ok().flatten(),
            None => None,
        };
        let Some(address) = address else {
            let _ = child.start_kill();
            let mut told = String::new();
            if let Some(mut errors) = child.stderr.take() {
                let _ = timeout(PATIENCE, errors.read_to_string(&mut told)).await;
            }
            return Err(DemoError::NotStarted(told.trim().to_owned()));
        };
        // Nobody reads on: a server that complains must not wait for a reader.
        if let Some(errors) = child.stderr.take() {
            tokio::spawn(drain(errors));
        }
        self.listen = address;
        self.child = Some(child);
        Ok(())
    }

    /// Kills it, as the out-of-memory killer would: without a word.
    ///
    /// # Errors
    /// The machine refuses.
    pub(crate) async fn kill(&mut self) -> Result<(), DemoError> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        child.kill().await.map_err(DemoError::machine("the server cannot be killed"))
    }
}

/// The address in what the server prints. Goes on reading in the background, so that the server can go on printing.
async fn address(mut output: impl AsyncBufReadExt + Unpin + Send + 'static) -> Option<String> {
    let mut line = String::new();
    while output.read_line(&mut line).await.ok()? > 0 {
        if let Some((_, url)) = line.split_once(SERVES_AT) {
            let address = url.trim().strip_prefix("http://")?.to_owned();
            tokio::spawn(drain(output));
            return Some(address);
        }
        line.clear();
    }
    None
}

async fn drain(mut output: impl tokio::io::AsyncRead + Unpin) {
    let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
}
