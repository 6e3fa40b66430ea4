// SPDX-License-Identifier: MIT OR Apache-2.0
//! The other end of the control socket.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::frame::{self, ANSWER_BYTES_MAX};
use super::protocol::{Answer, Refused, Request, VERSION};

/// How long an answer may take: far longer than any command needs.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// A connection to a daemon.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    next_id: u64,
    path: PathBuf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error("no daemon listens on `{}`: {source}", path.display())]
    NoDaemon {
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the daemon at `{}` did not answer: {source}", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The daemon says no.
    #[error("{}", .0.message)]
    Refused(Refused),
    /// The answer is not one of this protocol.
    #[error("the daemon's answer is not understood: {0}")]
    Garbled(String),
}

impl Client {
    /// Connects to the daemon of the runtime directory `dir`.
    ///
    /// # Errors
    /// [`AskError::NoDaemon`].
    pub fn connect(dir: &Path) -> Result<Self, AskError> {
        let path = dir.join("control");
        let limited = |stream: UnixStream| {
            stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
            stream.set_write_timeout(Some(ANSWER_TIME_MAX))?;
            Ok(stream)
        };
        match UnixStream::connect(&path).and_then(limited) {
            Ok(stream) => Ok(Self { stream, next_id: 1, path }),
            Err(source) => Err(AskError::NoDaemon { path, source }),
        }
    }

    /// Sends a request and waits for the answer.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn ask<T: DeserializeOwned>(&mut self, request: &Request) -> Result<T, AskError> {
        let garbled = |error: serde_json::Error| AskError::Garbled(error.to_string());
        let id = self.next_id;
        self.next_id += 1;
        let mut value = serde_json::to_value(request).map_err(garbled)?;
        if let Some(members) = value.as_object_mut() {
            members.insert("version".to_owned(), VERSION.into());
            members.insert("id".to_owned(), id.into());
        }
        let content = serde_json::to_vec(&value).map_err(garbled)?;
        let answer = self.exchange(&content).map_err(|source| AskError::Broken { path: self.path.clone(), source })?;
        let answer: Answer = serde_json::from_slice(&answer).map_err(garbled)?;
        match (answer.ok, answer.error) {
            (_, Some(refused)) => Err(AskError::Refused(refused)),
            (ok, None) => serde_json::from_value(ok.unwrap_or_default()).map_err(garbled),
        }
    }

    fn exchange(&mut self, content: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        frame::put(&mut out, content);
        self.stream.write_all(&out)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > ANSWER_BYTES_MAX {
            return Err(io::Error::other(format!("an answer of {length} bytes")));
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        Ok(answer)
    }
}
