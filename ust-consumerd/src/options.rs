// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a recording shall be like.

use std::path::PathBuf;
use std::time::Duration;

use ust_shm::layout::LossMode;

use crate::limits::TICK_DEFAULT;

/// The rings of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelOptions {
    /// What happens when a ring is full.
    pub mode: LossMode,
    /// Bytes of a sub-buffer: a power of two from 4 KiB to 64 MiB.
    pub subbuf_bytes: u32,
    /// Sub-buffers of a ring: a power of two from 2 to 64.
    pub subbuf_count: u32,
    /// Block mode: how long a program waits for room, in µs; `u64::MAX` is no limit.
    pub block_timeout_us: u64,
}

impl Default for ChannelOptions {
    /// Discard mode, 8 sub-buffers of 256 KiB: a ring that stays in the cache of a current CPU.
    fn default() -> Self {
        Self { mode: LossMode::Discard, subbuf_bytes: 256 << 10, subbuf_count: 8, block_timeout_us: u64::MAX }
    }
}

/// What is recorded, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// The directory of the trace: new or empty.
    pub output: PathBuf,
    /// The trace's name, for readers.
    pub trace_name: String,
    /// The rings.
    pub channel: ChannelOptions,
    /// Globs over `provider:name` of the events to record.
    pub patterns: Vec<String>,
    /// What an event's fields and contexts must be like to be recorded, in the language of `ust_filter`.
    pub filter: Option<String>,
    /// What is added to each event.
    pub contexts: Vec<String>,
    /// How long half-filled sub-buffers may wait.
    pub tick: Duration,
    /// Record this process alone, and switch off all others in the runtime directory.
    pub only_pid: Option<i32>,
}

impl EngineOptions {
    /// Options that record every event to `output`.
    #[must_use]
    pub fn new(output: impl Into<PathBuf>) -> Self {
        let output = output.into();
        let trace_name = output.file_name().map_or_else(|| "ust".to_owned(), |n| n.to_string_lossy().into_owned());
        Self {
            output,
            trace_name,
            channel: ChannelOptions::default(),
            patterns: vec!["*".to_owned()],
            filter: None,
            contexts: Vec::new(),
            tick: TICK_DEFAULT,
            only_pid: None,
        }
    }
}
