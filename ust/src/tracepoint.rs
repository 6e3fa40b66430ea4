// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stand-in for the runtime's tracepoint.

use core::sync::atomic::{AtomicU32, Ordering};

use ust_shm::descriptor::TracepointDesc;

/// A tracepoint of this program.
#[derive(Debug)]
pub struct Tracepoint {
    /// What it says of itself.
    pub desc: &'static TracepointDesc,
    /// How many want it.
    pub wanted: AtomicU32,
}

impl Tracepoint {
    /// Makes a disabled tracepoint.
    pub const fn new(desc: &'static TracepointDesc) -> Self {
        Self { desc, wanted: AtomicU32::new(0) }
    }

    /// Tells whether anyone wants it.
    #[inline(always)]
    pub fn is_enabled(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) != 0
    }
}
