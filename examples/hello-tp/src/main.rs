// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program whose tracepoints stand in a definition file, `shop.tp`. One of them has fields that are expressions of C: generated C records it, which the build script
//! compiles.
//!
//! ```text
//! cargo build -p hello-tp -p ust-cli && ./target/debug/ust record --view -- ./target/debug/hello-tp
//! ```
//!
//! # Safety
//! C reads a parcel as `parcel.h` declares it.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::ptr::from_ref;

include!(concat!(env!("OUT_DIR"), "/shop.rs"));

/// `struct parcel` of `parcel.h`.
#[repr(C)]
struct Parcel {
    order: c_int,
    items: c_int,
    to: *const c_char,
}

fn send(order: i32, to: &CStr) {
    let parcel = Parcel { order, items: 1 + order, to: to.as_ptr() };
    // SAFETY: a parcel, whose text lives as long as the call.
    unsafe { shop::sent(from_ref(&parcel).cast()) };
}

fn main() {
    shop::shift_begin("Ada");
    for order in 0..3 {
        shop::checkout(order, f64::from(order) * 9.99, shop::Payment::CreditCard, b"A-113");
        send(order, c"Grace");
    }
    shop::shift_end("Ada");
}
