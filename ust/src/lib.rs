// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed, lock-free userspace tracepoints.
//!
//! What this crate does not do, in the program that it is linked into: no threads, no waiting for anybody, no signal
//! handlers, no output, no allocation, no panic, no change of `errno`, no descriptor held between two calls (but for counters of the kernel that a
//! recording asks for and that need one: `counter`).

extern crate self as ust;

// The fast path is written for these.
#[cfg(not(all(target_os = "linux", target_endian = "little", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("ust supports 64-bit little-endian Linux on x86-64 and aarch64 only");

#[cfg(feature = "capi")]
#[doc(hidden)]
#[path = "capi.rs"]
pub mod __capi;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "capi")]
mod callsites;
mod clock;
mod context;
mod counter;
mod cpu;
mod declare;
mod description;
mod emit;
#[cfg(feature = "capi")]
mod extern_tracepoint;
pub mod field;
mod fork;
#[cfg(feature = "tracef")]
#[doc(hidden)]
pub mod format;
mod image;
mod lease;
mod nesting;
mod objects;
mod own_trace;
mod path;
mod process;
mod record;
mod register;
mod several;
mod special;
mod start_up;
mod sys;
mod thread;
mod tracepoint;
mod unload;
mod unwind;

#[doc(inline)]
pub use declare::{Enumeration, event_class, provider, tracepoint};
pub use ust_shm::descriptor::LogLevel;
