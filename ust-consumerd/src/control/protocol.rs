// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said on the control socket (`docs/control-protocol.md`).

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::{ChannelConfig, RotationSchedule, RuleConfig, SessionConfig, SnapshotOutput};
use crate::summary::{Losses, Progress};

/// Version of the protocol.
pub const VERSION: u32 = 1;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the table in the protocol's document says what each member means
pub enum Request {
    Status {},
    Sessions {},
    Session {
        session: Option<String>,
    },
    Apps {
        fields: bool,
    },
    Create {
        config: Box<SessionConfig>,
        ephemeral: bool,
    },
    Destroy {
        session: Option<String>,
    },
    Start {
        session: Option<String>,
    },
    Stop {
        session: Option<String>,
    },
    Clear {
        session: Option<String>,
    },
    Rotate {
        session: Option<String>,
    },
    SetSession {
        session: String,
    },
    EnableChannel {
        session: Option<String>,
        channel: ChannelConfig,
    },
    DisableChannel {
        session: Option<String>,
        channel: String,
    },
    EnableEvent {
        session: Option<String>,
        rules: Vec<RuleConfig>,
        /// Filters may ask for fields that no running program has.
        #[serde(default)]
        allow_unknown_fields: bool,
    },
    AddContext {
        session: Option<String>,
        channel: Option<String>,
        contexts: Vec<String>,
    },
    DisableEvent {
        session: Option<String>,
        channel: Option<String>,
        patterns: Vec<String>,
        all: bool,
    },
    Track {
        session: Option<String>,
        what: Tracked,
        ids: Option<BTreeSet<i64>>,
    },
    Untrack {
        session: Option<String>,
        what: Tracked,
        ids: Option<BTreeSet<i64>>,
    },
    SetRotation {
        session: Option<String>,
        schedule: RotationSchedule,
    },
    Snapshot {
        session: Option<String>,
        name: Option<String>,
        output: Option<PathBuf>,
        max_bytes: Option<u64>,
    },
    AddOutput {
        session: Option<String>,
        output: SnapshotOutput,
    },
    DelOutput {
        session: Option<String>,
        name: String,
    },
    Shutdown {},
}

/// What a process is tracked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Tracked {
    Vpid,
    Vuid,
    Vgid,
}

/// The members of a request that say whose it is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Envelope {
    /// [`VERSION`].
    pub version: u32,
    /// The client's number for it.
    #[serde(default)]
    pub id: u64,
}

/// An answer, with the number of its request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// [`VERSION`].
    pub version: u32,
    /// The client's number for the request.
    pub id: u64,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<serde_json::Value>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Refused>,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// For programs.
    pub kind: Kind,
    /// What failed on what.
    pub message: String,
    /// Facts that help, one per line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// One thing to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Refused {
    /// A refusal with something to try.
    pub(crate) fn new(kind: Kind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), notes: Vec::new(), hint: Some(hint.into()) }
    }
}

/// Sorts of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // see the protocol's document
pub enum Kind {
    Frame,
    Version,
    Request,
    NoSession,
    Exists,
    Invalid,
    State,
    Io,
}

/// The state of the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonReport {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// Its runtime directory.
    pub runtime_dir: PathBuf,
    /// Sessions that it has.
    pub sessions: u64,
    /// Processes that are registered and run.
    pub processes: u64,
    /// The current session.
    pub current: Option<String>,
    /// Processes that have ended and left flight-recorder contents behind.
    pub left_behind: u64,
    /// Images that are there and not read: they hold rings of channels that no session has, or are damaged.
    pub unclaimed: u64,
    /// Those of them that `ust recover` can read.
    pub unclaimed_images: Vec<LeftBehind>,
    /// What went wrong with the daemon itself; the first few.
    pub notes: Vec<String>,
}

/// An image of a program that has ended which holds what no session has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehind {
    /// Its file in `apps`.
    pub image: String,
    /// Name and id of the process.
    pub process: String,
    /// Whether the program was its own flight recorder (`UST_TRACE`).
    pub own_trace: bool,
}

/// The state of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionReport {
    /// What it shall be like.
    pub config: SessionConfig,
    /// Whether it records.
    pub active: bool,
    /// Whether it is the current one.
    pub current: bool,
    /// Where the trace is being written.
    pub trace: Option<PathBuf>,
    /// What it has recorded.
    pub progress: Progress,
    /// What it has lost, as far as it is summed up: all of it once it is stopped.
    pub losses: Losses,
    /// What went wrong; the first few.
    pub warnings: Vec<String>,
    /// Where the newest finished chunk is.
    pub last_chunk: Option<PathBuf>,
    /// Rules whose filters no running program's events have the fields for, with the reason.
    pub filter_problems: Vec<(RuleConfig, String)>,
    /// Flight recorder: processes that have ended, whose events the next snapshot will hold.
    pub left_behind: Vec<String>,
}

/// A traced process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppReport {
    /// Its id, in its own pid namespace.
    pub pid: i32,
    /// The name of its main thread.
    pub name: String,
    /// Its program.
    pub exe: Option<PathBuf>,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Whether it runs.
    pub running: bool,
    /// Whether it is its own flight recorder (`UST_TRACE`).
    pub own_trace: bool,
    /// Its tracepoints, by name.
    pub tracepoints: Vec<TracepointReport>,
}

/// A tracepoint of a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TracepointReport {
    /// `provider:name`.
    pub name: String,
    /// Number of its level.
    pub loglevel: u8,
    /// Whether anybody records it in this process now.
    pub enabled: bool,
    /// Its fields, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldReport>,
}

/// A field of a tracepoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FieldReport {
    /// Its name.
    pub name: String,
    /// Its type, in words.
    pub kind: String,
    /// Whether only filters see it.
    pub nowrite: bool,
}

/// A snapshot that was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotReport {
    /// The trace.
    pub path: PathBuf,
    /// Bytes of its stream files.
    pub bytes: u64,
    /// Packets in it.
    pub packets: u64,
}
