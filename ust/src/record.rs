// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fast path: one event into the rings of every channel that wants it.
//!
//! Protocol: `docs/ring-protocol.md`, "Record". One clock read per event, no locked instruction, no system call, no
//! allocation, no panic. What is not usual goes to `lease` and `nesting`, out of line.
//!
//! # Safety
//! The address handed to `write` has room for the event: `has_room` compared its size with the cursor's private end, and
//! `bias` maps the cursor's sub-buffer to an arena that is never unmapped. The level's mark makes this record the
//! only user of the cursor: a handler that comes in between finds the mark and takes another level.

#![allow(unsafe_code)]

use core::sync::atomic::{Ordering, compiler_fence};
use ust_shm::limits::TIMESTAMP_BITS;

use crate::lease;
use crate::nesting;
use crate::thread::{self, Level, ThreadState};
use crate::tracepoint::Tracepoint;

/// Bytes of an event's header.
const HEADER_BYTES: u64 = 8;

/// Records one event of `tracepoint`: `size_bytes` of payload, written by `write` once for each channel that wants it.
///
/// Never blocks but in block mode, never fails: what cannot be recorded is counted.
///
/// # Safety
/// `write(at)` stores exactly `size_bytes` bytes from `at` on (unaligned), and does not panic.
#[inline(always)]
pub unsafe fn record(tracepoint: &'static Tracepoint, size_bytes: usize, write: impl Fn(*mut u8)) {
    let wanted = tracepoint.wanted();
    let mut state = thread::state();
    if state.is_null() {
        let Some(made) = thread::make_state() else { return };
        state = made;
    }
    // SAFETY: not null, so this thread's live state.
    let state = unsafe { &*state };
    let mut level_idx = 0;
    let [level, ..] = &state.levels;
    let mut level = level;
    if level.busy.get() != 0 {
        let Some(nested) = nesting::find_level(state) else { return };
        level_idx = nested;
        // SAFETY: `find_level` returns an index below the number of levels.
        level = unsafe { state.levels.get_unchecked(nested) };
    }
    mark(level);
    let event = Event {
        state,
        level,
        level_idx,
        timestamp: state.now(),
        size: size_bytes as u64 + HEADER_BYTES,
        id: tracepoint.id(),
    };
    if wanted != 0 {
        let slot = wanted.trailing_zeros() as usize;
        // SAFETY: a bit number of a u64 is below the number of writers; `write` by this function's contract.
        unsafe { event.store(slot, &write) };
        let more = wanted & (wanted - 1);
        if more != 0 {
            // SAFETY: as above.
            unsafe { store_more(state, level_idx, more, event.timestamp, event.size, event.id, &write) };
        }
    }
    unmark(level);
}

/// One event on its way into rings: what is the same for all channels. By value, so that it stays in registers.
#[derive(Clone, Copy)]
struct Event<'a> {
    state: &'a ThreadState,
    level: &'a Level,
    level_idx: usize,
    timestamp: u64,
    size: u64,
    id: u32,
}

/// Stores the event for every further channel of `slots`: rare enough to be out of line, once for all events. Its arguments are those
/// of [`Event`] one by one, so that no address of one is taken on the fast path and it stays in registers.
///
/// # Safety
/// As for [`Event::store`].
#[cold]
#[inline(never)]
unsafe fn store_more(
    state: &ThreadState,
    level_idx: usize,
    slots: u64,
    timestamp: u64,
    size: u64,
    id: u32,
    write: &dyn Fn(*mut u8),
) {
    let Some(level) = state.levels.get(level_idx) else { return };
    let event = Event { state, level, level_idx, timestamp, size, id };
    let mut left = slots;
    while left != 0 {
        // SAFETY: by this function's contract; a bit number of a u64 is below the number of writers.
        unsafe { event.store(left.trailing_zeros() as usize, write) };
        left &= left - 1;
    }
}

impl Event<'_> {
    /// Stores the event for one channel.
    ///
    /// # Safety
    /// `slot` is below the number of writers, and `write` as for [`record`].
    #[inline(always)]
    unsafe fn store(self, slot: usize, write: &(impl Fn(*mut u8) + ?Sized)) {
        // SAFETY: in bounds by this function's contract.
        let writer = unsafe { self.level.writers.get_unchecked(slot) };
        let mut stamp = self.timestamp;
        if !writer.cursor.has_room(self.size) {
            match lease::make_room(self.state, self.level_idx, slot, self.size, stamp) {
                Some(now) => stamp = now,
                None => return,
            }
        }
        // SAFETY: there is room, so the thread is set up and `cpu` points to its rseq area or a static.
        let cpu = unsafe { (*self.state.cpu.get()).load(Ordering::Relaxed) };
        if writer.cursor.is_odd(stamp, cpu) {
            match lease::admit(self.state, self.level_idx, slot, self.size, stamp) {
                Some(now) => stamp = now,
                None => return,
            }
        }
        let at = writer.cursor.position.get().wrapping_add(writer.bias.get()) as *mut u8;
        let header = stamp << (64 - TIMESTAMP_BITS) | u64::from(self.id);
        // SAFETY: module header; there is a ring, since there is room.
        unsafe {
            at.cast::<u64>().write_unaligned(header);
            write(at.add(HEADER_BYTES as usize));
            writer.count_event(self.id);
            writer.cursor.commit(writer.header_unchecked(), self.size, stamp);
        }
    }
}

/// Marks the level with this record's stack address. A handler on this thread sees it, hence the compiler fence.
#[inline(always)]
fn mark(level: &Level) {
    level.busy.set(nesting::stack_address());
    compiler_fence(Ordering::SeqCst);
}

#[inline(always)]
fn unmark(level: &Level) {
    compiler_fence(Ordering::SeqCst);
    level.busy.set(0);
}
