// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classes of any trace, CTF 1.8 or CTF 2, as the reader resolves them from metadata.
//!
//! Metadata of either version becomes one [`TraceClass`]; nothing behind it asks which version it was. What differs is said by
//! plain values: alignments are numbers, the magic names of CTF 1.8 (`packet_size`, `timestamp_begin`, ...) and the roles of
//! CTF 2 are both a [`Role`], and a reference to another field (the length of a sequence, the selector of a variant) is a
//! [`Slot`]: the field it names has [`Member::save`], and a decoder keeps that field's latest value under this number. So absolute,
//! relative and nested references are decided once, and reading is one pass without names.
//!
//! | metadata                                      | here                                            |
//! |-----------------------------------------------|-------------------------------------------------|
//! | CTF 1.8 `integer`, CTF 2 fixed-length integer | [`ClassKind::Integer`]                          |
//! | enumerations of either                        | the same, with [`IntegerClass::mappings`]       |
//! | CTF 1.8 array or sequence of text bytes       | [`ClassKind::StaticText`], [`ClassKind::DynamicText`] |
//! | CTF 2 optional                                | [`ClassKind::Optional`]                         |
//!
//! What this module does not do: it reads no bytes of a stream and it prints nothing.

mod describe;
mod field;

pub use field::{
    ArrayClass, BitMapFlag, BlobClass, Class, ClassKind, Encoding, FloatClass, IntegerClass, Length, Mapping, Member,
    OptionalClass, Range, Selector, Slot, StructClass, TextClass, VariantClass, VariantOption,
};

pub use crate::model::{Base, ByteOrder, EnvValue, Source};

/// The description of one trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceClass {
    /// CTF major version of the metadata: 1 or 2.
    pub version: u8,
    /// Identity of the trace: packets repeat it, traces with the same one belong together.
    pub uuid: Option<[u8; 16]>,
    /// CTF 2: namespace, name and unique id of the trace; empty where there are none.
    pub identity: Identity,
    /// Facts about the recording, in the order of the metadata.
    pub env: Vec<(String, EnvValue)>,
    /// The clocks; [`StreamClass::clock`] is an index of it.
    pub clocks: Vec<ClockClass>,
    /// What each packet begins with.
    pub packet_header: Option<StructClass>,
    /// Sorted by id.
    pub streams: Vec<StreamClass>,
    /// Number of [`Slot`]s of all classes: a decoder keeps that many values.
    pub slot_count: usize,
}

impl TraceClass {
    /// Returns the environment entry `key`.
    #[must_use]
    pub fn env(&self, key: &str) -> Option<&EnvValue> {
        self.env.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    /// Returns the stream class `id`.
    #[must_use]
    pub fn stream(&self, id: u64) -> Option<&StreamClass> {
        self.streams.binary_search_by_key(&id, |stream| stream.id).ok().and_then(|idx| self.streams.get(idx))
    }
}

/// Who a thing is, in CTF 2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Who makes sure that `name` is unique.
    pub namespace: Option<String>,
    /// Name in the namespace.
    pub name: Option<String>,
    /// Tells things of the same name apart.
    pub uid: Option<String>,
}

/// How cycles become time: `origin + offset_s + (offset_cycles + cycles) / freq`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockClass {
    /// How metadata refers to it (CTF 1.8: its name).
    pub id: String,
    /// Words for people.
    pub description: String,
    /// CTF 1.8: equal in two traces if their cycles compare.
    pub uuid: Option<[u8; 16]>,
    /// CTF 2: what `uuid` is in CTF 1.8.
    pub identity: Identity,
    /// Cycles per second (Hz), not zero.
    pub freq: u64,
    /// Cycles by which values may be wrong; 0 if not said.
    pub precision: u64,
    /// Whole seconds from the origin to cycle zero.
    pub offset_s: i64,
    /// Cycles on top of `offset_s`.
    pub offset_cycles: u64,
    /// Whether the origin is 1970-01-01 00:00:00 UTC.
    pub is_unix_epoch: bool,
}

/// A set of event classes whose ids are unique among each other, and what their packets and events have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamClass {
    /// What [`Role::StreamClassId`] in a packet header refers to; 0 where there is only one.
    pub id: u64,
    /// CTF 2: who it is.
    pub identity: Identity,
    /// Index of the clock of its time stamps in [`TraceClass::clocks`].
    pub clock: Option<usize>,
    /// What follows the packet header.
    pub packet_context: Option<StructClass>,
    /// What each event begins with.
    pub event_header: Option<StructClass>,
    /// Context that follows the header of every event.
    pub event_context: Option<StructClass>,
    /// Sorted by id.
    pub events: Vec<EventClass>,
}

impl StreamClass {
    /// Returns the event class `id`.
    #[must_use]
    pub fn event(&self, id: u64) -> Option<&EventClass> {
        self.events.binary_search_by_key(&id, |event| event.id).ok().and_then(|idx| self.events.get(idx))
    }
}

/// The schema of one kind of event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventClass {
    /// What [`Role::EventClassId`] in an event header refers to; 0 where there is only one.
    pub id: u64,
    /// CTF 2: who it is.
    pub identity: Identity,
    /// For LTTng and this project, `provider:name`.
    pub name: String,
    /// Severity, 0 (emergency) to 14 (debug).
    pub loglevel: Option<i64>,
    /// Where the model of this event is documented.
    pub emf_uri: Option<String>,
    /// Context of this kind of event, after the one of the stream.
    pub context: Option<StructClass>,
    /// Its payload.
    pub payload: Option<StructClass>,
    /// Where it is emitted, if the metadata says so.
    pub source: Option<Source>,
}

/// What a reader uses a member for, besides showing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Packet header: 0xC1FC1FC1.
    PacketMagic,
    /// Packet header: identity of the trace, 16 bytes.
    TraceUuid,
    /// Packet header: which stream class.
    StreamClassId,
    /// Packet header: which stream of the class.
    StreamId,
    /// Packet context: size of the packet with padding, in bits.
    PacketTotalBits,
    /// Packet context: size of the packet without padding at its end, in bits.
    PacketContentBits,
    /// Packet context: time of its begin.
    PacketBegin,
    /// Packet context: time of its end.
    PacketEnd,
    /// Packet context: count of discarded events since the begin of the stream.
    DiscardedEvents,
    /// Packet context: number of the packet in its stream.
    PacketSeqNum,
    /// Event header: which event class.
    EventClassId,
    /// Event header, or any unsigned integer of CTF 1.8 that a clock maps: updates the stream's clock.
    Timestamp,
}
