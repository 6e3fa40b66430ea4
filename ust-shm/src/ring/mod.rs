// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hand-off of events from one traced thread to one consumer. `docs/ring-protocol.md` is normative.
//!
//! Actors. *Writer*: the leasing thread at one signal nesting level; it waits only in block mode, in its caller.
//! *Reader*: one consumer; it may be slow, die, or restart. Neither trusts the other.
//!
//! | word             | stored by | meaning                                             |
//! |------------------|-----------|-----------------------------------------------------|
//! | `committed`      | writer    | every byte before it is final (R1)                  |
//! | `last_timestamp` | writer    | of the newest event, stored before its `committed`  |
//! | `subbuf_end`     | writer    | end of the current sub-buffer (R4, R7)              |
//! | `consumed`       | reader    | everything before it has been taken (R3, R6)        |
//!
//! The orderings and their partners stand in the document's table; each access here names its step.
//! Positions are free-running byte counts. This module computes positions and moves words; the bytes
//! of events are written and read by the callers, at the places that it hands out.

pub mod reader;
pub mod writer;

use crate::layout::{RingHeader, SubbufEntry};

/// Shape of a ring, checked against the limits by whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of a sub-buffer, a power of two.
    pub subbuf_bytes: u64,
    /// Number of sub-buffers, a power of two.
    pub subbuf_count: u64,
}

impl Geometry {
    /// Bytes of all sub-buffers.
    #[must_use]
    pub const fn ring_bytes(self) -> u64 {
        self.subbuf_bytes * self.subbuf_count
    }

    /// Begin of the sub-buffer that holds `position`.
    #[must_use]
    pub const fn subbuf_begin(self, position: u64) -> u64 {
        position & !(self.subbuf_bytes - 1)
    }

    /// Index of the sub-buffer that holds `position`.
    #[must_use]
    pub const fn subbuf_idx(self, position: u64) -> u64 {
        (position / self.subbuf_bytes) & (self.subbuf_count - 1)
    }

    /// Where in the ring's data `position` lies.
    #[must_use]
    pub const fn data_offset(self, position: u64) -> u64 {
        position & (self.ring_bytes() - 1)
    }
}

/// The shared words of one ring.
pub trait RingWords {
    /// The ring's header.
    fn header(&self) -> &RingHeader;
    /// The entry of sub-buffer `idx`; `None` where the ring has no such sub-buffer.
    fn entry(&self, idx: u64) -> Option<&SubbufEntry>;
    /// The ring's shape, private and checked.
    fn geometry(&self) -> Geometry;
}
