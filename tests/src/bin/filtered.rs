// SPDX-License-Identifier: MIT OR Apache-2.0
//! Emits events for filters and contexts: `filtered SCENARIO`. What it knows of itself it prints as `key=value`.
//!
//! # Safety
//! System calls that only ask, and children that end by `_exit`.

#![allow(unsafe_code)]

use std::os::unix::fs::MetadataExt as _;

use ust::{Enumeration, event_class, tracepoint};

#[derive(Clone, Copy, Enumeration)]
#[repr(u8)]
enum Color {
    Red = 1,
    Blue = 200,
}

/// Event `n`, with a field of each kind that depends on it.
#[tracepoint(provider = "kinds")]
fn every(
    n: u32,
    small: i8,
    #[field(network)] port: u16,
    ratio: f64,
    text: &str,
    color: Color,
    list: &[u16],
    maybe: Option<i32>,
    none: Option<u8>,
    #[field(text)] word: &[u8],
    array: &[i32; 3],
    last: u64,
    #[field(nowrite)] hidden: u32,
    #[field(nowrite, expr = n + 100)] computed: u32,
    #[field(nowrite)] secret: &str,
);

#[tracepoint(provider = "other")]
fn plain(n: u32);

#[event_class]
fn pair(n: u32, #[field(nowrite)] odd: bool);

#[tracepoint(provider = "class", class = pair)]
fn one(n: u32, odd: bool);

/// An event of any size.
#[tracepoint(provider = "big")]
fn bytes(n: u32, body: &[u8], tail: u32);

#[tracepoint(provider = "handled")]
fn signal(n: u32);

#[inline(never)]
fn emit(n: u32) {
    let texts = ["", "zero", "one", "two", "a long text with more than thirty-two bytes in it"];
    let list: Vec<u16> = (0..n as u16 % 5).collect();
    let color = if n.is_multiple_of(2) { Color::Red } else { Color::Blue };
    every(
        n,
        -(n as i8),
        (n as u16).to_be(),
        f64::from(n) / 2.0,
        texts[n as usize % 5],
        color,
        &list,
        n.is_multiple_of(3).then_some(-(n as i32)),
        None,
        &b"wordy"[..n as usize % 6],
        &[1, n as i32, -1],
        u64::from(n) << 40,
        n * 7,
        if n == 9 { "nine" } else { "not" },
    );
    plain(n);
    one(n, n % 2 == 1);
}

extern "C" fn on_alarm(_: libc::c_int) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    signal(COUNT.fetch_add(1, Ordering::Relaxed));
}

/// Filters that are asked in a handler inside a filter, until 200 signals were handled.
fn storm() {
    // SAFETY: all zero is valid; the handler records only.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_alarm as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut());
        let period = libc::timeval { tv_sec: 0, tv_usec: 150 };
        let timer = libc::itimerval { it_interval: period, it_value: period };
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
    for n in 0..300_000 {
        bytes(n, b"body", n);
    }
    // SAFETY: all zero switches the timer off.
    unsafe {
        let off: libc::itimerval = std::mem::zeroed();
        libc::setitimer(libc::ITIMER_REAL, &raw const off, std::ptr::null_mut());
    }
}

fn fork_children() {
    emit(0);
    for child in 1..4 {
        // SAFETY: the child records and ends.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            (10 * child..10 * child + 10).for_each(emit);
            // SAFETY: ends this process.
            unsafe { libc::_exit(0) };
        }
        // SAFETY: waits for our child.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        println!("child{child}={pid}");
    }
    // SAFETY: as `fork`, but unknown to the C library.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } as i32;
    if pid == 0 {
        (40..50).for_each(emit);
        // SAFETY: ends this process.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: waits for our child.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    println!("child4={pid}");
    (1..10).for_each(emit);
}

/// A call whose address is known to be in here.
#[inline(never)]
fn call_here(n: u32) {
    plain(std::hint::black_box(n));
    std::hint::black_box(());
}

fn tell() {
    let inode = |name: &str| std::fs::metadata(format!("/proc/thread-self/ns/{name}")).map_or(0, |m| m.ino());
    // SAFETY: no pointers.
    unsafe {
        println!("vpid={} vtid={} pthread_id={}", libc::getpid(), libc::gettid(), libc::pthread_self());
        println!("vuid={} vgid={} veuid={} vegid={}", libc::getuid(), libc::getgid(), libc::geteuid(), libc::getegid());
    }
    for name in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        println!("{name}_ns={}", inode(name));
    }
    println!("call={} emit={}", call_here as *const () as usize, emit as *const () as usize);
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("every") => (0..20).for_each(emit),
        Some("big") => {
            for (n, len) in [(0, 10), (1, 20_000), (2, 60_000)] {
                let mut body = vec![7u8; len];
                body[len - 1] = n as u8;
                bytes(n, &body, n * 11);
            }
        }
        Some("storm") => storm(),
        Some("fork") => fork_children(),
        Some("contexts") => {
            tell();
            (0..5).for_each(call_here);
            let named = std::thread::Builder::new().name("second".to_owned());
            named.spawn(|| (5..10).for_each(call_here)).expect("a thread").join().expect("no panic");
            emit(11);
            emit(12);
        }
        Some("counters") => {
            // Each event is preceded by 50 page faults and a millisecond of work.
            for n in 0..5 {
                // SAFETY: fresh memory, touched page by page, and given back.
                unsafe {
                    let (bytes, prot) = (50 * 4096, libc::PROT_READ | libc::PROT_WRITE);
                    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
                    let memory = libc::mmap(std::ptr::null_mut(), bytes, prot, flags, -1, 0);
                    assert!(memory != libc::MAP_FAILED);
                    libc::madvise(memory, bytes, libc::MADV_NOHUGEPAGE);
                    (0..50).for_each(|page| memory.cast::<u8>().add(4096 * page).write_volatile(1));
                    libc::munmap(memory, bytes);
                }
                let begin = std::time::Instant::now();
                while begin.elapsed().as_micros() < 1000 {}
                plain(n);
                if n == 2 {
                    // The program closes what it does not know, and has files of its own under those numbers.
                    // SAFETY: nothing else here uses descriptors from 3 on.
                    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
                    let mut ends = [0; 2];
                    for target in [900, 901] {
                        // SAFETY: a live local; descriptors that are ours.
                        unsafe {
                            assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
                            libc::dup2(ends[0], target);
                            assert_eq!(libc::write(ends[1], b"untouched".as_ptr().cast(), 9), 9);
                        }
                    }
                }
            }
            let mut text = [0u8; 9];
            // SAFETY: a live local.
            assert_eq!(unsafe { libc::read(900, text.as_mut_ptr().cast(), 9) }, 9);
            assert_eq!(&text, b"untouched");
        }
        Some("loop") => {
            let count: u32 = args[1].parse().expect("a number");
            let round = || {
                let begin = std::time::Instant::now();
                (0..count).for_each(|n| plain(std::hint::black_box(n)));
                begin.elapsed().as_nanos() as f64 / f64::from(count)
            };
            let least = (0..40).map(|_| round()).fold(f64::INFINITY, f64::min);
            println!("least={least:.2} ns per event");
        }
        // Until there is a file of that name.
        Some("until") => {
            while !std::path::Path::new(&args[1]).exists() {
                (0..1000).for_each(plain);
            }
        }
        other => panic!("no such scenario: {other:?}"),
    }
}
