// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decodes the header and the context of a packet, by the roles of their fields.

use super::place::{Damage, Place};
use super::walk::{RoleSink, skip_struct};
use super::warning::WarningReason;
use crate::class::{Role, TraceClass};
use crate::packet::PACKET_MAGIC;

/// What the header and the context of a packet say. Sizes are untrusted until [`Head::sizes`] checked them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    magic: Option<u64>,
    uuid: Option<[u8; 16]>,
    stream_class_id: Option<u64>,
    pub(crate) stream_id: Option<u64>,
    total_bits: Option<u64>,
    content_bits: Option<u64>,
    pub(crate) begin: Option<u64>,
    pub(crate) end: Option<u64>,
    pub(crate) discarded: Option<u64>,
    pub(crate) seq_num: Option<u64>,
    /// Cycles of a field that a clock maps and that has no other role.
    pub(crate) stamp: Option<u64>,
    /// Index of the stream class.
    pub(crate) class_idx: usize,
    /// Where the context begins.
    pub(crate) context_pos: u64,
    /// Where the events begin.
    pub(crate) bits: u64,
}

impl RoleSink for Head {
    fn number(&mut self, role: Role, value: u64, _bits: u32) {
        let place = match role {
            Role::PacketMagic => &mut self.magic,
            Role::StreamClassId => &mut self.stream_class_id,
            Role::StreamId => &mut self.stream_id,
            Role::PacketTotalBits => &mut self.total_bits,
            Role::PacketContentBits => &mut self.content_bits,
            Role::PacketBegin => &mut self.begin,
            Role::PacketEnd => &mut self.end,
            Role::DiscardedEvents => &mut self.discarded,
            Role::PacketSeqNum => &mut self.seq_num,
            Role::Timestamp => &mut self.stamp,
            Role::TraceUuid | Role::EventClassId => return,
        };
        *place = Some(value);
    }

    fn uuid(&mut self, bytes: [u8; 16]) {
        self.uuid = Some(bytes);
    }
}

/// Why there is no head.
#[derive(Debug)]
pub(crate) enum HeadError {
    /// More bytes are needed.
    Cut,
    /// No packet of this trace begins here.
    Bad(WarningReason),
    /// Its stream class is unknown, but its sizes are not: there may be a way on.
    UnknownClass(u64),
}

impl From<Damage> for HeadError {
    fn from(damage: Damage) -> Self {
        match damage {
            Damage::Cut => Self::Cut,
            Damage::NoOption(tag) => Self::Bad(WarningReason::HeadTag { tag }),
            Damage::TooWide => Self::Bad(WarningReason::HeadNumber),
            Damage::TooMany(count) => Self::Bad(WarningReason::HeadElements { count }),
        }
    }
}

impl Head {
    /// Reads the head of the packet that begins with `bytes`; keeps in `slots` what fields of events refer to.
    pub(crate) fn read(class: &TraceClass, bytes: &[u8], slots: &mut [u64]) -> Result<Self, HeadError> {
        let mut head = Self::default();
        let mut place = Place { bytes, pos: 0, end: bytes.len() as u64 * 8 };
        if let Some(header) = &class.packet_header {
            skip_struct(header, &mut place, slots, &mut head)?;
        }
        if let Some(magic) = head.magic
            && magic != u64::from(PACKET_MAGIC)
        {
            return Err(HeadError::Bad(WarningReason::Magic { found: magic }));
        }
        if head.uuid.is_some() && class.uuid.is_some() && head.uuid != class.uuid {
            return Err(HeadError::Bad(WarningReason::OtherTrace));
        }
        // Without an id there is only one class.
        let only = class.streams.first().map_or(0, |stream| stream.id);
        let id = head.stream_class_id.unwrap_or(only);
        let found = class.streams.binary_search_by_key(&id, |stream| stream.id);
        head.class_idx = found.map_err(|_| HeadError::UnknownClass(id))?;
        head.context_pos = place.pos;
        if let Some(context) = &class.streams[head.class_idx].packet_context {
            skip_struct(context, &mut place, slots, &mut head)?;
        }
        head.bits = place.pos;
        Ok(head)
    }

    /// Returns the size of the content and of the whole packet in bits, if `rest_bytes` are left of its file.
    pub(crate) fn sizes(&self, rest_bytes: u64) -> Result<(u64, u64), WarningReason> {
        let rest_bits = rest_bytes.saturating_mul(8);
        let content = self.content_bits.filter(|bits| *bits > 0);
        let total = self.total_bits.filter(|bits| *bits > 0);
        let total_bits = total.or(content).unwrap_or(rest_bits);
        let content_bits = content.unwrap_or(total_bits);
        if !total_bits.is_multiple_of(8) || content_bits < self.bits || total_bits < content_bits {
            return Err(WarningReason::Sizes { content_bits, packet_bits: total_bits, head_bits: self.bits });
        }
        Ok((content_bits, total_bits))
    }

    /// Returns the cycles at the begin of the events.
    pub(crate) fn first_cycles(&self) -> u64 {
        self.stamp.or(self.begin).unwrap_or(0)
    }
}
