// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way of one event into the rings of every channel that wants it.
//!
//! Protocol: `docs/ring-protocol.md`, "Record". One clock read per event, no locked instruction, no system call, no
//! allocation, no panic.
//!
//! [`record`] is inlined into each tracepoint and does the usual case alone: one channel, nesting level 0, room in the sub-buffer, the
//! same CPU, a clock of cycles. It calls nothing, so the compiler needs no register that would have to be saved. Everything else
//! leaves it before it has changed anything (a filter or a context sets a second bit in the enable word) and goes to [`record_unusual`], out of line and once for all events, which
//! knows all cases.
//!
//! # Safety
//! The address handed to `put` has room for the event: `has_room` compared its size with the cursor's private end, and
//! `bias` maps the cursor's sub-buffer to an arena that is never unmapped. The level's mark makes this record the
//! only user of the cursor: a handler that comes in between finds the mark and takes another level.

#![allow(unsafe_code)]

use core::cell::Cell;
use core::sync::atomic::{Ordering, compiler_fence};
use ust_shm::layout::LostCause;
use ust_shm::limits::{SPECIAL_BIT, TIMESTAMP_BITS};

use crate::clock;
use crate::context::{CallSite, EventContexts};
use crate::field::Wire;
use crate::lease;
use crate::nesting;
use crate::process::count_lost;
use crate::several;
use crate::special::{self, Fields, with_fit};
use crate::thread::{self, Level, ThreadState, Writer};
use crate::tracepoint::Tracepoint;

/// Bytes of an event's header.
pub const HEADER_BYTES: u64 = 8;

/// Records one event of `tracepoint` with the fields `wire`, once for each channel that wants it. Filters see the fields `hidden`, too.
///
/// Never blocks but in block mode, never fails: what cannot be recorded is counted.
#[inline(always)]
pub fn record(tracepoint: &'static Tracepoint, wire: impl Wire, hidden: impl Wire) {
    let size = wire.size() as u64 + HEADER_BYTES;
    let (mark, state) = thread::first_mark();
    if mark == 0 && wire.is_fit() {
        // SAFETY: the first mark is not set, so this is the thread's live state.
        let state = unsafe { &*state };
        let [mark, ..] = &state.marks;
        nesting::set_mark(mark);
        let (wanted, id) = (tracepoint.wanted(), tracepoint.id());
        let [Level { writers }, ..] = &state.levels;
        let [first, ..] = writers;
        // One recording at a time is what most users have, and it is eight instructions less.
        let writer = if wanted == 1 { Some(first) } else { only_writer(writers, wanted) };
        if let Some(writer) = writer {
            if let Some((end, timestamp)) = usual_end(writer, state, size, id) {
                // SAFETY: there is room for `size` bytes, hence a ring, which counts `id`; `put` stores exactly the wire's
                // size, by the contract of `Wire`.
                unsafe { store(writer, id, id, timestamp, end, |at| _ = wire.put(at)) };
                unmark(mark);
                return;
            }
        } else if wanted >> SPECIAL_BIT == 0 {
            return record_several(wire, hidden, tracepoint, state);
        }
        unmark(mark);
    }
    let (stack, pc) = nesting::place();
    record_wire(wire, hidden, tracepoint, stack, pc);
}

/// The writer of the one channel that wants the event; `None` where there are several, or there is something special about it.
#[inline(always)]
fn only_writer(writers: &[Writer; u64::BITS as usize + 1], wanted: u64) -> Option<&Writer> {
    let is_one = wanted & wanted.wrapping_sub(1) == 0;
    // The last of the writers, which stands for "no channel", never has room.
    is_one.then(|| writers.get(wanted.trailing_zeros() as usize)).flatten()
}

/// Where an event ends, if nothing about storing it through `writer` is unusual, and the time.
///
/// The checks stand in this order because what is not set up is all zero: without a ring there is no room.
#[inline(always)]
fn usual_end(writer: &Writer, state: &ThreadState, size: u64, id: u32) -> Option<(u64, u64)> {
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
    (!writer.cursor.is_gap(timestamp)).then_some((end, timestamp))
}

/// Stores the event at the cursor's position and commits it.
///
/// # Safety
/// The writer has a ring with room for `size` bytes and a counter `counter`, and `put` stores that many bytes less the header's.
#[inline(always)]
pub unsafe fn store(writer: &Writer, id: u32, counter: u32, timestamp: u64, end: u64, put: impl FnOnce(*mut u8)) {
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

/// Records an event that several channels want. This record holds the first mark of `state`; the wire is fit.
#[inline(never)]
fn record_several<W: Wire, H: Wire>(wire: W, hidden: H, tracepoint: &'static Tracepoint, state: &ThreadState) {
    let [mark, ..] = &state.marks;
    let is_stored = several::store_twice(&wire, tracepoint, state);
    unmark(mark);
    if !is_stored {
        let (stack, pc) = nesting::place();
        record_wire(wire, hidden, tracepoint, stack, pc);
    }
}

/// Hands the fields on by address: done here, out of line, so that in [`record`] they stay in registers (and, being the first
/// arguments, in those in which they came).
#[cold]
#[inline(never)]
fn record_wire<W: Wire, H: Wire>(wire: W, hidden: H, tracepoint: &'static Tracepoint, stack: usize, pc: usize) {
    with_fit(wire, hidden, |fields| record_unusual(tracepoint, stack, &CallSite::Frame { stack, pc }, fields));
}

/// Records one event in every case that there is: a first event, any nesting level, any number of channels, filters, contexts, a
/// full sub-buffer, another CPU.
///
/// `stack` is the stack pointer of the tracepoint's frame, where [`record`] sets the mark, so that marks compare.
#[inline(never)]
fn record_unusual(tracepoint: &'static Tracepoint, stack: usize, call_site: &CallSite, fields: &dyn Fields) {
    let Some(open) = Open::begin(stack) else { return };
    open.record(tracepoint, call_site, None, fields);
    open.end();
}

/// A nesting level that one event holds.
pub(crate) struct Open {
    pub(crate) state: &'static ThreadState,
    pub(crate) level_idx: usize,
}

impl Open {
    /// Takes and marks the level of an event whose recording function has this stack pointer; `None` where there is none, which is
    /// counted.
    #[inline(always)]
    pub(crate) fn begin(stack: usize) -> Option<Self> {
        let state = thread::state().or_else(thread::make_state)?;
        let [first_mark, ..] = &state.marks;
        let found = if first_mark.get() == 0 { Some(0) } else { nesting::find_level(state, stack) };
        let level_idx = found?;
        state.marks.get(level_idx)?.set(stack);
        compiler_fence(Ordering::SeqCst);
        state.interrupted.set(state.interrupted.get() & !(1 << level_idx));
        Some(Self { state, level_idx })
    }

    /// Stores the event for each channel that wants it: the slots that are decided, if they are.
    #[inline(always)]
    pub(crate) fn record(
        &self,
        tracepoint: &'static Tracepoint,
        call_site: &CallSite,
        decided: Option<u64>,
        fields: &dyn Fields,
    ) {
        let Self { state, level_idx } = *self;
        let Some(level) = state.levels.get(level_idx) else { return };
        let wanted = tracepoint.wanted();
        let contexts = EventContexts::new(state, call_site);
        let mut left = match decided {
            Some(slots) => slots,
            None if wanted & 1 << SPECIAL_BIT == 0 => wanted,
            None => special::slots(tracepoint, state, level_idx, fields, &contexts),
        };
        // While a filter was asked, a handler may have forked: the event is the parent's.
        if left != 0 && state.interrupted.get() & 1 << level_idx == 0 {
            let size = fields.size() as u64 + HEADER_BYTES;
            let timestamp = state.now();
            let event = Event { state, level, level_idx, timestamp, size, id: tracepoint.id(), contexts: &contexts };
            while left != 0 {
                event.store(left.trailing_zeros() as usize, fields);
                left &= left - 1;
            }
        }
    }

    /// Gives the level back.
    #[inline(always)]
    pub(crate) fn end(self) {
        if let Some(mark) = self.state.marks.get(self.level_idx) {
            unmark(mark);
        }
    }
}

/// How often an event asks for room: for its first ring, for its contexts, for a sub-buffer after a migration.
const ROOM_TRIES: u32 = 4;

/// One event on its way into rings: what is the same for all channels.
struct Event<'a> {
    state: &'a ThreadState,
    level: &'a Level,
    level_idx: usize,
    timestamp: u64,
    /// Without contexts.
    size: u64,
    id: u32,
    contexts: &'a EventContexts<'a>,
}

impl Event<'_> {
    /// Stores the event for one channel.
    fn store(&self, slot: usize, fields: &dyn Fields) {
        let Some(writer) = self.level.writers.get(slot) else { return };
        let mut stamp = self.timestamp;
        for _ in 0..ROOM_TRIES {
            // A ring that is leased meanwhile may be of a channel with contexts.
            let size = self.size + u64::from(writer.context_bytes.get());
            let step = if !writer.cursor.has_room(size) {
                lease::make_room
            } else if writer.cursor.is_odd(stamp, self.state.cpu_now()) {
                lease::admit
            } else {
                break;
            };
            match step(self.state, self.level_idx, slot, size, stamp) {
                Some(now) => stamp = now,
                None => return,
            }
        }
        let Some(end) = writer.cursor.room(self.size + u64::from(writer.context_bytes.get())) else {
            return count_lost(LostCause::NoRing);
        };
        let counter = self.id.min(writer.counter_last.get());
        let put = |at: *mut u8| {
            // SAFETY: `store` gives room for the contexts (`context_bytes` is that of the list), then the fields, by the contract of
            // `Fields`.
            unsafe {
                let with_contexts = writer.context_bytes.get() != 0;
                let at = if with_contexts { self.contexts.put(&writer.contexts.get(), at) } else { at };
                fields.put(at);
            }
        };
        // SAFETY: there is room, so there is a ring; `put` stores the event's size less the header's.
        unsafe { store(writer, self.id, counter, stamp, end, put) };
    }
}

/// Takes the mark away. A handler on this thread sees it, hence the compiler fence.
#[inline(always)]
fn unmark(mark: &Cell<usize>) {
    compiler_fence(Ordering::SeqCst);
    mark.set(0);
}
