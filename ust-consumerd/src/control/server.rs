// SPDX-License-Identifier: MIT OR Apache-2.0
//! The daemon's end of the control socket: connections that may be slow or hostile.
//!
//! Nothing here waits. A connection has one request or one answer in memory at a time, and a time limit for either.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use super::frame::{self, ANSWER_BYTES_MAX, Front, REQUEST_BYTES_MAX};
use super::protocol::{Answer, Envelope, Kind, Refused, Request, VERSION};
use crate::sys;

/// Connections at a time: a person's commands, with room for scripts.
const CONNECTION_COUNT_MAX: usize = 64;

/// Bytes read from one connection before the others have their turn.
const TURN_BYTES: usize = 64 << 10;

/// From a request's first byte to its last.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);

/// Until a client takes the next part of an answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Without a request.
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);

/// A client.
#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    /// What has come of a request.
    incoming: Vec<u8>,
    /// What is still to go out of an answer.
    outgoing: Vec<u8>,
    sent: usize,
    /// When it must have gone on.
    deadline: Instant,
    /// Sessions that end with it.
    owned: Vec<u64>,
    /// Closed once the answer has gone out.
    ends: bool,
}

/// A request that is to be carried out; the answer goes to [`Server::answer`].
#[derive(Debug)]
pub(crate) struct Asked {
    pub connection: usize,
    pub id: u64,
    pub request: Request,
}

/// The control socket.
#[derive(Debug)]
pub(crate) struct Server {
    listener: UnixListener,
    connections: Vec<Connection>,
    /// Sessions whose connection has ended.
    orphans: Vec<u64>,
}

impl Server {
    pub(crate) fn new(listener: UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener, connections: Vec::new(), orphans: Vec::new() })
    }

    /// What to poll, in the order that [`Server::take_in`] expects.
    pub(crate) fn fds(&self) -> Vec<libc::pollfd> {
        let clients = self.connections.iter().map(|connection| libc::pollfd {
            fd: connection.stream.as_raw_fd(),
            events: if connection.outgoing.is_empty() { libc::POLLIN } else { libc::POLLOUT },
            revents: 0,
        });
        std::iter::once(sys::readable(self.listener.as_fd())).chain(clients).collect()
    }

    /// When the first connection must have gone on.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let more = |c: &&Connection| c.has_request();
        let now = self.connections.iter().find(more).map(|_| Instant::now());
        now.or_else(|| self.connections.iter().map(|connection| connection.deadline).min())
    }

    /// Whether nobody is connected.
    pub(crate) fn is_idle(&self) -> bool {
        self.connections.is_empty()
    }

    /// Gives the answers that are on their way a last chance.
    pub(crate) fn flush(&mut self) {
        self.connections.iter_mut().for_each(Connection::flush);
    }

    /// Takes in what the poll found; returns the requests that are whole.
    pub(crate) fn take_in(&mut self, polled: &[libc::pollfd]) -> Vec<Asked> {
        let mut asked = Vec::new();
        let ready = |idx: usize| polled.get(idx + 1).is_some_and(|fd| fd.revents != 0);
        for (idx, connection) in self.connections.iter_mut().enumerate() {
            if !ready(idx) && !connection.has_request() {
                continue;
            }
            if connection.outgoing.is_empty() {
                match connection.receive() {
                    Some(Ok((id, request))) => asked.push(Asked { connection: idx, id, request }),
                    Some(Err((id, refused))) => connection.send(id, Err(refused)),
                    None => {}
                }
            } else {
                connection.flush();
            }
        }
        if polled.first().is_some_and(|fd| fd.revents != 0) {
            self.accept();
        }
        asked
    }

    fn accept(&mut self) {
        // Some at a time: those that make room are closed by the next sweep.
        for _ in 0..CONNECTION_COUNT_MAX / 2 {
            let Ok((stream, _)) = self.listener.accept() else { return };
            let allowed = sys::peer_uid(stream.as_fd()).is_ok_and(|uid| uid == 0 || uid == sys::euid());
            if !allowed || stream.set_nonblocking(true).is_err() {
                continue;
            }
            if self.connections.len() >= CONNECTION_COUNT_MAX {
                self.make_room();
            }
            self.connections.push(Connection {
                stream,
                incoming: Vec::new(),
                outgoing: Vec::new(),
                sent: 0,
                deadline: Instant::now() + IDLE_TIME_MAX,
                owned: Vec::new(),
                ends: false,
            });
        }
    }

    /// Marks the connection that must have gone on first, of those that own nothing, to be closed now.
    fn make_room(&mut self) {
        let idle = self.connections.iter_mut().filter(|connection| connection.owned.is_empty() && !connection.ends);
        if let Some(connection) = idle.min_by_key(|connection| connection.deadline) {
            connection.ends = true;
            (connection.outgoing, connection.sent) = (Vec::new(), 0);
            let _ = connection.stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Sends the answer to a request that [`Server::take_in`] returned in this pass.
    pub(crate) fn answer(&mut self, asked: (usize, u64), result: Result<serde_json::Value, Refused>) {
        if let Some(connection) = self.connections.get_mut(asked.0) {
            connection.send(asked.1, result);
        }
    }

    /// Ties a session to the connection that asked for it.
    pub(crate) fn tie(&mut self, connection: usize, session: u64) {
        if let Some(connection) = self.connections.get_mut(connection) {
            connection.owned.push(session);
        }
    }

    /// Closes what is to be closed; returns the sessions that end with their connections. After the answers only: it
    /// changes the connections' numbers.
    pub(crate) fn sweep(&mut self) -> Vec<u64> {
        let now = Instant::now();
        let orphans = &mut self.orphans;
        self.connections.retain_mut(|connection| {
            let owns = !connection.owned.is_empty() && connection.incoming.is_empty() && connection.outgoing.is_empty();
            let late = now >= connection.deadline && !owns;
            if owns && now >= connection.deadline {
                connection.deadline = now + IDLE_TIME_MAX;
            }
            let over = late || connection.ends && connection.outgoing.is_empty();
            if over {
                orphans.append(&mut connection.owned);
            }
            !over
        });
        std::mem::take(&mut self.orphans)
    }
}

type Received = Result<(u64, Request), (u64, Refused)>;

impl Connection {
    /// Whether a whole request waits for its turn.
    fn has_request(&self) -> bool {
        self.outgoing.is_empty() && frame::front(&self.incoming, REQUEST_BYTES_MAX) != Front::Part
    }

    /// Reads; returns a request once it is whole, or why it cannot be understood.
    fn receive(&mut self) -> Option<Received> {
        let mut buffer = [0; 16 << 10];
        let mut left = TURN_BYTES;
        while left > 0 {
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.ends = true;
                    break;
                }
                Ok(n) => {
                    if self.incoming.is_empty() {
                        self.deadline = Instant::now() + REQUEST_TIME_MAX;
                    }
                    self.incoming.extend(&buffer[..n]);
                    left = left.saturating_sub(n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.ends = true;
                    break;
                }
            }
        }
        match frame::front(&self.incoming, REQUEST_BYTES_MAX) {
            Front::Part => None,
            Front::Whole(length) => {
                let rest = self.incoming.split_off(4 + length);
                let content = std::mem::replace(&mut self.incoming, rest);
                Some(understand(&content[4..]))
            }
            Front::TooLong(length) => {
                self.ends = true;
                let message = format!("a request of {length} bytes; the longest allowed has {REQUEST_BYTES_MAX}");
                Some(Err((0, Refused::new(Kind::Frame, message, "fewer rules in one request"))))
            }
        }
    }

    fn send(&mut self, id: u64, result: Result<serde_json::Value, Refused>) {
        let (ok, error) = match result {
            Ok(value) => (Some(value), None),
            Err(refused) => (None, Some(refused)),
        };
        let mut content = serde_json::to_vec(&Answer { version: VERSION, id, ok, error }).unwrap_or_default();
        if content.len() > ANSWER_BYTES_MAX {
            let message = format!("the answer has {} bytes; the longest allowed has {ANSWER_BYTES_MAX}", content.len());
            let refused = Refused::new(Kind::Frame, message, "ask for less, for example without fields");
            let answer = Answer { version: VERSION, id, ok: None, error: Some(refused) };
            content = serde_json::to_vec(&answer).unwrap_or_default();
        }
        frame::put(&mut self.outgoing, &content);
        self.flush();
    }

    fn flush(&mut self) {
        while self.sent < self.outgoing.len() {
            match self.stream.write(&self.outgoing[self.sent..]) {
                Ok(n) if n > 0 => {
                    self.sent += n;
                    self.deadline = Instant::now() + ANSWER_TIME_MAX;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                _ => {
                    self.ends = true;
                    break;
                }
            }
        }
        (self.outgoing, self.sent) = (Vec::new(), 0);
        self.deadline = Instant::now() + IDLE_TIME_MAX;
    }
}

fn understand(content: &[u8]) -> Received {
    let unknown =
        |id, reason: String| Err((id, Refused::new(Kind::Request, reason, "the version of `ust` that the daemon has")));
    let mut value: serde_json::Value = match serde_json::from_slice(content) {
        Ok(value) => value,
        Err(error) => return unknown(0, format!("the request is no JSON: {error}")),
    };
    let id = value.get("id").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let envelope: Envelope = match serde_json::from_value(value.clone()) {
        Ok(envelope) => envelope,
        Err(error) => return unknown(id, format!("the request has no envelope: {error}")),
    };
    if envelope.version != VERSION {
        let message = format!("the request has protocol version {}, the daemon speaks {VERSION}", envelope.version);
        return Err((id, Refused::new(Kind::Version, message, "ust daemon --stop, and then the same version of both")));
    }
    if let Some(members) = value.as_object_mut() {
        members.remove("version");
        members.remove("id");
    }
    match serde_json::from_value(value) {
        Ok(request) => Ok((id, request)),
        Err(error) => unknown(id, format!("the request is not understood: {error}")),
    }
}
