// SPDX-License-Identifier: MIT OR Apache-2.0
//! Encodes and decodes the header and the context of a packet, which precede its events.
//!
//! A packet is [`PACKET_HEADER_BYTES`] bytes of this, then the events back to back, then perhaps
//! padding, which only the last packet of a stream that is being written has. All numbers are little endian:
//!
//! | byte | size | name                 |
//! |------|------|----------------------|
//! | 0    | 4    | magic, [`PACKET_MAGIC`] |
//! | 4    | 16   | uuid                 |
//! | 20   | 4    | stream_id            |
//! | 24   | 8    | stream_instance_id   |
//! | 32   | 8    | timestamp_begin      |
//! | 40   | 8    | timestamp_end        |
//! | 48   | 8    | content_size (bits)  |
//! | 56   | 8    | packet_size (bits)   |
//! | 64   | 8    | packet_seq_num       |
//! | 72   | 8    | events_discarded     |
//! | 80   | 4    | cpu_id               |
//! | 84   | 4    | vpid                 |
//! | 88   | 4    | vtid                 |
//! | 92   | 17   | procname             |
//!
//! [`crate::metadata::render`] describes the same layout in words; babeltrace2 compares the two in the tests.

/// First word of every packet.
pub const PACKET_MAGIC: u32 = 0xC1FC_1FC1;

/// Bytes from the start of a packet to its first event.
pub const PACKET_HEADER_BYTES: usize = 109;

/// Byte of a packet at which its `packet_size` stands: a writer that pads a packet later stores it there, in bits.
pub const PACKET_SIZE_OFFSET: u64 = 56;

/// Bytes of the procname in a packet: one more than a thread name, for the NUL.
pub const PROCNAME_BYTES: usize = 17;

/// Bits of an event header that hold the time stamp, above the 16 bits of the id.
pub const EVENT_TIMESTAMP_BITS: u32 = 48;

/// Bytes of an event header: one word, `timestamp << 16 | id`.
pub const EVENT_HEADER_BYTES: usize = 8;

/// What stands before the events of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketHeader {
    /// Identity of the trace, as in its metadata.
    pub trace_uuid: [u8; 16],
    /// Stream class of the events.
    pub stream_id: u32,
    /// Tells streams of one class apart.
    pub stream_instance_id: u64,
    /// Cycles; no event of the packet is earlier.
    pub timestamp_begin: u64,
    /// Cycles; no event of the packet is later.
    pub timestamp_end: u64,
    /// Bytes of the events behind this header; zero for an empty packet.
    pub content_bytes: u64,
    /// Counts the packets of a stream from zero; a gap says that packets were lost.
    pub packet_seq_num: u64,
    /// Events discarded in the stream from its start to the end of this packet.
    pub events_discarded: u64,
    /// CPU on which the events were recorded.
    pub cpu_id: u32,
    /// Process, in its own pid namespace.
    pub vpid: i32,
    /// Thread, in its own pid namespace.
    pub vtid: i32,
    /// Thread name, filled up with NUL.
    pub procname: [u8; 16],
}

impl PacketHeader {
    /// Returns the bytes that precede the events.
    ///
    /// The sizes in it include the header. A `content_bytes` beyond 2^61 saturates.
    pub fn encode(&self) -> [u8; PACKET_HEADER_BYTES] {
        self.encode_padded(0)
    }

    /// As [`encode`](Self::encode), for a packet with `padding_bytes` behind its events.
    pub fn encode_padded(&self, padding_bytes: u64) -> [u8; PACKET_HEADER_BYTES] {
        let whole_bytes = self.content_bytes.saturating_add(PACKET_HEADER_BYTES as u64);
        let content_bits = whole_bytes.saturating_mul(8);
        let packet_bits = whole_bytes.saturating_add(padding_bytes).saturating_mul(8);
        let mut bytes = [0; PACKET_HEADER_BYTES];
        let mut at = 0;
        let mut put = |field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        };
        put(&PACKET_MAGIC.to_le_bytes());
        put(&self.trace_uuid);
        put(&self.stream_id.to_le_bytes());
        put(&self.stream_instance_id.to_le_bytes());
        put(&self.timestamp_begin.to_le_bytes());
        put(&self.timestamp_end.to_le_bytes());
        put(&content_bits.to_le_bytes());
        put(&packet_bits.to_le_bytes());
        put(&self.packet_seq_num.to_le_bytes());
        put(&self.events_discarded.to_le_bytes());
        put(&self.cpu_id.to_le_bytes());
        put(&self.vpid.to_le_bytes());
        put(&self.vtid.to_le_bytes());
        put(&self.procname);
        // The last byte of the procname stays NUL.
        bytes
    }
}

/// Why bytes are not the header of a packet that this crate wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The first word is another; no packet starts here.
    #[error("no packet starts here: its first word is {found:#010x}")]
    Magic {
        /// The word that is there.
        found: u32,
    },
    /// The sizes contradict each other or the size of the header, or are no whole bytes.
    #[error("this packet claims {content_bits} bits of content in {packet_bits} bits")]
    Size {
        /// Claimed size of the content, header included.
        content_bits: u64,
        /// Claimed size of the packet.
        packet_bits: u64,
    },
}

impl PacketHeader {
    /// Returns the header in `bytes_untrusted`, and the size of the whole packet in bytes.
    ///
    /// The packet is at least as long as the header and `content_bytes`. Whether the file is that long,
    /// and whose trace it is, is for the caller to check.
    ///
    /// # Errors
    /// What keeps the bytes from being a header; there is no way to tell where the next one is.
    pub fn decode(bytes_untrusted: &[u8; PACKET_HEADER_BYTES]) -> Result<(Self, u64), HeaderError> {
        let mut at = 0;
        let bytes = bytes_untrusted;
        let magic = u32::from_le_bytes(take(bytes, &mut at));
        if magic != PACKET_MAGIC {
            return Err(HeaderError::Magic { found: magic });
        }
        let trace_uuid = take(bytes, &mut at);
        let stream_id = u32::from_le_bytes(take(bytes, &mut at));
        let stream_instance_id = u64::from_le_bytes(take(bytes, &mut at));
        let timestamp_begin = u64::from_le_bytes(take(bytes, &mut at));
        let timestamp_end = u64::from_le_bytes(take(bytes, &mut at));
        let content_bits = u64::from_le_bytes(take(bytes, &mut at));
        let packet_bits = u64::from_le_bytes(take(bytes, &mut at));
        let header_bits = PACKET_HEADER_BYTES as u64 * 8;
        let is_whole = content_bits.is_multiple_of(8) && packet_bits.is_multiple_of(8);
        if !is_whole || content_bits < header_bits || packet_bits < content_bits {
            return Err(HeaderError::Size { content_bits, packet_bits });
        }
        let header = Self {
            trace_uuid,
            stream_id,
            stream_instance_id,
            timestamp_begin,
            timestamp_end,
            content_bytes: (content_bits - header_bits) / 8,
            packet_seq_num: u64::from_le_bytes(take(bytes, &mut at)),
            events_discarded: u64::from_le_bytes(take(bytes, &mut at)),
            cpu_id: u32::from_le_bytes(take(bytes, &mut at)),
            vpid: i32::from_le_bytes(take(bytes, &mut at)),
            vtid: i32::from_le_bytes(take(bytes, &mut at)),
            procname: take(bytes, &mut at),
        };
        Ok((header, packet_bits / 8))
    }
}

/// Returns the field of `N` bytes at `at`, which the table above puts inside the header.
fn take<const N: usize>(bytes: &[u8; PACKET_HEADER_BYTES], at: &mut usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[*at..*at + N]);
    *at += N;
    field
}

/// Returns the first word of an event: the low 48 bits of `timestamp` (cycles) above `id`.
pub const fn encode_event_header(id: u16, timestamp: u64) -> [u8; EVENT_HEADER_BYTES] {
    ((timestamp << 16) | id as u64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_header_has_these_bytes() {
        let mut procname = [0; 16];
        procname[..5].copy_from_slice(b"hello");
        let header = PacketHeader {
            trace_uuid: *b"0123456789abcdef",
            stream_id: 0x0403_0201,
            stream_instance_id: 0x1817_1615_1413_1211,
            timestamp_begin: 0x2827_2625_2423_2221,
            timestamp_end: 0x3837_3635_3433_3231,
            content_bytes: 91,
            packet_seq_num: 0x4847_4645_4443_4241,
            events_discarded: 0x5857_5655_5453_5251,
            cpu_id: 0x6463_6261,
            vpid: 0x7473_7271,
            vtid: -2,
            procname,
        };
        #[rustfmt::skip]
        let expected: [u8; PACKET_HEADER_BYTES] = [
            0xc1, 0x1f, 0xfc, 0xc1,
            b'0', b'1', b'2', b'3', b'4', b'5', b'6', b'7', b'8', b'9', b'a', b'b', b'c', b'd', b'e', b'f',
            0x01, 0x02, 0x03, 0x04,
            0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
            0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
            0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,
            0x40, 0x06, 0, 0, 0, 0, 0, 0, // (109 + 91) * 8
            0x40, 0x06, 0, 0, 0, 0, 0, 0,
            0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
            0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
            0x61, 0x62, 0x63, 0x64,
            0x71, 0x72, 0x73, 0x74,
            0xfe, 0xff, 0xff, 0xff,
            b'h', b'e', b'l', b'l', b'o', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        assert_eq!(header.encode(), expected);
        assert_eq!(PacketHeader::decode(&expected), Ok((header, 200)));
    }

    #[test]
    fn an_event_header_is_the_low_48_bits_of_the_stamp_above_the_id() {
        assert_eq!(
            encode_event_header(0x0201, 0xffff_0807_0605_0403),
            [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08]
        );
    }
}
