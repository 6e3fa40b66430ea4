// SPDX-License-Identifier: MIT OR Apache-2.0
//! An event and where it was found.

use super::TraceFolder;
use super::cursor::Cursor;
use super::place::{Place, Slots};
use super::program::skip_unseen;
use super::stream::{Packet, Stream};
use super::value::{Fields, Value};
use crate::class::{EventClass, StreamClass, StructClass};

/// Which event class, unique in a [`super::Trace`] and cheap to compare; classes are numbered from 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventClassNumber(pub u32);

/// An event, borrowed from the reader until the next one is read.
#[derive(Clone, Copy, Debug)]
pub struct Event<'e> {
    /// Nanoseconds since 1970-01-01 00:00:00 UTC, or since the origin of the clock; zero without a clock.
    pub time_ns: i64,
    /// Cycles of the clock of its stream, all 64 bits.
    pub cycles: u64,
    /// Its schema.
    pub class: &'e EventClass,
    cursor: &'e Cursor<'e>,
}

impl<'e> Event<'e> {
    pub(crate) fn new(cursor: &'e Cursor<'_>) -> Self {
        let found = &cursor.found;
        let class = &cursor.class.events[found.class_idx];
        Self { time_ns: found.time_ns, cycles: found.cycles, class, cursor }
    }

    /// Returns its trace.
    pub fn trace(&self) -> &'e TraceFolder {
        self.cursor.folder
    }

    /// Returns the number of its trace among [`super::Trace::folders`].
    pub fn trace_number(&self) -> usize {
        self.cursor.stream.folder_number
    }

    /// Returns its stream.
    pub fn stream(&self) -> &'e Stream {
        self.cursor.stream
    }

    /// Returns the class of its stream.
    pub fn stream_class(&self) -> &'e StreamClass {
        self.cursor.class
    }

    /// Tells whether its stream has a clock; without one, times mean nothing.
    pub fn has_clock(&self) -> bool {
        self.cursor.class.clock.is_some()
    }

    /// Returns the number of its class among all event classes of the [`super::Trace`].
    pub fn class_number(&self) -> EventClassNumber {
        EventClassNumber(
            self.cursor.folder.class_numbers[self.cursor.stream.class_idx] + self.cursor.found.class_idx as u32,
        )
    }

    /// Returns its packet.
    pub fn packet(&self) -> &'e Packet {
        self.cursor.packet().0
    }

    /// Returns the number of its packet in its stream, from 0.
    pub fn packet_number(&self) -> usize {
        self.cursor.packet().1
    }

    /// Returns how many bits of its packet it takes, with its header and without padding around it.
    pub fn size_bits(&self) -> u64 {
        self.cursor.event_bits()
    }

    /// Returns the fields of the header of its packet.
    pub fn packet_header(&self) -> Fields<'e> {
        self.fields_of(self.cursor.folder.class.packet_header.as_ref(), self.head_place(0))
    }

    /// Returns the fields of the context of its packet: for this project the CPU, the process and the thread, for LTTng the CPU.
    pub fn packet_context(&self) -> Fields<'e> {
        self.fields_of(self.cursor.class.packet_context.as_ref(), self.head_place(self.cursor.head.context_pos))
    }

    pub(crate) fn packet_context_place(&self) -> Place<'e> {
        self.head_place(self.cursor.head.context_pos)
    }

    /// Returns the fields of its header.
    pub fn header(&self) -> Fields<'e> {
        self.fields_of(self.cursor.class.event_header.as_ref(), self.cursor.place(self.cursor.found.begin))
    }

    /// Returns the context fields that all events of its stream have.
    pub fn common_context(&self) -> Fields<'e> {
        self.fields_of(self.cursor.class.event_context.as_ref(), self.body())
    }

    /// Returns the context fields that its class has.
    pub fn specific_context(&self) -> Fields<'e> {
        let (place, slots) = self.behind([self.cursor.class.event_context.as_ref()]);
        self.class.context.as_ref().map_or_else(Fields::none, |class| Fields::new(class, place, slots))
    }

    /// Returns the fields of its payload.
    pub fn payload(&self) -> Fields<'e> {
        let (place, slots) = self.behind([self.cursor.class.event_context.as_ref(), self.class.context.as_ref()]);
        self.class.payload.as_ref().map_or_else(Fields::none, |class| Fields::new(class, place, slots))
    }

    /// Returns the value of the first field called `name` in payload, contexts and packet context, in this order.
    pub fn field(&self, name: &str) -> Option<Value<'e>> {
        let has = |class: Option<&StructClass>| class.is_some_and(|class| class.members.iter().any(|m| m.name == name));
        if has(self.class.payload.as_ref()) {
            self.payload().get(name)
        } else if has(self.class.context.as_ref()) {
            self.specific_context().get(name)
        } else if has(self.cursor.class.event_context.as_ref()) {
            self.common_context().get(name)
        } else {
            self.packet_context().get(name)
        }
    }

    /// Where its contexts and payload begin, one after the other.
    pub(crate) fn body(&self) -> Place<'e> {
        self.cursor.place(self.cursor.found.body)
    }

    /// What its fields refer to.
    pub(crate) fn slots(&self) -> &'e [u64] {
        &self.cursor.slots
    }

    fn head_place(&self, pos: u64) -> Place<'e> {
        let bytes = &self.cursor.head_bytes;
        Place { bytes, pos, end: bytes.len() as u64 * 8 }
    }

    fn fields_of(&self, class: Option<&'e StructClass>, place: Place<'e>) -> Fields<'e> {
        class.map_or_else(Fields::none, |class| Fields::new(class, place, Slots::Borrowed(self.slots())))
    }

    /// Returns the place behind these structures, from the begin of the body.
    fn behind<const N: usize>(&self, scopes: [Option<&StructClass>; N]) -> (Place<'e>, Slots<'e>) {
        let (mut place, mut slots) = (self.body(), Slots::Borrowed(self.slots()));
        for scope in scopes.into_iter().flatten() {
            // The event was passed whole before, so this does not fail.
            if skip_unseen(scope, &mut place, &mut slots).is_err() {
                break;
            }
        }
        (place, slots)
    }
}
