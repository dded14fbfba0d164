//! Server-sent events, read as they come.
//!
//! **Invariants:** pure; the same whatever pieces the bytes come in; what is kept of them is bounded.

use std::mem;
use std::time::Duration;

/// Something that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Event(Event),
    /// After how long to come back when the stream ends.
    Retry(Duration),
}

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// What kind it is; empty for the usual one.
    pub(crate) name: String,
    /// The last id that was told, of this event or of one before; empty for none.
    pub(crate) id: String,
    /// Its data, without the last line break.
    pub(crate) data: Vec<u8>,
}

/// Reads events.
#[derive(Debug)]
pub(crate) struct EventReader {
    /// What has come of a line.
    line: Vec<u8>,
    /// What has come of an event. Its data ends with a line break.
    event: Event,
    /// Whether nothing has come at all.
    is_new: bool,
    /// Whether the last byte was a carriage return, which ends a line, as it does together with a line feed.
    after_return: bool,
    /// Bytes of an event and a line.
    limit: usize,
}

/// An event that is larger than what is worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {0} bytes")]
pub(crate) struct TooLarge(usize);

/// What a stream may begin with, and means nothing.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl EventReader {
    /// Keeps at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { line: vec![], event: Event::default(), is_new: true, after_return: false, limit }
    }

    /// Takes more bytes. Answers what they complete.
    ///
    /// # Errors
    /// An event is too large; the reader is good for nothing then.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) -> Result<Vec<Heard>, TooLarge> {
        let mut heard = vec![];
        if mem::take(&mut self.after_return) {
            match bytes {
                [b'\n', rest @ ..] => bytes = rest,
                [] => self.after_return = true,
                _ => {}
            }
        }
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, rest) = bytes.split_at(end);
            self.keep(line)?;
            heard.extend(self.end_of_line());
            bytes = match rest {
                [b'\r', b'\n', rest @ ..] => rest,
                [b'\r'] => {
                    self.after_return = true;
                    &[]
                }
                [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        self.keep(bytes)?;
        Ok(heard)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        let Event { name, id, data } = &self.event;
        let kept = [self.line.len(), name.len(), id.len(), data.len(), bytes.len()];
        if kept.into_iter().fold(0, usize::saturating_add) > self.limit {
            return Err(TooLarge(self.limit));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_of_line(&mut self) -> Option<Heard> {
        let whole = mem::take(&mut self.line);
        let line = if mem::take(&mut self.is_new) {
            whole.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&whole)
        } else {
            &whole
        };
        if line.is_empty() {
            return self.end_of_event();
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || String::from_utf8_lossy(value).into_owned();
        match field {
            b"data" => {
                self.event.data.extend_from_slice(value);
                self.event.data.push(b'\n');
            }
            b"event" => self.event.name = text(),
            b"id" if !value.contains(&0) => self.event.id = text(),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                return text().parse().ok().map(|ms| Heard::Retry(Duration::from_millis(ms)));
            }
            // A comment, or what somebody will have a use for one day.
            _ => {}
        }
        None
    }

    fn end_of_event(&mut self) -> Option<Heard> {
        // The id is that of later events too, until they have another.
        let id = self.event.id.clone();
        let mut event = mem::replace(&mut self.event, Event { id, ..Event::default() });
        event.data.pop().map(|_| Heard::Event(event))
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, EventReader, Heard, TooLarge};
    use proptest::prelude::*;
    use std::time::Duration;

    fn read(bytes: &[u8]) -> Vec<Heard> {
        EventReader::new(10_000).read(bytes).unwrap()
    }

    fn event(name: &str, id: &str, data: &str) -> Heard {
        Heard::Event(Event { name: name.into(), id: id.into(), data: data.into() })
    }

    #[test]
    fn an_event_ends_with_an_empty_line_and_its_id_stays() {
        let text = "\u{feff}id: 1\ndata: a\n\n: comment\n\nevent: x\r\ndata:b\rdata:  c\r\n\r\nid\ndata\n\ndata: lost";
        let heard = [event("", "1", "a"), event("x", "1", "b\n c"), event("", "", "")];
        assert_eq!(read(text.as_bytes()), heard);
    }

    #[test]
    fn what_says_nothing_is_no_event() {
        assert_eq!(
            read(b"event: x\nid: 7\n\n\n\nother: field\nwhatever\n\ndata: a\n\n"),
            [event("", "7", "a")]
        );
        assert_eq!(read(b"id: a\0b\ndata: x\n\n"), [event("", "", "x")]);
    }

    #[test]
    fn when_to_come_back_is_a_number() {
        assert_eq!(read(b"retry: 1500\n"), [Heard::Retry(Duration::from_millis(1_500))]);
        for bad in ["retry\n", "retry: -1\n", "retry: 1s\n", "retry: 99999999999999999999999\n"] {
            assert_eq!(read(bad.as_bytes()), [], "{bad}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        for endless in ["data: 0123456789\n", "event: 0123456789", "id: 0123456789x"] {
            let mut reader = EventReader::new(100);
            let end = (0..1_000).find_map(|_| reader.read(endless.as_bytes()).err());
            let is_bounded = reader.line.len() + reader.event.data.len() <= 100;
            assert!(end == Some(TooLarge(100)) && is_bounded, "{endless}");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            text in "(data|id|event|retry|x|:|\u{feff}|\0| |[0-9]|\n|\n|\r|\r\n|\n\n){0,60}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut reader = EventReader::new(10_000);
            let mut heard = vec![];
            for cut in cuts.windows(2) {
                heard.extend(reader.read(&bytes[cut[0]..cut[1]]).unwrap());
            }
            prop_assert_eq!(heard, read(bytes));
        }

        #[test]
        fn no_bytes_panic(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20),
        ) {
            let mut reader = EventReader::new(200);
            for piece in pieces {
                if reader.read(&piece).is_err() {
                    break;
                }
            }
        }

        #[test]
        fn what_is_written_is_read(id in "[!-~]{1,30}", data in "[^\r\n]{1,200}", retry: u32) {
            let text = format!("id: {id}\ndata: {data}\n\nretry: {retry}\n\n");
            let wanted = [event("", &id, &data), Heard::Retry(Duration::from_millis(retry.into()))];
            prop_assert_eq!(read(text.as_bytes()), wanted);
        }
    }
}
