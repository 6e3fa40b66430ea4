// SPDX-License-Identifier: MIT OR Apache-2.0
//! The trace clock: raw cycles where the kernel itself trusts them, else `CLOCK_MONOTONIC`.
//!
//! Nothing is calibrated here; the consumer side does that.

#![allow(unsafe_code)]

use crate::sys::{self, Fd};
use ust_shm::layout::clock;

/// Cycles of the time stamp counter.
#[inline(always)]
pub fn cycles() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction; programs that forbid it (PR_SET_TSC) are off, see `kind`.
    unsafe {
        core::arch::x86_64::_rdtsc()
    }
    #[cfg(target_arch = "aarch64")]
    {
        let ticks: u64;
        // SAFETY: reading the virtual counter has no effect; Linux lets user space do it.
        unsafe { core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack, preserves_flags)) };
        ticks
    }
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[cold]
#[inline(never)]
pub fn monotonic() -> u64 {
    sys::clock_ns(libc::CLOCK_MONOTONIC)
}

/// The clock that this machine's images use.
pub fn kind() -> u32 {
    #[cfg(target_arch = "x86_64")]
    const SOUND: &[u8] = b"tsc\n";
    #[cfg(target_arch = "aarch64")]
    const SOUND: &[u8] = b"arch_sys_counter\n";
    let path = c"/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let mut name = [0u8; 32];
    let read = Fd::open(path, libc::O_RDONLY).and_then(|fd| fd.read(&mut name));
    let sound = read.is_some_and(|n| name.get(..n) == Some(SOUND));
    if sound && cycles_are_allowed() { clock::TSC } else { clock::MONOTONIC }
}

fn cycles_are_allowed() -> bool {
    let mut mode = libc::PR_TSC_ENABLE;
    // SAFETY: PR_GET_TSC stores one int; where the call is unknown, `mode` stays as it is.
    unsafe { libc::prctl(libc::PR_GET_TSC, &raw mut mode) };
    mode == libc::PR_TSC_ENABLE
}
