// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cold half of a record: leasing a ring, entering the next sub-buffer, waiting in block mode.
//!
//! Everything here may run in a signal handler, on any nesting level, while the same code is interrupted on
//! another level: no locks, and shared words change by compare-exchange.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering, fence};
use ust_shm::head::Head;
use ust_shm::layout::{LossMode, LostCause, RingEntry, RingHeader, ring_header_bytes, ring_state};
use ust_shm::limits::{COUNTER_COUNT_MAX, RING_COUNT_MAX};
use ust_shm::ring::writer::{SwitchError, WhenFull, count};
use ust_shm::ring::{Geometry, RingWords};
use ust_shm::rules::Channel;

use crate::image;
use crate::process::{Process, count_lost, stage};
use crate::start_up;
use crate::sys::{self, ErrnoGuard};
use crate::thread::{Arena, ThreadState, Writer};

/// Ticks between two attempts to get a ring that could not be had: some milliseconds on either clock.
const RETRY_TICKS: u64 = 1 << 24;

/// Rings of ended threads that an overwrite channel keeps before it uses the oldest again.
const RETURNED_KEPT: usize = 16;

/// How long a waiting writer sleeps before it looks whether the consumer still lives, in ms.
const WAIT_SLICE_MS: u32 = 100;

/// Makes room for `size` bytes in the writer's ring, leasing one first if need be. The time for the event, or `None`
/// when the event is lost (and counted).
#[cold]
#[inline(never)]
pub fn make_room(state: &ThreadState, level: usize, slot: usize, size: u64, now: u64) -> Option<u64> {
    let _errno = ErrnoGuard::new();
    let writer = state.levels.get(level)?.writers.get(slot)?;
    let mut now = now;
    writer.leave_orphan();
    if !writer.has_ring() {
        if now < writer.retry_at.get() {
            count_lost(LostCause::NoRing);
            return None;
        }
        start_up::start();
        let process = Process::any().filter(|p| p.stage() == stage::LIVE);
        if let Some(process) = process {
            state.set_up(process);
            now = state.now();
        }
        if process.and_then(|p| lease(p, state, writer, level, slot, now)).is_none() {
            writer.retry_at.set(now.wrapping_add(RETRY_TICKS));
            count_lost(LostCause::NoRing);
            return None;
        }
    }
    if !writer.cursor.has_room(size) {
        enter_next(state, writer, size, now)?;
    }
    Some(now)
}

/// Takes in a time stamp or CPU that needs it: a migration, a gap, a clock that went backwards. The stamp to use, or
/// `None` when the event is lost (and counted).
#[cold]
#[inline(never)]
pub fn admit(state: &ThreadState, level: usize, slot: usize, size: u64, now: u64) -> Option<u64> {
    let _errno = ErrnoGuard::new();
    let writer = state.levels.get(level)?.writers.get(slot)?;
    if writer.leave_orphan() {
        return make_room(state, level, slot, size, now);
    }
    let cpu = state.cpu_now();
    match writer.cursor.admit(writer, size, now, cpu, writer.when_full()) {
        Ok(now) => {
            writer.aim();
            Some(now)
        }
        Err(error) => {
            // A new sub-buffer is needed, as for a full one.
            after_switch(state, writer, size, now, Err(error))?;
            Some(now.max(writer.cursor.last_timestamp.get()))
        }
    }
}

fn enter_next(state: &ThreadState, writer: &Writer, size: u64, now: u64) -> Option<()> {
    let result = writer.cursor.switch(writer, size, now, state.cpu_now(), writer.when_full());
    after_switch(state, writer, size, now, result)
}

/// Waits for room where the channel says so; then wakes the reader of a sub-buffer that was left, or counts the loss.
fn after_switch(
    state: &ThreadState,
    writer: &Writer,
    size: u64,
    now: u64,
    result: Result<(), SwitchError>,
) -> Option<()> {
    let waits = writer.mode.get() == LossMode::Block as u32
        && Process::any().is_some_and(|p| p.allow_blocking.load(Ordering::Relaxed) != 0);
    let result =
        if waits && result == Err(SwitchError::Full) { wait_for_room(state, writer, size, now) } else { result };
    match result {
        Ok(()) => {
            writer.aim();
            // Nobody drains an overwrite ring while it is written.
            if writer.when_full() == WhenFull::Respect
                && let Some(head) = Process::any().and_then(Process::head)
            {
                wake_if_wanted(&head);
            }
            Some(())
        }
        Err(error) => {
            count_discarded(writer, error, waits);
            None
        }
    }
}

fn count_discarded(writer: &Writer, error: SwitchError, waited: bool) {
    let header = writer.header();
    match error {
        SwitchError::Full if waited => count(&header.discarded_wait),
        SwitchError::Full => count(&header.discarded_full),
        SwitchError::Big => count(&header.discarded_big),
        SwitchError::Corrupt => {
            count(&header.discarded_full);
            count_lost(LostCause::Corrupt);
        }
    }
}

/// Wakes the consumer if it sleeps and nobody did so yet.
///
/// SeqCst fence: orders the store of `committed` before the load of `wakeup_wanted`; pairs with the consumer's fence
/// between its store of `wakeup_wanted` and its last look at `committed`.
pub fn wake_if_wanted(head: &Head) {
    fence(Ordering::SeqCst);
    let Some(header) = head.header() else { return };
    let wanted = &header.wakeup_wanted;
    if wanted.load(Ordering::Relaxed) != 0 && wanted.swap(0, Ordering::Relaxed) != 0 {
        start_up::wake_consumer();
    }
}

/// Block mode: sleeps until the reader gave back a sub-buffer, the channel's time is up, or the consumer is gone.
fn wait_for_room(state: &ThreadState, writer: &Writer, size: u64, now: u64) -> Result<(), SwitchError> {
    let header = writer.header();
    let begin_ns = sys::clock_ns(libc::CLOCK_MONOTONIC);
    let limit_ns = writer.block_timeout_us.get().saturating_mul(1000);
    loop {
        let seq = header.consumed_seq.load(Ordering::Acquire);
        if writer.abandoned_at.get() == u64::from(seq) + 1 {
            // The consumer was gone, and none has come since.
            return Err(SwitchError::Full);
        }
        header.writer_waits.store(1, Ordering::Relaxed);
        // Store-then-load on both sides: pairs with the fence in `RingReader::put`.
        fence(Ordering::SeqCst);
        let result = writer.cursor.switch(writer, size, now, state.cpu_now(), writer.when_full());
        let waited_ns = sys::clock_ns(libc::CLOCK_MONOTONIC).saturating_sub(begin_ns);
        if result != Err(SwitchError::Full) || waited_ns >= limit_ns {
            header.writer_waits.store(0, Ordering::Relaxed);
            return result;
        }
        if let Some(head) = Process::any().and_then(Process::head) {
            wake_if_wanted(&head);
        }
        let left_ms = (limit_ns - waited_ns).div_ceil(1_000_000).min(u64::from(WAIT_SLICE_MS)) as u32;
        sys::futex_wait(&header.consumed_seq, seq, left_ms);
        if header.consumed_seq.load(Ordering::Acquire) == seq && !start_up::consumer_lives() {
            writer.abandoned_at.set(u64::from(seq) + 1);
            header.writer_waits.store(0, Ordering::Relaxed);
            return Err(SwitchError::Full);
        }
    }
}

/// Gives `writer` a ring of channel `slot`: one that is free, else a new one.
fn lease(process: &Process, state: &ThreadState, writer: &Writer, level: usize, slot: usize, now: u64) -> Option<()> {
    let head = process.head()?;
    let channel = head.load_channel(slot)?;
    let found = find_free(process, &head, &channel, level);
    let (idx, word) = match found {
        Some(found) => found,
        None => match make_ring(process, &head, &channel, level) {
            Some(made) => made,
            None => find_dead(process, &head, &channel, level)?,
        },
    };
    let entry = head.ring(idx)?;
    let arena = arena_of(process, entry, idx)?;
    if !writer.point_to(&arena) {
        return None;
    }
    writer.mode.set(channel.mode as u32);
    writer.block_timeout_us.set(channel.block_timeout_us);
    writer.contexts.set(channel.contexts);
    writer.context_bytes.set(channel.contexts.bytes());
    writer.ring_idx.set(idx as u32);
    writer.lease_word.set(word);
    name_thread(writer.header(), state.tid.get());
    writer.cursor.lease(writer, now, state.cpu_now());
    writer.aim();
    // Release: pairs with the consumer's load of the state; the ring is set up when it is seen as leased.
    entry.state.store(word, Ordering::Release);
    Some(())
}

/// Whether the entry's ring serves this channel and level.
fn serves(entry: &RingEntry, channel: &Channel, level: usize) -> bool {
    entry.channel_uid.load(Ordering::Relaxed) == channel.uid
        && entry.slot_level.load(Ordering::Relaxed) == (level as u32) << 16 | channel.slot
        && entry.subbuf_bytes.load(Ordering::Relaxed) == channel.subbuf_bytes
        && entry.subbuf_count.load(Ordering::Relaxed) == channel.subbuf_count
}

/// A claim on a ring holds the state `EMPTY` under the next lease number until the lease is complete: neither side
/// touches it then.
fn claim(entry: &RingEntry, found: u64) -> Option<u64> {
    let lease = ring_state::lease(found).wrapping_add(1);
    let claimed = ring_state::word(lease, ring_state::EMPTY);
    // Acquire: pairs with the consumer's Release store of `free`; it is done with the ring.
    entry.state.compare_exchange(found, claimed, Ordering::Acquire, Ordering::Relaxed).ok()?;
    Some(ring_state::word(lease, ring_state::LEASED))
}

fn ring_count(head: &Head) -> usize {
    head.header().map_or(0, |h| h.ring_count.load(Ordering::Acquire) as usize).min(RING_COUNT_MAX)
}

fn find_free(process: &Process, head: &Head, channel: &Channel, level: usize) -> Option<(usize, u64)> {
    let mut returned = 0;
    let mut oldest: Option<(usize, u64)> = None;
    for idx in 0..ring_count(head) {
        let Some(entry) = head.ring(idx).filter(|e| serves(e, channel, level)) else { continue };
        let found = entry.state.load(Ordering::Acquire);
        match ring_state::of(found) {
            ring_state::FREE if is_mapped(process, idx) => {
                if let Some(word) = claim(entry, found) {
                    return Some((idx, word));
                }
            }
            ring_state::RETURNED if channel.mode == LossMode::Overwrite && is_mapped(process, idx) => {
                returned += 1;
                oldest = oldest.or(Some((idx, found)));
            }
            _ => {}
        }
    }
    let (idx, found) = oldest.filter(|_| returned >= RETURNED_KEPT)?;
    Some((idx, claim(head.ring(idx)?, found)?))
}

/// A ring whose thread ended without returning it.
fn find_dead(process: &Process, head: &Head, channel: &Channel, level: usize) -> Option<(usize, u64)> {
    for idx in 0..ring_count(head) {
        let Some(entry) = head.ring(idx).filter(|e| serves(e, channel, level)) else { continue };
        let found = entry.state.load(Ordering::Acquire);
        if ring_state::of(found) != ring_state::LEASED {
            continue;
        }
        let Some(arena) = arena_of(process, entry, idx) else { continue };
        let Some(header) = arena.region.get::<RingHeader>(0) else { continue };
        if !sys::thread_lives(header.vtid.load(Ordering::Relaxed)) {
            let returned = ring_state::word(ring_state::lease(found), ring_state::RETURNED);
            // Not leased here: the consumer drains it first. The next attempt finds it free.
            let _ = entry.state.compare_exchange(found, returned, Ordering::Release, Ordering::Relaxed);
        }
    }
    find_free(process, head, channel, level)
}

fn is_mapped(process: &Process, idx: usize) -> bool {
    process.arenas.get(idx).is_some_and(|a| !a.base.load(Ordering::Acquire).is_null())
}

/// Makes a ring for the channel: arena, header, directory entry.
fn make_ring(process: &Process, head: &Head, channel: &Channel, level: usize) -> Option<(usize, u64)> {
    let header = head.header()?;
    if ring_count(head) >= RING_COUNT_MAX {
        return None;
    }
    let ids = header.event_id_count.load(Ordering::Relaxed);
    let counter_count = ids.saturating_add(1).min(COUNTER_COUNT_MAX);
    let header_bytes = ring_header_bytes(channel.subbuf_count, counter_count);
    let geometry =
        Geometry { subbuf_bytes: u64::from(channel.subbuf_bytes), subbuf_count: u64::from(channel.subbuf_count) };
    let (offset, region) = image::grow(process, header_bytes.checked_add(geometry.ring_bytes())?)?;
    image::keep_from_children(region);
    let next = |n: u32| (n < RING_COUNT_MAX as u32).then_some(n + 1);
    let idx = header.ring_count.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next).ok()? as usize;
    if !image::populate_ring_entry(process, idx) {
        return None;
    }
    let entry = head.ring(idx)?;
    entry.arena_offset.store(offset, Ordering::Relaxed);
    entry.header_bytes.store(header_bytes as u32, Ordering::Relaxed);
    entry.subbuf_bytes.store(channel.subbuf_bytes, Ordering::Relaxed);
    entry.subbuf_count.store(channel.subbuf_count, Ordering::Relaxed);
    entry.slot_level.store((level as u32) << 16 | channel.slot, Ordering::Relaxed);
    entry.channel_uid.store(channel.uid, Ordering::Relaxed);
    entry.counter_count.store(counter_count, Ordering::Relaxed);
    process.arenas.get(idx)?.keep(offset, region);
    Some((idx, ring_state::word(1, ring_state::LEASED)))
}

/// The mapped arena of ring `idx`. Its shape was stored by this process; it is checked all the same, since others can
/// write to the entry.
fn arena_of(process: &Process, entry: &RingEntry, idx: usize) -> Option<Arena> {
    let mapped = process.arenas.get(idx)?;
    let base = NonNull::new(mapped.base.load(Ordering::Acquire))?;
    let region = image::region_of(base, mapped.bytes.load(Ordering::Relaxed));
    let subbuf_bytes = entry.subbuf_bytes.load(Ordering::Relaxed);
    let subbuf_count = entry.subbuf_count.load(Ordering::Relaxed);
    let counter_count = entry.counter_count.load(Ordering::Relaxed);
    let valid = ust_shm::layout::geometry_is_valid(subbuf_bytes, subbuf_count)
        && (1..=COUNTER_COUNT_MAX).contains(&counter_count);
    if !valid {
        return None;
    }
    let header_bytes = ring_header_bytes(subbuf_count, counter_count);
    let geometry = Geometry { subbuf_bytes: u64::from(subbuf_bytes), subbuf_count: u64::from(subbuf_count) };
    region.part(header_bytes, geometry.ring_bytes())?;
    Some(Arena { region, header_bytes, geometry, counter_count })
}

fn name_thread(header: &RingHeader, tid: u32) {
    header.vtid.store(tid, Ordering::Relaxed);
    let name = sys::thread_name();
    let (words, _) = name.as_chunks::<4>();
    for (slot, bytes) in header.procname.iter().zip(words) {
        AtomicU32::store(slot, u32::from_le_bytes(*bytes), Ordering::Relaxed);
    }
}
