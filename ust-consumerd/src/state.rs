// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a daemon keeps on disk, in its runtime directory: its sessions, as they change.
//!
//! `sessions/NAME.json` is one session, `daemon.json` what belongs to none. Each is replaced as a whole, by rename. A
//! daemon that starts reads them, and goes on where the one before was killed (`resume`).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ust_shm::rules::Channel;

use crate::clock::SavedClock;
use crate::config::{Mode, SessionConfig};
use crate::contexts;
use crate::hub::Hub;
use crate::image::Image;
use crate::session::{Chunk, Session};
use crate::summary::Kept;

/// A session as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedSession {
    pub id: u64,
    pub config: SessionConfig,
    pub started: bool,
    #[serde(default)]
    pub ephemeral: bool,
    pub started_ns: u64,
    pub clock_kind: Option<u32>,
    /// Name, uid and slot of each channel that has one.
    pub slots: Vec<(String, u64, u32)>,
    pub chunk: Chunk,
    pub snapshot_count: u64,
    pub trace: Option<SavedTrace>,
    /// By image: what was lost outside any ring before the session began, by cause.
    pub lost_base: BTreeMap<String, [u64; 16]>,
    /// What the next daemon cannot count.
    #[serde(default)]
    pub kept: Kept,
}

/// A trace that is being written.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedTrace {
    pub uuid: [u8; 16],
    pub created: String,
    pub clock: SavedClock,
}

/// What belongs to no session.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SavedDaemon {
    pub current: Option<String>,
    pub next_session: u64,
    /// Channels without a session, which threads may still hold rings of.
    pub parked: Vec<SavedChannel>,
}

/// A parked channel.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedChannel {
    slot: u32,
    uid: u64,
    mode: Mode,
    subbuf_bytes: u32,
    subbuf_count: u32,
    block_timeout_us: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contexts: Vec<String>,
}

impl From<Channel> for SavedChannel {
    fn from(channel: Channel) -> Self {
        let Channel { slot, uid, mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts } = channel;
        let contexts = contexts::names(&contexts);
        Self { slot, uid, mode: mode.into(), subbuf_bytes, subbuf_count, block_timeout_us, contexts }
    }
}

impl From<SavedChannel> for Channel {
    fn from(saved: SavedChannel) -> Self {
        let SavedChannel { slot, uid, mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts } = saved;
        let contexts = contexts::list(&contexts);
        Self { slot, uid, mode: mode.into(), subbuf_bytes, subbuf_count, block_timeout_us, contexts }
    }
}

impl SavedSession {
    /// The session as of now.
    pub(crate) fn of(session: &Session, hub: &Hub) -> Self {
        let base = |image: &Image| {
            let view = image.views.get(&session.id)?;
            // Of an image that is kept, all is counted.
            let base = if image.kept { image.lost() } else { view.lost_base };
            (base != [0; 16]).then(|| (image.name(), base))
        };
        // A session that is stopped finds nothing before it begins again, and then passes over what there was.
        let found = |image: &Image| session.started && session.tracks(image);
        Self {
            id: session.id,
            config: session.config.clone(),
            started: session.started,
            ephemeral: session.ephemeral,
            started_ns: session.started_ns,
            clock_kind: session.clock_kind,
            slots: session.slots.iter().map(|slot| (slot.name.clone(), slot.uid, slot.slot)).collect(),
            chunk: session.chunk.clone(),
            snapshot_count: session.snapshot_count,
            trace: session.trace.as_ref().map(crate::trace::Trace::save),
            lost_base: hub.apps.images.iter().filter_map(base).collect(),
            kept: session.tally.keep(session.id, &hub.apps.images, found),
        }
    }
}

/// The folder of the sessions.
pub(crate) fn sessions_dir(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join("sessions")
}

/// The file of a session.
pub(crate) fn session_path(runtime_dir: &Path, name: &str) -> PathBuf {
    sessions_dir(runtime_dir).join(format!("{name}.json"))
}

/// The file of what belongs to no session.
pub(crate) fn daemon_path(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join("daemon.json")
}

/// Replaces the file at `path`.
pub(crate) fn write(path: &Path, saved: &impl Serialize) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let hidden = dir.join(format!(".{}", path.file_name().unwrap_or_default().to_string_lossy()));
    let written = || {
        let mut file = File::create(&hidden)?;
        file.write_all(&serde_json::to_vec_pretty(saved)?)?;
        fs::rename(&hidden, path)
    };
    written().inspect_err(|_| drop(fs::remove_file(&hidden)))
}

/// Reads the file at `path`; `None` where there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads all sessions, in the order of their numbers; and what is wrong with files that cannot be read.
pub(crate) fn read_sessions(runtime_dir: &Path) -> (Vec<SavedSession>, Vec<String>) {
    let (mut sessions, mut wrong) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(sessions_dir(runtime_dir)).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match read(&path) {
            Ok(Some(session)) => sessions.push(session),
            Ok(None) => {}
            Err(error) => wrong.push(format!("session file {} cannot be read: {error}", path.display())),
        }
    }
    sessions.sort_by_key(|session: &SavedSession| session.id);
    (sessions, wrong)
}
