// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ends HOW`: records before `main`, and at each of the moments in which a program or a thread ends.
//!
//! | source | from                                                          |
//! |--------|---------------------------------------------------------------|
//! | 0      | `main`                                                        |
//! | 1      | a constructor of ordinary priority                            |
//! | 2      | destructors of a thread's locals, made before and after its first event |
//! | 3      | an `atexit` function                                          |
//! | 4      | a destructor of the main thread's local                       |
//! | 5      | the destructor of a pthread key made by the program           |
//!
//! # Safety
//! The functions registered here only record events.

#![allow(unsafe_code)]

#[path = "../programs/events.rs"]
mod events;

use std::cell::Cell;
use std::ffi::c_void;

extern "C" fn constructor() {
    events::emit(1, 0);
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn at_exit() {
    events::emit(3, 0);
}

unsafe extern "C" fn key_ends(_: *mut c_void) {
    events::emit(5, 0);
}

/// Records when it goes.
struct Late(Cell<Option<(u32, u64)>>);

impl Drop for Late {
    fn drop(&mut self) {
        if let Some((source, seq)) = self.0.get() {
            events::emit(source, seq);
        }
    }
}

thread_local! {
    static FIRST: Late = const { Late(Cell::new(None)) };
    static SECOND: Late = const { Late(Cell::new(None)) };
}

fn thread() {
    // Destructors run in the reverse order of first use.
    FIRST.with(|late| late.0.set(Some((2, 1))));
    let mut key = 0;
    // SAFETY: the destructor records an event; the value is never looked at.
    unsafe {
        assert_eq!(libc::pthread_key_create(&raw mut key, Some(key_ends)), 0);
        assert_eq!(libc::pthread_setspecific(key, std::ptr::dangling()), 0);
    }
    (0..5).for_each(|seq| events::emit(0, seq));
    SECOND.with(|late| late.0.set(Some((2, 0))));
}

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    std::thread::spawn(thread).join().expect("no panic");
    (5..10).for_each(|seq| events::emit(0, seq));
    FIRST.with(|late| late.0.set(Some((4, 0))));
    // SAFETY: registers a function of this program.
    assert_eq!(unsafe { libc::atexit(at_exit) }, 0);
    match how.as_str() {
        // SAFETY: ends this process.
        "_exit" => unsafe { libc::_exit(0) },
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        _ => {}
    }
}
