// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which nesting level a record uses when it finds the first one marked (`docs/ring-protocol.md`, "Nesting").

#![allow(unsafe_code)]

use core::cell::Cell;
use core::sync::atomic::Ordering;
use ust_shm::layout::{LostCause, ring_state};

use crate::process::{Process, count_lost};
use crate::sys::ErrnoGuard;
use crate::thread::{Level, ThreadState};

/// Stores the stack pointer to `mark`, which a handler on this thread reads.
#[inline(always)]
pub fn set_mark(mark: &Cell<usize>) {
    let at = mark.as_ptr();
    #[cfg(target_arch = "x86_64")]
    // SAFETY: stores to a live cell. That the compiler must take all memory to be changed keeps the accesses of the record behind it.
    unsafe {
        core::arch::asm!("mov qword ptr [{}], rsp", in(reg) at, options(nostack, preserves_flags));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        core::arch::asm!("mov {t}, sp", "str {t}, [{at}]", t = out(reg) _, at = in(reg) at, options(nostack, preserves_flags));
    }
}

/// The stack pointer, and the place in the code where it was read.
#[inline(always)]
pub fn place() -> (usize, usize) {
    let (stack, pc): (usize, usize);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: copies registers.
    unsafe {
        core::arch::asm!("mov {}, rsp", "lea {}, [rip]", out(reg) stack, out(reg) pc, options(nomem, nostack, preserves_flags));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: copies registers.
    unsafe {
        core::arch::asm!("mov {}, sp", "adr {}, .", out(reg) stack, out(reg) pc, options(nomem, nostack, preserves_flags));
    }
    (stack, pc)
}

/// The level for a record that interrupts another one, or that comes after one that was left by a non-local exit;
/// `None` where all levels are taken (and the event is counted). `stack` is the stack pointer of the record that asks.
#[cold]
#[inline(never)]
pub fn find_level(state: &ThreadState, stack: usize) -> Option<usize> {
    let _errno = ErrnoGuard::new();
    for (idx, mark) in state.marks.iter().enumerate() {
        let mark = mark.get();
        if mark == 0 {
            return Some(idx);
        }
        if !is_inside(stack, mark) {
            for (mark, level) in state.marks.iter().zip(&state.levels).skip(idx).filter(|(mark, _)| mark.get() != 0) {
                rewind(level);
                mark.set(0);
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

/// Whether the record that left this mark is still in progress below the frame at `stack`.
fn is_inside(stack: usize, mark: usize) -> bool {
    stack < mark.saturating_sub(SIGNAL_FRAME_BYTES_MIN) || on_alternate_stack()
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
}

fn poison(idx: usize, leased: u64) {
    let Some(head) = Process::any().and_then(Process::head) else { return };
    let Some(entry) = head.ring(idx) else { return };
    let poisoned = ring_state::word(ring_state::lease(leased), ring_state::POISONED);
    let _ = entry.state.compare_exchange(leased, poisoned, Ordering::Release, Ordering::Relaxed);
}
