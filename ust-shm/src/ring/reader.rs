// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reader's end: takes committed prefixes as packets, trusting nothing.

use super::writer::discarded;
use super::{Geometry, RingWords};
use crate::atomics::{Ordering, fence};
use crate::layout::SubbufEntry;
use crate::limits::MIGRATION_COUNT_MAX;

/// How many times a moving writer is asked for a consistent pair of `committed` and `last_timestamp` per tick.
const STABLE_TRIES: u32 = 16;

/// The content of one packet: a run of whole events in one sub-buffer, on one CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketSpan {
    /// Position of the first byte.
    pub begin: u64,
    /// Number of bytes, at least 1.
    pub bytes: u64,
    /// Not after the first event's time stamp.
    pub timestamp_begin: u64,
    /// Not before the last event's time stamp, not after the next event's.
    pub timestamp_end: u64,
    /// Where the events were recorded.
    pub cpu: u32,
    /// Events discarded on this ring before this packet's sub-buffer was begun, cumulative.
    pub discarded: u64,
}

/// A broken invariant of the writer's words: this ring is not read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// The word, and what was wrong with it.
    pub reason: &'static str,
    /// The value that was found.
    pub value: u64,
}

/// How much of a ring is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Sub-buffers that the writer has left.
    Complete,
    /// Those, and the committed part of the current one.
    Everything,
}

/// The reader's private state of one ring.
#[derive(Clone, Debug)]
pub struct RingReader {
    consumed: u64,
    committed_seen: u64,
    timestamp: u64,
    cpu: u32,
    discarded: u64,
    migration_idx: u32,
    overwrite: bool,
    /// Whether the entry of the sub-buffer that holds `consumed` was read.
    entered: bool,
    /// Overwrite mode: `timestamp` and `discarded` before the newest `take`, in case that its packet proves torn.
    before: (u64, u64),
}

type Result<T> = std::result::Result<T, Corrupt>;

fn corrupt<T>(reason: &'static str, value: u64) -> Result<T> {
    Err(Corrupt { reason, value })
}

/// Private copy of a sub-buffer's entry.
struct EntryCopy {
    begin: u64,
    begin_timestamp: u64,
    content_end: u64,
    end_timestamp: u64,
    discarded: u64,
    cpu: u32,
}

fn load_entry(entry: &SubbufEntry) -> EntryCopy {
    EntryCopy {
        begin: entry.begin.load(Ordering::Relaxed),
        begin_timestamp: entry.begin_timestamp.load(Ordering::Relaxed),
        content_end: entry.content_end.load(Ordering::Relaxed),
        end_timestamp: entry.end_timestamp.load(Ordering::Relaxed),
        discarded: entry.discarded.load(Ordering::Relaxed),
        cpu: entry.cpu.load(Ordering::Relaxed),
    }
}

impl RingReader {
    /// A reader of a ring from its first byte.
    #[must_use]
    pub const fn new(overwrite: bool) -> Self {
        Self {
            consumed: 0,
            committed_seen: 0,
            timestamp: 0,
            cpu: 0,
            discarded: 0,
            migration_idx: 0,
            overwrite,
            entered: true,
            before: (0, 0),
        }
    }

    /// Goes on at position `consumed`, up to which another reader has come. Only before the first `take`.
    pub const fn start_at(&mut self, consumed: u64) {
        self.consumed = consumed;
        self.entered = false;
    }

    /// The position up to which packets were handed out.
    #[must_use]
    pub const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The end time of the last packet handed out.
    #[must_use]
    pub const fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// Whether something is committed that was not handed out yet. The writer may commit more at any moment.
    #[must_use]
    pub fn has_unread(&self, ring: &impl RingWords) -> bool {
        ring.header().committed.load(Ordering::Acquire) != self.consumed
    }

    /// Events that this ring's writer has discarded so far, cumulative; never less than an earlier answer.
    pub fn discarded_now(&mut self, ring: &impl RingWords) -> u64 {
        self.discarded = self.discarded.max(discarded(ring.header()));
        self.discarded
    }

    /// The next packet, or `None` when nothing (more) is to be had now. Call until `None`, write each packet, then
    /// [`RingReader::put`].
    ///
    /// In an overwrite ring the caller copies the packet's bytes first and then asks [`RingReader::confirm`].
    ///
    /// # Errors
    /// [`Corrupt`]: permanent for this ring; other rings are unaffected.
    pub fn take(&mut self, ring: &impl RingWords, want: Want) -> Result<Option<PacketSpan>> {
        let geometry = ring.geometry();
        // Acquire: pairs with the writer's Release stores; all content and entries before it are visible.
        let mut committed = ring.header().committed.load(Ordering::Acquire);
        self.check_committed(ring, committed)?;
        self.before = (self.timestamp, self.discarded);
        loop {
            if self.consumed == committed {
                return Ok(None);
            }
            let begin = geometry.subbuf_begin(self.consumed);
            let Some(shared) = ring.entry(geometry.subbuf_idx(begin)) else {
                return corrupt("no entry for the sub-buffer at", begin);
            };
            let entry = load_entry(shared);
            if entry.begin != begin {
                committed = self.skip_overwritten(ring, "a sub-buffer's begin is", entry.begin)?;
                continue;
            }
            if self.consumed == begin || !self.entered {
                self.entered = true;
                self.enter(&entry);
            }
            // At the very end, the last event may have filled the sub-buffer without its being left yet.
            let subbuf_end = begin.wrapping_add(geometry.subbuf_bytes);
            let filled = committed == subbuf_end && entry.content_end == subbuf_end;
            let complete = committed >= subbuf_end && !filled;
            let (end, timestamp) = if complete {
                let content = entry.content_end.wrapping_sub(self.consumed);
                if content > subbuf_end.wrapping_sub(self.consumed) {
                    committed = self.skip_overwritten(ring, "a sub-buffer's content end is", entry.content_end)?;
                    continue;
                }
                if content == 0 {
                    self.consumed = subbuf_end;
                    continue;
                }
                (entry.content_end, entry.end_timestamp)
            } else {
                if want == Want::Complete && !filled {
                    return Ok(None);
                }
                let Some((newer, timestamp)) = stable_pair(ring, committed) else { return Ok(None) };
                if newer != committed {
                    self.check_committed(ring, newer)?;
                    committed = newer;
                    if committed >= subbuf_end {
                        continue;
                    }
                }
                (committed, timestamp)
            };
            let span = self.cut(shared, geometry, begin, end, timestamp);
            if complete && self.consumed == entry.content_end {
                self.consumed = subbuf_end;
            }
            return Ok(Some(span));
        }
    }

    fn check_committed(&mut self, ring: &impl RingWords, committed: u64) -> Result<()> {
        if committed < self.committed_seen {
            return corrupt("`committed` went backwards to", committed);
        }
        if committed < self.consumed {
            return corrupt("`committed` lies behind what was taken, at", committed);
        }
        if committed.wrapping_sub(self.consumed) > ring.geometry().ring_bytes() && !self.overwrite {
            return corrupt("`committed` is out of reach at", committed);
        }
        self.committed_seen = committed;
        Ok(())
    }

    /// An entry does not fit its sub-buffer: in overwrite mode because the writer has taken it for a new lap, and then reading
    /// goes on at the oldest one that is not being overwritten. Returns `committed` as it is now.
    ///
    /// # Errors
    /// [`Corrupt`] with the given reason and value, where no overwriting explains them.
    fn skip_overwritten(&mut self, ring: &impl RingWords, reason: &'static str, value: u64) -> Result<u64> {
        let geometry = ring.geometry();
        // Acquire fence: pairs with the writer's release fence behind `subbuf_end`; whoever saw a word of the new lap
        // sees its `subbuf_end`.
        fence(Ordering::Acquire);
        let end = ring.header().subbuf_end.load(Ordering::Relaxed);
        let oldest = geometry.subbuf_begin(end.wrapping_sub(geometry.ring_bytes()));
        let ahead = oldest.wrapping_sub(self.consumed);
        if !self.overwrite || ahead == 0 || ahead > u64::MAX / 2 {
            return corrupt(reason, value);
        }
        // A plausible value is at most a ring behind the newest `committed`; progress is at least a sub-buffer.
        let committed = ring.header().committed.load(Ordering::Acquire);
        if oldest > committed {
            return corrupt("`subbuf_end` lies beyond what was committed, at", end);
        }
        self.consumed = oldest;
        (self.timestamp, self.discarded) = self.before;
        self.check_committed(ring, committed)?;
        Ok(committed)
    }

    fn enter(&mut self, entry: &EntryCopy) {
        self.timestamp = self.timestamp.max(entry.begin_timestamp);
        self.discarded = self.discarded.max(entry.discarded);
        self.cpu = entry.cpu;
        self.migration_idx = 0;
    }

    /// Takes `[consumed, end)`, or as much of it as lies before the next migration.
    fn cut(&mut self, shared: &SubbufEntry, geometry: Geometry, begin: u64, end: u64, timestamp: u64) -> PacketSpan {
        let (mut end, mut timestamp) = (end, timestamp);
        let count = shared.migration_count.load(Ordering::Relaxed).min(MIGRATION_COUNT_MAX);
        while self.migration_idx < count {
            let Some(migration) = shared.migrations.get(self.migration_idx as usize) else { break };
            let offset = u64::from(migration.offset.load(Ordering::Relaxed)).min(geometry.subbuf_bytes);
            let position = begin.wrapping_add(offset);
            if position >= end {
                break;
            }
            if position > self.consumed {
                end = position;
                timestamp = migration.timestamp.load(Ordering::Relaxed);
                break;
            }
            self.cpu = migration.cpu.load(Ordering::Relaxed);
            // Where the packet before ended here without knowing it (R8 relies on this).
            self.timestamp = self.timestamp.max(migration.timestamp.load(Ordering::Relaxed));
            self.migration_idx += 1;
        }
        let span = PacketSpan {
            begin: self.consumed,
            bytes: end.wrapping_sub(self.consumed),
            timestamp_begin: self.timestamp,
            timestamp_end: timestamp.max(self.timestamp),
            cpu: self.cpu,
            discarded: self.discarded,
        };
        self.consumed = end;
        self.timestamp = span.timestamp_end;
        span
    }

    /// Overwrite mode, after the copy of the newest packet: whether its bytes were still the ones that were committed (R7). If
    /// not, the packet never was.
    #[must_use]
    pub fn confirm(&mut self, ring: &impl RingWords, span: &PacketSpan) -> bool {
        // Acquire fence: pairs with the writer's release fence; the copy's loads come before the load below.
        fence(Ordering::Acquire);
        let end = ring.header().subbuf_end.load(Ordering::Relaxed);
        let begin = ring.geometry().subbuf_begin(span.begin);
        let intact = end.wrapping_sub(begin) <= ring.geometry().ring_bytes();
        if !intact {
            (self.timestamp, self.discarded) = self.before;
        }
        intact
    }

    /// Gives everything taken so far back to the writer. Returns whether the writer sleeps and must be woken with a
    /// futex wake on `consumed_seq`.
    #[must_use]
    pub fn put(&self, ring: &impl RingWords) -> bool {
        let header = ring.header();
        header.consumed.store(self.consumed, Ordering::Release); // pairs with `switch`
        header.consumed_seq.fetch_add(1, Ordering::Release);
        // Store-then-load on both sides: pairs with the waiting writer's fence.
        fence(Ordering::SeqCst);
        header.writer_waits.load(Ordering::Relaxed) != 0
    }
}

/// `committed` together with a time between the last event before it and the next one; `None` while the writer is too
/// fast for two equal loads in a row.
fn stable_pair(ring: &impl RingWords, committed: u64) -> Option<(u64, u64)> {
    let header = ring.header();
    let mut before = committed;
    for _ in 0..STABLE_TRIES {
        let timestamp = header.last_timestamp.load(Ordering::Acquire);
        let after = header.committed.load(Ordering::Acquire);
        if after == before {
            return Some((after, timestamp));
        }
        before = after;
    }
    None
}
