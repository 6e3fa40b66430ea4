// SPDX-License-Identifier: MIT OR Apache-2.0
//! A fork in a signal handler that interrupted a record: the child, too, goes on in that record.
//!
//! The record belongs to the parent. In the child its ring is not mapped (`MADV_DONTFORK`) and the thread's state reads zeros
//! (`MADV_WIPEONFORK`), so the rest of it would fault. Before the fork the writers of the interrupted records are
//! copied; in the child they get zeroed private memory in their ring's place and are marked as orphans: what the
//! interrupted records still write goes nowhere, and the next record on the level leases a ring of the child's.
//!
//! This serves `fork`. A raw `clone` in a handler inside a record does not run these functions, and its child must not
//! return into the record.
//!
//! # Safety
//! [`SAVED`] belongs to the thread whose state `owner` points to, from `before` to `in_parent`; in the child that is the only
//! thread there is.

#![allow(unsafe_code)]

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr::{copy_nonoverlapping, null_mut};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::sys;
use crate::thread::{self, ThreadState, Writer};

/// Writers that can be saved: two channels on each nesting level.
const SAVED_MAX: usize = 8;

struct Saved {
    owner: AtomicPtr<ThreadState>,
    count: AtomicUsize,
    /// Level, channel slot, and a copy of the writer.
    writers: UnsafeCell<[MaybeUninit<(usize, usize, Writer)>; SAVED_MAX]>,
    /// Marks of the levels.
    marks: UnsafeCell<[usize; ust_shm::limits::LEVEL_COUNT]>,
}

// SAFETY: the cells belong to the thread that set `owner` (module header).
unsafe impl Sync for Saved {}

static SAVED: Saved = Saved {
    owner: AtomicPtr::new(null_mut()),
    count: AtomicUsize::new(0),
    writers: UnsafeCell::new([const { MaybeUninit::uninit() }; SAVED_MAX]),
    marks: UnsafeCell::new([0; ust_shm::limits::LEVEL_COUNT]),
};

/// Before a fork: saves the writers of records that this thread is inside of. Nearly always there are none.
pub unsafe extern "C" fn before() {
    let Some(thread) = thread::state() else { return };
    if thread.marks.iter().all(|mark| mark.get() == 0) {
        return;
    }
    let owner = &SAVED.owner;
    let state = core::ptr::from_ref(thread).cast_mut();
    if owner.compare_exchange(null_mut(), state, Ordering::Acquire, Ordering::Relaxed).is_err() {
        // Another thread forks inside a record at the same time; this one's child is on its own.
        return;
    }
    let mut count = 0;
    // SAFETY: this thread owns the cells now.
    let (writers, marks) = unsafe { (&mut *SAVED.writers.get(), &mut *SAVED.marks.get()) };
    *marks = core::array::from_fn(|idx| thread.marks.get(idx).map_or(0, Cell::get));
    for ((level_idx, level), mark) in thread.levels.iter().enumerate().zip(marks) {
        let used = level.writers.iter().enumerate().filter(|(_, w)| *mark != 0 && w.has_ring());
        for (slot, writer) in used {
            let Some(place) = writers.get_mut(count) else { break };
            // SAFETY: a writer is plain cells; the copy is only ever copied back.
            let copy = unsafe { core::ptr::read(writer) };
            place.write((level_idx, slot, copy));
            count += 1;
        }
    }
    SAVED.count.store(count, Ordering::Relaxed);
}

/// After a fork, in the parent.
pub unsafe extern "C" fn in_parent() {
    if let Some(thread) = thread::state() {
        let state = core::ptr::from_ref(thread).cast_mut();
        let _ = SAVED.owner.compare_exchange(state, null_mut(), Ordering::Release, Ordering::Relaxed);
    }
}

/// After a fork, in the child, before anything else is mapped: makes the interrupted records harmless.
pub fn in_child() {
    let owner = SAVED.owner.swap(null_mut(), Ordering::Acquire);
    let Some(thread) = thread::state().filter(|state| core::ptr::eq(*state, owner)) else { return };
    // SAFETY: `before` filled them in, on this thread.
    let (writers, marks) = unsafe { (&*SAVED.writers.get(), &*SAVED.marks.get()) };
    for place in writers.iter().take(SAVED.count.load(Ordering::Relaxed)) {
        // SAFETY: the first `count` places were written.
        let (level_idx, slot, copy) = unsafe { place.assume_init_ref() };
        let Some(writer) = thread.levels.get(*level_idx).and_then(|l| l.writers.get(*slot)) else { continue };
        let (base, bytes) = copy.arena_range();
        // SAFETY: the parent's arena lay there, which the fork did not copy; nothing was mapped since.
        if unsafe { sys::map_zeroed_at(base, bytes) } {
            // SAFETY: both are writers; this thread is the only one to use them.
            unsafe { copy_nonoverlapping(copy, core::ptr::from_ref(writer).cast_mut(), 1) };
            writer.make_orphan();
        }
    }
    for (idx, (cell, mark)) in thread.marks.iter().zip(marks).enumerate() {
        cell.set(*mark);
        if *mark != 0 {
            // A record that has not come to its rings yet: it is not to be stored at all.
            thread.interrupted.set(thread.interrupted.get() | 1 << idx);
        }
    }
    thread.locate_cpu();
}
