// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kills, or interrupts, a record after each of its instructions.
//!
//! `stepper SITUATION POINTS_MAX`: for each point a child is forked, which has an image of its own. It records some
//! events and stops; this process then lets it run into one more record by single steps, and at the point kills it
//! or sends a signal whose handler records. It prints one line per point, `point PID STEP ENDED`, where ENDED tells
//! whether the record had returned.
//!
//! # Safety
//! One thread. The children share nothing with this process but the page of `Phase`, which is never unmapped.

#![allow(unsafe_code)]

// The same functions for each architecture.
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod cpu;
#[path = "../../programs/events.rs"]
mod events;

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use ust_tests::Payload;

use cpu::address;

/// The program's own events, and those of its signal handler.
const OUTER: u32 = 0;
const HANDLER: u32 = 1;

/// Bytes of a sub-buffer in the recordings of this program.
const SUBBUF_BYTES: usize = 4096;

/// Bytes of an event without its payload: header, source, number, hash, length.
const EVENT_BYTES: usize = 8 + 4 + 8 + 8 + 4;

static HANDLER_SEQ: AtomicU32 = AtomicU32::new(0);

/// Where the child is: 1 just before the record, 2 just behind it.
struct Phase(*const AtomicU32);

impl Phase {
    fn new() -> Self {
        let (prot, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let page = unsafe { libc::mmap(ptr::null_mut(), 4096, prot, flags, -1, 0) };
        assert_ne!(page, libc::MAP_FAILED);
        Self(page.cast())
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: zeroed memory of a page that stays mapped (header).
        unsafe { &*self.0 }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Situation {
    /// The record goes into the middle of a sub-buffer.
    Middle,
    /// The record does not fit the sub-buffer any more and enters the next one.
    Switch,
    /// The thread's first record.
    First,
    /// A record in a signal handler that interrupted another record, which was in its n-th part of eight.
    Nested(usize),
    /// No kill: a signal handler that records interrupts the record.
    Handler,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, situation, points_max] = args.as_slice() else { panic!("stepper SITUATION POINTS_MAX") };
    let points_max: usize = points_max.parse().expect("a number");
    let situation = match situation.as_str() {
        "middle" => Situation::Middle,
        "switch" => Situation::Switch,
        "first" => Situation::First,
        "handler" => Situation::Handler,
        other => Situation::Nested(other.strip_prefix("nested").and_then(|n| n.parse().ok()).expect("nested0 to 7")),
    };
    cpu::check_machine();
    stay_on_one_cpu();
    let phase = Phase::new();
    let outer = measure(&phase, Situation::Middle, None);
    let plan = Plan { begin: outer[0], middle: Place::at(&outer, outer.len() / 2) };
    let interrupt = match situation {
        Situation::Nested(eighth) => Some(Place::at(&outer, outer.len() * (2 * eighth + 1) / 16)),
        _ => None,
    };
    let path = measure(&phase, situation, interrupt.map(|at| (plan, at)));
    let stride = path.len().div_ceil(points_max).max(1);
    let before = events_before(situation);
    println!("total={} stride={stride} before={before}", path.len());
    let (mut points, mut strays) = (0, 0);
    for step in (0..path.len()).step_by(stride).chain([path.len() - 1]) {
        let place = Place::at(&path, step);
        // Seldom a child takes another way: the vDSO reads the time once more when the kernel changes it.
        let pid = (0..5).find_map(|_| {
            let pid = start(&phase, situation);
            let is_there = match interrupt {
                Some(at) => begin_nested(&phase, pid, plan, at),
                None => run_to(pid, plan.begin()),
            } && run_to(pid, place);
            if !is_there {
                end(pid);
            }
            is_there.then_some(pid)
        });
        points += 1;
        let Some(pid) = pid else {
            // The measured way itself was the strange one here.
            strays += 1;
            continue;
        };
        if situation == Situation::Handler {
            single_step(pid, libc::SIGUSR1);
            resume(pid);
            assert_eq!(wait(pid), Stop::Signal(libc::SIGSTOP), "the record goes on behind the handler");
        }
        let ended = phase.word().load(Ordering::SeqCst) == 2;
        end(pid);
        println!("point {pid} {step} {}", u32::from(ended));
    }
    assert!(strays * 50 <= points, "children came to only {} of {points} places", points - strays);
}

/// An instruction on the way of a child, and how often the way comes there before it is meant.
#[derive(Clone, Copy)]
struct Place {
    address: u64,
    /// Arrivals from elsewhere, this one included.
    arrivals: usize,
    /// Steps at the same address after the arrival: an instruction with a repeat prefix.
    repeats: usize,
}

impl Place {
    /// The place at step `idx` of `path`.
    fn at(path: &[u64], idx: usize) -> Self {
        let address = path[idx];
        let repeats = path[..idx].iter().rev().take_while(|&&a| a == address).count();
        let mut previous = 0;
        let mut arrivals = 0;
        for &a in &path[..=idx] {
            arrivals += usize::from(a == address && previous != address);
            previous = a;
        }
        Self { address, arrivals, repeats }
    }
}

/// What is known of a child's way to the record that is killed.
#[derive(Clone, Copy)]
struct Plan {
    /// Where phase 1 begins.
    begin: u64,
    /// In the middle of a record.
    middle: Place,
}

impl Plan {
    fn begin(self) -> Place {
        Place { address: self.begin, arrivals: 1, repeats: 0 }
    }
}

/// Steps one child through its record: the address of each instruction, and the one behind the last.
fn measure(phase: &Phase, situation: Situation, nested: Option<(Plan, Place)>) -> Vec<u64> {
    let pid = start(phase, situation);
    match nested {
        Some((plan, at)) => assert!(begin_nested(phase, pid, plan, at)),
        None => run_to_phase(phase, pid, 1),
    }
    let mut path = vec![address(pid)];
    while phase.word().load(Ordering::SeqCst) != 2 {
        single_step(pid, 0);
        path.push(address(pid));
    }
    end(pid);
    path
}

/// Forks a child; it has stopped before its record.
fn start(phase: &Phase, situation: Situation) -> i32 {
    phase.word().store(0, Ordering::SeqCst);
    // SAFETY: one thread; the child goes on with copies of everything.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        child(phase, situation);
    }
    assert!(pid > 0, "fork");
    assert_eq!(wait(pid), Stop::Signal(libc::SIGSTOP));
    pid
}

fn end(pid: i32) {
    // SAFETY: our child.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    assert_eq!(wait(pid), Stop::Ended);
}

/// Runs the child to the first instruction of a signal handler that interrupts its second record at `at`; `false` if it
/// does not come there. The handler's ring is leased by a signal in the middle of its first record.
fn begin_nested(phase: &Phase, pid: i32, plan: Plan, at: Place) -> bool {
    if !(run_to(pid, plan.begin()) && run_to(pid, plan.middle)) {
        return false;
    }
    single_step(pid, libc::SIGUSR1);
    resume(pid);
    assert_eq!(wait(pid), Stop::Signal(libc::SIGSTOP));
    phase.word().store(0, Ordering::SeqCst);
    let is_there = run_to(pid, plan.begin()) && run_to(pid, at);
    if is_there {
        single_step(pid, libc::SIGUSR1);
    }
    is_there
}

/// Lets the child run until it comes to `place`, and stops it there by a breakpoint; `false` if it does not come there.
fn run_to(pid: i32, place: Place) -> bool {
    let text = peek(pid, place.address);
    for arrival in 1..=place.arrivals {
        poke(pid, place.address, cpu::with_breakpoint(text));
        resume(pid);
        if wait(pid) != Stop::Signal(libc::SIGTRAP) {
            return false;
        }
        poke(pid, place.address, text);
        cpu::step_back(pid, place.address);
        while arrival < place.arrivals && address(pid) == place.address {
            single_step(pid, 0);
        }
    }
    for _ in 0..place.repeats {
        single_step(pid, 0);
    }
    address(pid) == place.address
}

fn run_to_phase(phase: &Phase, pid: i32, wanted: u32) {
    while phase.word().load(Ordering::SeqCst) != wanted {
        single_step(pid, 0);
    }
}

fn peek(pid: i32, address: u64) -> i64 {
    // SAFETY: our stopped child; an address of its code.
    unsafe { libc::ptrace(libc::PTRACE_PEEKTEXT, pid, address, 0) }
}

fn poke(pid: i32, address: u64, word: i64) {
    // SAFETY: our stopped child's private copy of its code.
    assert_eq!(unsafe { libc::ptrace(libc::PTRACE_POKETEXT, pid, address, word) }, 0, "a breakpoint");
}

#[derive(Debug, PartialEq)]
enum Stop {
    Signal(i32),
    Ended,
}

fn wait(pid: i32) -> Stop {
    let mut status = 0;
    // SAFETY: `status` is a live local.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    if libc::WIFSTOPPED(status) { Stop::Signal(libc::WSTOPSIG(status)) } else { Stop::Ended }
}

fn single_step(pid: i32, signal: i32) {
    // SAFETY: our stopped child.
    let done = unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, pid, 0, signal) };
    assert_eq!((done, wait(pid)), (0, Stop::Signal(libc::SIGTRAP)), "one instruction of the child");
}

fn resume(pid: i32) {
    // SAFETY: our stopped child.
    assert_eq!(unsafe { libc::ptrace(libc::PTRACE_CONT, pid, 0, 0) }, 0);
}

extern "C" fn handler(_: libc::c_int) {
    let seq = HANDLER_SEQ.load(Ordering::Relaxed);
    HANDLER_SEQ.store(seq + 1, Ordering::Relaxed);
    events::emit(HANDLER, u64::from(seq));
}

/// The child's life; ends by a kill.
fn child(phase: &Phase, situation: Situation) -> ! {
    // SAFETY: the handler records only; the calls take no memory of ours.
    unsafe {
        libc::signal(libc::SIGUSR1, handler as *const () as libc::sighandler_t);
        libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
    }
    let before = events_before(situation);
    if let Situation::Nested(_) = situation {
        events::emit_all(OUTER, before - 1);
        stopped_record(phase, before - 1);
    } else {
        events::emit_all(OUTER, before);
    }
    stopped_record(phase, before);
    // SAFETY: stops this process; the parent kills it.
    unsafe { libc::raise(libc::SIGSTOP) };
    unreachable!("the parent kills this process");
}

/// Stops, and records event `seq` between the phases 1 and 2.
///
/// One function, not inlined: both records of a child then run through the same addresses.
#[inline(never)]
fn stopped_record(phase: &Phase, seq: u64) {
    let payload = Payload::new(OUTER, seq);
    let hash = payload.hash();
    // SAFETY: stops this process, which its parent continues.
    unsafe { libc::raise(libc::SIGSTOP) };
    phase.word().store(1, Ordering::SeqCst);
    events::step(OUTER, seq, hash, payload.bytes());
    phase.word().store(2, Ordering::SeqCst);
}

/// Events of the child before the one that is killed.
fn events_before(situation: Situation) -> u64 {
    let mut bytes = 0;
    match situation {
        Situation::First => return 0,
        Situation::Switch => {}
        Situation::Middle | Situation::Nested(_) | Situation::Handler => return 4,
    }
    (0..)
        .find(|&seq| {
            bytes += EVENT_BYTES + Payload::new(OUTER, seq).bytes().len();
            bytes > SUBBUF_BYTES
        })
        .expect("some event does not fit")
}

/// A migration would change what a record does; and steps are fastest without one.
fn stay_on_one_cpu() {
    // SAFETY: all zero is the empty set; the set is a live local.
    unsafe {
        let cpu = libc::sched_getcpu();
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu as usize, &mut set);
        assert_eq!(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set), 0);
    }
}
