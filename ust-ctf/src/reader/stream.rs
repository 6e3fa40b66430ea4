// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the packets of a stream file. Every size in it is untrusted until [`next_packet`] checked it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::map::FileBytes;
use super::warning::{Warning, WarningReason};
use crate::limits::WARNINGS_PER_STREAM_MAX;
use crate::packet::{PACKET_HEADER_BYTES, PacketHeader};

/// The ordered packets of one stream, which may be spread over files.
#[derive(Debug)]
pub struct Stream {
    pub(crate) files: Vec<StreamFile>,
    pub(crate) packets: Vec<Packet>,
    /// Stream class.
    pub(crate) class_id: u64,
    pub(crate) instance_id: u64,
}

impl Stream {
    /// Returns the first file of the stream.
    pub fn path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |file| &file.path)
    }

    /// Returns the id of the stream class.
    pub fn class_id(&self) -> u64 {
        self.class_id
    }

    /// Returns which stream of its class it is.
    pub fn instance_id(&self) -> u64 {
        self.instance_id
    }

    /// Returns the headers of its packets, in order.
    pub fn packet_headers(&self) -> impl Iterator<Item = &PacketHeader> {
        self.packets.iter().map(|packet| &packet.header)
    }
}

#[derive(Debug)]
pub(crate) struct StreamFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: FileBytes,
}

/// A packet whose sizes were checked.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    /// Index into [`Stream::files`].
    pub(crate) file_idx: usize,
    /// Byte of the file where the packet starts.
    pub(crate) offset: usize,
    /// `content_bytes` is what the packet claims, `body` what is there.
    pub(crate) header: PacketHeader,
    pub(crate) body: Range<usize>,
    /// The file ends before the packet.
    pub(crate) is_cut: bool,
}

/// Warnings of one stream, not more than are useful.
#[derive(Debug, Default)]
pub(crate) struct WarningList(pub(crate) Vec<Warning>);

impl WarningList {
    pub(crate) fn push(&mut self, file: &Path, offset: usize, reason: WarningReason) {
        let reason = match self.0.len() {
            count if count < WARNINGS_PER_STREAM_MAX => reason,
            WARNINGS_PER_STREAM_MAX => WarningReason::TooMany,
            _ => return,
        };
        self.0.push(Warning { file: file.to_owned(), offset: offset as u64, reason });
    }
}

/// Returns the packets of `file` that belong to the trace `uuid`, up to the first that cannot be one.
pub(crate) fn index_packets(
    file: &StreamFile,
    uuid: &[u8; 16],
    is_known_class: impl Fn(u64) -> bool,
    warnings: &mut WarningList,
) -> Vec<Packet> {
    let mut packets = Vec::new();
    let mut offset = 0;
    while offset < file.bytes.len() {
        let (packet, packet_bytes) = match next_packet(&file.bytes[offset..], offset, uuid) {
            Ok(found) => found,
            Err(reason) => {
                warnings.push(&file.path, offset, reason);
                break;
            }
        };
        let header = &packet.header;
        if packet.is_cut {
            let found_bytes = (file.bytes.len() - offset) as u64;
            warnings.push(&file.path, offset, WarningReason::PacketCut { found_bytes, packet_bytes });
        }
        if header.timestamp_end < header.timestamp_begin {
            let (begin, end) = (header.timestamp_begin, header.timestamp_end);
            warnings.push(&file.path, offset, WarningReason::PacketEndsEarly { begin, end });
        }
        if is_known_class(u64::from(header.stream_id)) {
            packets.push(packet);
        } else {
            warnings.push(&file.path, offset, WarningReason::UnknownStreamClass { id: header.stream_id });
        }
        // At least the header, so this ends; a packet that is cut is the last.
        offset = usize::try_from(packet_bytes).map_or(usize::MAX, |bytes| offset.saturating_add(bytes));
    }
    packets
}

/// Returns the packet that starts with `bytes`, byte `offset` of its file, and the size that it claims.
fn next_packet(bytes: &[u8], offset: usize, uuid: &[u8; 16]) -> Result<(Packet, u64), WarningReason> {
    let Some((head, body)) = bytes.split_first_chunk::<PACKET_HEADER_BYTES>() else {
        return Err(WarningReason::HeaderCut { found_bytes: bytes.len() as u64 });
    };
    let (header, packet_bytes) = PacketHeader::decode(head)?;
    if header.trace_uuid != *uuid {
        return Err(WarningReason::OtherTrace);
    }
    let is_cut = packet_bytes > bytes.len() as u64;
    let body_bytes = usize::try_from(header.content_bytes).map_or(body.len(), |bytes| bytes.min(body.len()));
    let body_start = offset + PACKET_HEADER_BYTES;
    let body = body_start..body_start + body_bytes;
    Ok((Packet { file_idx: 0, offset, header, body, is_cut }, packet_bytes))
}
