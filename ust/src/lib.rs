// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed, lock-free userspace tracepoints.

extern crate self as ust;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod declare;
mod emit;
pub mod field;
#[doc(hidden)]
pub mod format;
#[doc(hidden)]
pub mod record;
#[doc(hidden)]
pub mod tracepoint;

#[doc(inline)]
pub use declare::{Enumeration, event_class, provider, tracepoint};
pub use ust_shm::descriptor::LogLevel;
