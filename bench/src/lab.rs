//! Where and how the servers under test are started.

use crate::api::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use crate::process::{Server, free_address};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Programs, folder, cores and patience of a run.
#[derive(Debug)]
pub(crate) struct Lab {
    /// The release binary.
    pub(crate) yardarm: PathBuf,
    /// The bare server.
    pub(crate) bare: PathBuf,
    /// The bare server that writes.
    pub(crate) bare_writes: PathBuf,
    /// The bare server that streams.
    pub(crate) bare_streams: PathBuf,
    /// The program that evaluates flags beside other evaluators.
    pub(crate) peers: PathBuf,
    /// Unleash Edge, if it is installed.
    pub(crate) edge: Option<PathBuf>,
    /// Where stores are made, on the disk that is measured.
    pub(crate) folder: PathBuf,
    /// The core of servers that are measured for processor time.
    pub(crate) server_core: usize,
    /// The core of the load.
    pub(crate) load_core: usize,
    /// Rounds of each measurement.
    pub(crate) rounds: usize,
    /// How long a round counts.
    pub(crate) window: Duration,
    /// How long a round runs before it counts.
    pub(crate) warm_up: Duration,
}

impl Lab {
    /// A folder of this name, empty.
    pub(crate) fn empty_folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Starts Yardarm on the store in `data`, with its defaults but for `options`.
    pub(crate) fn yardarm(
        &self,
        data: &Path,
        options: &[&str],
        core: Option<usize>,
    ) -> anyhow::Result<Server> {
        self.yardarm_at(free_address()?, data, options, core)
    }

    /// The same, at this address.
    pub(crate) fn yardarm_at(
        &self,
        address: SocketAddr,
        data: &Path,
        options: &[&str],
        core: Option<usize>,
    ) -> anyhow::Result<Server> {
        let mut command = Command::new(&self.yardarm);
        command
            .arg("serve")
            .args(["--agent-listen", "off", "--listen", &address.to_string(), "--region", REGION, "--data"])
            .arg(data)
            .args(options)
            .current_dir(&self.folder)
            .env("YARDARM_ADMIN_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("YARDARM_ADMIN_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
        Server::start(command, address, core, &self.folder.join("yardarm.log"))
    }

    /// Starts Unleash Edge offline, on these features.
    pub(crate) fn edge(&self, program: &Path, features: &str, token: &str) -> anyhow::Result<Server> {
        let address = free_address()?;
        let file = self.folder.join("features.json");
        std::fs::write(&file, features)?;
        let mut command = Command::new(program);
        command
            .args([
                "--interface",
                &address.ip().to_string(),
                "--port",
                &address.port().to_string(),
                "offline",
            ])
            .arg("--bootstrap-file")
            .arg(file)
            .args(["--tokens", token]);
        Server::start(command, address, Some(self.server_core), &self.folder.join("edge.log"))
    }

    /// Starts the bare server with this answer.
    pub(crate) fn bare(
        &self,
        headers: &[(String, String)],
        body: &[u8],
        name: &str,
    ) -> anyhow::Result<Server> {
        let address = free_address()?;
        let file = self.folder.join(name);
        std::fs::write(&file, body)?;
        let mut command = Command::new(&self.bare);
        command.args(["--listen", &address.to_string(), "--body"]).arg(file);
        for (name, value) in headers {
            command.args(["--header", &format!("{name}: {value}")]);
        }
        Server::start(command, address, Some(self.server_core), &self.folder.join("bare.log"))
    }
}
