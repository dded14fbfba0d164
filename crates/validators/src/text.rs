//! Values in messages: as JSON or as they are, never long.

use std::io;

use serde_json::Value;

/// Longest value in a message, in bytes; then `...` follows.
const MAX_VALUE_BYTES: usize = 512;

/// `value` as JSON, cut short when long. A large value costs no more than what is kept of it.
pub(crate) fn json(value: &Value) -> String {
    let mut writer = Bounded { kept: Vec::new() };
    match serde_json::to_writer(&mut writer, value) {
        Ok(()) => String::from_utf8_lossy(&writer.kept).into_owned(),
        Err(_) => shortened(&String::from_utf8_lossy(&writer.kept)),
    }
}

/// A string as it is, anything else as JSON; cut short when long.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() > MAX_VALUE_BYTES => shortened(text),
        Value::String(text) => text.clone(),
        other => json(other),
    }
}

/// `text`, cut short when long.
pub(crate) fn bounded(text: &str) -> String {
    if text.len() > MAX_VALUE_BYTES { shortened(text) } else { text.to_owned() }
}

fn shortened(text: &str) -> String {
    let end = (0..=MAX_VALUE_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}...", text.get(..end).unwrap_or_default())
}

/// Keeps a little more than [`MAX_VALUE_BYTES`], then fails.
struct Bounded {
    kept: Vec<u8>,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (MAX_VALUE_BYTES + 1).saturating_sub(self.kept.len());
        if room == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.kept.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
