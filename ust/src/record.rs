// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stand-in for the runtime's recorder: keeps the payload of each event of this thread.
//!
//! # Safety
//!
//! A stand-in.
#![allow(unsafe_code)]

use core::cell::RefCell;

use crate::tracepoint::Tracepoint;

std::thread_local! {
    static EVENTS: RefCell<Vec<(&'static Tracepoint, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
}

/// Records one event.
///
/// # Safety
///
/// `write` stores exactly `size_bytes` bytes.
#[inline(always)]
pub unsafe fn record(tp: &'static Tracepoint, size_bytes: usize, write: impl Fn(*mut u8)) {
    let at = reserve(tp, size_bytes);
    write(at);
    commit(at);
}

#[inline(never)]
fn reserve(tp: &'static Tracepoint, size_bytes: usize) -> *mut u8 {
    EVENTS.with_borrow_mut(|events| {
        events.push((tp, vec![0xEE; size_bytes]));
        events.last_mut().map_or(core::ptr::null_mut(), |(_, payload)| payload.as_mut_ptr())
    })
}

#[inline(never)]
fn commit(_at: *mut u8) {}

/// Takes the events recorded by this thread.
pub fn take() -> Vec<(&'static Tracepoint, Vec<u8>)> {
    EVENTS.with_borrow_mut(core::mem::take)
}
