// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs that treat descriptors, CPUs, memory and system calls in their own way.
//!
//! # Safety
//! The descriptors that are closed belong to nobody; the files opened afterwards are used by number only.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::ptr;

use crate::events;

fn close_from_3() {
    // SAFETY: nothing in this program owns a descriptor but the standard three.
    assert_eq!(unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) }, 0);
}

/// Closes what it does not know, opens files of its own, and records before, between and after, from two threads.
pub fn close_all() {
    close_from_3();
    (0..1000).for_each(|seq| events::emit(0, seq));
    close_from_3();
    // SAFETY: a static string.
    let files: Vec<i32> = (0..16).map(|_| unsafe { libc::memfd_create(c"own".as_ptr(), 0) }).collect();
    assert_eq!(files, (3..19).collect::<Vec<_>>(), "the runtime holds none of these numbers");
    let thread = std::thread::spawn(|| events::emit_all(1, 50_000));
    (1000..50_000).for_each(|seq| events::emit(0, seq));
    thread.join().expect("no panic");
    for &file in &files {
        // SAFETY: all zero is valid; `stat` is a live local.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        assert_eq!(unsafe { libc::fstat(file, &raw mut stat) }, 0, "nobody closed file {file}");
        assert_eq!(stat.st_size, 0, "nobody wrote to file {file}");
        // SAFETY: no pointers.
        assert_eq!(unsafe { libc::lseek(file, 0, libc::SEEK_CUR) }, 0);
    }
    close_from_3();
    (50_000..51_000).for_each(|seq| events::emit(0, seq));
}

/// Records `count` events, moving between two CPUs after each third; the source is the CPU's number.
pub fn hop(count: u64) {
    // SAFETY: all zero is the empty set; the sets are live locals.
    let allowed = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        assert_eq!(libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set), 0);
        (0..libc::CPU_SETSIZE as usize).filter(|&cpu| libc::CPU_ISSET(cpu, &set)).take(2).collect::<Vec<_>>()
    };
    println!("cpus={}", allowed.len());
    for seq in 0..count {
        let cpu = allowed[(seq / 3) as usize % allowed.len()];
        // SAFETY: as above.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(cpu, &mut set);
            assert_eq!(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set), 0);
        }
        events::emit(cpu as u32, seq);
    }
}

/// Locks all memory, present and future, as real-time programs do; then records from here and from a thread.
pub fn lock_memory(count: u64) {
    // SAFETY: no pointers.
    let locked = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) } == 0;
    events::emit_all(0, count);
    std::thread::spawn(move || events::emit_all(1, count)).join().expect("no panic");
    let status = std::fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).expect("VmLck");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("locked={} locked_kib={kib}", u32::from(locked));
}

/// Starts the program again where the kernel does not know `MADV_POPULATE_WRITE`, as before Linux 5.14.
pub fn without_populate(args: &[&str]) {
    const MADV_POPULATE_WRITE: u32 = 23;
    // Offsets in `struct seccomp_data`: the call's number, and the low half of its third argument.
    const NR: u32 = 0;
    const ADVICE: u32 = 32;
    let load = |offset| libc::sock_filter { code: 0x20, jt: 0, jf: 0, k: offset };
    let skip_unless = |value, count| libc::sock_filter { code: 0x15, jt: 0, jf: count, k: value };
    let answer = |value| libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: value };
    let mut filter = [
        load(NR),
        skip_unless(libc::SYS_madvise as u32, 3),
        load(ADVICE),
        skip_unless(MADV_POPULATE_WRITE, 1),
        answer(libc::SECCOMP_RET_ERRNO | libc::EINVAL as u32),
        answer(libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    let args: Vec<_> = ["traced"].iter().chain(args).map(|arg| CString::new(*arg).expect("no NUL")).collect();
    let pointers: Vec<_> = args.iter().map(|arg| arg.as_ptr()).chain([ptr::null()]).collect();
    // SAFETY: the filter, and a NULL-terminated array of live strings, live through the calls.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
        assert_eq!(libc::madvise(ptr::null_mut(), 0, MADV_POPULATE_WRITE as i32), -1, "the filter works");
        libc::execv(c"/proc/self/exe".as_ptr(), pointers.as_ptr());
    }
    panic!("exec failed");
}
