// SPDX-License-Identifier: MIT OR Apache-2.0
//! The symbols that the headers in `include/ust/` refer to. Their layouts and promises are in `docs/c-abi.md`; the work is done by the
//! crate `ust`.
//!
//! A Rust program that links parts in C names this crate once (`use ust_capi as _;`), so that both record into one image.
//!
//! # Safety
//! The callers are the headers, which were compiled into the program and are as much to be trusted as the rest of it.

#![allow(unsafe_code)]

use core::sync::atomic::{AtomicI32, Ordering};

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

/// Not 0 where this library is. A program that may run without it has a variable of this name itself, a weak one, which is 0 then; where
/// both are, the dynamic linker takes the program's for both.
#[allow(non_upper_case_globals, reason = "the name is LTTng's")]
#[unsafe(no_mangle)]
pub static lttng_ust_loaded: AtomicI32 = AtomicI32::new(1);

/// Before the constructors of the program, as those of `ust/object.h`.
#[used]
#[unsafe(link_section = ".init_array.00101")]
static SAY_LOADED: extern "C" fn() = say_loaded;

extern "C" fn say_loaded() {
    // Relaxed: before the program's own code; nothing else is published by it.
    lttng_ust_loaded.store(1, Ordering::Relaxed);
}
