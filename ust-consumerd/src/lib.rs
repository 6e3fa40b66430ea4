// SPDX-License-Identifier: MIT OR Apache-2.0
//! The consumer: finds traced programs in a runtime directory and drains their rings into a trace.
//!
//! [`Engine`] is a loop that its caller drives; `ust record` drives it from its own poll loop, [`Recording`] from a thread
//! of a program that records itself.
//!
//! ```no_run
//! use std::time::Duration;
//! use ust_consumerd::{Engine, EngineOptions, RuntimeDir};
//!
//! let mut engine = Engine::new(RuntimeDir::create_private()?, EngineOptions::new("trace"))?;
//! let mut child = std::process::Command::new("./program")
//!     .env("UST_RUNTIME_DIR", engine.runtime_dir().path())
//!     .spawn()?;
//! while child.try_wait()?.is_none() {
//!     engine.run_once(Duration::from_millis(50), &[])?;
//! }
//! let summary = engine.stop();
//! println!("{} events, {} lost", summary.event_count(), summary.losses.events());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it may not do
//! - Trust an image: every value is copied and checked, a broken ring or image ends alone, and a truncated file is survived
//!   (a SIGBUS handler replaces the page; it passes on what is not its own).
//! - Lose silently: what was not recorded or not written is in the [`Summary`], by cause, and in the trace.
//! - Make a program wait, except in block mode, which the program must allow too.
//! - Link the runtime `ust`, parse events, or start a process.
//!
//! # Files
//! `hub` (the loop), `apps` (discovery), `session`, `config` (its description), `channels` (slots), `lifecycle` and `snapshot` (what is
//! done to it), `engine` (a hub with one session), `daemon` (a hub under control), `control` (its socket), `commands` and
//! `reports`, `state` and `resume` (over a restart), `recover` (what nobody took), `nearest` (names alike),
//! `drain` (rings to packets), `ring`, `image`, `owner` (liveness), `classes` and `trace` (CTF on disk), `clock`, `runtime_dir`, `guard` and `map` (memory of others), `sys` (system calls), `summary`, `limits`.

mod apps;
mod channels;
mod classes;
mod clock;
mod commands;
mod config;
mod contexts;
pub mod control;
mod daemon;
mod descriptors;
mod drain;
mod engine;
mod error;
mod filters;
mod guard;
mod hub;
mod image;
mod lifecycle;
mod limits;
mod map;
mod nearest;
mod options;
mod owner;
mod recording;
mod recover;
mod reports;
mod resume;
mod ring;
mod runtime_dir;
mod session;
mod snapshot;
mod state;
mod stream_file;
mod summary;
mod sys;
mod trace;

pub use commands::DEFAULT_CHANNEL;
pub use config::{
    ChannelConfig, LOG_LEVELS, Mode, RotationSchedule, RuleConfig, SessionConfig, SnapshotOutput, Tracker,
};
pub use contexts::check_context_name;
pub use daemon::{Daemon, DaemonOptions};
pub use engine::Engine;
pub use error::StartError;
pub use nearest::nearest;
pub use options::{ChannelOptions, EngineOptions};
pub use recording::Recording;
pub use recover::{RecoverOptions, Recovered, recover};
pub use runtime_dir::RuntimeDir;
pub use summary::{EventCount, Losses, Process, Progress, Summary};
pub use ust_filter::FilterError;
pub use ust_shm::context::Context;
pub use ust_shm::layout::LossMode;

/// Tells whether the glob `pattern` of [`EngineOptions::patterns`] matches the event `provider:name`.
#[must_use]
pub fn pattern_matches(pattern: &str, event: &str) -> bool {
    ust_shm::glob::matches(pattern.as_bytes(), event.as_bytes())
}
