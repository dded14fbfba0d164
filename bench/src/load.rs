//! The load: many keep-alive connections, each with one request under way, driven by one thread.
//!
//! It is a closed loop, so a server that is asked as fast as it answers is saturated, and latency is what its clients
//! then see. **Invariants:** per request one write and one read, no allocation, no parsing beyond the head; what an
//! answer must look like is checked for every single one.

use crate::http::Head;
use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The longest wait for any answer before the run is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the connections ask, and what they make of the answers.
pub(crate) trait Client {
    /// The next request of `connection`.
    fn request(&mut self, connection: usize) -> anyhow::Result<&[u8]>;

    /// Judges an answer: `head`, and all of its bytes.
    fn answered(&mut self, connection: usize, head: &Head, answer: &[u8]) -> anyhow::Result<()>;
}

/// One round of load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// To whom.
    pub(crate) address: SocketAddr,
    /// Over how many connections.
    pub(crate) connections: usize,
    /// Before anything is counted.
    pub(crate) warm_up: Duration,
    /// While everything is counted.
    pub(crate) window: Duration,
    /// Never sleeps, but looks at its sockets all the time. For a load that a core could be given to: waking a sleeping one
    /// takes the machine as long as a fast disk takes to write, and would count as the server's time.
    pub(crate) awake: bool,
}

/// What was counted.
#[derive(Debug)]
pub(crate) struct Counted {
    /// Answers.
    pub(crate) requests: u64,
    /// The window as it really was.
    pub(crate) wall: Duration,
    /// Processor time of the server in it.
    pub(crate) cpu: Duration,
    /// From the write of a request to the end of its answer, nanoseconds.
    pub(crate) latency: Histogram<u64>,
}

impl Counted {
    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        as_f64(self.requests) / self.wall.as_secs_f64()
    }

    /// Processor time of the server for one request.
    pub(crate) fn cpu_per_request(&self) -> Duration {
        Duration::from_secs_f64(self.cpu.as_secs_f64() / as_f64(self.requests.max(1)))
    }

    /// Share of one core that the server used.
    pub(crate) fn utilisation(&self) -> f64 {
        self.cpu.as_secs_f64() / self.wall.as_secs_f64()
    }

    /// Latency at a quantile.
    pub(crate) fn latency_at(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.latency.value_at_quantile(quantile))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    asked_at: Option<Instant>,
}

impl Round {
    /// Runs the round. `cpu` says how much processor time the server has used so far.
    pub(crate) fn run(
        &self,
        client: &mut impl Client,
        cpu: impl Fn() -> anyhow::Result<Duration>,
    ) -> anyhow::Result<Counted> {
        let mut poll = Poll::new()?;
        let mut connections = self.connect(&poll)?;
        let mut events = Events::with_capacity(self.connections.max(1));
        let mut latency = Histogram::new_with_bounds(1_000, 60_000_000_000, 3)?;
        for (index, connection) in connections.iter_mut().enumerate() {
            connection.ask(index, client)?;
        }
        let begun = Instant::now();
        let (mut opened, mut closed) = (None, None);
        let mut requests = 0;
        let mut open = connections.len();
        let mut heard = begun;
        while open > 0 {
            poll.poll(&mut events, if self.awake { Some(Duration::ZERO) } else { Some(PATIENCE) })?;
            let now = Instant::now();
            if !events.is_empty() {
                heard = now;
            } else if now.duration_since(heard) >= PATIENCE {
                bail!("{} does not answer for {PATIENCE:?}", self.address);
            }
            if opened.is_none() && now.duration_since(begun) >= self.warm_up {
                opened = Some((now, cpu()?));
            }
            if let Some((opened_at, _)) = opened
                && closed.is_none()
                && now.duration_since(opened_at) >= self.window
            {
                closed = Some((now, cpu()?));
            }
            for event in &events {
                let Token(index) = event.token();
                let Some(connection) = connections.get_mut(index) else { continue };
                let Some(took) = connection.receive(index, client)? else { continue };
                if opened.is_some() && closed.is_none() {
                    requests += 1;
                    latency.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
                }
                // Once the window is over, what is under way is answered and nothing more is asked.
                if closed.is_some() {
                    open -= 1;
                } else {
                    connection.ask(index, client)?;
                }
            }
        }
        let ((opened_at, cpu_before), (closed_at, cpu_after)) = opened.zip(closed).context("no window")?;
        let wall = closed_at.duration_since(opened_at);
        Ok(Counted { requests, wall, cpu: cpu_after.saturating_sub(cpu_before), latency })
    }

    fn connect(&self, poll: &Poll) -> anyhow::Result<Vec<Connection>> {
        let connect = |index| -> anyhow::Result<Connection> {
            let stream = std::net::TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
            Ok(Connection { stream, buffer: vec![0; 32 * 1024], filled: 0, asked_at: None })
        };
        (0..self.connections).map(connect).collect()
    }
}

impl Connection {
    fn ask(&mut self, index: usize, client: &mut impl Client) -> anyhow::Result<()> {
        let request = client.request(index)?;
        self.asked_at = Some(Instant::now());
        // A request is far smaller than a socket's buffer, and no other is in it.
        let written = self.stream.write(request)?;
        if written != request.len() {
            bail!("a request of {} bytes did not fit", request.len());
        }
        Ok(())
    }

    /// Reads what is there. Answers how long the request took once its answer is complete.
    ///
    /// After a complete answer there is nothing more to read until the next request, so the next edge comes with its
    /// answer and the socket need not be drained.
    fn receive(&mut self, index: usize, client: &mut impl Client) -> anyhow::Result<Option<Duration>> {
        let Some(asked_at) = self.asked_at else { return Ok(None) };
        loop {
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match self.stream.read(room) {
                Ok(0) => bail!("the server closed connection {index}"),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            }
            let received = self.buffer.get(..self.filled).unwrap_or_default();
            let Some(head) = Head::read(received)? else { continue };
            if received.len() < head.total() {
                continue;
            }
            let took = asked_at.elapsed();
            client.answered(index, &head, received)?;
            (self.filled, self.asked_at) = (0, None);
            return Ok(Some(took));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

    /// Answers every request, in two pieces, until the other side goes.
    fn serve(mut stream: std::net::TcpStream) -> std::io::Result<()> {
        let mut request = [0; 64];
        while stream.read(&mut request)? > 0 {
            let (head, rest) = ANSWER.split_at(20);
            stream.write_all(head)?;
            stream.write_all(rest)?;
        }
        Ok(())
    }

    #[derive(Default)]
    struct Counting {
        asked: [u64; 4],
        answered: [u64; 4],
    }

    impl Client for Counting {
        fn request(&mut self, connection: usize) -> anyhow::Result<&[u8]> {
            self.asked[connection] += 1;
            Ok(b"GET / HTTP/1.1\r\n\r\n")
        }

        fn answered(&mut self, connection: usize, _: &Head, answer: &[u8]) -> anyhow::Result<()> {
            assert_eq!(answer, ANSWER);
            self.answered[connection] += 1;
            Ok(())
        }
    }

    #[test]
    fn every_request_is_answered_before_a_round_ends() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || serve(stream.unwrap()));
            }
        });
        let mut client = Counting::default();
        let (warm_up, window) = (Duration::ZERO, Duration::from_millis(20));
        let counted = Round { address, connections: 4, warm_up, window, awake: false }
            .run(&mut client, || Ok(Duration::ZERO))
            .unwrap();
        assert_eq!(client.asked, client.answered);
        assert!(client.asked.iter().all(|&asked| asked > 0));
        assert!(counted.requests <= client.answered.iter().sum());
        assert_eq!(counted.latency.len(), counted.requests);
    }
}
