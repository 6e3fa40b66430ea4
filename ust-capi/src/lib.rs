// SPDX-License-Identifier: MIT OR Apache-2.0
//! The symbols that the headers in `include/ust/` refer to. Their layouts and promises are in `docs/c-abi.md`; the work is done by the
//! crate `ust`.
//!
//! A Rust program that links parts in C names this crate once (`use ust_capi as _;`), so that both record into one image.
//!
//! # Safety
//! The callers are the headers, which were compiled into the program and are as much to be trusted as the rest of it.

#![allow(unsafe_code)]

use ust::__capi::{self, Object, Unusual};

/// Makes a linked object known, unless it is. The headers call it in a constructor. Never blocks, never fails: what cannot be
/// traced is off, and `UST_DEBUG=1` says why.
///
/// # Safety
/// The object is as `ust/object.h` lays it out, and stays until [`ust_object_unregister_v1`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ust_object_register_v1(object: *const Object) {
    // SAFETY: by this function's contract.
    unsafe { __capi::register(object) };
}

/// Forgets a linked object. The headers call it in its last finaliser.
///
/// # Safety
/// As for [`ust_object_register_v1`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ust_object_unregister_v1(object: *const Object) {
    // SAFETY: by this function's contract.
    unsafe { __capi::unregister(object) };
}

/// Begins an event that is not usual; where its record is to be made, or null where there will be none.
///
/// # Safety
/// As `ust_record_values` of `ust/probe.h` calls it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ust_record_begin_v1(unusual: *mut Unusual) -> *mut u8 {
    // SAFETY: by this function's contract: a live local of the caller.
    unsafe { __capi::record_begin(&mut *unusual) }
}

/// Ends an event that [`ust_record_begin_v1`] began.
///
/// # Safety
/// As `ust_record_values` of `ust/probe.h` calls it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ust_record_end_v1(unusual: *mut Unusual) {
    // SAFETY: by this function's contract.
    unsafe { __capi::record_end(&*unusual) };
}
