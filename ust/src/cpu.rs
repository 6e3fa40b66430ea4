// SPDX-License-Identifier: MIT OR Apache-2.0
//! The CPU of the running thread: one load from its rseq area, where the C library has registered one.
//!
//! # Safety
//! `__rseq_offset` and `__rseq_size` are constants of glibc 2.35 and later; the area at that offset from the thread
//! pointer lives as long as the thread.

#![allow(unsafe_code)]

use core::sync::atomic::AtomicU32;

/// Read in place of a CPU number where there is no rseq area: no CPU has it, so each event asks the kernel.
pub static UNKNOWN: AtomicU32 = AtomicU32::new(UNKNOWN_CPU);

/// Not a CPU: see [`UNKNOWN`].
pub const UNKNOWN_CPU: u32 = u32::MAX;

/// Where the calling thread's CPU number is kept up to date; [`UNKNOWN`] where nobody does.
pub fn location() -> *const AtomicU32 {
    // `cpu_id` of `struct rseq`; a negative value says that the registration failed.
    const CPU_ID_OFFSET: usize = 4;
    let Some(area) = rseq_area() else { return &raw const UNKNOWN };
    let cpu = area.wrapping_add(CPU_ID_OFFSET).cast::<AtomicU32>();
    // SAFETY: inside the thread's rseq area (module header); the kernel writes it, so it is read as an atomic.
    let value = unsafe { (*cpu).load(core::sync::atomic::Ordering::Relaxed) };
    if value as i32 >= 0 { cpu } else { &raw const UNKNOWN }
}

#[cfg(target_arch = "x86_64")]
fn rseq_area() -> Option<*const u8> {
    let (offset, size, thread_pointer): (*const isize, *const u32, *const u8);
    // SAFETY: loads the addresses of two weak symbols (null where the C library has none) and the thread pointer,
    // which x86-64's ABI keeps at fs:0.
    unsafe {
        core::arch::asm!(
            ".weak __rseq_offset",
            ".weak __rseq_size",
            "mov {o}, qword ptr [rip + __rseq_offset@GOTPCREL]",
            "mov {s}, qword ptr [rip + __rseq_size@GOTPCREL]",
            "mov {t}, qword ptr fs:[0]",
            o = out(reg) offset, s = out(reg) size, t = out(reg) thread_pointer,
            options(nostack, preserves_flags, readonly),
        );
    }
    area_at(offset, size, thread_pointer)
}

#[cfg(target_arch = "aarch64")]
fn rseq_area() -> Option<*const u8> {
    let (offset, size, thread_pointer): (*const isize, *const u32, *const u8);
    // SAFETY: as on x86-64; the thread pointer is tpidr_el0.
    unsafe {
        core::arch::asm!(
            ".weak __rseq_offset",
            ".weak __rseq_size",
            "adrp {o}, :got:__rseq_offset",
            "ldr {o}, [{o}, :got_lo12:__rseq_offset]",
            "adrp {s}, :got:__rseq_size",
            "ldr {s}, [{s}, :got_lo12:__rseq_size]",
            "mrs {t}, tpidr_el0",
            o = out(reg) offset, s = out(reg) size, t = out(reg) thread_pointer,
            options(nostack, preserves_flags, readonly),
        );
    }
    area_at(offset, size, thread_pointer)
}

fn area_at(offset: *const isize, size: *const u32, thread_pointer: *const u8) -> Option<*const u8> {
    if offset.is_null() || size.is_null() {
        return None;
    }
    // SAFETY: both symbols exist, so they are glibc's constants.
    let (offset, size) = unsafe { (*offset, *size) };
    (size >= 8).then(|| thread_pointer.wrapping_offset(offset))
}
