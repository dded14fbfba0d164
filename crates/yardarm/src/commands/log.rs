//! `yardarm log`: verification of the log and of the content it refers to.

use super::{Failure, say};
use crate::options::Sources;
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::process::ExitCode;
use yardarm_domain::Event;
use yardarm_log::{ContentHash, Log, Seq, SqliteLog, verify};

#[derive(Args)]
pub(crate) struct LogArguments {
    #[command(subcommand)]
    command: LogCommand,
}

#[derive(Subcommand)]
enum LogCommand {
    /// Check every record, the chain that ties them together, and every piece of content they refer to.
    Verify(Box<Sources>),
}

/// Records read at a time.
const PAGE: usize = 4_096;

pub(super) fn run(arguments: &LogArguments) -> Result<ExitCode, Failure> {
    let LogCommand::Verify(sources) = &arguments.command;
    let path = sources.resolve()?.database();
    let shown = path.display();
    if !path.exists() {
        return Err(Failure::failed(format!("there is no log at {shown}")));
    }
    let log =
        SqliteLog::open_read_only(&path).map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(error.to_string()))?;
    let report =
        runtime.block_on(check(&log)).map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
    say(report);
    Ok(ExitCode::SUCCESS)
}

async fn check(log: &SqliteLog) -> Result<String, String> {
    let verified = verify(log).await.map_err(|error| error.to_string())?;
    let referenced = references(log).await?;
    for hash in &referenced {
        let content = log.content(*hash).await.map_err(|error| error.to_string())?;
        content.ok_or_else(|| format!("content {hash} is missing"))?;
    }
    Ok(format!(
        "The log is whole: {} records, the last one {}, {} pieces of content.\nDigest of the last record: {}",
        verified.records,
        verified.end,
        referenced.len(),
        verified.digest
    ))
}

/// Every piece of content that any record refers to.
async fn references(log: &SqliteLog) -> Result<BTreeSet<ContentHash>, String> {
    let mut found = BTreeSet::new();
    let mut seq = Seq::ZERO;
    loop {
        let page = log.read(seq, PAGE).await.map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { return Ok(found) };
        seq = last.seq;
        for record in &page {
            let draft = &record.draft;
            let event = Event::read(&draft.kind, draft.version, &draft.body)
                .map_err(|error| format!("record {}: {error}", record.seq))?;
            if let Event::HostedVersionCreated { content, .. } | Event::DeploymentStarted { content, .. } =
                event
            {
                found.insert(ContentHash(content.hash.0));
            }
        }
    }
}
