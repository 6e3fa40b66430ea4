// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records in signal handlers that interrupt records, and handlers that never return.
//!
//! # Safety
//! Handlers use atomics, system calls and tracepoints only. `catch` and `escape` are the C library's
//! `sigsetjmp` and `siglongjmp`; the frames between them have nothing to drop.

#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::events;
use crate::fault;

static HANDLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn on_timer(_: libc::c_int) {
    events::emit(1, HANDLED.fetch_add(1, Ordering::Relaxed));
}

/// Records `count` events of source 0 and more, until a timer's handler has recorded 200 of source 1.
pub fn storm(count: u64, alternate: bool) {
    fault::handle(libc::SIGALRM, on_timer, alternate, 0);
    set_timer(150);
    let mut emitted = 0;
    while emitted < count || HANDLED.load(Ordering::Relaxed) < 200 {
        events::emit(0, emitted);
        emitted += 1;
    }
    set_timer(0);
    println!("emitted={emitted} handled={}", HANDLED.load(Ordering::Relaxed));
}

fn set_timer(period_us: i64) {
    let period = libc::timeval { tv_sec: 0, tv_usec: period_us };
    let timer = libc::itimerval { it_interval: period, it_value: period };
    // SAFETY: `timer` is a live local.
    assert_eq!(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) }, 0);
}

static DEPTH: AtomicUsize = AtomicUsize::new(0);
static DEPTH_MAX: AtomicUsize = AtomicUsize::new(0);

/// In the record of depth n: records at depth n + 1, then lets it go on.
extern "C" fn on_fault_go_deeper(_: libc::c_int) {
    let depth = DEPTH.load(Ordering::Relaxed);
    if depth < DEPTH_MAX.load(Ordering::Relaxed) {
        DEPTH.store(depth + 1, Ordering::Relaxed);
        fault::emit_faulting(depth + 1, 0, depth as u64 + 1);
    }
    fault::mend(depth);
}

/// Records event n of source 0 inside event n - 1, for n up to `depth`; then events of source 1 on the same thread.
pub fn deep(depth: usize, alternate: bool) {
    DEPTH_MAX.store(depth, Ordering::Relaxed);
    fault::set_up(on_fault_go_deeper, alternate);
    fault::emit_faulting(0, 0, 0);
    events::emit_all(1, 100);
}

/// Room for any C library's `sigjmp_buf`.
#[repr(align(16))]
struct JumpBuffer(UnsafeCell<[u8; 1024]>);

// SAFETY: used by one thread.
unsafe impl Sync for JumpBuffer {}

static LANDING: JumpBuffer = JumpBuffer(UnsafeCell::new([0; 1024]));

unsafe extern "C" {
    fn e2e_catch(run: extern "C" fn(usize), argument: usize, buffer: *mut u8) -> libc::c_int;
    fn siglongjmp(buffer: *mut u8, value: libc::c_int) -> !;
}

// `sigsetjmp` returns twice, which no Rust function may do; this one does it for them.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".globl e2e_catch",
    "e2e_catch:",
    "push rbx",
    "push r12",
    "sub rsp, 8",
    "mov rbx, rdi",
    "mov r12, rsi",
    "mov rdi, rdx",
    "mov esi, 1",
    "call __sigsetjmp@PLT",
    "test eax, eax",
    "jnz 2f",
    "mov rdi, r12",
    "call rbx",
    "xor eax, eax",
    "2:",
    "add rsp, 8",
    "pop r12",
    "pop rbx",
    "ret",
);

#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".globl e2e_catch",
    "e2e_catch:",
    "stp x29, x30, [sp, #-32]!",
    "stp x19, x20, [sp, #16]",
    "mov x19, x0",
    "mov x20, x1",
    "mov x0, x2",
    "mov w1, #1",
    "bl __sigsetjmp",
    "cbnz w0, 2f",
    "mov x0, x20",
    "blr x19",
    "mov w0, #0",
    "2:",
    "ldp x19, x20, [sp, #16]",
    "ldp x29, x30, [sp], #32",
    "ret",
);

/// Goes deeper, and from the deepest record out of all of them.
extern "C" fn on_fault_jump(_: libc::c_int) {
    let depth = DEPTH.load(Ordering::Relaxed) + 1;
    if depth < DEPTH_MAX.load(Ordering::Relaxed) {
        DEPTH.store(depth, Ordering::Relaxed);
        fault::emit_faulting(depth, 1, depth as u64);
    }
    // SAFETY: `e2e_catch` filled the buffer in, and its frame is still there.
    unsafe { siglongjmp(LANDING.0.get().cast(), 1) };
}

/// Goes down the stack first, so that the frames that record afterwards lie above this one.
extern "C" fn emit_abandoned(seq: usize) {
    let frames = std::hint::black_box([0u8; 16 << 10]);
    fault::emit_faulting(0, 1, seq as u64);
    std::hint::black_box(&frames);
}

extern "C" fn emit_abandoned_here(seq: usize) {
    fault::emit_faulting(0, 1, seq as u64);
}

/// Leaves `count` times `depth` nested records by a jump, with five events of source 0 after each: from frames above the one
/// that was left, or (`near`) from such as lie about where it was.
pub fn jump(count: u64, depth: usize, near: bool) {
    let run = if near { emit_abandoned_here } else { emit_abandoned };
    fault::set_up(on_fault_jump, false);
    DEPTH_MAX.store(depth, Ordering::Relaxed);
    for round in 0..count {
        DEPTH.store(0, Ordering::Relaxed);
        // SAFETY: the buffer is larger than a `sigjmp_buf`; one thread uses it.
        let landed = unsafe { e2e_catch(run, 0, LANDING.0.get().cast()) };
        assert_eq!(landed, 1, "the record of round {round} was left");
        (0..5).for_each(|i| events::emit(0, 5 * round + i));
    }
}
