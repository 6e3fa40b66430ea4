// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed, lock-free userspace tracepoints.
//!
//! What this crate does not do, in the program that it is linked into: no threads, no waiting for anybody, no signal
//! handlers, no output, no allocation, no panic, no change of `errno`, no descriptor held between two calls.

// The fast path is written for these.
#[cfg(not(all(target_os = "linux", target_endian = "little", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("ust supports 64-bit little-endian Linux on x86-64 and aarch64 only");

mod clock;
mod cpu;
mod image;
mod lease;
mod nesting;
mod path;
mod process;
mod record;
mod start_up;
mod sys;
mod thread;
mod tracepoint;

pub use ust_shm::descriptor::LogLevel;

/// For the macros' expansions only: no part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::record::record;
    pub use crate::tracepoint::Tracepoint;
    pub use ust_shm::descriptor::*;
}
