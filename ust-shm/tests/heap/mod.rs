// SPDX-License-Identifier: MIT OR Apache-2.0
//! A ring in plain memory, for tests in one process. Its shape is free: far smaller than a real one may be.
//!
//! # Safety
//! The memory is zeroed, aligned to a cache line, lives as long as the [`HeapRing`], and is reached through [`Region`] (checked
//! atomics) except for the payload, which [`HeapRing::write`] and [`HeapRing::read`] touch as plain bytes, in
//! bounds by their assertions. That is on purpose: a sanitizer then reports accesses that the protocol does not order.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use ust_shm::layout::{ENTRY_BYTES, RingHeader, SubbufEntry, entries_offset};

/// No event counters: entries follow the header.
const ENTRIES_OFFSET: u64 = entries_offset(0);
use ust_shm::region::Region;
use ust_shm::ring::{Geometry, RingWords};

/// Header, entries and data in one block of this process's memory.
pub struct HeapRing {
    region: Region,
    layout: Layout,
    geometry: Geometry,
}

impl HeapRing {
    /// A fresh ring.
    pub fn new(subbuf_bytes: u64, subbuf_count: u64) -> Self {
        let geometry = Geometry { subbuf_bytes, subbuf_count };
        let bytes = ENTRIES_OFFSET + ENTRY_BYTES * subbuf_count + geometry.ring_bytes();
        let layout = Layout::from_size_align(bytes as usize, 64).expect("a small block");
        // SAFETY: the size is not zero.
        let Some(base) = NonNull::new(unsafe { alloc_zeroed(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: allocated just now with this size and alignment; freed by `drop` only.
        let region = unsafe { Region::new(base, bytes) };
        Self { region, layout, geometry }
    }

    fn data(&self, position: u64, bytes: u64) -> Region {
        let offset = self.geometry.data_offset(position);
        assert!(offset + bytes <= self.geometry.ring_bytes(), "{bytes} bytes at {position} leave the ring");
        let begin = ENTRIES_OFFSET + ENTRY_BYTES * self.geometry.subbuf_count;
        self.region.part(begin + offset, bytes).expect("checked above")
    }

    /// Stores payload as a writer does: plain bytes.
    #[allow(dead_code)] // each test target uses its part
    pub fn write(&self, position: u64, payload: &[u8]) {
        let place = self.data(position, payload.len() as u64);
        // SAFETY: `place` has the payload's length; the protocol gives it to the one writer until it is committed.
        unsafe { place.base().as_ptr().copy_from_nonoverlapping(payload.as_ptr(), payload.len()) };
    }

    /// Copies payload as a reader of committed bytes does: plain bytes.
    #[allow(dead_code)]
    pub fn read(&self, position: u64, bytes: u64) -> Vec<u8> {
        let place = self.data(position, bytes);
        // SAFETY: `place` has that many initialised bytes; the protocol leaves committed bytes alone until they are put back.
        unsafe { std::slice::from_raw_parts(place.base().as_ptr(), bytes as usize) }.to_vec()
    }

    /// Stores payload that a reader may copy meanwhile (overwrite mode): byte by byte, atomically.
    #[allow(dead_code)]
    pub fn write_racy(&self, position: u64, payload: &[u8]) {
        assert!(self.data(position, payload.len() as u64).store_bytes(0, payload));
    }

    /// Copies payload that the writer may be overwriting (overwrite mode).
    #[allow(dead_code)]
    pub fn read_racy(&self, position: u64, bytes: u64) -> Vec<u8> {
        let mut copy = vec![0; bytes as usize];
        assert!(self.data(position, bytes).load_bytes(0, &mut copy));
        copy
    }
}

impl Drop for HeapRing {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with this layout; nothing refers to it any more.
        unsafe { dealloc(self.region.base().as_ptr(), self.layout) };
    }
}

impl RingWords for HeapRing {
    fn header(&self) -> &RingHeader {
        self.region.get(0).expect("the block begins with a header")
    }

    fn entry(&self, idx: u64) -> Option<&SubbufEntry> {
        if idx >= self.geometry.subbuf_count {
            return None;
        }
        self.region.get(ENTRIES_OFFSET + ENTRY_BYTES * idx)
    }

    fn geometry(&self) -> Geometry {
        self.geometry
    }
}
