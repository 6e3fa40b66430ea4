// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stops inside a record at a known place: the payload lies in memory that cannot be read, so that its copy raises
//! SIGSEGV between the begin of the record and its commit.
//!
//! # Safety
//! The pages are mapped for good. Handlers run on the thread that faulted, and use atomics and system calls only.

#![allow(unsafe_code)]

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ust_tests::Payload;

use crate::events;

const PAGE_BYTES: usize = 4096;
const PAGE_COUNT: usize = 8;

static PAGES: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Maps the pages, sets `handler` for SIGSEGV, and gives this thread an alternate signal stack if that is wanted.
pub fn set_up(handler: extern "C" fn(libc::c_int), alternate: bool) {
    let (prot, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a fresh mapping at an address of the kernel's choice.
    let pages = unsafe { libc::mmap(ptr::null_mut(), PAGE_BYTES * PAGE_COUNT, prot, flags, -1, 0) };
    assert_ne!(pages, libc::MAP_FAILED);
    PAGES.store(pages.cast(), Ordering::SeqCst);
    // It can interrupt itself.
    handle(libc::SIGSEGV, handler, alternate, libc::SA_NODEFER);
}

/// Sets a handler.
pub fn handle(signal: libc::c_int, handler: extern "C" fn(libc::c_int), alternate: bool, flags: libc::c_int) {
    const STACK_BYTES: usize = 256 << 10;
    // SAFETY: all zero is valid for both; the stack is leaked, so it lives for ever.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART | flags;
        if alternate {
            let mut stack: libc::stack_t = std::mem::zeroed();
            stack.ss_sp = Box::leak(vec![0u8; STACK_BYTES].into_boxed_slice()).as_mut_ptr().cast();
            stack.ss_size = STACK_BYTES;
            assert_eq!(libc::sigaltstack(&raw const stack, ptr::null_mut()), 0);
            action.sa_flags |= libc::SA_ONSTACK;
        }
        assert_eq!(libc::sigaction(signal, &raw const action, ptr::null_mut()), 0);
    }
}

/// Records event `seq` of `source` with a payload on page `page`, which faults once the record is under way.
pub fn emit_faulting(page: usize, source: u32, seq: u64) {
    assert!(page < PAGE_COUNT);
    let payload = Payload::new(source, seq);
    let len = payload.bytes().len();
    let at = address(page);
    protect(page, libc::PROT_READ | libc::PROT_WRITE);
    // SAFETY: a whole page of ours, writable now.
    unsafe { ptr::copy_nonoverlapping(payload.bytes().as_ptr(), at, len) };
    protect(page, libc::PROT_NONE);
    // SAFETY: initialised above; the fault's handler makes it readable, or leaves.
    let bytes = unsafe { std::slice::from_raw_parts(at, len) };
    events::step(source, seq, payload.hash(), bytes);
}

/// Lets the record whose payload lies on `page` go on.
pub fn mend(page: usize) {
    protect(page, libc::PROT_READ);
}

fn address(page: usize) -> *mut u8 {
    PAGES.load(Ordering::SeqCst).wrapping_add(PAGE_BYTES * page)
}

fn protect(page: usize, prot: libc::c_int) {
    // SAFETY: a whole page of ours, to which no reference exists while it is written.
    assert_eq!(unsafe { libc::mprotect(address(page).cast(), PAGE_BYTES, prot) }, 0);
}
