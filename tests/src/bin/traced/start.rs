// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long the runtime's constructor takes: the time between two constructors of this program, one right before and one
//! right after it.
//!
//! # Safety
//! Constructors run before `main` and read a clock.

#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

static BEGIN_NS: AtomicU64 = AtomicU64::new(0);
static END_NS: AtomicU64 = AtomicU64::new(0);

fn now_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a live local.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

extern "C" fn before() {
    BEGIN_NS.store(now_ns(), Ordering::Relaxed);
}

extern "C" fn after() {
    END_NS.store(now_ns(), Ordering::Relaxed);
}

// The runtime's own stands in `.init_array.00099`.
#[used]
#[unsafe(link_section = ".init_array.00098")]
static BEFORE: extern "C" fn() = before;

#[used]
#[unsafe(link_section = ".init_array.00100")]
static AFTER: extern "C" fn() = after;

/// Prints how long it took.
pub fn tell() {
    println!("start_up_ns={}", END_NS.load(Ordering::Relaxed) - BEGIN_NS.load(Ordering::Relaxed));
}
