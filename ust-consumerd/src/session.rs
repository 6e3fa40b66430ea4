// SPDX-License-Identifier: MIT OR Apache-2.0
//! One session: what it shall record, and what it has.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use ust_shm::limits::TRACKED_ID_COUNT_MAX;
use ust_shm::rules::{RulesBuilder, Tracked, Tracker};

use crate::channels::{Channels, Shape};
use crate::config::{ChannelConfig, Mode, SessionConfig};
use crate::contexts;
use crate::image::{Image, View};
use crate::resume::Found;
use crate::stream_file::FileLimits;
use crate::summary::Tally;
use crate::sys;
use crate::trace::{ChannelFiles, Trace};

/// Folder of the trace that is being written, in the session's output; a rotation renames it.
const TRACE_DIR: &str = "ust";

/// A channel of a session that has a slot.
#[derive(Clone, Debug)]
pub(crate) struct SlotOf {
    pub name: String,
    pub uid: u64,
    pub slot: u32,
    pub tick: Duration,
    pub next_tick: Instant,
}

/// A session and its trace.
#[derive(Debug)]
pub(crate) struct Session {
    /// Never 0, and never used again.
    pub id: u64,
    pub config: SessionConfig,
    pub started: bool,
    /// It wants nothing new recorded; what was is being taken.
    pub stopping: bool,
    /// It ends with the connection that asked for it.
    pub ephemeral: bool,
    /// `CLOCK_BOOTTIME` of the last start: what programs that are older did before is not the session's.
    pub started_ns: u64,
    /// The trace that is being written; none before the first start, and for a flight recorder.
    pub trace: Option<Trace>,
    pub tally: Tally,
    pub clock_kind: Option<u32>,
    pub slots: Vec<SlotOf>,
    /// What a recorder before us has left, if the session was going on then.
    pub resumed: Option<Found>,
    /// The chunk that is being written.
    pub chunk: Chunk,
    /// When it is rotated by itself next.
    pub next_rotation: Option<Instant>,
    /// Snapshots taken so far.
    pub snapshot_count: u64,
}

/// The part of a session's recording that goes into one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    /// Its number.
    pub id: u64,
    /// When it was begun, in seconds since 1970.
    pub begin_s: u64,
    /// Where the one before it is.
    pub last: Option<PathBuf>,
}

impl Session {
    pub(crate) fn new(id: u64, config: SessionConfig) -> Self {
        Self {
            id,
            config,
            started: false,
            stopping: false,
            ephemeral: false,
            started_ns: 0,
            trace: None,
            tally: Tally::default(),
            clock_kind: None,
            slots: Vec::new(),
            resumed: None,
            chunk: Chunk::default(),
            next_rotation: None,
            snapshot_count: 0,
        }
    }

    /// Where its trace is written.
    pub(crate) fn trace_dir(&self) -> PathBuf {
        self.config.output.join(TRACE_DIR)
    }

    /// What the rings of one of its channels are like. A flight recorder always overwrites.
    pub(crate) fn shape(&self, channel: &ChannelConfig) -> Shape {
        let mode = if self.config.snapshot { Mode::Overwrite } else { channel.mode };
        let timeout = if mode == Mode::Block { channel.block_timeout_us } else { None };
        Shape {
            mode: mode.into(),
            subbuf_bytes: channel.subbuf_bytes,
            subbuf_count: channel.subbuf_count,
            block_timeout_us: timeout.unwrap_or(u64::MAX),
            contexts: contexts::list(&channel.contexts),
        }
    }

    /// The slot of the channel of that name.
    pub(crate) fn slot(&self, name: &str) -> Option<&SlotOf> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    /// Adds what it wants recorded now.
    pub(crate) fn add_rules(&self, builder: &mut RulesBuilder) {
        if !self.started || self.stopping {
            return;
        }
        for rule in self.config.rules.iter().filter(|rule| rule.enabled) {
            let enabled = self.config.channel(&rule.channel).is_some_and(|channel| channel.enabled);
            if let Some(slot) = self.slot(&rule.channel).filter(|_| enabled) {
                // A filter that is none was refused when it was given.
                builder.rules.extend(rule.event_rule(slot.slot));
            }
        }
        let tracker = &self.config.tracker;
        let kinds =
            [(Tracked::Process, &tracker.vpid), (Tracked::User, &tracker.vuid), (Tracked::Group, &tracker.vgid)];
        for (what, ids) in kinds {
            let Some(ids) = ids.as_ref().filter(|ids| ids.len() <= TRACKED_ID_COUNT_MAX) else { continue };
            let ids: Vec<u32> = ids.iter().filter_map(|id| u32::try_from(*id).ok()).collect();
            builder.trackers.extend(self.slots.iter().map(|slot| Tracker { slot: slot.slot, what, ids: ids.clone() }));
        }
    }

    /// Bits of its channels.
    pub(crate) fn mask(&self) -> u64 {
        self.slots.iter().fold(0, |mask, slot| mask | 1 << slot.slot)
    }

    /// Bits of its channels whose half-filled sub-buffers are due, and moves those on to the next tick.
    pub(crate) fn take_due(&mut self, now: Instant) -> u64 {
        let mut due = 0;
        for slot in self.slots.iter_mut().filter(|slot| slot.next_tick <= now) {
            slot.next_tick = now + slot.tick;
            due |= 1 << slot.slot;
        }
        due
    }

    /// Whether it records the process.
    pub(crate) fn tracks(&self, image: &Image) -> bool {
        let (uid, gid) = image.user;
        self.started && self.config.tracker.wants(image.identity.pid, uid, gid)
    }

    /// Begins to record the image, if the session wants its process and its clock is that of the others.
    pub(crate) fn join(&mut self, image: &mut Image) {
        if !self.tracks(image) || image.views.contains_key(&self.id) {
            return;
        }
        let kind = *self.clock_kind.get_or_insert(image.identity.clock);
        if kind != image.identity.clock {
            if !image.unfit.insert(self.id) {
                return;
            }
            let clock = image.identity.clock;
            self.tally.losses.images_refused += 1;
            let path = image.path.display();
            self.tally.warn(format!("{path} has clock kind {clock}, the trace has {kind}"));
            return;
        }
        let mut view = View::default();
        if let Some(trace) = &mut self.trace {
            trace.clock.set_kind(kind);
            view.attached_at = trace.clock.now();
        }
        if let Some(found) = self.resumed.as_ref().filter(|_| !image.left.contains(&self.id)) {
            let name = image.name();
            view.lost_base = found.lost_base.get(&name).copied().unwrap_or_default();
            view.counted = found.counted.get(&name).copied().unwrap_or_default();
            let reported = found.lost_reported.get(&name).copied().unwrap_or(0);
            view.lost_reported = view.lost_base.into_iter().fold(reported, u64::saturating_add);
        } else if image.identity.created_ns < self.started_ns || image.left.contains(&self.id) {
            view.lost_base = image.lost();
            view.lost_reported = view.lost_base.into_iter().fold(0, u64::saturating_add);
        }
        image.views.insert(self.id, view);
        self.tally.notice(image);
    }

    /// Notes that it is started, now.
    pub(crate) fn note_start(&mut self) {
        self.started = true;
        self.resumed = None;
        self.started_ns = sys::clock_ns(libc::CLOCK_BOOTTIME);
        self.slots.iter_mut().for_each(|slot| slot.next_tick = Instant::now() + slot.tick);
    }

    /// Gives each channel that has none a slot; `None` if there is none left.
    pub(crate) fn take_slots(&mut self, channels: &mut Channels, images: &[Image]) -> Option<()> {
        let is_quiet = |uid| images.iter().all(|image| image.kept || image.is_quiet(uid));
        for channel in self.config.channels.clone() {
            if self.slot(&channel.name).is_none() {
                let given = channels.hand_out(self.shape(&channel), self.id, is_quiet)?;
                self.note_slot(&channel, given.uid, given.slot);
            }
        }
        Some(())
    }

    /// Notes the slot of a channel.
    pub(crate) fn note_slot(&mut self, channel: &ChannelConfig, uid: u64, slot: u32) {
        let tick = Duration::from_millis(channel.tick_ms);
        self.slots.push(SlotOf { name: channel.name.clone(), uid, slot, tick, next_tick: Instant::now() + tick });
    }

    /// Tells the trace what the files of the channels are like.
    pub(crate) fn describe_files(&self, trace: &mut Trace) {
        for slot in &self.slots {
            let Some(channel) = self.config.channel(&slot.name) else { continue };
            let limits = FileLimits { bytes: channel.tracefile_bytes, count: channel.tracefile_count };
            trace.set_channel(slot.slot, ChannelFiles { name: channel.name.clone(), limits });
        }
        contexts::raw_names(&self.config.channels).for_each(|(context, name)| trace.name_raw(context, name));
    }
}
