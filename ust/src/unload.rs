// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end of the linked object: at the process's exit a mark and nothing else, on `dlclose` all memory is given back.
//!
//! At exit other threads may still record, so everything stays mapped. On `dlclose` nobody may be in the library's code
//! any more, or ever come back to it, so nobody uses the mappings of its copy of the runtime either.
//!
//! An object that was loaded with the program is never unloaded. For others the two are told apart by the order of
//! events: a function given to `atexit` belongs to the linked object. At exit the C library calls it before any finaliser; on `dlclose` one of the object's own finalisers makes it do so, after
//! [`BEGINS`] and before [`ENDS`]. Where another linker orders them otherwise, `dlclose` is taken for an exit.
//!
//! # Safety
//! [`give_back`] unmaps what "is never unmapped" elsewhere in this crate: the last code of the linked object to run.

#![allow(unsafe_code)]

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use ust_shm::layout::{HEAD_BYTES, image_state};

use crate::objects;
use crate::process::{Process, stage};
use crate::sys::{self, ErrnoGuard};
use crate::thread;

/// 1 while only an exit of the process can end this object, as far as is known.
static EXITS: AtomicU32 = AtomicU32::new(1);

fn serves_others() -> bool {
    #[cfg(feature = "capi")]
    {
        of_c::SERVES_OTHERS.load(Ordering::Relaxed) != 0
    }
    #[cfg(not(feature = "capi"))]
    {
        false
    }
}

#[cfg(feature = "capi")]
pub use of_c::{exits, serve};

/// The end of linked objects that have no copy of the runtime of their own.
///
/// At exit they keep their tracepoints: other threads may still emit. The C library calls what was given to `atexit` before all finalisers, if that was
/// done after the program had been loaded; the first moment for that is a constructor of the program itself. Where only libraries have
/// tracepoints, theirs are switched off by their finalisers.
#[cfg(feature = "capi")]
mod of_c {
    use core::ffi::{c_int, c_void};
    use core::sync::atomic::{AtomicU32, Ordering};

    use crate::sys::LinkedObject;

    /// 1 where other linked objects rely on this one: its memory stays, whatever ends it.
    pub static SERVES_OTHERS: AtomicU32 = AtomicU32::new(0);

    /// 1 once the process ends.
    static EXITING: AtomicU32 = AtomicU32::new(0);

    /// Keeps all memory from now on: the object with this part relies on the runtime.
    pub fn serve(part: *const c_void) {
        let is_first = SERVES_OTHERS.swap(1, Ordering::Relaxed) == 0;
        if is_first || is_in_program(part) {
            // SAFETY: registers a function of this linked object, which is not unloaded before those that it serves.
            unsafe { libc::atexit(exit_begins) };
        }
    }

    extern "C" fn exit_begins() {
        EXITING.store(1, Ordering::Relaxed);
    }

    /// Whether the process ends, as far as is known: no object is unloaded any more.
    pub fn exits() -> bool {
        EXITING.load(Ordering::Relaxed) != 0
    }

    /// Whether an address lies in the program, not in a library.
    fn is_in_program(part: *const c_void) -> bool {
        let mut search = (part as usize, false);
        // SAFETY: the function takes what `dl_iterate_phdr` gives, and the pair above.
        unsafe { libc::dl_iterate_phdr(Some(look_at_program), (&raw mut search).cast()) };
        search.1
    }

    /// Looks at the first object that the C library knows, which is the program.
    unsafe extern "C" fn look_at_program(info: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> c_int {
        // SAFETY: `search` is that of `is_in_program`, and `info` what the C library gave.
        unsafe {
            let (part, is_inside) = &mut *search.cast::<(usize, bool)>();
            *is_inside = LinkedObject::new(info).is_some_and(|program| program.holds(*part));
        }
        1
    }
}

/// 1 once a finaliser of this object has run.
static BEGAN: AtomicU32 = AtomicU32::new(0);

/// Runs before the finaliser that calls the object's `atexit` functions: that one stands at the front of the section.
#[used]
#[unsafe(link_section = ".fini_array")]
static BEGINS: extern "C" fn() = begins;

/// Runs after all other finalisers of the object, so that they can emit.
#[used]
#[unsafe(link_section = ".fini_array.00099")]
static ENDS: extern "C" fn() = ends;

/// Sets up the distinction of exit and `dlclose`. Constructor only.
pub fn set_up() {
    if thread::is_loaded_with_program() {
        return;
    }
    // SAFETY: registers a function of this linked object; the C library calls it before the object is unmapped.
    if unsafe { libc::atexit(at_exit) } == 0 {
        EXITS.store(0, Ordering::Relaxed);
    }
}

extern "C" fn at_exit() {
    if BEGAN.load(Ordering::Relaxed) == 0 {
        EXITS.store(1, Ordering::Relaxed);
    }
}

extern "C" fn begins() {
    BEGAN.store(1, Ordering::Relaxed);
}

extern "C" fn ends() {
    let _errno = ErrnoGuard::new();
    thread::tear_down_exit();
    let Some(process) = Process::any() else { return };
    if process.stage() != stage::LIVE {
        return;
    }
    let (Some(head), Some(path)) = (process.head(), process.image_path()) else { return };
    let Some(header) = head.header() else { return };
    // Another process's mapping (a vfork child that exits) must stay.
    if header.pid.load(Ordering::Relaxed) != sys::process_id() {
        return;
    }
    let unloads = EXITS.load(Ordering::Relaxed) == 0 && !serves_others() && thread::wait_for_ending();
    if unloads {
        // Events of finalisers that come even later.
        for tracepoint in objects::tracepoints() {
            tracepoint.attach(None, 0);
        }
        thread::give_back_states(process);
    }
    header.state.store(image_state::CLOSED, Ordering::Release);
    // Where rules were applied or rings made, a consumer wants to see the image, if only to count the process.
    let seen = header.ring_count.load(Ordering::Relaxed) != 0 || header.rules_generation.load(Ordering::Relaxed) != 0;
    if !seen {
        sys::unlink(path.as_c_str());
    }
    if unloads {
        give_back(process);
    }
}

/// Unmaps the image's pieces and the process's state. The thread states are gone already.
fn give_back(process: &'static Process) {
    let Some(memory) = Process::forget() else { return };
    let pieces = process.arenas.iter().chain(process.objects.iter().map(|object| &object.piece));
    for piece in pieces {
        if let Some(base) = NonNull::new(piece.base.load(Ordering::Acquire)) {
            // SAFETY: mapped by `image::grow` with this size; module header.
            unsafe { sys::unmap(base, piece.bytes.load(Ordering::Relaxed)) };
        }
    }
    if let Some(head) = process.head() {
        // SAFETY: mapped by `image::create`; module header.
        unsafe { sys::unmap(head.region().base(), HEAD_BYTES) };
    }
    // SAFETY: mapped by `Process::make`; `PROCESS` is null, and `process` is not used any more.
    unsafe { sys::unmap(memory, size_of::<Process>() as u64) };
}
