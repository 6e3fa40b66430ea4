// SPDX-License-Identifier: MIT OR Apache-2.0
//! The writer's end: private position, switch, migration, rewind.

use core::cell::Cell;

use super::{Geometry, RingWords};
use crate::atomics::{Ordering, fence};
use crate::layout::{Migration, RingHeader, SubbufEntry};
use crate::limits::{MIGRATION_COUNT_MAX, TIMESTAMP_GAP_MAX};

/// The writer's private state of one ring. All zero means that there is no ring: no room, so the cold path decides.
///
/// It lies in memory that fork wipes; a child therefore reads zeros. `Cell`: only the owning thread and the signal
/// handlers that interrupt it use it, and the nesting marks keep them apart.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Cursor {
    /// Where the next event begins.
    pub position: Cell<u64>,
    /// End of the current sub-buffer.
    pub end: Cell<u64>,
    /// Time stamp of the newest event.
    pub last_timestamp: Cell<u64>,
    /// CPU of the newest event.
    pub cpu: Cell<u32>,
}

/// Why the next sub-buffer cannot be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchError {
    /// The reader has not given it back yet (R3).
    Full,
    /// The event is larger than a sub-buffer.
    Big,
    /// `consumed` holds a value that the protocol cannot produce.
    Corrupt,
}

/// How a ring treats a reader that does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Look at `consumed` (discard and block mode).
    Respect,
    /// Overwrite the oldest sub-buffer.
    Overwrite,
}

/// Not a CPU, and not the mark of an unknown one either.
pub const NO_CPU: u32 = u32::MAX - 1;

impl Cursor {
    /// Where an event of `size` bytes ends, if it fits the current sub-buffer. `size` is that of something in memory, so the sum
    /// does not wrap before positions do.
    #[inline(always)]
    #[must_use]
    pub fn room(&self, size: u64) -> Option<u64> {
        let end = self.position.get().wrapping_add(size);
        (end <= self.end.get()).then_some(end)
    }

    /// Whether an event of `size` bytes fits the current sub-buffer.
    #[inline(always)]
    #[must_use]
    pub fn has_room(&self, size: u64) -> bool {
        self.room(size).is_some()
    }

    /// Whether a time stamp or CPU needs [`Cursor::admit`]: time went backwards, a long gap, or another CPU.
    #[inline(always)]
    #[must_use]
    pub fn is_odd(&self, timestamp: u64, cpu: u32) -> bool {
        self.is_gap(timestamp) | (cpu != self.cpu.get())
    }

    /// Whether a time stamp goes backwards, or comes so late that its low bits do not say how late.
    #[inline(always)]
    #[must_use]
    pub fn is_gap(&self, timestamp: u64) -> bool {
        timestamp.wrapping_sub(self.last_timestamp.get()) >= TIMESTAMP_GAP_MAX
    }

    /// Publishes the event that ends at `position` (protocol step 4).
    #[inline(always)]
    pub fn commit(&self, header: &RingHeader, position: u64, timestamp: u64) {
        self.position.set(position);
        self.last_timestamp.set(timestamp);
        // Release: pairs with the reader's Acquire load between its two loads of `committed`.
        header.last_timestamp.store(timestamp, Ordering::Release);
        // Release: pairs with `take`; the event's bytes are visible before they count.
        header.committed.store(position, Ordering::Release);
    }

    /// Enters the next sub-buffer so that an event of `size` bytes fits (the protocol's *Switch*).
    ///
    /// # Errors
    /// [`SwitchError`]; nothing was changed then, and the caller counts the loss or waits.
    pub fn switch(
        &self,
        ring: &impl RingWords,
        size: u64,
        now: u64,
        cpu: u32,
        when_full: WhenFull,
    ) -> Result<(), SwitchError> {
        let Geometry { subbuf_bytes, .. } = ring.geometry();
        if size > subbuf_bytes {
            return Err(SwitchError::Big);
        }
        let position = self.position.get();
        let next = self.end.get();
        if when_full == WhenFull::Respect {
            // Acquire: pairs with the reader's Release store; it is done with the bytes we are about to write.
            let consumed_untrusted = ring.header().consumed.load(Ordering::Acquire);
            let unread = position.wrapping_sub(consumed_untrusted);
            if unread > ring.geometry().ring_bytes() {
                return Err(SwitchError::Corrupt);
            }
            if next.wrapping_add(subbuf_bytes).wrapping_sub(consumed_untrusted) > ring.geometry().ring_bytes() {
                return Err(SwitchError::Full);
            }
        }
        self.leave_subbuf(ring, position, next.wrapping_sub(subbuf_bytes));
        self.enter_subbuf(ring, next, now.max(self.last_timestamp.get()), cpu);
        Ok(())
    }

    /// Step 2: notes where content ends in the sub-buffer that begins at `begin`.
    ///
    /// At the sub-buffer's very end, `content_end` already says so (step 4), unless a switch that was abandoned after its
    /// step 5 left the right value there: then nothing is changed.
    fn leave_subbuf(&self, ring: &impl RingWords, position: u64, begin: u64) {
        let geometry = ring.geometry();
        let Some(entry) = ring.entry(geometry.subbuf_idx(begin)) else { return };
        let end = begin.wrapping_add(geometry.subbuf_bytes);
        if position == end && entry.content_end.load(Ordering::Relaxed) != end {
            return;
        }
        entry.end_timestamp.store(self.last_timestamp.get(), Ordering::Relaxed);
        entry.content_end.store(position, Ordering::Relaxed);
    }

    /// Steps 3 to 6: makes the sub-buffer at `begin` the current one.
    fn enter_subbuf(&self, ring: &impl RingWords, begin: u64, now: u64, cpu: u32) {
        let header = ring.header();
        let geometry = ring.geometry();
        let end = begin.wrapping_add(geometry.subbuf_bytes);
        // Release store and fence: a reader that copies a byte of the new lap sees the new end (R4, R7).
        header.subbuf_end.store(end, Ordering::Release);
        fence(Ordering::Release);
        if let Some(entry) = ring.entry(geometry.subbuf_idx(begin)) {
            entry.begin.store(begin, Ordering::Relaxed);
            entry.begin_timestamp.store(now, Ordering::Relaxed);
            entry.content_end.store(end, Ordering::Relaxed);
            entry.discarded.store(discarded(header), Ordering::Relaxed);
            entry.cpu.store(cpu, Ordering::Relaxed);
            entry.migration_count.store(0, Ordering::Relaxed);
        }
        // `now` is a lower bound of the first event's stamp, so it may stand for "the newest event" until then.
        header.last_timestamp.store(now, Ordering::Release);
        header.committed.store(begin, Ordering::Release); // pairs with `take`
        self.last_timestamp.set(now);
        self.cpu.set(cpu);
        self.end.set(end);
        self.position.set(begin);
    }

    /// Begins a lease of a ring whose content up to `committed` is none of this lease's (the protocol's *Lease*).
    ///
    /// Returns the first position of the lease. `committed` is what the directory's owner knows of the ring: its own
    /// shared word, checked by nothing but rounding, since any value gives a valid position.
    pub fn lease(&self, ring: &impl RingWords, now: u64, cpu: u32) -> u64 {
        let header = ring.header();
        let geometry = ring.geometry();
        let committed = header.committed.load(Ordering::Relaxed);
        let last = header.last_timestamp.load(Ordering::Relaxed);
        let rounded = geometry.subbuf_begin(committed.wrapping_add(geometry.subbuf_bytes - 1));
        // A switch that its thread did not survive may have given up the sub-buffer behind: `subbuf_end` never goes back.
        let entered = header.subbuf_end.load(Ordering::Relaxed).wrapping_sub(geometry.subbuf_bytes);
        let next = rounded.wrapping_add(geometry.subbuf_bytes);
        let begin = if entered == next { next } else { rounded };
        self.last_timestamp.set(last);
        if begin != committed {
            self.leave_subbuf(ring, committed, geometry.subbuf_begin(committed));
        } else if committed != 0 {
            // The lease before may have filled a sub-buffer to its last byte and not left it.
            self.leave_subbuf(ring, committed, committed.wrapping_sub(geometry.subbuf_bytes));
        }
        header.lease_begin.store(begin, Ordering::Relaxed);
        self.enter_subbuf(ring, begin, now.max(last), cpu);
        begin
    }

    /// Takes in a time stamp or CPU that [`Cursor::is_odd`] reported; returns the stamp to use.
    ///
    /// A stamp that goes backwards is replaced by the last one. A gap or a sixth migration needs a new sub-buffer.
    ///
    /// # Errors
    /// As [`Cursor::switch`].
    pub fn admit(
        &self,
        ring: &impl RingWords,
        size: u64,
        now: u64,
        cpu: u32,
        when_full: WhenFull,
    ) -> Result<u64, SwitchError> {
        let last = self.last_timestamp.get();
        let now = now.max(last);
        if now - last >= TIMESTAMP_GAP_MAX {
            self.switch(ring, size, now, cpu, when_full)?;
        } else if cpu != self.cpu.get() {
            if self.note_migration(ring, now, cpu) {
                self.cpu.set(cpu);
            } else {
                self.switch(ring, size, now, cpu, when_full)?;
            }
        }
        Ok(now)
    }

    /// Appends a migration at the current position; `false` where the table is full.
    fn note_migration(&self, ring: &impl RingWords, now: u64, cpu: u32) -> bool {
        let geometry = ring.geometry();
        let begin = self.end.get().wrapping_sub(geometry.subbuf_bytes);
        let Some(entry) = ring.entry(geometry.subbuf_idx(begin)) else { return false };
        let count = entry.migration_count.load(Ordering::Relaxed).min(MIGRATION_COUNT_MAX);
        let Some(slot) = entry.migrations.get(count as usize) else { return false };
        slot.offset.store(self.position.get().wrapping_sub(begin) as u32, Ordering::Relaxed);
        slot.cpu.store(cpu, Ordering::Relaxed);
        slot.timestamp.store(now, Ordering::Relaxed);
        // Published by the Release store of `committed` behind the event that follows.
        entry.migration_count.store(count + 1, Ordering::Relaxed);
        true
    }

    /// Takes up after a record that was left by a non-local exit (R8); `false`: the ring must be poisoned.
    ///
    /// If a switch was left, `committed` may be at the sub-buffer's end: there is no room then, and the switch is done again. If it
    /// was left earlier, a smaller event may still fit, and content does not end where the switch said.
    #[must_use]
    pub fn rewind(&self, ring: &impl RingWords) -> bool {
        let geometry = ring.geometry();
        let header = ring.header();
        let begin = self.end.get().wrapping_sub(geometry.subbuf_bytes);
        let committed = header.committed.load(Ordering::Relaxed);
        if committed.wrapping_sub(begin) > geometry.subbuf_bytes {
            return false;
        }
        if committed != self.end.get()
            && let Some(entry) = ring.entry(geometry.subbuf_idx(begin))
        {
            // Published by the Release store of `committed` behind the event that follows.
            entry.content_end.store(self.end.get(), Ordering::Relaxed);
            forget_migrations(entry, committed.wrapping_sub(begin));
        }
        self.position.set(committed);
        // The next event notes a migration, and with it all bits of its time: `last_timestamp` may be that of an event that
        // never came, which says nothing about the gap to the one before.
        self.cpu.set(NO_CPU);
        self.last_timestamp.set(header.last_timestamp.load(Ordering::Relaxed));
        true
    }
}

/// Takes back what was noted for events that were never committed. A reader passes no migration that lies at or behind
/// `committed`, so it has not seen them.
fn forget_migrations(entry: &SubbufEntry, committed_offset: u64) {
    let mut count = entry.migration_count.load(Ordering::Relaxed).min(MIGRATION_COUNT_MAX);
    let is_early = |slot: &Migration| u64::from(slot.offset.load(Ordering::Relaxed)) < committed_offset;
    while count > 0 && !entry.migrations.get(count as usize - 1).is_some_and(is_early) {
        count -= 1;
    }
    entry.migration_count.store(count, Ordering::Relaxed);
}

/// Sum of the ring's discard counters.
#[must_use]
pub fn discarded(header: &RingHeader) -> u64 {
    [&header.discarded_full, &header.discarded_big, &header.discarded_wait]
        .iter()
        .fold(0, |sum, counter| sum.wrapping_add(counter.load(Ordering::Relaxed)))
}

/// Adds one to a counter of which this thread is the only writer.
pub fn count(counter: &crate::atomics::AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}
