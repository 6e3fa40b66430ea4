// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which channels want an event about whose tracepoint there is something special: a filter, or a channel with contexts.
//!
//! The record that filters look at is made in private memory first: the fields that will be stored, then those that are for filters
//! alone. One comparison of a number at a constant place needs none: the number is looked at where it lies. No ring has been touched by
//! then, and no clock read. Protocol: `ust_shm::filter::area`.
//!
//! A handler that leaves a filter by `siglongjmp` costs this one event, and the memory of its record if that was larger than the scratch memory.
//! One that forks leaves the event to the parent: `ThreadState::interrupted`.
//!
//! # Safety
//! A level's scratch memory belongs to the record that holds the level's mark.

#![allow(unsafe_code)]

use ust_shm::filter::area::{Area, Entry};
use ust_shm::filter::run::Corrupt;
use ust_shm::layout::LostCause;
use ust_shm::limits::{SPECIAL_BIT, SUBBUF_BYTES_MAX};

use crate::context::EventContexts;
use crate::field::{Sought, Wire};
use crate::image;
use crate::process::{Process, count_lost, stage};
use crate::start_up;
use crate::sys::{self, ErrnoGuard};
use crate::thread::{SCRATCH_BYTES, ThreadState};
use crate::tracepoint::Tracepoint;

/// How often an event begins again when the rules change under it.
const TRIES: u32 = 16;

/// The fields of one event, whatever its type.
///
/// # Safety
/// `put` stores exactly `size()` bytes from its argument on (unaligned), `put_all` what it returns, if that is no more than `room`; none
/// panics.
pub unsafe trait Fields {
    /// Bytes of the fields that are stored.
    fn size(&self) -> usize;
    /// Stores the former.
    ///
    /// # Safety
    /// There is room for them.
    unsafe fn put(&self, at: *mut u8);
    /// Stores all, first those that are stored in events, if that takes at most `room` bytes. Returns how many they are.
    ///
    /// # Safety
    /// There is room for so many bytes.
    unsafe fn put_all(&self, at: *mut u8, room: usize) -> usize;
    /// The number that `put_all` would store at `offset`, with zeros behind it, and its bytes, if that can be told without storing.
    fn number_at(&self, offset: usize) -> Option<(u64, usize)>;
}

/// Fields that are fit, where they lie: a copy of what was stored just now would wait for it.
pub struct Fit<'a, W, H>(&'a W, &'a H);

/// Hands on fields that are fit, if need be the parts of them that are.
#[inline(always)]
pub fn with_fit<W: Wire, H: Wire>(wire: W, hidden: H, hand_on: impl Fn(&dyn Fields)) {
    if wire.is_fit() && hidden.is_fit() {
        hand_on(&Fit(&wire, &hidden));
    } else {
        hand_on(&Fit(&wire.fit(), &hidden.fit()));
    }
}

// SAFETY: by the contract of `Wire` for values that are fit, which `with_fit` has seen to.
unsafe impl<W: Wire, H: Wire> Fields for Fit<'_, W, H> {
    fn size(&self) -> usize {
        self.0.size()
    }

    unsafe fn put(&self, at: *mut u8) {
        // SAFETY: by this function's contract.
        unsafe { self.0.put_parts(at) };
    }

    unsafe fn put_all(&self, at: *mut u8, room: usize) -> usize {
        let total = self.0.size().saturating_add(self.1.size());
        if total <= room {
            // SAFETY: by this function's contract; each stores its own size and returns the end of it.
            unsafe { self.1.put_parts(self.0.put_parts(at)) };
        }
        total
    }

    fn number_at(&self, offset: usize) -> Option<(u64, usize)> {
        let found = match self.0.number_at(offset) {
            Sought::Behind(rest) => self.1.number_at(rest),
            found => found,
        };
        match found {
            Sought::Number { word, bytes } => Some((word, bytes)),
            Sought::Behind(_) | Sought::Unknown => None,
        }
    }
}

/// The channel slots that want this event. What could not be decided is counted and wanted by none.
///
/// The caller holds the mark of level `level_idx`.
#[inline(always)]
pub fn slots(
    tracepoint: &Tracepoint,
    state: &ThreadState,
    level_idx: usize,
    fields: &dyn Fields,
    contexts: &EventContexts<'_>,
) -> u64 {
    for _ in 0..TRIES {
        let wanted = tracepoint.wanted();
        if wanted & 1 << SPECIAL_BIT == 0 {
            return wanted;
        }
        let Some(process) = live_process() else { continue };
        let Some(head) = process.head() else { break };
        let Some(area) = Area::of(&head) else { break };
        let Some(entry) = load_entry(tracepoint, process, &area) else { continue };
        let slots = if let Some(slots) = slots_of_one(&entry, |offset| fields.number_at(offset)) {
            Ok(slots)
        } else if entry.has_programs() {
            with_record(state, level_idx, fields, |record| entry.slots(record, contexts))
        } else {
            entry.slots(&[], contexts)
        };
        // An answer counts only if the entry was whole until now.
        if entry.is_current(&area) {
            match slots {
                Ok(slots) => return slots,
                Err(Corrupt) => break,
            }
        }
    }
    count_lost(LostCause::Filter);
    0
}

/// What [`slots`] will say, if all that is asked is one comparison of a number that is known before there is a record: `number_at` says
/// which one lies at an offset of it, with zeros behind it, and how many bytes it has.
///
/// The caller holds a mark.
#[cfg(feature = "capi")]
pub fn decide(tracepoint: &Tracepoint, number_at: impl FnOnce(usize) -> Option<(u64, usize)>) -> Option<u64> {
    if tracepoint.wanted() & 1 << SPECIAL_BIT == 0 {
        return None;
    }
    let process = live_process()?;
    let head = process.head()?;
    let area = Area::of(&head)?;
    let entry = load_entry(tracepoint, process, &area)?;
    let slots = slots_of_one(&entry, number_at)?;
    entry.is_current(&area).then_some(slots)
}

/// What there is special about the tracepoint.
#[inline(always)]
fn load_entry(tracepoint: &Tracepoint, process: &Process, area: &Area<'_>) -> Option<Entry> {
    let is_there = |offset, bytes| image::provide_filters(process, offset, bytes);
    Entry::load(area, tracepoint.filter_word(), is_there)
}

/// What the entry says if it is one comparison of a number that is known without a record.
#[inline(always)]
fn slots_of_one(entry: &Entry, number_at: impl FnOnce(usize) -> Option<(u64, usize)>) -> Option<u64> {
    entry.slots_of_one(|test| {
        let (word, bytes) = number_at(test.offset())?;
        test.run(word, bytes)
    })
}

/// The process's state once it has an image. In a child of a raw `clone` the enable word is the parent's until then.
fn live_process() -> Option<&'static Process> {
    let process = Process::any()?;
    if process.stage() != stage::LIVE {
        start();
    }
    (process.stage() == stage::LIVE).then_some(process)
}

#[cold]
#[inline(never)]
fn start() {
    let _errno = ErrnoGuard::new();
    start_up::start();
}

/// Hands all fields, as they are stored, to `ask`.
#[inline(always)]
fn with_record(
    state: &ThreadState,
    level_idx: usize,
    fields: &dyn Fields,
    ask: impl FnOnce(&[u8]) -> Result<u64, Corrupt>,
) -> Result<u64, Corrupt> {
    let scratch = state.scratch.get(level_idx).ok_or(Corrupt)?.get().cast::<u8>();
    // SAFETY: the level's scratch memory (module header) has so much room.
    let total = unsafe { fields.put_all(scratch, SCRATCH_BYTES) };
    if total > SCRATCH_BYTES {
        return with_large_record(total, fields, ask);
    }
    // SAFETY: initialised (zeros at first) and this record's until `ask` returns.
    ask(unsafe { core::slice::from_raw_parts(scratch, total) })
}

#[cold]
#[inline(never)]
fn with_large_record(
    total: usize,
    fields: &dyn Fields,
    ask: impl FnOnce(&[u8]) -> Result<u64, Corrupt>,
) -> Result<u64, Corrupt> {
    // No sub-buffer has room for a larger event.
    if total > SUBBUF_BYTES_MAX as usize {
        return Err(Corrupt);
    }
    let _errno = ErrnoGuard::new();
    let scratch = sys::map_scratch(total).ok_or(Corrupt)?;
    // SAFETY: `total` bytes, mapped and zeroed just now, of this call alone until they are unmapped.
    let answer = unsafe {
        fields.put_all(scratch.as_ptr(), total);
        ask(core::slice::from_raw_parts(scratch.as_ptr(), total))
    };
    // SAFETY: the slice is not used any more.
    unsafe { sys::unmap(scratch, total as u64) };
    answer
}
