// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way of an event that several channels want and about which nothing else is unusual: several sessions, or a session and the program's own
//! recorder.
//!
//! It is the code of the usual event (`record`), once for each of two writers, with one clock read. It stands out of line, so that the event of one
//! channel does not pay for it: inlined behind the usual case it made that one save registers (docs/measurements.md, "Control from outside"). More than
//! two channels, filters, contexts and all else go on to the function that knows every case.
//!
//! # Safety
//! That of `record`: the level's mark makes this record the only user of both cursors.

#![allow(unsafe_code)]

use core::sync::atomic::Ordering;
use ust_shm::limits::SPECIAL_BIT;

use crate::clock;
use crate::field::Wire;
use crate::record::{HEADER_BYTES, store};
use crate::thread::{Level, ThreadState, Writer};
use crate::tracepoint::Tracepoint;

/// Stores an event, whose wire is fit, for the two channels that want it; `false`, with nothing changed, if that cannot be done here. The record
/// holds the first mark of `state`.
#[inline(always)]
pub fn store_twice(wire: &impl Wire, tracepoint: &Tracepoint, state: &ThreadState) -> bool {
    let (id, size) = (tracepoint.id(), wire.size() as u64 + HEADER_BYTES);
    let Some(pair) = Pair::find(tracepoint.wanted(), state, size, id) else { return false };
    let Pair { writers: [first, second], ends: [first_end, second_end], timestamp } = pair;
    // SAFETY: there is room for `size` bytes in both, hence rings, which count `id`; `put` stores exactly the wire's size, by the
    // contract of `Wire`.
    unsafe {
        store(first, id, id, timestamp, first_end, |at| _ = wire.put_parts(at));
        store(second, id, id, timestamp, second_end, |at| _ = wire.put_parts(at));
    }
    true
}

/// The writers of two channels about which nothing is unusual, where the event ends in each, and the time.
struct Pair<'a> {
    writers: [&'a Writer; 2],
    ends: [u64; 2],
    timestamp: u64,
}

impl<'a> Pair<'a> {
    /// The checks stand in this order because what is not set up is all zero: without a ring there is no room.
    #[inline(always)]
    fn find(wanted: u64, state: &'a ThreadState, size: u64, id: u32) -> Option<Self> {
        let others = wanted & wanted.wrapping_sub(1);
        if !others.is_power_of_two() || wanted >> SPECIAL_BIT != 0 {
            return None;
        }
        let [Level { writers }, ..] = &state.levels;
        let first = writers.get(wanted.trailing_zeros() as usize)?;
        let second = writers.get(others.trailing_zeros() as usize)?;
        let ends = [first.cursor.room(size)?, second.cursor.room(size)?];
        if id > first.counter_last.get() || id > second.counter_last.get() {
            return None;
        }
        // SAFETY: there is room, so the thread is set up and `cpu` points to its rseq area or a static.
        let cpu = unsafe { (*state.cpu.get()).load(Ordering::Relaxed) };
        if cpu != first.cursor.cpu.get() || cpu != second.cursor.cpu.get() {
            return None;
        }
        // A thread whose clock is another one has no CPU that matches.
        let timestamp = clock::cycles();
        let gap = first.cursor.is_gap(timestamp) | second.cursor.is_gap(timestamp);
        // A channel with contexts has set the special bit; one that has just got them asks for more than the fields.
        let plain = (first.context_bytes.get() | second.context_bytes.get()) == 0;
        (!gap && plain).then_some(Self { writers: [first, second], ends, timestamp })
    }
}
