//! Just enough HTTP/1.1 to measure with: requests as bytes made beforehand, answers read by status, length and token.
//!
//! Servers under test announce `content-length` always; anything else is an error, not a case.

use anyhow::{Context, bail};

/// What an answer's head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status.
    pub(crate) status: u16,
    /// Where the body begins.
    pub(crate) body_at: usize,
    /// How long the body is.
    pub(crate) body_bytes: usize,
    /// Where the next configuration token is, and how long; zero length for none.
    pub(crate) token: (usize, usize),
}

impl Head {
    /// Head and body together.
    pub(crate) fn total(&self) -> usize {
        self.body_at.saturating_add(self.body_bytes)
    }

    /// Reads the head at the start of `bytes`; `None` while it is not complete.
    pub(crate) fn read(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let text =
            std::str::from_utf8(bytes.get(..end).unwrap_or_default()).context("a head that is not text")?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?;
        let status: u16 = status.parse().context("no status")?;
        let (mut body_bytes, mut token) = (None, (0, 0));
        let mut at = text.find("\r\n").map_or(end, |first| first + 2);
        for line in lines {
            let value_at = line.find(": ").map_or(line.len(), |colon| colon + 2);
            let (name, value) = line.split_at(value_at);
            if name.eq_ignore_ascii_case("content-length: ") {
                body_bytes = Some(value.parse().context("a length that is no number")?);
            } else if name.eq_ignore_ascii_case("next-poll-configuration-token: ") {
                token = (at + value_at, value.len());
            }
            at += line.len() + 2;
        }
        let body_bytes = match (body_bytes, status) {
            (Some(length), _) => length,
            (None, 204 | 304) => 0,
            (None, _) => bail!("an answer without a length: {text}"),
        };
        Ok(Some(Self { status, body_at: end + 4, body_bytes, token }))
    }
}

/// The names and values of the headers in the head that `bytes` begins with, in order.
pub(crate) fn headers(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let pairs = head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        let text = b"HTTP/1.1 200 OK\r\nnext-poll-configuration-token: abc\r\nContent-Length: 3\r\n\r\nxyz";
        for end in 0..text.len() - 3 {
            assert_eq!(Head::read(&text[..end]).unwrap(), None);
        }
        let head = Head::read(text).unwrap().unwrap();
        assert_eq!((head.status, head.body_bytes, head.total()), (200, 3, text.len()));
        assert_eq!(&text[head.token.0..head.token.0 + head.token.1], b"abc");
    }

    #[test]
    fn an_answer_without_a_length_is_an_error_unless_it_has_no_body() {
        assert!(Head::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert_eq!(Head::read(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap().body_bytes, 0);
    }
}
