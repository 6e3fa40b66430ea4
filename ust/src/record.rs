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
use crate::thread::{self, Level};
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
    let mut wanted = tracepoint.wanted();
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
    let mut timestamp = state.now();
    let size = size_bytes as u64 + HEADER_BYTES;
    while wanted != 0 {
        let slot = wanted.trailing_zeros() as usize;
        wanted &= wanted - 1;
        // SAFETY: a bit number of a u64 is below 64, the number of writers.
        let writer = unsafe { level.writers.get_unchecked(slot) };
        if !writer.cursor.has_room(size) {
            match lease::make_room(state, level_idx, slot, size, timestamp) {
                Some(now) => timestamp = now,
                None => continue,
            }
        }
        // SAFETY: there is room, so the thread is set up and `cpu` points to its rseq area or a static.
        let cpu = unsafe { (*state.cpu.get()).load(Ordering::Relaxed) };
        let mut stamp = timestamp;
        if writer.cursor.is_odd(timestamp, cpu) {
            match lease::admit(state, writer, size, timestamp) {
                Some(now) => stamp = now,
                None => continue,
            }
        }
        let id = tracepoint.id();
        let at = writer.cursor.position.get().wrapping_add(writer.bias.get()) as *mut u8;
        let header = stamp << (64 - TIMESTAMP_BITS) | u64::from(id);
        // SAFETY: module header; there is a ring, since there is room.
        unsafe {
            at.cast::<u64>().write_unaligned(header);
            write(at.add(HEADER_BYTES as usize));
            writer.count_event(id);
            writer.cursor.commit(writer.header_unchecked(), size, stamp);
        }
    }
    unmark(level);
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
