// SPDX-License-Identifier: MIT OR Apache-2.0
//! Merges the events of all streams by time.
//!
//! Equal times keep a fixed order: by trace, stream class and stream, as babeltrace2 has it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::clock::ns_since_epoch;
use super::event::{Body, RawEvent};
use super::stream::{Packet, Stream, WarningList};
use super::warning::Warning;
use super::{Trace, TraceFolder};
use crate::packet::PacketHeader;

/// An event, and what it was found in.
#[derive(Clone, Copy, Debug)]
pub struct Event<'t> {
    /// Nanoseconds since 1970-01-01 00:00:00 UTC.
    pub time_ns: i64,
    /// The event itself.
    pub raw: RawEvent<'t>,
    /// Header of its packet: CPU, process and thread.
    pub packet: &'t PacketHeader,
    /// Its stream.
    pub stream: &'t Stream,
    /// Its trace.
    pub trace: &'t TraceFolder,
}

/// The events of a [`Trace`] in the order of time.
#[derive(Debug)]
pub struct Events<'t> {
    cursors: Vec<Cursor<'t>>,
    /// Time of the next event of each cursor, and its index.
    heap: BinaryHeap<Reverse<(i64, usize)>>,
}

impl<'t> Events<'t> {
    pub(crate) fn new(trace: &'t Trace) -> Self {
        let mut cursors = Vec::new();
        for folder in &trace.folders {
            cursors.extend(folder.streams.iter().map(|stream| Cursor::new(folder, stream)));
        }
        let mut heap = BinaryHeap::with_capacity(cursors.len());
        for (idx, cursor) in cursors.iter_mut().enumerate() {
            cursor.advance();
            if let Some(event) = &cursor.next {
                heap.push(Reverse((event.time_ns, idx)));
            }
        }
        Self { cursors, heap }
    }

    /// Returns the warnings about what was read so far; all of them once the events have ended.
    pub fn warnings(&self) -> impl Iterator<Item = &Warning> {
        self.cursors.iter().flat_map(|cursor| &cursor.warnings.0)
    }
}

impl<'t> Iterator for Events<'t> {
    type Item = Event<'t>;

    fn next(&mut self) -> Option<Event<'t>> {
        let mut top = self.heap.peek_mut()?;
        let idx = top.0.1;
        let cursor = &mut self.cursors[idx];
        let event = cursor.next.take();
        cursor.advance();
        match &cursor.next {
            Some(next) => *top = Reverse((next.time_ns, idx)),
            None => {
                PeekMut::pop(top);
            }
        }
        event
    }
}

/// A place in a stream.
#[derive(Debug)]
struct Cursor<'t> {
    trace: &'t TraceFolder,
    stream: &'t Stream,
    packets: std::slice::Iter<'t, Packet>,
    current: Option<(&'t Packet, Body<'t>)>,
    next: Option<Event<'t>>,
    warnings: WarningList,
}

impl<'t> Cursor<'t> {
    fn new(trace: &'t TraceFolder, stream: &'t Stream) -> Self {
        let packets = stream.packets.iter();
        Self { trace, stream, packets, current: None, next: None, warnings: WarningList::default() }
    }

    /// Reads the next event, if there is one, past everything that cannot be read.
    fn advance(&mut self) {
        self.next = loop {
            let Some((packet, body)) = &mut self.current else {
                if !self.open_packet() {
                    break None;
                }
                continue;
            };
            let left_bytes = body.rest_bytes();
            match body.next_event() {
                Ok(Some(raw)) => {
                    let time_ns = ns_since_epoch(&self.trace.class.clock, raw.timestamp);
                    let (stream, trace) = (self.stream, self.trace);
                    break Some(Event { time_ns, raw, packet: &packet.header, stream, trace });
                }
                Ok(None) => {}
                // That the packet is cut was said when it was found.
                Err(reason) => {
                    if !(packet.is_cut && reason.is_cut()) {
                        let file = &self.stream.files[packet.file_idx].path;
                        self.warnings.push(file, packet.body.end - left_bytes, reason);
                    }
                }
            }
            self.current = None;
        };
    }

    fn open_packet(&mut self) -> bool {
        let Some(packet) = self.packets.next() else {
            return false;
        };
        // Both were checked when the packets were found.
        let table = self.trace.tables.get(&u64::from(packet.header.stream_id));
        let bytes = self.stream.files[packet.file_idx].bytes.get(packet.body.clone());
        if let (Some(table), Some(bytes)) = (table, bytes) {
            self.current = Some((packet, Body::new(table, bytes, packet.header.timestamp_begin)));
        }
        true
    }
}
