// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a session shall be like: the same description on disk, on the control socket, and in saved files.
//!
//! Fields that are not given take their defaults, so that a newer program reads an older file.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ust_filter::{Filter, FilterError};
use ust_shm::descriptor::LogLevel;
use ust_shm::layout::LossMode;
use ust_shm::rules::EventRule;

use crate::options::ChannelOptions;

/// What happens when a ring is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// New events are counted and not recorded.
    #[default]
    Discard,
    /// The oldest events go.
    Overwrite,
    /// The program waits, if it allows that.
    Block,
}

impl From<Mode> for LossMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Discard => Self::Discard,
            Mode::Overwrite => Self::Overwrite,
            Mode::Block => Self::Block,
        }
    }
}

impl From<LossMode> for Mode {
    fn from(mode: LossMode) -> Self {
        match mode {
            LossMode::Discard => Self::Discard,
            LossMode::Overwrite => Self::Overwrite,
            LossMode::Block => Self::Block,
        }
    }
}

fn yes() -> bool {
    true
}

/// A channel of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    /// Its name, unique in the session.
    pub name: String,
    /// Whether its events are recorded.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What happens when a ring is full.
    #[serde(default)]
    pub mode: Mode,
    /// Block mode: how long a program waits, in µs; none is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_timeout_us: Option<u64>,
    /// Bytes of a sub-buffer: a power of two from 4 KiB to 64 MiB.
    pub subbuf_bytes: u32,
    /// Sub-buffers of a ring: a power of two from 2 to 64.
    pub subbuf_count: u32,
    /// How long half-filled sub-buffers may wait, in ms.
    pub tick_ms: u64,
    /// Contexts of its events, by name, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
    /// Bytes of a stream file before the next one is begun; none is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracefile_bytes: Option<u64>,
    /// Files of a stream before the oldest is removed; none is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracefile_count: Option<u32>,
}

impl ChannelConfig {
    /// A channel with the default rings.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let rings = ChannelOptions::default();
        Self {
            name: name.into(),
            enabled: true,
            mode: rings.mode.into(),
            block_timeout_us: None,
            subbuf_bytes: rings.subbuf_bytes,
            subbuf_count: rings.subbuf_count,
            tick_ms: crate::limits::TICK_DEFAULT.as_millis() as u64,
            contexts: Vec::new(),
            tracefile_bytes: None,
            tracefile_count: None,
        }
    }
}

/// An event rule of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// The channel that gets the events.
    pub channel: String,
    /// Glob over `provider:name`.
    pub pattern: String,
    /// Globs of events that the rule does not want after all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<String>,
    /// Most severe level wanted.
    #[serde(default)]
    pub level_min: u8,
    /// Least severe level wanted.
    #[serde(default = "least_severe")]
    pub level_max: u8,
    /// What an event must say of itself, in the language of filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Whether the rule is in force.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn least_severe() -> u8 {
    LogLevel::Debug as u8
}

impl RuleConfig {
    /// The rule that wants every event of any level whose name matches.
    #[must_use]
    pub fn pattern(channel: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self {
            channel: channel.into(),
            pattern: pattern.into(),
            exclusions: Vec::new(),
            level_min: 0,
            level_max: least_severe(),
            filter: None,
            enabled: true,
        }
    }

    /// Whether both are the same but for being in force.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        *self == Self { enabled: self.enabled, ..other.clone() }
    }

    /// The rule as programs read it.
    ///
    /// # Errors
    /// The filter is none.
    pub(crate) fn event_rule(&self, slot: u32) -> Result<EventRule, FilterError> {
        let filter = match &self.filter {
            Some(text) => Filter::parse(text)?.compile()?,
            None => Vec::new(),
        };
        Ok(EventRule {
            slot,
            filter,
            pattern: self.pattern.clone(),
            exclusions: self.exclusions.clone(),
            level_min: LogLevel::from_number(self.level_min.into()),
            level_max: LogLevel::from_number(self.level_max.into()),
        })
    }
}

/// The levels by name, in order of their numbers, as LTTng calls them.
pub const LOG_LEVELS: [&str; 15] = LogLevel::NAMES;

/// Which processes a session records: each set names who is in; none means everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracker {
    /// Process ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpid: Option<BTreeSet<i64>>,
    /// User ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vuid: Option<BTreeSet<i64>>,
    /// Group ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vgid: Option<BTreeSet<i64>>,
}

impl Tracker {
    /// Whether a process of this id, user and group is recorded.
    pub(crate) fn wants(&self, pid: i32, uid: u32, gid: u32) -> bool {
        let is_in = |set: &Option<BTreeSet<i64>>, id: i64| set.as_ref().is_none_or(|set| set.contains(&id));
        is_in(&self.vpid, pid.into()) && is_in(&self.vuid, uid.into()) && is_in(&self.vgid, gid.into())
    }
}

/// Where snapshots go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotOutput {
    /// Number that commands use.
    pub id: u64,
    /// Its name, and the begin of the names of its snapshots.
    pub name: String,
    /// The directory in which each snapshot gets one of its own.
    pub path: PathBuf,
    /// Bytes of a snapshot; none is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

/// When a session is rotated by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationSchedule {
    /// Every so many ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer_ms: Option<u64>,
    /// When the current chunk has so many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionConfig {
    /// Its name.
    pub name: String,
    /// The directory of its traces.
    pub output: PathBuf,
    /// Whether it is a flight recorder: written by snapshots only.
    #[serde(default)]
    pub snapshot: bool,
    /// Where snapshots go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshot_outputs: Vec<SnapshotOutput>,
    /// When it is rotated by itself.
    #[serde(default)]
    pub rotation: RotationSchedule,
    /// Whom it records.
    #[serde(default)]
    pub tracker: Tracker,
    /// Its channels.
    #[serde(default)]
    pub channels: Vec<ChannelConfig>,
    /// Its event rules.
    #[serde(default)]
    pub rules: Vec<RuleConfig>,
}

impl SessionConfig {
    /// A session without channels and rules.
    #[must_use]
    pub fn new(name: impl Into<String>, output: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            output: output.into(),
            snapshot: false,
            snapshot_outputs: Vec::new(),
            rotation: RotationSchedule::default(),
            tracker: Tracker::default(),
            channels: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// The channel of that name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&ChannelConfig> {
        self.channels.iter().find(|channel| channel.name == name)
    }
}
