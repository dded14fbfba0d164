//! Many clients that listen to streams, driven by one thread. Each knows how many events it has heard, and when the last one.
//!
//! **Invariant:** an event costs a client one read and a look at its bytes; nothing is kept but the counts.

use anyhow::{Context, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The longest wait for anything before the run is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// What every event has once.
const DATA: &[u8] = b"\ndata: ";

/// What the heads of refusals say about when to come back.
const RETRY_AFTER: &str = "retry-after: ";

/// What says when to come back when a stream has ended.
const RETRY: &str = "\nretry: ";

/// Clients.
pub(crate) struct Listeners {
    poll: Poll,
    address: SocketAddr,
    request: Vec<u8>,
    clients: Vec<Client>,
    /// Draws when clients come back.
    draw: u64,
}

#[derive(Default)]
struct Client {
    stream: Option<TcpStream>,
    /// How much of [`DATA`] has just been seen.
    matched: usize,
    heard: u32,
    heard_at: Option<Instant>,
    /// The answer so far, until it is known to be a stream; then the field that says when to come back.
    head: Vec<u8>,
    listens: bool,
    retry: Duration,
    /// When it connects.
    due: Option<Instant>,
    failures: u32,
}

/// What became of clients that came back.
#[derive(Debug, Default)]
pub(crate) struct Reconnected {
    /// From the end of the streams to the last client that listened again.
    pub(crate) took: Duration,
    /// When each was let in, since the end of the streams, in order.
    pub(crate) admitted: Vec<Duration>,
    /// Who was told to come later.
    pub(crate) told_to_wait: u32,
    /// Who found nobody, as while the server was starting.
    pub(crate) unreachable: u32,
}

impl Reconnected {
    /// The most that were let in within a second.
    pub(crate) fn most_in_a_second(&self) -> usize {
        let window = |(index, at): (usize, &Duration)| {
            let end = *at + Duration::from_secs(1);
            self.admitted.partition_point(|other| *other < end).saturating_sub(index)
        };
        self.admitted.iter().enumerate().map(window).max().unwrap_or(0)
    }
}

impl Listeners {
    /// Opens `count` streams, one soon after the other, and waits until each has heard `events` events.
    pub(crate) fn open(
        address: SocketAddr,
        request: Vec<u8>,
        count: usize,
        events: u32,
    ) -> anyhow::Result<Self> {
        let clients = (0..count).map(|_| Client::default()).collect();
        let mut listeners = Self { poll: Poll::new()?, address, request, clients, draw: 1 };
        // A few at a time: queues of a kernel are short.
        for first in (0..count).step_by(200) {
            let end = (first + 200).min(count);
            for index in first..end {
                listeners.connect(index)?;
            }
            listeners.run(|listeners| {
                let some = listeners.clients.get(first..end).unwrap_or_default();
                some.iter().all(|client| client.heard >= events)
            })?;
        }
        Ok(listeners)
    }

    /// Begins to count anew.
    pub(crate) fn reset(&mut self) {
        self.clients.iter_mut().for_each(|client| client.heard = 0);
    }

    /// Waits until everybody has heard `events` events. Answers how long after `since` each of them heard its last.
    pub(crate) fn until_told(&mut self, events: u32, since: Instant) -> anyhow::Result<Vec<Duration>> {
        self.run(|listeners| listeners.clients.iter().all(|client| client.heard >= events))?;
        let heard = self.clients.iter().map(|client| {
            client.heard_at.map(|at| at.saturating_duration_since(since)).context("nothing was heard")
        });
        heard.collect()
    }

    /// Ends all streams by `kill`, and waits until all clients listen again: each when it was told to.
    pub(crate) fn reconnect(
        &mut self,
        kill: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<Reconnected> {
        let begun = Instant::now();
        kill()?;
        let mut result = Reconnected::default();
        let mut events = Events::with_capacity(1_024);
        while result.admitted.len() < self.clients.len() {
            ensure!(begun.elapsed() < PATIENCE, "not everybody listens again");
            self.poll.poll(&mut events, Some(Duration::from_millis(2)))?;
            let now = Instant::now();
            for event in &events {
                let Token(index) = event.token();
                self.look(index, now, begun, &mut result)?;
            }
            for index in 0..self.clients.len() {
                let due = self.clients.get(index).and_then(|client| client.due);
                if due.is_some_and(|due| due <= now) && self.connect(index).is_err() {
                    self.come_back(index, now);
                    result.unreachable += 1;
                }
            }
        }
        result.took = begun.elapsed();
        result.admitted.sort_unstable();
        Ok(result)
    }

    /// One client's news while everybody comes back.
    fn look(
        &mut self,
        index: usize,
        now: Instant,
        begun: Instant,
        result: &mut Reconnected,
    ) -> anyhow::Result<()> {
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        let listened = client.listens;
        let goes_on = client.receive(now);
        if client.listens && !listened {
            client.failures = 0;
            result.admitted.push(now.saturating_duration_since(begun));
        }
        let head = String::from_utf8_lossy(&client.head).into_owned();
        if !client.listens && head.contains("\r\n\r\n") {
            let status = head.split(' ').nth(1).unwrap_or_default();
            ensure!(matches!(status, "429" | "503"), "an error: {head}");
            let after = head.split(RETRY_AFTER).nth(1).and_then(|rest| rest.split("\r\n").next());
            let seconds: u64 = after.context("a refusal that does not say for how long")?.parse()?;
            client.end();
            result.told_to_wait += 1;
            let part = self.share(Duration::from_secs(1));
            if let Some(client) = self.clients.get_mut(index) {
                client.due = Some(now + Duration::from_secs(seconds) + part);
            }
        } else if goes_on.is_err() {
            let reached = client.listens;
            client.end();
            if reached {
                client.due = Some(now + client.retry);
            } else {
                self.come_back(index, now);
                result.unreachable += 1;
            }
        }
        Ok(())
    }

    /// After a failure: later and later, drawn at random.
    fn come_back(&mut self, index: usize, now: Instant) {
        let failures = self.clients.get(index).map_or(0, |client| client.failures);
        let bound = Duration::from_millis(250).saturating_mul(1 << failures.min(6));
        let wait = self.share(bound);
        if let Some(client) = self.clients.get_mut(index) {
            client.end();
            client.failures += 1;
            client.due = Some(now + wait);
        }
    }

    /// A part of `whole`, drawn (xorshift).
    fn share(&mut self, whole: Duration) -> Duration {
        self.draw ^= self.draw << 13;
        self.draw ^= self.draw >> 7;
        self.draw ^= self.draw << 17;
        let thousandths = u32::try_from(self.draw % 1_000).unwrap_or(0);
        whole * thousandths / 1_000
    }

    fn connect(&mut self, index: usize) -> anyhow::Result<()> {
        let client = self.clients.get_mut(index).context("no such client")?;
        (client.due, client.retry) = (None, Duration::ZERO);
        let stream = std::net::TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        let written = stream.write(&self.request)?;
        ensure!(written == self.request.len(), "a request that does not fit");
        client.stream = Some(stream);
        Ok(())
    }

    /// Hears what comes until `done`.
    fn run(&mut self, done: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(4_096);
        let mut heard = Instant::now();
        while !done(self) {
            self.poll.poll(&mut events, Some(Duration::from_secs(1)))?;
            if !events.is_empty() {
                heard = Instant::now();
            } else if heard.elapsed() > PATIENCE {
                bail!("{} says nothing for {PATIENCE:?}", self.address);
            }
            for event in &events {
                let Token(index) = event.token();
                if let Some(client) = self.clients.get_mut(index) {
                    client.receive(Instant::now())?;
                    ensure!(client.listens || client.head.len() < 16, "refused: {:?}", client.head);
                }
            }
        }
        Ok(())
    }
}

impl Client {
    /// Reads what is there. An error: the stream has ended.
    fn receive(&mut self, now: Instant) -> anyhow::Result<()> {
        let mut room = [0; 4 * 1_024];
        loop {
            let Some(stream) = &mut self.stream else { return Ok(()) };
            match stream.read(&mut room) {
                Ok(0) => bail!("the server has ended a stream"),
                Ok(read) => {
                    self.hear(room.get(..read).unwrap_or_default(), now);
                    // There was no more: the next edge comes with the next bytes.
                    if read < room.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn hear(&mut self, bytes: &[u8], now: Instant) {
        if !self.listens {
            self.head.extend_from_slice(bytes);
            self.listens = self.head.starts_with(b"HTTP/1.1 200 ");
        }
        for byte in bytes {
            // The first byte is found nowhere else in what is looked for, so it is where looking begins anew.
            self.matched = match DATA.get(self.matched) {
                Some(wanted) if wanted == byte => self.matched + 1,
                _ => usize::from(Some(byte) == DATA.first()),
            };
            if self.matched == DATA.len() {
                self.heard += 1;
                self.heard_at = Some(now);
                self.matched = 0;
            }
        }
        if self.retry.is_zero()
            && let text = String::from_utf8_lossy(bytes)
            && let Some(told) = text.split(RETRY).nth(1).and_then(|rest| rest.split('\n').next())
            && let Ok(ms) = told.trim_end().parse()
        {
            self.retry = Duration::from_millis(ms);
        }
    }

    fn end(&mut self) {
        self.stream = None;
        (self.listens, self.matched) = (false, 0);
        self.head.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_in_whatever_pieces_they_come() {
        let text = b"HTTP/1.1 200 OK\r\n\r\n2a\r\nid: 1\ndata: {}\n\n\r\nc\r\n\nretry: 731\n\n\r\nid\n\n\ndata: x\n\n";
        for cut in 0..text.len() {
            let mut client = Client::default();
            let (first, second) = text.split_at(cut);
            client.hear(first, Instant::now());
            client.hear(second, Instant::now());
            assert_eq!((client.heard, client.listens), (2, true), "cut at {cut}");
        }
        let mut client = Client::default();
        client.hear(text, Instant::now());
        assert_eq!(client.retry, Duration::from_millis(731));
    }

    #[test]
    fn the_most_in_a_second_is_that_of_any_second() {
        let admitted = [0, 100, 900, 1_050, 1_099, 3_000].map(Duration::from_millis).to_vec();
        assert_eq!(Reconnected { admitted, ..Reconnected::default() }.most_in_a_second(), 4);
    }
}
