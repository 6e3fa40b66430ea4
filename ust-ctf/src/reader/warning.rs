// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with a trace that can be read all the same, and what its tracer lost.

use std::fmt;
use std::path::PathBuf;

use super::error::OpenError;
use crate::packet::HeaderError;

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
    /// What should be the header of a packet is none.
    #[error("{0}; the rest of the file is left out")]
    Header(#[from] HeaderError),
    /// The file ends in a packet header.
    #[error("the file ends {found_bytes} bytes into the header of a packet")]
    HeaderCut {
        /// Bytes that are there.
        found_bytes: u64,
    },
    /// The packet is of another trace.
    #[error("this packet belongs to another trace; the rest of the file is left out")]
    OtherTrace,
    /// The metadata lacks the stream class of the packet.
    #[error("this packet is of the stream class {id}, which the metadata lacks; the packet is left out")]
    UnknownStreamClass {
        /// Id in the packet.
        id: u32,
    },
    /// The file ends in a packet.
    #[error("the file ends {found_bytes} bytes into a packet of {packet_bytes}; its whole events are kept")]
    PacketCut {
        /// Bytes that are there.
        found_bytes: u64,
        /// Bytes that the packet claims.
        packet_bytes: u64,
    },
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
        id: u16,
        /// Stream class of the packet.
        stream_id: u64,
    },
    /// The packet ends in an event header.
    #[error("the packet ends in the header of an event")]
    EventHeaderCut,
    /// The packet ends in a field.
    #[error("event `{event}`: the packet ends in field `{field}`; the event is left out")]
    FieldCut {
        /// Name of the event.
        event: String,
        /// Name of the field.
        field: String,
    },
    /// The tag of an optional field is unknown.
    #[error(
        "event `{event}`: field `{field}` has the tag {tag}, which is neither 0 nor 1; the rest of the packet is left out"
    )]
    FieldTag {
        /// Name of the event.
        event: String,
        /// Name of the field.
        field: String,
        /// What stands there.
        tag: u8,
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

/// What a tracer recorded that it lost, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What was lost.
    pub lost: Lost,
    /// How many.
    pub count: u64,
    /// Not set for what a stream counts before its first packet: it may be from before the recording.
    pub certain: bool,
    /// Nanoseconds since the epoch: nothing was lost before.
    pub begin_ns: i64,
    /// Nanoseconds since the epoch: nothing was lost after.
    pub end_ns: i64,
    /// Name of the trace: its host, and its folder below the one that was opened.
    pub trace_name: String,
    /// Identity of the trace.
    pub trace_uuid: [u8; 16],
    /// First file of the stream.
    pub stream: PathBuf,
    /// Stream class.
    pub stream_id: u64,
    /// Which stream of the class.
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
