// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way of an event that two channels want and about which nothing else is unusual: two sessions, or a session and the program's own
//! recorder.
//!
//! It is the code of the usual event (`record`), once for each of two writers, with one clock read. It stands out of line, so that the usual
//! event does not pay for it, but is made for each tracepoint, so that the fields are stored without a call. More than two
//! channels, filters, contexts and all else go on to the function that knows every case.
//!
//! # Safety
//! That of `record`: the level's mark makes this record the only user of both cursors.

#![allow(unsafe_code)]

use core::sync::atomic::Ordering;
use ust_shm::limits::SPECIAL_BIT;

use crate::clock;
use crate::field::Wire;
use crate::record::store;
use crate::thread::{ThreadState, Writer};
use crate::tracepoint::Tracepoint;

/// Stores the event for both of the channels that want it, if that can be done here; `false`, with nothing changed, if not.
///
/// # Safety
/// This record holds the first mark of `state`, and `wire` is fit; `size` is that of the event.
#[inline(always)]
pub unsafe fn store_twice(tracepoint: &Tracepoint, state: &ThreadState, size: u64, wire: &impl Wire) -> bool {
    let id = tracepoint.id();
    let Some(([first, second], [first_end, second_end], timestamp)) =
        usual_writers(tracepoint.wanted(), state, size, id)
    else {
        return false;
    };
    // SAFETY: there is room for `size` bytes in both, hence rings, which count `id`; `put` stores exactly the wire's size, by the
    // contract of `Wire`.
    unsafe {
        store(first, id, id, timestamp, first_end, |at| _ = wire.put(at));
        store(second, id, id, timestamp, second_end, |at| _ = wire.put(at));
    }
    true
}

/// The writers of the two channels that want the event, where it ends in each, and the time.
///
/// The checks stand in this order because what is not set up is all zero: without a ring there is no room.
#[inline(always)]
fn usual_writers(wanted: u64, state: &ThreadState, size: u64, id: u32) -> Option<([&Writer; 2], [u64; 2], u64)> {
    // First what is commonest among the events that come here.
    if wanted >> SPECIAL_BIT != 0 {
        return None;
    }
    let others = wanted & wanted.wrapping_sub(1);
    if others == 0 || others & others.wrapping_sub(1) != 0 {
        return None;
    }
    let [level, ..] = &state.levels;
    let first = level.writers.get(wanted.trailing_zeros() as usize)?;
    let second = level.writers.get(others.trailing_zeros() as usize)?;
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
    (!gap).then_some(([first, second], ends, timestamp))
}
