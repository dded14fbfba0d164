//! A log as text: what a release wrote, kept where people can read and compare it.
//!
//! One JSON object a line. A record has all its fields, its digest as hexadecimal digits; content stands in base64 before
//! the first record that refers to it. Reading it back gives a log with the same digests or an error.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yardarm_domain::{ContentRef, Event};
use yardarm_log::{Batch, Content, ContentHash, Draft, Log, MemoryLog, Record, Seq};

#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    Content {
        sha256: String,
        base64: String,
    },
    #[serde(rename_all = "camelCase")]
    Record {
        seq: u64,
        time_ms: i64,
        actor: String,
        request_id: String,
        reason: Option<String>,
        kind: String,
        version: u16,
        body: String,
        digest: String,
    },
}

/// Why a log has no text, or a text gives no log.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The log does not answer, or is damaged.
    #[error(transparent)]
    Log(#[from] yardarm_log::Error),
    /// A line is not as it must be.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// The whole of `log` as text.
///
/// # Errors
/// The log does not answer, or holds what this release cannot read.
pub async fn export(log: &dyn Log) -> Result<String, TextError> {
    let (mut text, mut exported) = (String::new(), BTreeSet::new());
    for (index, record) in log.read(Seq::ZERO, usize::MAX).await?.into_iter().enumerate() {
        let wrong = |what: String| TextError::Line { line: index + 1, what };
        let Record { seq, digest, draft, .. } = record;
        let event = Event::read(&draft.kind, draft.version, &draft.body).map_err(|e| wrong(e.to_string()))?;
        if let Some(content) = content_of(&event)
            && exported.insert(content.hash)
        {
            let hash = ContentHash(content.hash.0);
            let bytes = log.content(hash).await?.ok_or_else(|| wrong(format!("content {hash} is missing")))?;
            push(&mut text, &Line::Content { sha256: hash.to_string(), base64: STANDARD.encode(bytes) });
        }
        let Draft { time_ms, actor, request_id, reason, kind, version, body } = draft;
        let digest = digest.to_string();
        push(&mut text, &Line::Record { seq: seq.0, time_ms, actor, request_id, reason, kind, version, body, digest });
    }
    Ok(text)
}

fn content_of(event: &Event) -> Option<&ContentRef> {
    match event {
        Event::HostedVersionCreated { content, .. } | Event::DeploymentStarted { content, .. } => Some(content),
        _ => None,
    }
}

fn push(text: &mut String, line: &Line) {
    // Texts and numbers can always be written.
    text.push_str(&serde_json::to_string(line).unwrap_or_default());
    text.push('\n');
}

/// A log in memory that holds what `text` says.
///
/// # Errors
/// A line is malformed, or its record gets another digest or number than it says.
pub async fn import(text: &str) -> Result<MemoryLog, TextError> {
    let log = MemoryLog::new();
    let mut contents = vec![];
    for (index, line) in text.lines().enumerate() {
        let wrong = |what: String| TextError::Line { line: index + 1, what };
        match serde_json::from_str(line).map_err(|error| wrong(error.to_string()))? {
            Line::Content { sha256, base64 } => {
                let bytes = STANDARD.decode(base64).map_err(|error| wrong(error.to_string()))?;
                let content = Content::new(Bytes::from(bytes));
                if content.hash().to_string() != sha256 {
                    return Err(wrong(format!("the content has the hash {}", content.hash())));
                }
                contents.push(content);
            }
            Line::Record { seq, time_ms, actor, request_id, reason, kind, version, body, digest } => {
                let draft = Draft { time_ms, actor, request_id, reason, kind, version, body };
                let batch = Batch { drafts: vec![draft], contents: std::mem::take(&mut contents) };
                let written = log.append(Seq(seq.saturating_sub(1)), batch).await;
                let written = written.map_err(|error| wrong(error.to_string()))?;
                if written.iter().any(|record| record.digest.to_string() != digest) {
                    return Err(wrong("its digest is not that of what it says".into()));
                }
            }
        }
    }
    Ok(log)
}
