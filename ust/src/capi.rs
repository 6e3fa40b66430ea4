// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `ust-capi` exports to programs of C: the slow halves of what their headers inline. `docs/c-abi.md` is binding.
//!
//! An event that is not usual is made in two steps, because C computes its fields itself: [`record_begin`] takes a nesting level and
//! says where the record is to be made, [`record_end`] does with it what `record` does with fields of Rust.
//!
//! # Safety
//! What the headers hand over lies in the program: constants, and words on the stack of the calling thread that nobody else uses between the two
//! calls. What they were handed out (the level, the memory of the record) they hand back as it was.

#![allow(unsafe_code)]

use core::ptr::{copy_nonoverlapping, null_mut};
use ust_shm::layout::LostCause;
use ust_shm::limits::{SPECIAL_BIT, SUBBUF_BYTES_MAX};

pub use crate::callsites::Object;
use crate::context::CallSite;
use crate::objects;
use crate::process::count_lost;
use crate::record::Open;
use crate::special::{self, Fields};
use crate::sys::{self, ErrnoGuard};
use crate::thread::{SCRATCH_BYTES, ThreadState};
use crate::tracepoint::Tracepoint;
use crate::unload;

/// `struct ust_unusual`.
#[repr(C)]
#[derive(Debug)]
pub struct Unusual {
    tracepoint: *const Tracepoint,
    bytes: u64,
    hidden_bytes: u64,
    ip: usize,
    stack: usize,
    /// The words of its values, or null.
    values: *const u64,
    // From here on what `record_begin` says to `record_end`.
    state: *const ThreadState,
    level_idx: usize,
    record: *mut u8,
    /// The slots of the channels that want it; [`UNDECIDED`].
    decided: u64,
}

const _: () = assert!(core::mem::offset_of!(Unusual, values) == 40 && size_of::<Unusual>() == 80);

/// Who wants the event is asked when there is a record of it.
const UNDECIDED: u64 = 1 << SPECIAL_BIT;

/// Makes a linked object known, unless it is. In its constructors.
///
/// # Safety
/// The object is laid out as `ust/object.h` says, and there until it is taken out by [`unregister`].
pub unsafe fn register(object: *const Object) {
    let _errno = ErrnoGuard::new();
    // SAFETY: by this function's contract.
    if let Some(object) = unsafe { object.as_ref() } {
        objects::insert(object);
    }
}

/// Forgets a linked object. In its last finaliser.
///
/// # Safety
/// As for [`register`].
pub unsafe fn unregister(object: *const Object) {
    let _errno = ErrnoGuard::new();
    if unload::exits() {
        return;
    }
    // SAFETY: by this function's contract.
    if let Some(object) = unsafe { object.as_ref() } {
        objects::remove(object);
    }
}

/// A record that C has made: first the fields that are stored, then those that only filters see.
struct Made {
    at: *const u8,
    bytes: usize,
    total: usize,
}

// SAFETY: stores as many bytes as it says, which were made where `at` points to; copying does not panic.
unsafe impl Fields for Made {
    fn size(&self) -> usize {
        self.bytes
    }

    unsafe fn put(&self, at: *mut u8) {
        // SAFETY: by this function's contract; a ring is not where the record was made.
        unsafe { copy_nonoverlapping(self.at, at, self.bytes) };
    }

    unsafe fn put_all(&self, at: *mut u8, room: usize) -> usize {
        // It is made where filters want it, as a rule.
        if self.total <= room && !core::ptr::eq(self.at, at) {
            // SAFETY: by this function's contract; memory for large records is not where the record was made.
            unsafe { copy_nonoverlapping(self.at, at, self.total) };
        }
        self.total
    }

    /// It is stored already.
    fn number_at(&self, _offset: usize) -> Option<(u64, usize)> {
        None
    }
}

impl Unusual {
    /// Who wants the event, if that can be told from its values.
    ///
    /// # Safety
    /// The first six words are set; the caller holds a mark.
    unsafe fn decide(&self) -> Option<u64> {
        // SAFETY: by this function's contract.
        let tracepoint = unsafe { &*self.tracepoint };
        let event = tracepoint.event().filter(|_| !self.values.is_null())?;
        // SAFETY: the words are this event's, by the contract.
        special::decide(tracepoint, |offset| unsafe { event.number_at(self.values, offset) })
    }

    fn total(&self) -> u64 {
        self.bytes.saturating_add(self.hidden_bytes)
    }

    /// Records what was made.
    ///
    /// # Safety
    /// The tracepoint is there; the record was made, or is larger than any sub-buffer.
    unsafe fn record(&self, open: &Open) {
        let made = Made { at: self.record, bytes: self.bytes as usize, total: self.total() as usize };
        // SAFETY: by this function's contract.
        let tracepoint: &'static Tracepoint = unsafe { &*self.tracepoint };
        let decided = (self.decided != UNDECIDED).then_some(self.decided);
        open.record(tracepoint, &CallSite::Address(self.ip), decided, &made);
    }
}

/// Begins an event; where its record is to be made, or null where there will be none.
///
/// # Safety
/// The first six words are set; the tracepoint is one of an object that is registered.
#[must_use]
pub unsafe fn record_begin(unusual: &mut Unusual) -> *mut u8 {
    let Some(open) = Open::begin(unusual.stack) else { return null_mut() };
    unusual.state = open.state;
    unusual.level_idx = open.level_idx;
    // SAFETY: by this function's contract; `open` holds a mark.
    unusual.decided = unsafe { unusual.decide() }.unwrap_or(UNDECIDED);
    if unusual.decided == 0 {
        open.end();
        return null_mut();
    }
    let total = unusual.total();
    unusual.record = if total <= SCRATCH_BYTES as u64 {
        open.state.scratch.get(open.level_idx).map_or(null_mut(), |scratch| scratch.get().cast())
    } else if total <= u64::from(SUBBUF_BYTES_MAX) {
        let _errno = ErrnoGuard::new();
        sys::map_scratch(total as usize).map_or(null_mut(), |memory| memory.as_ptr())
    } else {
        null_mut()
    };
    if unusual.record.is_null() {
        if unusual.bytes > u64::from(SUBBUF_BYTES_MAX) {
            // Too big for any ring: it is counted there, and no field is looked at.
            // SAFETY: by this function's contract.
            unsafe { unusual.record(&open) };
        } else {
            count_lost(LostCause::NoRing);
        }
        open.end();
    }
    unusual.record
}

/// Ends an event whose record has been made.
///
/// # Safety
/// `record_begin` returned memory for it, on this thread; the record was made there.
pub unsafe fn record_end(unusual: &Unusual) {
    // SAFETY: `record_begin` took it from a reference to the calling thread's state.
    let open = Open { state: unsafe { &*unusual.state }, level_idx: unusual.level_idx };
    // SAFETY: by this function's contract.
    unsafe { unusual.record(&open) };
    open.end();
    if unusual.total() > SCRATCH_BYTES as u64 {
        let _errno = ErrnoGuard::new();
        if let Some(memory) = core::ptr::NonNull::new(unusual.record) {
            // SAFETY: mapped by `record_begin`, for this event alone.
            unsafe { sys::unmap(memory, unusual.total()) };
        }
    }
}
