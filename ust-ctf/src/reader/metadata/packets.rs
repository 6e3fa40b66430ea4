// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes the text out of metadata in packets, as LTTng writes that of CTF 1.8; for CTF 2 it is the same (CTF2-PMETA-1.0).
//!
//! | bytes | field                                                       |
//! |-------|-------------------------------------------------------------|
//! | 4     | 0x75D11D57, in the byte order of the numbers below          |
//! | 16    | uuid of the trace                                           |
//! | 4     | checksum                                                    |
//! | 4     | size of the header and the text, in bits                    |
//! | 4     | size of the packet, with padding at its end, in bits        |
//! | 3     | schemes: compression, encryption, checksum; each 0 for none |
//! | 2     | version: 1 and 8, or 2 and 0                                |
//!
//! A last packet that is cut, as a tracer leaves it that is still writing or that died, gives what is there of its text;
//! the statement that it cuts is left out.

use super::Result;
use crate::reader::error::Complaint;

const MAGIC: u32 = 0x75D1_1D57;

const HEADER_BYTES: usize = 37;

const UUID: std::ops::Range<usize> = 4..20;

/// Tells whether `bytes` are packets.
pub(super) fn is_packetised(bytes: &[u8]) -> bool {
    magic(bytes).is_some()
}

/// The text of metadata in packets.
pub(super) struct Unpacked {
    pub(super) text: Vec<u8>,
    /// The last packet lacks a part of its text.
    pub(super) is_cut: bool,
}

/// Returns the text of all packets in `bytes`; complaints are not about a place in it.
pub(super) fn unpack(bytes: &[u8]) -> Result<Unpacked> {
    let mut text = Vec::new();
    let mut is_cut = false;
    let mut rest = bytes;
    let uuid = bytes.get(UUID).unwrap_or_default();
    let mut number = 0_usize;
    while let Some(header) = rest.first_chunk::<HEADER_BYTES>() {
        number += 1;
        let wrong = |what: String| Complaint::new(0, format!("metadata packet {number}: {what}"));
        let Some(read) = magic(rest) else {
            return Err(wrong(format!("it does not start with {MAGIC:#x}")));
        };
        if rest.get(UUID) != Some(uuid) {
            return Err(wrong("its uuid is not that of the first packet".to_owned()));
        }
        let (content_bits, packet_bits) = (read(&rest[24..28]), read(&rest[28..32]));
        for (scheme, name) in header[32..35].iter().zip(["compression", "encryption", "checksum"]) {
            if *scheme != 0 {
                return Err(wrong(format!("it has {name} scheme {scheme}; only 0, none, is read")));
            }
        }
        if !matches!(header[35..], [1, 8] | [2, 0]) {
            return Err(wrong(format!("its version is {}.{}; only 1.8 and 2.0 are read", header[35], header[36])));
        }
        let (content, packet) = (content_bits as usize / 8, packet_bits as usize / 8);
        if content < HEADER_BYTES || packet < content {
            return Err(wrong(format!(
                "it has {content_bits} bits of content in {packet_bits} bits; it must be at least {} bits, and not less \
                 than its content",
                HEADER_BYTES * 8
            )));
        }
        is_cut = content > rest.len();
        text.extend_from_slice(&rest[HEADER_BYTES..content.min(rest.len())]);
        rest = &rest[packet.min(rest.len())..];
    }
    Ok(Unpacked { text, is_cut: is_cut || !rest.is_empty() })
}

/// Returns how the numbers of the packet at the begin of `bytes` are read, if it is one.
fn magic(bytes: &[u8]) -> Option<fn(&[u8]) -> u32> {
    let magic = *bytes.first_chunk()?;
    match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
        (MAGIC, _) => Some(|bytes| bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))),
        (_, MAGIC) => Some(|bytes| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))),
        _ => None,
    }
}
