// SPDX-License-Identifier: MIT OR Apache-2.0
//! Survives a traced program that truncates its image under the consumer's mapping.
//!
//! An access behind the end of a mapped file raises SIGBUS. The handler here looks the address up in a static
//! table of guarded mappings. On a hit it maps an anonymous zero page over the faulting one and marks the
//! mapping as torn; the interrupted load is repeated and reads zeros, which the checks of whoever reads refuse.
//! On a miss the fault is somebody else's, and goes to the handler that was installed before.
//!
//! | word of a slot | stored by                  | meaning                                        |
//! |----------------|----------------------------|------------------------------------------------|
//! | `begin`        | owner; last on entry, first on leave (Release) | first address, 0: slot unused |
//! | `end`          | owner                      | address behind the last                        |
//! | `torn`         | handler                    | 1 after a fault in this mapping                |
//!
//! Faults are synchronous, so the handler runs on the thread that touches the mapping, between two of that
//! thread's instructions: it sees the slot as that thread left it. `TORN_COUNT` tells
//! cheaply that some mapping was torn; whoever sees it grow asks its own mappings.
//!
//! # Safety
//! The handler calls `mmap` and atomics alone. It replaces only whole pages inside a range whose owner registered
//! it and unmaps it later, so the zero page goes when the mapping goes.

#![allow(unsafe_code)]

use std::mem;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::limits::MAPPING_COUNT_MAX;

struct Slot {
    begin: AtomicUsize,
    end: AtomicUsize,
    torn: AtomicU32,
}

static SLOTS: [Slot; MAPPING_COUNT_MAX] =
    [const { Slot { begin: AtomicUsize::new(0), end: AtomicUsize::new(0), torn: AtomicU32::new(0) } };
        MAPPING_COUNT_MAX];

/// Where to look for an unused slot first.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Faults caught since the program began.
static TORN_COUNT: AtomicU64 = AtomicU64::new(0);

/// What SIGBUS did before; set once, before the handler can run.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// The number of faults caught so far in any guarded mapping.
pub(crate) fn torn_count() -> u64 {
    TORN_COUNT.load(Ordering::Relaxed)
}

/// Entry of one mapping in the table; leaves it when dropped, which must come before the unmapping.
#[derive(Debug)]
pub(crate) struct Guard {
    slot_idx: usize,
}

impl Guard {
    /// Guards the addresses in `range`; `None` when the table is full.
    pub(crate) fn new(range: Range<usize>) -> Option<Self> {
        install();
        let first = NEXT.fetch_add(1, Ordering::Relaxed);
        for step in 0..MAPPING_COUNT_MAX {
            let slot_idx = first.wrapping_add(step) % MAPPING_COUNT_MAX;
            let slot = &SLOTS[slot_idx];
            // 1 marks a slot that is being filled: no mapping begins there.
            if slot.begin.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                slot.end.store(range.end, Ordering::Relaxed);
                slot.torn.store(0, Ordering::Relaxed);
                slot.begin.store(range.start, Ordering::Release);
                return Some(Self { slot_idx });
            }
        }
        None
    }

    /// Whether a fault was caught in this mapping: some of it reads as zeros now.
    pub(crate) fn is_torn(&self) -> bool {
        SLOTS[self.slot_idx].torn.load(Ordering::Relaxed) != 0
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        SLOTS[self.slot_idx].begin.store(0, Ordering::Release);
    }
}

/// Installs the handler, once per program; it stays for the program's life.
fn install() {
    PREVIOUS.get_or_init(|| {
        // SAFETY: all-zero bytes are a valid `sigaction` (default handler, empty mask).
        let mut previous: libc::sigaction = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut action: libc::sigaction = unsafe { mem::zeroed() };
        action.sa_sigaction = on_sigbus as *const () as usize;
        // On the alternate stack if the thread has one: a fault does not say how much stack is left.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        // SAFETY: both structures outlive the calls. The old action is read first, since the new one may run before
        // the second call returns only for faults in guarded mappings, of which there is none yet.
        unsafe {
            libc::sigaction(libc::SIGBUS, ptr::null(), &raw mut previous);
            libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut());
        }
        previous
    });
}

extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid structure to a handler installed with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    if !replace_page(address) {
        chain(signal, info, context);
    }
}

/// Maps a zero page over the one that holds `address`; `false` where no guarded mapping holds it.
fn replace_page(address: usize) -> bool {
    let inside = |slot: &&Slot| {
        let begin = slot.begin.load(Ordering::Acquire);
        begin > 1 && begin <= address && address < slot.end.load(Ordering::Relaxed)
    };
    let Some(slot) = SLOTS.iter().find(inside) else { return false };
    // SAFETY: takes an integer; async-signal-safe.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let page = (address & !(page_bytes - 1)) as *mut libc::c_void;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the page lies in a mapping whose owner registered it and has not unmapped it (it leaves the table before);
    // all access to it is by atomics, for which other bytes are just other values.
    let mapped = unsafe { libc::mmap(page, page_bytes, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED {
        return false;
    }
    slot.torn.store(1, Ordering::Relaxed);
    TORN_COUNT.fetch_add(1, Ordering::Relaxed);
    true
}

/// Does what the program wanted to happen before this crate came.
fn chain(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let previous = PREVIOUS.get();
    let handler = previous.map_or(libc::SIG_DFL, |action| action.sa_sigaction);
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        // SAFETY: zero bytes are the default action; on return the access faults again and ends the program as it
        // would have without us.
        unsafe {
            let default: libc::sigaction = mem::zeroed();
            libc::sigaction(signal, &raw const default, ptr::null_mut());
        }
    } else if previous.is_some_and(|action| action.sa_flags & libc::SA_SIGINFO != 0) {
        // SAFETY: the program installed this address as a handler of this type.
        let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
            unsafe { mem::transmute(handler) };
        handler(signal, info, context);
    } else {
        // SAFETY: as above, without SA_SIGINFO.
        let handler: extern "C" fn(libc::c_int) = unsafe { mem::transmute(handler) };
        handler(signal);
    }
}
