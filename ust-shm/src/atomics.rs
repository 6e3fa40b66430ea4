// SPDX-License-Identifier: MIT OR Apache-2.0
//! The atomics that lie in shared memory: the hardware's, or loom's when the protocol is model checked.

#[cfg(not(loom))]
pub use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
