// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the index files of LTTng, which say where the packets of a stream file are: `index/<stream file>.idx`.
//!
//! All numbers are big endian. An index is a hint: one that does not fit its file is as good as none.

use std::fs;
use std::path::Path;

const MAGIC: u32 = 0xC1F1_DCC1;

/// Bytes before the entries: magic, major and minor version, bytes per entry.
const HEADER_BYTES: usize = 16;

/// Bytes of an entry of version 1.0, of which there are seven numbers.
const ENTRY_BYTES_MIN: usize = 56;

/// Bytes of an entry of version 1.1, which adds the stream and the number of the packet.
const ENTRY_BYTES_1_1: usize = 72;

/// What the index says of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) offset: u64,
    pub(crate) packet_bits: u64,
    pub(crate) content_bits: u64,
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) discarded_events: u64,
    pub(crate) stream_class_id: u64,
    pub(crate) seq_num: Option<u64>,
}

/// Returns the packets of the stream file `path`, of `file_bytes`, if it has an index that fits.
pub(crate) fn read(path: &Path, file_bytes: u64) -> Option<Vec<Entry>> {
    let mut name = path.file_name()?.to_owned();
    name.push(".idx");
    let index = path.parent()?.join("index").join(name);
    // No packet is smaller than a byte: a larger index is of another file.
    let bytes_max = file_bytes.saturating_mul(ENTRY_BYTES_1_1 as u64 * 2).saturating_add(HEADER_BYTES as u64);
    if fs::metadata(&index).ok()?.len() > bytes_max {
        return None;
    }
    parse(&fs::read(&index).ok()?, file_bytes)
}

fn parse(bytes: &[u8], file_bytes: u64) -> Option<Vec<Entry>> {
    let (header, entries) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let entry_bytes = word(12) as usize;
    let needed = if word(8) >= 1 { ENTRY_BYTES_1_1 } else { ENTRY_BYTES_MIN };
    let is_ours = word(0) == MAGIC && word(4) == 1 && entry_bytes >= needed;
    if !is_ours || !entries.len().is_multiple_of(entry_bytes) {
        return None;
    }
    let mut next_offset = 0;
    let mut found = Vec::with_capacity(entries.len() / entry_bytes);
    for bytes in entries.chunks_exact(entry_bytes) {
        let number = |idx: usize| bytes[idx * 8..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let entry = Entry {
            offset: number(0),
            packet_bits: number(1),
            content_bits: number(2),
            begin: number(3),
            end: number(4),
            discarded_events: number(5),
            stream_class_id: number(6),
            seq_num: (needed == ENTRY_BYTES_1_1).then(|| number(8)),
        };
        let is_sound = entry.offset == next_offset
            && entry.packet_bits.is_multiple_of(8)
            && 0 < entry.content_bits
            && entry.content_bits <= entry.packet_bits
            && entry.begin <= entry.end;
        if !is_sound {
            return None;
        }
        next_offset = next_offset.checked_add(entry.packet_bits / 8)?;
        found.push(entry);
    }
    (next_offset == file_bytes && !found.is_empty()).then_some(found)
}
