// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls events whose fields are expressions of C, and others of the same definition files: those of `program.tp` as the program of C does that the tests
//! compare it with (`tests/fixtures/definitions/calls.c`).
//!
//! # Safety
//! The arguments are what the definition files declare, with the layouts of C.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};
use std::ptr::{from_ref, null};

include!(concat!(env!("OUT_DIR"), "/program.rs"));
include!(concat!(env!("OUT_DIR"), "/blobs.rs"));
include!(concat!(env!("OUT_DIR"), "/own_macros.rs"));
include!(concat!(env!("OUT_DIR"), "/not_in_lttng.rs"));
include!(concat!(env!("OUT_DIR"), "/in_cpp.rs"));

#[repr(C)]
struct Point {
    x: c_int,
    y: i16,
}

#[repr(C)]
struct Session {
    at: Point,
    user: *const c_char,
    key: [u8; 4],
    id: u64,
}

#[repr(C)]
struct Pair {
    a: c_int,
    b: c_int,
}

const GREEN: c_int = 2;
const BLUE: c_int = 4;

/// The address of what C gets by its address.
fn at<T>(value: &T) -> *const c_void {
    from_ref(value).cast()
}

fn number(address: usize) -> *const c_void {
    std::ptr::without_provenance(address)
}

fn of_program() {
    let session = Session {
        at: Point { x: 1, y: 2 },
        user: c"somebody".as_ptr(),
        key: [1, 2, 3, 255],
        id: 0x1234_5678_90ab_cdef,
    };
    let root = Session { at: Point { x: -1, y: -2 }, user: null(), key: [0; 4], id: 0 };
    let place = Point { x: 3, y: -4 };
    let (network, ints) = ([0x0102_u16, 0xff00], [1, -2, 3]);
    // SAFETY: module header.
    unsafe {
        program::expressions(at(&session), at(&place), 13, c"a text of some length".as_ptr());
        program::expressions(at(&root), at(&place), 1, c"t".as_ptr());
        program::types(at(&4_000_000_000_u32), at(&number(0x4000)), GREEN, 77, number(0x5000), b'c' as c_char);
        program::types(at(&1_u32), at(&number(0)), BLUE, 0, null(), -1);
        program::addresses(number(0x1_2345_6789), c"el".as_ptr().addr() as u64, c"bytes".as_ptr().cast(), -2);
        program::hidden(4, c"hidden".as_ptr(), ints.as_ptr(), ints.len());
        program::elements(network.as_ptr(), [0.5, -1.5].as_ptr(), [1e300, -0.25].as_ptr(), 2, ints.as_ptr());
    }
    program::bare();
    program::step_begin(1, "begin");
    if program::step_end::enabled() {
        program::step_end(2, "end");
    }
    program::names(1, 2, 3, 4, 5, 6);
}

fn of_others() {
    let bytes = [0_u8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255];
    let (to, from, place) = (Point { x: 1, y: 2 }, Point { x: 3, y: 4 }, Point { x: 5, y: 6 });
    // SAFETY: module header.
    unsafe {
        blobs::sent(bytes.as_ptr().cast(), 3);
        made::thread(null(), 1);
        made::thread(c"name".as_ptr(), 2);
        made::work_begin(c"begin".as_ptr(), 3);
        not_in_lttng::errno(at(&Pair { a: 2, b: 3 }));
        in_cpp::moved(at(&to), at(&from), at(&place), c"in the middle".as_ptr());
        // An event that is asked for first.
        if made::play_begin::enabled() {
            made::play_begin(c"play".as_ptr(), 4);
        }
    }
    made::work_end(&[1, 2, 3, 4]);
}

fn main() {
    of_program();
    of_others();
}
