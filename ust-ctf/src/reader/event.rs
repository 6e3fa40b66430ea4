// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cuts the body of a packet into events. A raw event borrows its bytes; its fields are read by need.

use super::value::{FieldDamage, Fields, read_field};
use super::warning::WarningReason;
use crate::model::{EventClass, StreamClass};
use crate::names::{MemberNames, member_names};
use crate::packet::{EVENT_HEADER_BYTES, EVENT_TIMESTAMP_BITS};

/// One event as it lies in the file.
#[derive(Clone, Copy, Debug)]
pub struct RawEvent<'t> {
    /// Cycles of the clock of its trace, all 64 bits.
    pub timestamp: u64,
    /// Its schema.
    pub class: &'t EventClass,
    /// The bytes of its fields.
    pub payload: &'t [u8],
    pub(crate) names: &'t [MemberNames],
}

impl<'t> RawEvent<'t> {
    /// Returns its fields in order.
    pub fn fields(&self) -> Fields<'t> {
        Fields::new(&self.class.fields, self.payload)
    }
}

/// The event classes of a stream class, by id.
#[derive(Debug)]
pub(crate) struct EventTable {
    stream_id: u64,
    entries: Vec<Option<(EventClass, Vec<MemberNames>)>>,
}

impl EventTable {
    pub(crate) fn new(stream: &StreamClass) -> Self {
        let mut entries = Vec::new();
        for event in &stream.events {
            let idx = usize::from(event.id);
            if entries.len() <= idx {
                entries.resize_with(idx + 1, || None);
            }
            entries[idx] = Some((event.clone(), member_names(&event.fields)));
        }
        Self { stream_id: stream.id, entries }
    }
}

/// What is left of the body of a packet.
#[derive(Clone, Debug)]
pub(crate) struct Body<'t> {
    table: &'t EventTable,
    rest: &'t [u8],
    /// Time stamp of the event before, or the begin of the packet.
    timestamp: u64,
}

impl<'t> Body<'t> {
    pub(crate) fn new(table: &'t EventTable, bytes: &'t [u8], timestamp_begin: u64) -> Self {
        Self { table, rest: bytes, timestamp: timestamp_begin }
    }

    /// Returns the number of bytes that are left.
    pub(crate) fn rest_bytes(&self) -> usize {
        self.rest.len()
    }

    /// Returns the next event, nothing at the end, or why there is no way on.
    pub(crate) fn next_event(&mut self) -> Result<Option<RawEvent<'t>>, WarningReason> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Some((header, payload)) = self.rest.split_first_chunk::<EVENT_HEADER_BYTES>() else {
            return Err(WarningReason::EventHeaderCut);
        };
        let word = u64::from_le_bytes(*header);
        let id = word as u16;
        let Some(Some((class, names))) = self.table.entries.get(usize::from(id)) else {
            return Err(WarningReason::UnknownEvent { id, stream_id: self.table.stream_id });
        };
        let mut rest = payload;
        for field in &class.fields {
            read_field(&field.ty, &mut rest).map_err(|damage| {
                let (event, field) = (class.name.clone(), field.name.clone());
                match damage {
                    FieldDamage::CutShort => WarningReason::FieldCut { event, field },
                    FieldDamage::Tag(tag) => WarningReason::FieldTag { event, field, tag },
                }
            })?;
        }
        self.timestamp = extend(self.timestamp, word >> 16);
        self.rest = rest;
        let payload = &payload[..payload.len() - rest.len()];
        Ok(Some(RawEvent { timestamp: self.timestamp, class, payload, names }))
    }
}

/// Returns the first time stamp from `previous` on whose low bits are `low`.
fn extend(previous: u64, low: u64) -> u64 {
    let lap = 1 << EVENT_TIMESTAMP_BITS;
    let timestamp = (previous & !(lap - 1)) | low;
    // At the very end of the 64 bits there is no next lap.
    if timestamp < previous { timestamp.checked_add(lap).unwrap_or(timestamp) } else { timestamp }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_continues_from_the_one_before_across_the_end_of_its_48_bits() {
        assert_eq!(extend(0x0001_0000_0000_0005, 5), 0x0001_0000_0000_0005);
        assert_eq!(extend(0x0001_0000_0000_0005, 6), 0x0001_0000_0000_0006);
        assert_eq!(extend(0x0001_0000_0000_0005, 4), 0x0002_0000_0000_0004);
        assert_eq!(extend(u64::MAX, 4), 0xffff_0000_0000_0004);
    }
}
