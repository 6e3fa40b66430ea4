// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counters of the kernel for the contexts `perf:thread:*`, one set for each thread that has an event with such a context.
//!
//! A counter of the hardware that user mode may read takes no descriptor: its page is mapped, the descriptor closed, and `rdpmc` does the rest.
//! The others need one for each thread, for `read`: the only descriptors that the runtime holds. A program may close them and get the number for a
//! file of its own, so the kernel is asked before each `read` whether the descriptor still is this counter; if not, a new one is made.
//!
//! A child of a fork inherits such descriptors, does not use them, and makes its own.
//!
//! # Safety
//! A page is mapped until its thread ends; the kernel alone writes to it.

#![allow(unsafe_code)]

use core::cell::Cell;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering, compiler_fence};
use ust_shm::context::Context;

use crate::sys::{self, ErrnoGuard};

/// Counters of one thread; those beyond read as 0.
const COUNTER_COUNT_MAX: usize = 8;

/// How often a page is read that changes meanwhile: the kernel changes it when it switches threads.
const PAGE_TRIES: u32 = 64;

/// The counters of one thread; all zero is the fresh state.
#[repr(C)]
pub struct Counters([Counter; COUNTER_COUNT_MAX]);

#[repr(C)]
struct Counter {
    /// The context's code; 0 = not in use.
    code: Cell<u32>,
    /// Of a raw counter: what it counts.
    config: Cell<u64>,
    /// Descriptor plus one; 0 = none.
    fd: Cell<u32>,
    /// What the kernel calls the counter.
    id: Cell<u64>,
    page: Cell<*mut Page>,
}

/// `struct perf_event_mmap_page`, as far as it is of use here.
#[repr(C)]
struct Page {
    versions: [AtomicU32; 2],
    /// Changes with the rest.
    lock: AtomicU32,
    /// Hardware counter plus one; 0 while none counts.
    index: AtomicU32,
    /// Added to what the hardware counter says.
    offset: AtomicU64,
    times: [AtomicU64; 2],
    capabilities: AtomicU64,
    width: AtomicU16,
}

const CAPABILITY_RDPMC: u64 = 1 << 2;
const PAGE_BYTES: u64 = 4096;

impl Counters {
    /// What the counter `context` says now; 0 where it cannot be had.
    pub fn read(&self, context: Context) -> u64 {
        let code = u32::from(context.code());
        for counter in &self.0 {
            if counter.code.get() == code && counter.config.get() == context.config() {
                return counter.read(context);
            }
            if counter.code.get() == 0 {
                counter.code.set(code);
                counter.config.set(context.config());
                counter.open(context);
                return counter.read(context);
            }
        }
        0
    }

    /// Gives everything back: the thread ends.
    pub fn close(&self) {
        for counter in self.0.iter().filter(|counter| counter.code.get() != 0) {
            counter.code.set(0);
            counter.close();
        }
    }
}

impl Counter {
    fn read(&self, context: Context) -> u64 {
        let page = self.page.get();
        if !page.is_null() {
            // SAFETY: mapped by `open` until `close` (module header).
            return unsafe { &*page }.count();
        }
        let _errno = ErrnoGuard::new();
        let Some(fd) = self.fd.get().checked_sub(1) else { return 0 };
        if let Some(count) = self.read_by(fd) {
            return count;
        }
        // The program closed the descriptor. Whatever has its number now is not ours to touch.
        self.fd.set(0);
        self.open(context);
        self.fd.get().checked_sub(1).and_then(|fd| self.read_by(fd)).unwrap_or(0)
    }

    fn read_by(&self, fd: u32) -> Option<u64> {
        (sys::perf_id(fd) == Some(self.id.get())).then(|| sys::perf_read(fd)).flatten()
    }

    #[cold]
    #[inline(never)]
    fn open(&self, context: Context) {
        let _errno = ErrnoGuard::new();
        let Some(perf) = context.perf() else { return };
        let Some(fd) = sys::perf_open(perf.ty, perf.config) else { return };
        let Some(id) = sys::perf_id(fd) else { return sys::perf_close(fd) };
        self.id.set(id);
        if let Some(page) = sys::perf_map(fd, PAGE_BYTES) {
            let page = page.cast::<Page>();
            // SAFETY: mapped just now, made of atomics.
            if cfg!(target_arch = "x86_64") && unsafe { page.as_ref() }.is_readable() {
                self.page.set(page.as_ptr());
                return sys::perf_close(fd);
            }
            // SAFETY: mapped just now, known nowhere else.
            unsafe { sys::unmap(page.cast(), PAGE_BYTES) };
        }
        self.fd.set(fd + 1);
    }

    fn close(&self) {
        if let Some(page) = NonNull::new(self.page.replace(null_mut())) {
            // SAFETY: mapped by `open`; nothing points to it any more.
            unsafe { sys::unmap(page.cast(), PAGE_BYTES) };
        }
        if let Some(fd) = self.fd.replace(0).checked_sub(1)
            && sys::perf_id(fd) == Some(self.id.get())
        {
            sys::perf_close(fd);
        }
    }
}

impl Page {
    fn is_readable(&self) -> bool {
        self.capabilities.load(Ordering::Relaxed) & CAPABILITY_RDPMC != 0
    }

    /// The count, as the kernel's header says how. The page belongs to this thread's counter, which only this CPU changes, in interrupts: the
    /// compiler must keep the order, the CPU does.
    fn count(&self) -> u64 {
        let mut count = 0;
        for _ in 0..PAGE_TRIES {
            let lock = self.lock.load(Ordering::Relaxed);
            compiler_fence(Ordering::SeqCst);
            count = self.offset.load(Ordering::Relaxed);
            if let Some(idx) = self.index.load(Ordering::Relaxed).checked_sub(1)
                && self.is_readable()
            {
                let unused = 64 - u32::from(self.width.load(Ordering::Relaxed)).clamp(1, 64);
                let value = (read_hardware(idx) << unused) as i64 >> unused;
                count = count.wrapping_add(value as u64);
            }
            compiler_fence(Ordering::SeqCst);
            if self.lock.load(Ordering::Relaxed) == lock {
                break;
            }
        }
        count
    }
}

/// Hardware counter `idx`. Only while the kernel says that user mode may read it.
#[cfg(target_arch = "x86_64")]
fn read_hardware(idx: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the page says that the instruction is allowed, and which counter is this thread's.
    unsafe {
        core::arch::asm!("rdpmc", in("ecx") idx, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags));
    }
    u64::from(low) | u64::from(high) << 32
}

#[cfg(not(target_arch = "x86_64"))]
fn read_hardware(_: u32) -> u64 {
    0
}
