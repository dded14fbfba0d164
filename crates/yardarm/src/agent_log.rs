//! Log lines as the AWS AppConfig agent writes them: `[appconfig agent] 2026/11/24 11:33:28 INFO serving on …`.

use crate::commands::Failure;
use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use yardarm_agent::settings::LogLevel;
use yardarm_node::{Clock, SystemClock};

/// Starts to write lines of at least `level`: to a file, or to standard error.
pub(crate) fn start(level: LogLevel, path: Option<&Path>) -> Result<(), Failure> {
    let lines = tracing_subscriber::fmt().with_env_filter(filter(level)).with_ansi(false).event_format(Lines);
    let started = match path {
        None => lines.with_writer(std::io::stderr).try_init(),
        Some(path) => {
            let file = OpenOptions::new().append(true).create(true).mode(0o640).open(path);
            let file =
                file.map_err(|error| Failure::usage(format!("LOG_PATH {}: {error}", path.display())))?;
            lines.with_writer(Mutex::new(file)).try_init()
        }
    };
    started.map_err(|error| Failure::failed(error.to_string()))
}

/// Our own lines only: those of libraries are for their authors.
fn filter(level: LogLevel) -> EnvFilter {
    let level = match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
        // What ends the agent is written when it ends.
        LogLevel::Fatal | LogLevel::None => "off",
    };
    let ours = ["yardarm", "yardarm_agent", "yardarm_client", "yardarm_listen"];
    let directives = ours.map(|target| format!("{target}={level}"));
    EnvFilter::new(format!("off,{}", directives.join(",")))
}

struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let time = SystemClock.now().strftime("%Y/%m/%d %H:%M:%S");
        write!(to, "[appconfig agent] {time} {} ", event.metadata().level())?;
        context.format_fields(to.by_ref(), event)?;
        writeln!(to)
    }
}
