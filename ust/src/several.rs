// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way of an event that several channels want and about which nothing else is unusual: several sessions, or a session and the program's own
//! recorder.
//!
//! If its fields are a few words, they come here in registers, and are stored once for each of two channels ([`store_small`]). Else the inlined code
//! of `record` has stored the event for the first of them, and what it stored is copied for the others, by one function for all tracepoints
//! ([`record_others`]): so the inlined code, which is there for each of them, does not grow, and the fields need not be kept in registers for it.
//! Both ways cost the event of one channel nothing (docs/measurements.md, "Sessions").
//!
//! # Safety
//! That of `record`: the first level's mark makes this record the only user of all cursors, so the copied bytes are those that were stored just
//! now (a hostile reader of the ring may have changed them, not how many they are).

#![allow(unsafe_code)]

use ust_shm::limits::SPECIAL_BIT;

use crate::context::{CallSite, EventContexts};
use crate::field::Wire;
use crate::field::text::copy;
use crate::nesting;
use crate::record::{Event, HEADER_BYTES, begin, commit, store_usual, unmark, usual_end};
use crate::special::Fields;
use crate::thread::{Level, ThreadState, Writer};
use crate::tracepoint::Tracepoint;

/// Copies without a call, which would make the caller save registers: whole words that may overlap.
///
/// # Safety
/// `bytes` can be read at `from` and written at `to`, and are not the same memory.
#[inline(always)]
unsafe fn copy_inline(from: *const u8, to: *mut u8, bytes: usize) {
    type Word = [u64; 2];
    const WORD_BYTES: usize = size_of::<Word>();
    // SAFETY: by this function's contract; each word lies within `bytes`.
    unsafe {
        if bytes < WORD_BYTES {
            return copy(from, to, bytes);
        }
        let last = bytes - WORD_BYTES;
        let tail = from.add(last).cast::<Word>().read_unaligned();
        let mut at = 0;
        while at < last {
            to.add(at).cast::<Word>().write_unaligned(from.add(at).cast::<Word>().read_unaligned());
            at += WORD_BYTES;
            // Else the loop would be made a call.
            core::arch::asm!("/* {0} */", inout(reg) at, options(nomem, nostack, preserves_flags));
        }
        to.add(last).cast::<Word>().write_unaligned(tail);
    }
}

/// The fields of an event that lies in a ring.
struct Stored {
    at: *const u8,
    bytes: usize,
}

impl Stored {
    /// The event of `size` bytes that was stored last through `writer`.
    #[inline(always)]
    fn newest_of(writer: &Writer, size: u64) -> Self {
        let end = writer.cursor.position.get().wrapping_add(writer.bias.get());
        let bytes = size - HEADER_BYTES;
        Self { at: end.wrapping_sub(bytes) as *const u8, bytes: bytes as usize }
    }
}

// SAFETY: stores as many bytes as it says; copying does not panic.
unsafe impl Fields for Stored {
    fn size(&self) -> usize {
        self.bytes
    }

    #[inline(always)]
    unsafe fn put(&self, at: *mut u8) {
        // SAFETY: by this function's contract; each ring is other memory.
        unsafe { copy_inline(self.at, at, self.bytes) };
    }

    unsafe fn put_all(&self, at: *mut u8, room: usize) -> usize {
        if self.bytes <= room {
            // SAFETY: by this function's contract.
            unsafe { self.put(at) };
        }
        self.bytes
    }
}

/// Whether fields are passed in registers.
pub const fn is_small<W>() -> bool {
    size_of::<W>() <= 2 * size_of::<usize>()
}

/// Stores an event with small fields, which are fit, for two channels; `false`, with nothing changed, if that cannot be done here. The record
/// holds the first mark of `state`.
#[inline(always)]
pub fn store_small(wire: &impl Wire, tracepoint: &Tracepoint, state: &ThreadState) -> bool {
    let [Level { writers }, ..] = &state.levels;
    let (wanted, id, size) = (tracepoint.wanted(), tracepoint.id(), wire.size() as u64 + HEADER_BYTES);
    let others = wanted & wanted.wrapping_sub(1);
    if !others.is_power_of_two() || wanted >> SPECIAL_BIT != 0 {
        return false;
    }
    let writer = |slots: u64| writers.get(slots.trailing_zeros() as usize);
    let (Some(first), Some(second)) = (writer(wanted), writer(others)) else { return false };
    let now = second.cursor.last_timestamp.get();
    let Some(second_end) = usual_end(second, first.cursor.cpu.get(), now, size, id) else { return false };
    // SAFETY: `put` stores exactly the wire's size, by the contract of `Wire`.
    let stored = unsafe { store_usual(first, state, size, id, |at| _ = wire.put(at)) };
    let Some((_, timestamp)) = stored else { return false };
    if second.cursor.is_gap(timestamp) {
        store_left(state, others, first, size, id);
    } else {
        // SAFETY: there is room, hence a ring, which counts `id`; as above.
        unsafe {
            wire.put(begin(second, id, timestamp));
            commit(second, id, timestamp, second_end);
        }
    }
    true
}

/// Stores the event of `size` bytes that was stored last through `first` for the other channels that want it, and ends the record.
///
/// The enable word is loaded again. If something special has come about the event meanwhile, that was all.
#[inline(never)]
pub fn record_others(
    state: &ThreadState,
    first: &Writer,
    tracepoint: &Tracepoint,
    at: *const u8,
    size: u64,
    timestamp: u64,
) {
    let [mark, ..] = &state.marks;
    let [Level { writers }, ..] = &state.levels;
    let wanted = tracepoint.wanted();
    let others = wanted & wanted.wrapping_sub(1);
    if let Some(second) = writers.get(others.trailing_zeros() as usize)
        && wanted >> SPECIAL_BIT == 0
    {
        let (id, cpu, bytes) = (tracepoint.id(), first.cursor.cpu.get(), (size - HEADER_BYTES) as usize);
        let is_stored = !core::ptr::eq(second, first) && {
            let end = usual_end(second, cpu, timestamp, size, id);
            if let Some(end) = end {
                // SAFETY: there is room, hence a ring, which counts `id`; the event lies in another ring.
                unsafe {
                    copy_inline(at, begin(second, id, timestamp), bytes);
                    commit(second, id, timestamp, end);
                }
            }
            end.is_some()
        };
        let left = if is_stored { others & others.wrapping_sub(1) } else { others };
        if left != 0 {
            store_left(state, left, first, size, id);
        }
    }
    unmark(mark);
}

/// The same for the channels `left`: more than two of them, or something is unusual about the second one.
#[cold]
#[inline(never)]
fn store_left(state: &ThreadState, left: u64, first: &Writer, size: u64, id: u32) {
    let [level, ..] = &state.levels;
    let (stored, timestamp) = (Stored::newest_of(first, size), first.cursor.last_timestamp.get());
    // A channel with contexts has set the special bit: only one that has just got them asks for them here.
    let (stack, pc) = nesting::place();
    let contexts = EventContexts::new(state, CallSite::Frame { stack, pc });
    let event = Event { state, level, level_idx: 0, timestamp, size, id, contexts: &contexts };
    let mut left = left;
    while left != 0 {
        let slot = left.trailing_zeros() as usize;
        // After a change of the enable word, the first channel may be among the others.
        if !level.writers.get(slot).is_some_and(|writer| core::ptr::eq(writer, first)) {
            event.store(slot, &stored);
        }
        left &= left - 1;
    }
}
