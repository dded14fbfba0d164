//! `yardarm doctor`: can this machine run the server, and what is to be mended.

use super::{Failure, say};
use crate::environment;
use crate::options::{InForce, Sources};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use yardarm_log::{Log, Seq, SqliteLog};
use yardarm_node::MasterKeys;

/// How one check went.
enum Finding {
    Good(String),
    /// Works, but not as it should.
    Odd(String),
    Bad(String),
}

use Finding::{Bad, Good, Odd};

pub(super) fn run(sources: &Sources) -> Result<ExitCode, Failure> {
    let options = match sources.resolve() {
        Ok(options) => options,
        Err(failure) => {
            report("options", &Bad(failure.to_string()));
            return Ok(ExitCode::FAILURE);
        }
    };
    let findings = [
        ("options", Good("readable, no unknown names".into())),
        ("data folder", folder(&options.data)),
        ("master key", master_key(&options)),
        ("log", log(&options)),
        ("address", address(&options)),
        ("open files", open_files(&options)),
        ("security", security(&options)),
    ];
    for (name, finding) in &findings {
        report(name, finding);
    }
    let bad = findings.iter().any(|(_, finding)| matches!(finding, Bad(_)));
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn report(name: &str, finding: &Finding) {
    let (verdict, text) = match finding {
        Good(text) => ("ok", text),
        Odd(text) => ("warning", text),
        Bad(text) => ("FAILED", text),
    };
    say(format!("{name:<12} {verdict:<8} {text}"));
}

fn folder(path: &Path) -> Finding {
    let shown = path.display();
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Good(format!("{shown} does not exist yet; the server makes it"))
        }
        Err(error) => Bad(format!("{shown}: {error}")),
        Ok(found) if !found.is_dir() => Bad(format!("{shown} is not a folder")),
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            Odd(format!("{shown} can be read by others: chmod 700 {shown}"))
        }
        Ok(_) => Good(format!("{shown}")),
    }
}

fn master_key(options: &InForce) -> Finding {
    if let Some(text) = environment::secret("YARDARM_MASTER_KEY") {
        return match MasterKeys::parse(&text) {
            Ok(_) => Good("in the environment".into()),
            Err(error) => Bad(format!("YARDARM_MASTER_KEY: {error}")),
        };
    }
    let path = options.master_key_path();
    let shown = path.display();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return if options.database().exists() {
                Bad(format!("{shown} is missing, and the store's secrets open with it only"))
            } else {
                Good(format!("{shown} does not exist yet; the server makes it"))
            };
        }
        Err(error) => return Bad(format!("{shown}: {error}")),
    };
    if let Err(error) = MasterKeys::parse(&text) {
        return Bad(format!("{shown}: {error}"));
    }
    match fs::metadata(&path) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            Odd(format!("{shown} can be read by others: chmod 600 {shown}"))
        }
        Ok(_) | Err(_) => Good(format!("{shown}")),
    }
}

fn log(options: &InForce) -> Finding {
    let path = options.database();
    let shown = path.display();
    if !path.exists() {
        return Good(format!("{shown} does not exist yet; the server makes it"));
    }
    let log = match SqliteLog::open_read_only(&path) {
        Ok(log) => log,
        Err(error) => return Bad(format!("{shown}: {error}")),
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Bad("no runtime".into());
    };
    let read = runtime.block_on(async {
        let end = log.end().await?;
        // Its links are checked as it is read.
        log.read(Seq(end.0.saturating_sub(100)), 100).await?;
        Ok::<Seq, yardarm_log::Error>(end)
    });
    match read {
        Ok(end) => {
            Good(format!("{shown}: {end} records, the last ones intact; `yardarm log verify` checks all"))
        }
        Err(error) => Bad(format!("{shown}: {error}")),
    }
}

fn address(options: &InForce) -> Finding {
    match TcpListener::bind(options.listen) {
        Ok(_) => Good(format!("{} is free", options.listen)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Odd(format!("{} is in use: by a running server, or choose another --listen", options.listen))
        }
        Err(error) => Bad(format!("{}: {error}", options.listen)),
    }
}

/// Each connection and each stream is a file to the system; the store and the rest need a few dozen.
fn open_files(options: &InForce) -> Finding {
    let streams = options.max_event_streams.saturating_add(options.max_rollout_streams);
    let needed = options.max_connections.saturating_add(streams).saturating_add(64);
    let Ok(limits) = fs::read_to_string("/proc/self/limits") else {
        return Odd("the limit cannot be read on this system".into());
    };
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    match soft.map(str::parse::<usize>) {
        Some(Ok(limit)) if limit < needed => Odd(format!(
            "{limit} files may be open, fewer than --max-connections, --max-event-streams, --max-rollout-streams and \
             the store may need: ulimit -n {}",
            needed.next_power_of_two()
        )),
        Some(Ok(limit)) => Good(format!("{limit} may be open")),
        Some(Err(_)) | None => Good("no limit".into()),
    }
}

fn security(options: &InForce) -> Finding {
    if options.dev {
        Odd("development mode: everybody on this machine can sign".into())
    } else if options.authentication == crate::options::AuthenticationOption::None {
        Odd("requests are not authenticated".into())
    } else if !options.listen.ip().is_loopback() {
        Odd("the listener speaks plain HTTP: put a proxy that speaks TLS in front".into())
    } else {
        Good("requests are signed, loopback only".into())
    }
}
