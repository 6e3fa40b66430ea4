// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with a trace that can be read all the same, and what its tracer lost.

use std::fmt;
use std::path::PathBuf;

use super::error::OpenError;
use super::place::Damage;

/// Damage, and where it is.
#[derive(Debug)]
pub struct Warning {
    /// The damaged file.
    pub file: PathBuf,
    /// Byte of the file where it was noticed.
    pub offset: u64,
    /// What is wrong there.
    pub reason: WarningReason,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at byte {}: {}", self.file.display(), self.offset, self.reason)
    }
}

/// What is wrong, and what was done about it.
#[derive(Debug, thiserror::Error)]
pub enum WarningReason {
    /// The first word of what should be a packet is another.
    #[error("no packet starts here: its first word is {found:#010x}; the rest of the file is left out")]
    Magic {
        /// The word that is there.
        found: u64,
    },
    /// The sizes contradict each other or the size of the header, or are no whole bytes.
    #[error(
        "this packet claims {content_bits} bits of content in {packet_bits} bits, of which {head_bits} are its header; the \
         rest of the file is left out"
    )]
    Sizes {
        /// Claimed size of the content, header included.
        content_bits: u64,
        /// Claimed size of the packet.
        packet_bits: u64,
        /// Size of header and context.
        head_bits: u64,
    },
    /// The file ends in a packet header.
    #[error("the file ends {found_bytes} bytes into the header of a packet")]
    HeadCut {
        /// Bytes that are there.
        found_bytes: u64,
    },
    /// The header of a packet has a variant without a matching option.
    #[error("no option of a variant in the header of this packet is for {tag}; the rest of the file is left out")]
    HeadTag {
        /// The selector.
        tag: i128,
    },
    /// The header of a packet has a number that is too wide.
    #[error("a number in the header of this packet has more than 64 bits; the rest of the file is left out")]
    HeadNumber,
    /// The header of a packet has an array that cannot be.
    #[error(
        "an array in the header of this packet has {count} elements without a bit; the rest of the file is left out"
    )]
    HeadElements {
        /// Number of elements.
        count: u64,
    },
    /// The packet is of another trace.
    #[error("this packet belongs to another trace; the rest of the file is left out")]
    OtherTrace,
    /// The packet is of another stream than the first of its file.
    #[error("this packet belongs to another stream than the first one of the file; the packet is left out")]
    OtherStream,
    /// The metadata lacks the stream class of the packet.
    #[error("this packet is of the stream class {id}, which the metadata lacks; the rest of the file is left out")]
    UnknownStreamClass {
        /// Id in the packet.
        id: u64,
    },
    /// The file ends in a packet.
    #[error("the file ends {found_bytes} bytes into a packet of {packet_bytes}; its whole events are kept")]
    PacketCut {
        /// Bytes that are there.
        found_bytes: u64,
        /// Bytes that the packet claims.
        packet_bytes: u64,
    },
    /// The packet cannot be read any more.
    #[error("this packet cannot be read: {error}; it is left out")]
    PacketUnreadable {
        /// Why.
        error: std::io::Error,
    },
    /// The packet is not the one that was found when the trace was opened.
    #[error("this packet has changed since the trace was opened; it is left out")]
    PacketChanged,
    /// The end of the packet is earlier than its begin.
    #[error("this packet ends at {end} cycles, before it begins at {begin}")]
    PacketEndsEarly {
        /// `timestamp_begin`.
        begin: u64,
        /// `timestamp_end`.
        end: u64,
    },
    /// The packet begins before the end of the one before it.
    #[error("this packet begins at {begin} cycles, before the one before it ends at {previous_end}")]
    PacketOutOfOrder {
        /// `timestamp_begin`.
        begin: u64,
        /// `timestamp_end` of the packet before.
        previous_end: u64,
    },
    /// `packet_seq_num` does not grow.
    #[error("packet {found} follows packet {previous}")]
    SequenceBackwards {
        /// Number of this packet.
        found: u64,
        /// Number of the packet before.
        previous: u64,
    },
    /// `events_discarded` shrinks.
    #[error("the count of discarded events falls from {previous} to {found}")]
    DiscardedBackwards {
        /// Count of this packet.
        found: u64,
        /// Count of the packet before.
        previous: u64,
    },
    /// The metadata lacks the event class.
    #[error("an event has the id {id}, which stream class {stream_id} lacks; the rest of the packet is left out")]
    UnknownEvent {
        /// Id in the event header.
        id: u64,
        /// Stream class of the packet.
        stream_id: u64,
    },
    /// The packet ends in an event header.
    #[error("the packet ends in the header of an event")]
    EventHeaderCut,
    /// The header of an event cannot be read.
    #[error("the header of an event cannot be read: {problem}; the rest of the packet is left out")]
    EventHeader {
        /// What is wrong.
        problem: FieldProblem,
    },
    /// The packet ends in a field.
    #[error("event `{event}`: the packet ends in field `{field}`; the event is left out")]
    FieldCut {
        /// Name of the event.
        event: String,
        /// Name of the field.
        field: String,
    },
    /// A field cannot be read.
    #[error("event `{event}`: field `{field}`: {problem}; the rest of the packet is left out")]
    Field {
        /// Name of the event.
        event: String,
        /// Name of the field.
        field: String,
        /// What is wrong.
        problem: FieldProblem,
    },
    /// An event has not a single bit, so there is no end of them.
    #[error("event `{event}` has no bits; the rest of the packet is left out")]
    EventWithoutBits {
        /// Name of the event.
        event: String,
    },
    /// An event is larger than what this reader keeps in memory.
    #[error("event `{event}` is larger than {bytes_max} bytes; the rest of the packet is left out")]
    EventTooLarge {
        /// Name of the event, if it could be told.
        event: String,
        /// The limit.
        bytes_max: u64,
    },
    /// A stream, a trace or a folder cannot be opened.
    #[error("{0}; the rest is read without it")]
    Unreadable(Box<OpenError>),
    /// There are more warnings about this stream.
    #[error("further warnings about this stream are left out")]
    TooMany,
}

impl Warning {
    pub(crate) fn unreadable(file: PathBuf, error: OpenError) -> Self {
        Self { file, offset: 0, reason: WarningReason::Unreadable(Box::new(error)) }
    }
}

impl WarningReason {
    /// Tells whether it says that the bytes end too early.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self, Self::EventHeaderCut | Self::FieldCut { .. })
    }
}

/// What is wrong with a field besides that it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
    /// The selector of a variant chooses nothing.
    #[error("no option of the variant is for {tag}")]
    NoOption {
        /// The selector.
        tag: i128,
    },
    /// A number of variable length is too long.
    #[error("the number has more than 64 bits")]
    TooWide,
    /// An array of very many elements without a bit.
    #[error("the array has {count} elements without a bit")]
    TooMany {
        /// Number of elements.
        count: u64,
    },
}

impl FieldProblem {
    /// Returns what is wrong, unless the bytes end too early.
    pub(crate) fn of(damage: Damage) -> Option<Self> {
        match damage {
            Damage::Cut => None,
            Damage::NoOption(tag) => Some(Self::NoOption { tag }),
            Damage::TooWide => Some(Self::TooWide),
            Damage::TooMany(count) => Some(Self::TooMany { count }),
        }
    }
}

/// What a tracer recorded that it lost, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What was lost.
    pub lost: Lost,
    /// How many.
    pub count: u64,
    /// Not set for what a stream counts before its first packet: it may be from before the recording.
    pub certain: bool,
    /// Nanoseconds since the epoch: nothing was lost before. Zero if the stream has no clock.
    pub begin_ns: i64,
    /// Nanoseconds since the epoch: nothing was lost after.
    pub end_ns: i64,
    /// The same interval in cycles; nothing if the stream has no clock.
    pub cycles: Option<(u64, u64)>,
    /// Name of the trace: its host, and its folder below the one that was opened.
    pub trace_name: String,
    /// Identity of the trace.
    pub trace_uuid: Option<[u8; 16]>,
    /// First file of the stream.
    pub stream: PathBuf,
    /// Stream class.
    pub stream_id: u64,
    /// Which stream of the class; without an id in the trace, its number among the streams of the class.
    pub stream_instance_id: u64,
}

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Events that were never written.
    Events,
    /// Packets that were overwritten or never delivered.
    Packets,
}
