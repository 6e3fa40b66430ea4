// SPDX-License-Identifier: MIT OR Apache-2.0
//! From nothing to a live image: in the constructor of the linked object, and again in each forked child.
//!
//! # Safety
//! The constructor runs before the program's own code; the fork handler runs in a child with one thread.

#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};
use ust_shm::filter::area::Application;
use ust_shm::head::Head;
use ust_shm::layout::flags;
use ust_shm::limits::RULES_BYTES_MAX;
use ust_shm::rules::{RulesView, apply_until_stable};

use crate::description::Scratch;
use crate::fork;
use crate::image::{self, Reason};
use crate::objects;
use crate::own_trace;
use crate::path::Path;
use crate::process::{Process, stage};
use crate::register;
use crate::sys::{self, ErrnoGuard, Fd};
use crate::thread;
use crate::unload;
use crate::unwind;

/// How often rules that keep changing are applied before the consumer side is left to do it.
const APPLY_TRIES: u32 = 8;

/// What start-up learns from the environment, for the children too: never wiped, written by the constructor only.
struct Settings {
    dir: UnsafeCell<Path>,
    usable: AtomicU32,
    allow_blocking: AtomicU32,
    debug: AtomicU32,
}

// SAFETY: `dir` is written by the constructor before `usable` is stored with Release, and read after it was loaded.
unsafe impl Sync for Settings {}

/// 1 once the process has been set up, or not been able to.
static BEGUN: AtomicU32 = AtomicU32::new(0);

static SETTINGS: Settings = Settings {
    dir: UnsafeCell::new(Path::new()),
    usable: AtomicU32::new(0),
    allow_blocking: AtomicU32::new(0),
    debug: AtomicU32::new(0),
};

/// Runs before the constructors of ordinary priority in the same object, so that they can emit.
#[used]
#[unsafe(link_section = ".init_array.00099")]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    let _errno = ErrnoGuard::new();
    if objects::tracepoints().next().is_some() {
        begin();
    }
}

/// Sets the process up at the first call, in a constructor.
fn begin() {
    if BEGUN.swap(1, Ordering::Relaxed) != 0 {
        return;
    }
    if sys::auxiliary(libc::AT_SECURE) != 0 {
        // A program that runs with more rights than its user: the environment and the directory are the user's.
        return;
    }
    let set = |name| sys::environment(name).is_some_and(|v| !v.is_empty() && v != c"0");
    SETTINGS.debug.store(u32::from(set(c"UST_DEBUG")), Ordering::Relaxed);
    SETTINGS.allow_blocking.store(u32::from(set(c"UST_ALLOW_BLOCKING")), Ordering::Relaxed);
    own_trace::set_up(SETTINGS.debug.load(Ordering::Relaxed) != 0);
    match runtime_dir() {
        Ok(dir) => {
            // SAFETY: the constructor runs once, before any reader (`usable` is still 0).
            unsafe { *SETTINGS.dir.get() = dir };
            SETTINGS.usable.store(1, Ordering::Release);
        }
        Err(reason) => return say_off(reason),
    }
    if Process::make().is_none() {
        return say_off("no memory that fork wipes (Linux 4.14 or later is needed)");
    }
    thread::set_up_exit();
    unwind::set_up();
    unload::set_up();
    // SAFETY: registers a handler that lives as long as this linked object; the C library forgets it on dlclose.
    unsafe { libc::pthread_atfork(Some(fork::before), Some(fork::in_parent), Some(after_fork_in_child)) };
    start();
}

unsafe extern "C" fn after_fork_in_child() {
    let _errno = ErrnoGuard::new();
    fork::in_child();
    start();
}

/// Says under `UST_DEBUG=1` why this process is not traced.
fn say_off(reason: Reason) {
    if SETTINGS.debug.load(Ordering::Relaxed) == 0 {
        return;
    }
    for part in ["ust: tracing is off: ", reason, "\n"] {
        sys::write_stderr(part.as_bytes());
    }
}

/// Makes this process's image unless it has one, it is being made, or tracing is off. Safe in signal handlers.
pub fn start() {
    let Some(process) = Process::any() else { return };
    if SETTINGS.usable.load(Ordering::Acquire) == 0 || !process.begin_start() {
        return;
    }
    match make_image(process) {
        Ok(()) => process.finish_start(stage::LIVE),
        Err(reason) => {
            for tracepoint in objects::tracepoints() {
                tracepoint.attach(None, 0);
            }
            process.finish_start(stage::OFF);
            say_off(reason);
        }
    }
}

/// Takes in an object that has made itself known: sets the process up, or adds the object to the image that is there. Constructors only.
#[cfg(feature = "capi")]
pub fn add_object(place: usize, section: crate::tracepoint::Section) {
    begin();
    let Some(process) = Process::any() else { return };
    // Another thread that makes the image has seen the object or not; it is registered once.
    while process.stage() == stage::STARTING && sys::let_others_run() {}
    let Some(head) = process.head().filter(|_| process.stage() == stage::LIVE) else { return };
    match register::register_object(process, &head, place, section) {
        Ok(()) => {
            // SAFETY: as in `make_image`.
            let dir = unsafe { *SETTINGS.dir.get() };
            apply_rules(process, &dir, &head);
        }
        Err(reason) => say_off(reason),
    }
}

fn make_image(process: &'static Process) -> Result<(), Reason> {
    // SAFETY: written before `usable` was stored with Release; the caller loaded that with Acquire.
    let dir = unsafe { *SETTINGS.dir.get() };
    let too_long = "the runtime directory's path is too long (107 bytes with its entries)";
    let apps = dir.with(b"/apps").ok_or(too_long)?;
    if !sys::make_dir(apps.as_c_str()) {
        return Err("the folder `apps` cannot be made in the runtime directory");
    }
    let allow_blocking = SETTINGS.allow_blocking.load(Ordering::Relaxed);
    let clock = crate::clock::kind();
    process.clock.store(clock, Ordering::Relaxed);
    process.allow_blocking.store(allow_blocking, Ordering::Relaxed);
    let seed = image::exec_id() ^ sys::clock_ns(libc::CLOCK_MONOTONIC) ^ (&raw const SETTINGS as u64);
    let name = |prefix: &[u8]| {
        let path = apps.with(prefix)?.with_number(u64::from(sys::process_id()), 10)?;
        path.with(b"-")?.with_number(image::mix(seed), 16)
    };
    let (hidden, shown) = (name(b"/.").ok_or(too_long)?, name(b"/").ok_or(too_long)?);
    let blocking = if allow_blocking != 0 { flags::ALLOW_BLOCKING } else { 0 };
    let own = own_trace::spec();
    if own.is_some() {
        own_trace::make_room(&apps);
    }
    let head = image::create(&hidden, clock, blocking)?;
    if let Some(own) = own {
        own.begin(&head);
    }
    process.set_image(head, hidden);
    let published = register::register_all(process, &head).and_then(|()| {
        let renamed = sys::rename(hidden.as_c_str(), shown.as_c_str());
        renamed.then_some(()).ok_or("the image cannot be published by renaming it")
    });
    if let Err(reason) = published {
        sys::unlink(hidden.as_c_str());
        return Err(reason);
    }
    process.set_image(head, shown);
    apply_rules(process, &dir, &head);
    Ok(())
}

/// Applies the rules that are there, and again while their generation changes (`docs/shm-layout.md`, "Application").
fn apply_rules(process: &Process, dir: &Path, head: &Head) {
    let Some(path) = dir.with(b"/rules") else { return };
    apply_until_stable(APPLY_TRIES, |applied| {
        with_rules(&path, |rules| {
            if rules.generation() != applied {
                apply(process, rules, head);
            }
            rules.generation()
        })
    });
}

fn apply(process: &Process, rules: &RulesView<'_>, head: &Head) {
    let provide = |offset, bytes| image::provide_filters(process, offset, bytes);
    let ([_, user, _], [_, group, _]) = (sys::user_ids(), sys::group_ids());
    let slots = rules.slots_of_process([sys::process_id(), user, group]);
    let Some(mut application) = Application::begin(*head, *rules, slots, provide) else { return };
    let mut scratch = Scratch::default();
    for tracepoint in objects::tracepoints() {
        let Some(enable) = tracepoint.word() else { continue };
        let applied = tracepoint.describe(&mut scratch, |desc| {
            let event = (desc.provider, desc.name, desc.loglevel as u8);
            application.apply(event, desc.fields, enable, tracepoint.filter_word())
        });
        if applied == Some(false) {
            return;
        }
    }
    application.end();
}

/// Hands the rules to `use_rules`, if there are valid ones whose writer is alive.
fn with_rules<R>(path: &Path, use_rules: impl FnOnce(&RulesView<'_>) -> R) -> Option<R> {
    const SMALL: usize = 2048;
    let fd = Fd::open(path.as_c_str(), libc::O_RDONLY | libc::O_NOFOLLOW)?;
    let size = fd.stat().map_or(0, |s| s.st_size as usize);
    if size > RULES_BYTES_MAX || !fd.is_locked() {
        return None;
    }
    if size <= SMALL {
        let mut buffer = [0u8; SMALL];
        let n = fd.read(&mut buffer)?;
        return RulesView::parse(buffer.get(..n)?).ok().map(|rules| use_rules(&rules));
    }
    let scratch = sys::map_scratch(size)?;
    // SAFETY: `size` bytes, mapped and zeroed just now, private to this call until they are unmapped below.
    let buffer = unsafe { core::slice::from_raw_parts_mut(scratch.as_ptr(), size) };
    let n = fd.read(buffer).unwrap_or(0);
    let result = RulesView::parse(buffer.get(..n).unwrap_or_default()).ok().map(|rules| use_rules(&rules));
    // SAFETY: the slice is not used any more.
    unsafe { sys::unmap(scratch, size as u64) };
    result
}

/// Whether the consumer side is alive: its lock on the rules. Used while a writer waits, never on the fast path.
pub fn consumer_lives() -> bool {
    if SETTINGS.usable.load(Ordering::Acquire) == 0 {
        return false;
    }
    // SAFETY: as in `make_image`.
    let dir = unsafe { *SETTINGS.dir.get() };
    let fd = dir.with(b"/rules").and_then(|p| Fd::open(p.as_c_str(), libc::O_RDONLY | libc::O_NOFOLLOW));
    fd.is_some_and(|fd| fd.is_locked())
}

/// Wakes the consumer, if one listens: one byte to its datagram socket. Never blocks, never raises SIGPIPE.
pub fn wake_consumer() {
    if SETTINGS.usable.load(Ordering::Acquire) == 0 {
        return;
    }
    // SAFETY: as in `make_image`.
    let dir = unsafe { *SETTINGS.dir.get() };
    let (Some(path), Some(socket)) = (dir.with(b"/wakeup"), Fd::datagram_socket()) else { return };
    socket.send_to(path.as_bytes());
}

/// The checked runtime directory: `$UST_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/ust`, else `/dev/shm/ust-<euid>`.
fn runtime_dir() -> Result<Path, Reason> {
    let too_long = "the runtime directory's path is too long (107 bytes with its entries)";
    let given = |name| sys::environment(name).filter(|v| !v.is_empty()).map(|v| v.to_bytes());
    let path = if let Some(dir) = given(c"UST_RUNTIME_DIR") {
        Path::new().with(dir).ok_or(too_long)?
    } else if let Some(dir) = given(c"XDG_RUNTIME_DIR") {
        Path::new().with(dir).and_then(|p| p.with(b"/ust")).ok_or(too_long)?
    } else {
        let uid = u64::from(sys::effective_uid());
        Path::new().with(b"/dev/shm/ust-").and_then(|p| p.with_number(uid, 10)).ok_or(too_long)?
    };
    sys::make_dir(path.as_c_str());
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_RDONLY;
    let fd = Fd::open(path.as_c_str(), flags)
        .ok_or("there is no runtime directory and it cannot be made (UST_RUNTIME_DIR names another)")?;
    let stat = fd.stat().ok_or("the runtime directory cannot be examined")?;
    if stat.st_uid != sys::effective_uid() {
        return Err("the runtime directory belongs to another user");
    }
    if stat.st_mode & 0o077 != 0 {
        return Err("the runtime directory is open to others: its mode must be 0700");
    }
    Ok(path)
}
