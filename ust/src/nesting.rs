// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which nesting level a record uses when it finds the first one marked (`docs/ring-protocol.md`, "Nesting").

#![allow(unsafe_code)]

use core::sync::atomic::Ordering;
use ust_shm::layout::{LostCause, ring_state};

use crate::process::{Process, count_lost};
use crate::sys::ErrnoGuard;
use crate::thread::{Level, ThreadState};

/// The stack pointer.
#[inline(always)]
pub fn stack_address() -> usize {
    let address: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: copies a register.
    unsafe {
        core::arch::asm!("mov {}, rsp", out(reg) address, options(nomem, nostack, preserves_flags));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: copies a register.
    unsafe {
        core::arch::asm!("mov {}, sp", out(reg) address, options(nomem, nostack, preserves_flags));
    }
    address
}

/// The level for a record that interrupts another one, or that comes after one that was left by a non-local exit;
/// `None` where all levels are taken (and the event is counted).
#[cold]
#[inline(never)]
pub fn find_level(state: &ThreadState) -> Option<usize> {
    let _errno = ErrnoGuard::new();
    for (idx, level) in state.levels.iter().enumerate() {
        let mark = level.busy.get();
        if mark == 0 {
            return Some(idx);
        }
        if !is_inside(mark) {
            for abandoned in state.levels.iter().skip(idx).filter(|l| l.busy.get() != 0) {
                rewind(abandoned);
            }
            return Some(idx);
        }
    }
    count_lost(LostCause::Nested);
    None
}

/// What the kernel puts between a record and a handler that interrupts it, at least: registers, floating point state, and on
/// x86-64 the red zone, which is 1080 bytes there and more on aarch64. A record nearer to the mark is no handler's.
const SIGNAL_FRAME_BYTES_MIN: usize = 1024;

/// Whether the record that left this mark is still in progress below the current frame.
fn is_inside(mark: usize) -> bool {
    stack_address() < mark.saturating_sub(SIGNAL_FRAME_BYTES_MIN) || on_alternate_stack()
}

fn on_alternate_stack() -> bool {
    // SAFETY: all zero is valid; the call only asks.
    let mut stack: libc::stack_t = unsafe { core::mem::zeroed() };
    // SAFETY: `stack` is a live local.
    let asked = unsafe { libc::sigaltstack(core::ptr::null(), &raw mut stack) };
    asked == 0 && stack.ss_flags & libc::SS_ONSTACK != 0
}

/// Rule R8: the level's rings go on where they had committed.
fn rewind(level: &Level) {
    count_lost(LostCause::Abandoned);
    for writer in level.writers.iter().filter(|w| w.has_ring()) {
        if writer.cursor.rewind(writer) {
            writer.aim();
        } else {
            poison(writer.ring_idx.get() as usize, writer.lease_word.get());
            writer.forget_ring();
            count_lost(LostCause::Corrupt);
        }
    }
    level.busy.set(0);
}

fn poison(idx: usize, leased: u64) {
    let Some(head) = Process::any().and_then(Process::head) else { return };
    let Some(entry) = head.ring(idx) else { return };
    let poisoned = ring_state::word(ring_state::lease(leased), ring_state::POISONED);
    let _ = entry.state.compare_exchange(leased, poisoned, Ordering::Release, Ordering::Relaxed);
}
