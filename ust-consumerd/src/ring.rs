// SPDX-License-Identifier: MIT OR Apache-2.0
//! One ring of an image as the consumer knows it: checked shape, mapping, private read position.
//!
//! The directory entry's state decides what may be done. It is loaded before a ring is emptied (a ring that was
//! *returned* before has nothing more to come) and again after each packet that was taken: the entry
//! becomes *leased* before the lease's first event is committed, so the packet's thread is known then.

use std::fs::File;

use ust_shm::atomics::Ordering;
use ust_shm::context::ContextList;
use ust_shm::layout::{
    COUNTERS_OFFSET, ENTRY_BYTES, HEAD_BYTES, LossMode, RingEntry, RingHeader, SubbufEntry, entries_offset,
    geometry_is_valid, ring_state,
};
use ust_shm::limits::{COUNTER_COUNT_MAX, PIECE_ALIGN};
use ust_shm::region::Region;
use ust_shm::ring::reader::{PacketSpan, RingReader, Want};
use ust_shm::ring::{Geometry, RingWords};
use ust_shm::rules::Channel;

use crate::limits::RING_HEADER_BYTES_MAX;
use crate::map::Mapping;
use crate::trace::{Origin, StreamId};

/// The shape of a ring, copied from its entry and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub arena_offset: u64,
    pub header_bytes: u64,
    pub geometry: Geometry,
    pub counter_count: u32,
    pub channel_uid: u64,
}

impl Shape {
    /// Copies and checks the shape; each word is loaded once.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn load(entry: &RingEntry, image_bytes: u64) -> Result<Self, String> {
        let arena_offset_untrusted = entry.arena_offset.load(Ordering::Relaxed);
        let header_bytes_untrusted = u64::from(entry.header_bytes.load(Ordering::Relaxed));
        let subbuf_bytes_untrusted = entry.subbuf_bytes.load(Ordering::Relaxed);
        let subbuf_count_untrusted = entry.subbuf_count.load(Ordering::Relaxed);
        let counter_count_untrusted = entry.counter_count.load(Ordering::Relaxed);
        let channel_uid = entry.channel_uid.load(Ordering::Relaxed);
        if !geometry_is_valid(subbuf_bytes_untrusted, subbuf_count_untrusted) {
            return Err(format!("has {subbuf_count_untrusted} sub-buffers of {subbuf_bytes_untrusted} bytes"));
        }
        let (subbuf_bytes, subbuf_count) = (u64::from(subbuf_bytes_untrusted), u64::from(subbuf_count_untrusted));
        let geometry = Geometry { subbuf_bytes, subbuf_count };
        if counter_count_untrusted > COUNTER_COUNT_MAX {
            return Err(format!("has {counter_count_untrusted} event counters, allowed are {COUNTER_COUNT_MAX}"));
        }
        let tables_end = entries_offset(counter_count_untrusted) + ENTRY_BYTES * subbuf_count;
        let header_fits = header_bytes_untrusted.is_multiple_of(4096)
            && tables_end <= header_bytes_untrusted
            && header_bytes_untrusted <= RING_HEADER_BYTES_MAX;
        if !header_fits {
            return Err(format!("has a header of {header_bytes_untrusted} bytes"));
        }
        let arena_bytes = header_bytes_untrusted + geometry.ring_bytes();
        let arena_fits = arena_offset_untrusted.is_multiple_of(PIECE_ALIGN)
            && HEAD_BYTES <= arena_offset_untrusted
            && arena_offset_untrusted.checked_add(arena_bytes).is_some_and(|end| end <= image_bytes);
        if !arena_fits {
            return Err(format!("lies at offset {arena_offset_untrusted} of {image_bytes} bytes"));
        }
        Ok(Self {
            arena_offset: arena_offset_untrusted,
            header_bytes: header_bytes_untrusted,
            geometry,
            counter_count: counter_count_untrusted,
            channel_uid,
        })
    }
}

/// A mapped ring.
#[derive(Debug)]
pub(crate) struct RingMap {
    mapping: Mapping,
    geometry: Geometry,
    header_bytes: u64,
    entries_offset: u64,
}

impl RingMap {
    fn region(&self) -> Region {
        self.mapping.region()
    }

    /// The mapped bytes of a packet. A packet lies in one sub-buffer, so it is in one piece.
    pub(crate) fn content(&self, span: &PacketSpan) -> Option<Region> {
        let offset = self.header_bytes + self.geometry.data_offset(span.begin);
        self.region().part(offset, span.bytes)
    }

    /// Whether the image was cut under the ring.
    pub(crate) fn is_torn(&self) -> bool {
        self.mapping.is_torn()
    }
}

impl RingWords for RingMap {
    fn header(&self) -> &RingHeader {
        self.region().get(0).expect("a ring's header is mapped whole")
    }

    fn entry(&self, idx: u64) -> Option<&SubbufEntry> {
        if idx >= self.geometry.subbuf_count {
            return None;
        }
        self.region().get(self.entries_offset + ENTRY_BYTES * idx)
    }

    fn geometry(&self) -> Geometry {
        self.geometry
    }
}

/// Whether a ring is still read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Yes.
    Open,
    /// An invariant broke: never again.
    Ended,
}

/// A ring of one of our channels.
#[derive(Debug)]
pub(crate) struct Ring {
    pub idx: usize,
    pub shape: Shape,
    pub words: RingMap,
    pub reader: RingReader,
    pub reading: Reading,
    /// The position that was given back last.
    pub put_at: u64,
    /// The writer slept at the last `put` and was not woken yet.
    pub wake_owed: bool,
    /// Lease whose thread `origin` names.
    pub lease: Option<u64>,
    pub origin: Origin,
    /// Where its packets go; a stream is given back when a lease ends.
    pub stream: Option<StreamId>,
    /// Tracepoints that the image had when the stream was chosen.
    pub described: usize,
    /// Discarded events of this ring that the trace has reported.
    pub discarded_reported: u64,
    /// Whether it was looked up in the files of a recorder before us.
    pub settled: bool,
    /// Contexts of its channel.
    pub contexts: ContextList,
    /// Slot of its channel.
    pub slot: u32,
    /// Whether its channel overwrites.
    pub overwrite: bool,
    /// The session that has its channel; 0 for none.
    pub owner: u64,
    /// Position at which its session began.
    pub begin_at: u64,
    /// What its counters said when the session began to count.
    pub base: Counters,
}

/// A copy of a ring's counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// By event id; the last one is that of all higher ids.
    pub events: Vec<u64>,
    pub discarded_full: u64,
    pub discarded_big: u64,
    pub discarded_wait: u64,
}

impl Ring {
    /// Maps a ring of the checked shape.
    ///
    /// # Errors
    /// No address space or too many mappings.
    pub(crate) fn map(
        idx: usize,
        shape: Shape,
        image: &File,
        channel: &Channel,
        owner: u64,
        origin: Origin,
    ) -> std::io::Result<Self> {
        let overwrite = channel.mode == LossMode::Overwrite;
        let mapping = Mapping::new(image, shape.arena_offset, shape.header_bytes + shape.geometry.ring_bytes())?;
        let words = RingMap {
            mapping,
            geometry: shape.geometry,
            header_bytes: shape.header_bytes,
            entries_offset: entries_offset(shape.counter_count),
        };
        // 0 in a ring that nobody has read; else where a recorder before us has come to.
        let consumed = words.header().consumed.load(Ordering::Relaxed);
        let discarded_reported = words.header().reported.load(Ordering::Relaxed);
        let mut reader = RingReader::new(overwrite);
        reader.start_at(consumed);
        Ok(Self {
            idx,
            shape,
            words,
            reader,
            reading: Reading::Open,
            put_at: consumed,
            wake_owed: false,
            lease: None,
            origin,
            stream: None,
            described: 0,
            discarded_reported,
            settled: false,
            contexts: channel.contexts,
            slot: channel.slot,
            overwrite,
            owner,
            begin_at: consumed,
            base: Counters::default(),
        })
    }

    /// Takes the thread's names from the header if `state_word` tells of a lease that was not seen before.
    pub(crate) fn notice_lease(&mut self, state_word: u64) {
        let lease = ring_state::lease(state_word);
        if self.lease == Some(lease) || ring_state::of(state_word) == ring_state::EMPTY {
            return;
        }
        self.lease = Some(lease);
        let header = self.words.header();
        let vtid = header.vtid.load(Ordering::Relaxed) as i32;
        let mut procname = [0; 16];
        let (words, _) = procname.as_chunks_mut::<4>();
        for (bytes, shared) in words.iter_mut().zip(&header.procname) {
            *bytes = shared.load(Ordering::Relaxed).to_le_bytes();
        }
        self.origin = Origin { vtid, procname, ..self.origin };
    }

    /// Time of the newest event, as the writer says: good for an order, and for nothing else.
    pub(crate) fn last_timestamp_untrusted(&self) -> u64 {
        self.words.header().last_timestamp.load(Ordering::Relaxed)
    }

    /// Whether the writer has left a sub-buffer that was not taken yet.
    pub(crate) fn has_complete(&self) -> bool {
        let begin = self.shape.geometry.subbuf_begin(self.reader.consumed());
        // Relaxed: the caller's SeqCst fence orders it behind the store of `wakeup_wanted`.
        let committed = self.words.header().committed.load(Ordering::Relaxed);
        self.reading == Reading::Open && committed.wrapping_sub(begin) >= self.shape.geometry.subbuf_bytes
    }

    /// The counters now. They are hostile: no sum of them may be trusted not to overflow.
    pub(crate) fn counters(&self) -> Counters {
        let header = self.words.header();
        let event = |idx| self.words.region().word(COUNTERS_OFFSET + 8 * u64::from(idx));
        Counters {
            events: (0..self.shape.counter_count)
                .map(|idx| event(idx).map_or(0, |counter| counter.load(Ordering::Relaxed)))
                .collect(),
            discarded_full: header.discarded_full.load(Ordering::Relaxed),
            discarded_big: header.discarded_big.load(Ordering::Relaxed),
            discarded_wait: header.discarded_wait.load(Ordering::Relaxed),
        }
    }

    /// What was counted since the session began to count.
    pub(crate) fn counted(&self) -> Counters {
        let mut now = self.counters();
        for (count, base) in now.events.iter_mut().zip(&self.base.events) {
            *count = count.saturating_sub(*base);
        }
        now.discarded_full = now.discarded_full.saturating_sub(self.base.discarded_full);
        now.discarded_big = now.discarded_big.saturating_sub(self.base.discarded_big);
        now.discarded_wait = now.discarded_wait.saturating_sub(self.base.discarded_wait);
        now
    }

    /// Passes over what lies unread, and over what was counted: nobody wants it. The writer may go on meanwhile.
    pub(crate) fn skip_unread(&mut self) {
        // An overwrite ring keeps what it has until its session reads it; a session that begins passes over it here.
        let laps = 2 * self.shape.geometry.ring_bytes();
        let mut skipped = 0;
        while self.reading == Reading::Open && skipped < laps {
            match self.reader.take(&self.words, Want::Everything) {
                Ok(Some(span)) => skipped += span.bytes,
                Ok(None) => break,
                Err(_) => self.reading = Reading::Ended,
            }
        }
        self.begin_at = self.reader.consumed();
        self.discarded_reported = self.reader.discarded_now(&self.words);
        self.base = self.counters();
        self.mirror();
    }

    /// Tells the writer, and a recorder after us, how far the ring was read. A writer that sleeps is owed a wakeup then.
    pub(crate) fn mirror(&mut self) {
        self.put_at = self.reader.consumed();
        // Before `consumed`: a recorder that starts after a kill in between finds the packet in its file, and with it this number.
        self.words.header().reported.store(self.discarded_reported, Ordering::Relaxed);
        self.wake_owed |= self.reader.put(&self.words);
    }
}
