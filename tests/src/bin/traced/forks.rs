// SPDX-License-Identifier: MIT OR Apache-2.0
//! Children of all kinds. Source 0 is the program's, others are its children's.
//!
//! # Safety
//! Children run with copies of this process's memory, or (vfork) while it is suspended, and end by `_exit` or `exec`.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use crate::events;
use crate::fault;

/// Forks: `run` is the child, which ends with it.
fn fork(run: impl FnOnce()) -> i32 {
    // SAFETY: the child runs `run` and ends.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork");
    if pid == 0 {
        run();
        exit_now();
    }
    pid
}

fn exit_now() -> ! {
    // SAFETY: ends this process.
    unsafe { libc::_exit(0) }
}

/// Waits for a child, or for any if `pid` is -1; `false` if there is none. A child must end well.
fn wait(pid: i32) -> bool {
    let mut status = 0;
    // SAFETY: `status` is a live local.
    let ended = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert!(ended < 0 || status == 0, "child {ended} ended with {status:#x}");
    ended >= 0
}

/// Events before, in a child and its child, and after.
pub fn fork_once() {
    (0..100).for_each(|seq| events::emit(0, seq));
    let child = fork(|| {
        events::emit_all(1, 50);
        let grandchild = fork(|| events::emit_all(2, 25));
        (50..100).for_each(|seq| events::emit(1, seq));
        assert!(wait(grandchild));
    });
    (100..200).for_each(|seq| events::emit(0, seq));
    assert!(wait(child));
    println!("parent={} child={child}", std::process::id());
}

/// Seven threads record (sources 0 to 6) while an eighth forks children (sources from 100 on).
pub fn fork_while_threads_trace(count: u64) {
    let stop = AtomicBool::new(false);
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let record = |source: u32| {
            let mut emitted = 0;
            while !stop.load(Ordering::Relaxed) {
                events::emit(source, emitted);
                emitted += 1;
            }
            emitted
        };
        let threads: Vec<_> = (0..7).map(|source| scope.spawn(move || record(source))).collect();
        let forker = scope.spawn(|| {
            for child in 0..count {
                assert!(wait(fork(|| events::emit_all(100 + child as u32, 100))));
            }
        });
        forker.join().expect("no child failed");
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for (source, count) in counts.iter().enumerate() {
        println!("source{source}={count}");
    }
    println!("parent={}", std::process::id());
}

/// A child that the C library knows nothing of.
pub fn raw_clone() {
    events::emit_all(0, 10);
    // SAFETY: without a stack of its own, the child goes on with a copy of everything, as after fork.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } as i32;
    if pid == 0 {
        events::emit_all(1, 10);
        exit_now();
    }
    assert!(wait(pid));
    (10..20).for_each(|seq| events::emit(0, seq));
    println!("parent={} child={pid}", std::process::id());
}

extern "C" fn emit_and_exec(_: *mut libc::c_void) -> libc::c_int {
    events::emit(0, 10);
    exec_plain(3, 10);
    1
}

/// Becomes `traced plain SOURCE COUNT`.
fn exec_plain(source: u32, count: u64) {
    let args = ["traced", "plain", &source.to_string(), &count.to_string()].map(|a| CString::new(a).expect("no NUL"));
    let pointers: Vec<_> = args.iter().map(|arg| arg.as_ptr()).chain([ptr::null()]).collect();
    // SAFETY: a NULL-terminated array of live strings.
    unsafe { libc::execv(c"/proc/self/exe".as_ptr(), pointers.as_ptr()) };
}

/// A child in this process's memory, which records and becomes another program.
pub fn vfork_and_exec() {
    events::emit_all(0, 10);
    let mut stack = vec![0u8; 256 << 10];
    let top = stack.as_mut_ptr_range().end;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the child has a stack of its own, and this thread sleeps until it is gone.
    let pid = unsafe { libc::clone(emit_and_exec, top.wrapping_sub(top as usize % 16).cast(), flags, ptr::null_mut()) };
    assert!(pid > 0);
    assert!(wait(pid));
    (11..20).for_each(|seq| events::emit(0, seq));
    println!("parent={} child={pid}", std::process::id());
}

static CHILD: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_fault_fork(_: libc::c_int) {
    if CHILD.load(Ordering::Relaxed) != -1 {
        // A fault that is not ours: without this, each child would fork again.
        // SAFETY: ends this process.
        unsafe { libc::_exit(99) };
    }
    // SAFETY: both processes go on in the record that this handler interrupted.
    let pid = unsafe { libc::fork() };
    CHILD.store(pid, Ordering::Relaxed);
    if pid == 0 {
        events::emit(1, 0);
    }
    fault::mend(0);
}

/// Forks inside a record, which both processes then go on with. The child ends as `end` says.
pub fn fork_in_handler(end: &str) {
    events::emit_all(0, 10);
    fault::set_up(on_fault_fork, false);
    fault::emit_faulting(0, 0, 10);
    let child = CHILD.load(Ordering::Relaxed);
    if child == 0 {
        (1..5000).for_each(|seq| events::emit(1, seq));
        assert!(wait(fork(|| events::emit_all(2, 10))));
        if end == "_exit" {
            exit_now();
        }
        return;
    }
    (11..20).for_each(|seq| events::emit(0, seq));
    assert!(wait(child));
    println!("parent={} child={child}", std::process::id());
}

/// A classic daemon: two forks, a session and a working directory of its own, no descriptors. Waited for all the same.
pub fn daemon() {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }, 0);
    events::emit_all(0, 10);
    fork(|| {
        // SAFETY: no pointers but a static string; these calls change this process only.
        unsafe {
            libc::setsid();
            libc::chdir(c"/".as_ptr());
        }
        events::emit_all(1, 10);
        fork(|| {
            // SAFETY: nothing here owns a descriptor.
            unsafe { libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) };
            events::emit_all(2, 10_000);
        });
    });
    while wait(-1) {}
}

/// Records up to the last moment, then becomes another program.
pub fn exec() {
    events::emit_all(0, 1000);
    exec_plain(1, 1000);
    panic!("exec failed");
}
