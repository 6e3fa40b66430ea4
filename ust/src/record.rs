// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way of one event into the rings of every channel that wants it.
//!
//! Protocol: `docs/ring-protocol.md`, "Record". One clock read per event, no locked instruction, no system call, no
//! allocation, no panic.
//!
//! [`record`] is inlined into each tracepoint and does the usual case alone: one channel, nesting level 0, room in the sub-buffer, the
//! same CPU, a clock of cycles. It calls nothing, so the compiler needs no register that would have to be saved. Everything else
//! leaves it before it has changed anything and goes to [`record_unusual`], out of line and once for all events, which
//! knows all cases.
//!
//! # Safety
//! The address handed to `put` has room for the event: `has_room` compared its size with the cursor's private end, and
//! `bias` maps the cursor's sub-buffer to an arena that is never unmapped. The level's mark makes this record the
//! only user of the cursor: a handler that comes in between finds the mark and takes another level.

#![allow(unsafe_code)]

use core::cell::Cell;
use core::sync::atomic::{Ordering, compiler_fence};
use ust_shm::limits::TIMESTAMP_BITS;

use crate::clock;
use crate::field::Wire;
use crate::lease;
use crate::nesting;
use crate::thread::{self, Level, ThreadState, Writer};
use crate::tracepoint::Tracepoint;

/// Bytes of an event's header.
const HEADER_BYTES: u64 = 8;

/// Records one event of `tracepoint` with the fields `wire`, once for each channel that wants it.
///
/// Never blocks but in block mode, never fails: what cannot be recorded is counted.
#[inline(always)]
pub fn record(tracepoint: &'static Tracepoint, wire: impl Wire) {
    let size = wire.size() as u64 + HEADER_BYTES;
    let (mark, state) = thread::first_mark();
    if mark == 0 && wire.is_fit() {
        // SAFETY: the first mark is not set, so this is the thread's live state.
        let state = unsafe { &*state };
        let [mark, ..] = &state.marks;
        nesting::set_mark(mark);
        let id = tracepoint.id();
        if let Some((writer, end, timestamp)) = usual_writer(tracepoint, state, size, id) {
            // SAFETY: there is room for `size` bytes, hence a ring, which counts `id`; `put` stores exactly the wire's
            // size, by the contract of `Wire`.
            unsafe { store(writer, id, id, timestamp, end, |at| _ = wire.put(at)) };
            unmark(mark);
            return;
        }
        unmark(mark);
    }
    record_wire(wire, tracepoint, nesting::stack_address());
}

/// The writer of the one channel that wants the event, if nothing about it is unusual, and the time.
///
/// The checks stand in this order because what is not set up is all zero: without a ring there is no room.
#[inline(always)]
fn usual_writer<'a>(
    tracepoint: &Tracepoint,
    state: &'a ThreadState,
    size: u64,
    id: u32,
) -> Option<(&'a Writer, u64, u64)> {
    let wanted = tracepoint.wanted();
    let [level, ..] = &state.levels;
    let [first, ..] = &level.writers;
    // One recording at a time is what most users have, and it is eight instructions less.
    let writer = if wanted == 1 { first } else { only_writer(level, wanted)? };
    let end = writer.cursor.room(size)?;
    if id > writer.counter_last.get() {
        return None;
    }
    // SAFETY: there is room, so the thread is set up and `cpu` points to its rseq area or a static.
    let cpu = unsafe { (*state.cpu.get()).load(Ordering::Relaxed) };
    if cpu != writer.cursor.cpu.get() {
        return None;
    }
    // A thread whose clock is another one has no CPU that matches.
    let timestamp = clock::cycles();
    (!writer.cursor.is_gap(timestamp)).then_some((writer, end, timestamp))
}

/// The writer of the one channel that wants the event.
#[inline(always)]
fn only_writer(level: &Level, wanted: u64) -> Option<&Writer> {
    if wanted & wanted.wrapping_sub(1) != 0 {
        return None;
    }
    // SAFETY: at most 64, the last of the writers, which stands for "no channel" and never has room.
    Some(unsafe { level.writers.get_unchecked(wanted.trailing_zeros() as usize) })
}

/// Stores the event at the cursor's position and commits it.
///
/// # Safety
/// The writer has a ring with room for `size` bytes and a counter `counter`, and `put` stores that many bytes less the header's.
#[inline(always)]
unsafe fn store(writer: &Writer, id: u32, counter: u32, timestamp: u64, end: u64, put: impl FnOnce(*mut u8)) {
    let position = writer.cursor.position.get();
    let at = position.wrapping_add(writer.bias.get()) as *mut u8;
    let header = timestamp << (64 - TIMESTAMP_BITS) | u64::from(id);
    // SAFETY: module header.
    unsafe {
        at.cast::<u64>().write_unaligned(header);
        put(at.add(HEADER_BYTES as usize));
        writer.count_event(counter);
        writer.cursor.commit(writer.header_unchecked(), end, timestamp);
    }
}

/// Hands the fields on by address: done here, out of line, so that in [`record`] they stay in registers (and, being the first
/// argument, in those in which they came).
#[cold]
#[inline(never)]
fn record_wire<W: Wire>(wire: W, tracepoint: &'static Tracepoint, stack: usize) {
    let wire = wire.fit();
    // SAFETY: by the contract of `Wire`, `put` stores exactly `size()` bytes of a fit value and does not panic.
    unsafe { record_unusual(tracepoint, stack, wire.size(), &|at| _ = wire.put(at)) };
}

/// Records one event in every case that there is: a first event, any nesting level, any number of channels, a full
/// sub-buffer, another CPU.
///
/// `stack` is the stack pointer of the tracepoint's frame: where [`record`] sets the mark, so that marks compare.
///
/// # Safety
/// `put(at)` stores exactly `size_bytes` bytes from `at` on (unaligned), and does not panic.
#[inline(never)]
unsafe fn record_unusual(tracepoint: &'static Tracepoint, stack: usize, size_bytes: usize, put: &dyn Fn(*mut u8)) {
    let wanted = tracepoint.wanted();
    let Some(state) = thread::state().or_else(thread::make_state) else { return };
    let Some(level_idx) = nesting::find_level(state, stack) else { return };
    let (Some(mark), Some(level)) = (state.marks.get(level_idx), state.levels.get(level_idx)) else { return };
    mark.set(stack);
    compiler_fence(Ordering::SeqCst);
    let event = Event {
        state,
        level,
        level_idx,
        timestamp: state.now(),
        size: size_bytes as u64 + HEADER_BYTES,
        id: tracepoint.id(),
    };
    let mut left = wanted;
    while left != 0 {
        // SAFETY: by this function's contract.
        unsafe { event.store(left.trailing_zeros() as usize, put) };
        left &= left - 1;
    }
    unmark(mark);
}

/// One event on its way into rings: what is the same for all channels.
struct Event<'a> {
    state: &'a ThreadState,
    level: &'a Level,
    level_idx: usize,
    timestamp: u64,
    size: u64,
    id: u32,
}

impl Event<'_> {
    /// Stores the event for one channel.
    ///
    /// # Safety
    /// `put` as for [`record_unusual`].
    unsafe fn store(&self, slot: usize, put: &dyn Fn(*mut u8)) {
        let Some(writer) = self.level.writers.get(slot) else { return };
        let mut stamp = self.timestamp;
        if !writer.cursor.has_room(self.size) {
            match lease::make_room(self.state, self.level_idx, slot, self.size, stamp) {
                Some(now) => stamp = now,
                None => return,
            }
        }
        if writer.cursor.is_odd(stamp, self.state.cpu_now()) {
            match lease::admit(self.state, self.level_idx, slot, self.size, stamp) {
                Some(now) => stamp = now,
                None => return,
            }
        }
        let Some(end) = writer.cursor.room(self.size) else { return };
        let counter = self.id.min(writer.counter_last.get());
        // SAFETY: there is room, so there is a ring; `put` by this function's contract.
        unsafe { store(writer, self.id, counter, stamp, end, put) };
    }
}

/// Takes the mark away. A handler on this thread sees it, hence the compiler fence.
#[inline(always)]
fn unmark(mark: &Cell<usize>) {
    compiler_fence(Ordering::SeqCst);
    mark.set(0);
}
