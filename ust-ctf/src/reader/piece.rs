// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads packets piece by piece into one buffer.
//!
//! Files are read, not mapped: a file that somebody truncates meanwhile is then a packet that is cut, not a signal that
//! ends the process, and the memory in use is one piece per stream whatever the sizes of files and packets. A piece is at
//! least the packet's next event, and usually the whole packet.

use std::fs::File;
use std::io;

use super::scan::read_at;
use crate::limits::EVENT_BYTES_MAX;

/// Bytes of a packet, from some byte of it on.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    bytes: Vec<u8>,
    /// How many of them are read.
    len: usize,
    /// Byte of the packet of the first.
    base: u64,
}

/// What became of reading.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// There are more bytes than before.
    More,
    /// The file is shorter than it was.
    Short,
    /// It would be more than may be kept.
    TooLarge,
}

impl Piece {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Returns the bit of the packet where the piece begins.
    pub(crate) fn base_bits(&self) -> u64 {
        self.base * 8
    }

    /// Reads what lies from byte `from` of the packet on, which is no more than `packet_bytes` long and begins at `offset`.
    pub(crate) fn fill(
        &mut self,
        file: &File,
        offset: u64,
        packet_bytes: u64,
        from: u64,
        piece_bytes: u64,
    ) -> io::Result<Filled> {
        // From the same byte again: an event is larger than the piece.
        let is_again = self.len > 0 && self.base == from;
        let wanted = if is_again { (self.len as u64).saturating_mul(4) } else { piece_bytes };
        let wanted = wanted.max(piece_bytes).min(packet_bytes.saturating_sub(from));
        if is_again && self.len as u64 >= EVENT_BYTES_MAX {
            return Ok(Filled::TooLarge);
        }
        let before = if is_again { self.len } else { 0 };
        if self.bytes.len() < wanted as usize {
            self.bytes.resize(wanted as usize, 0);
        }
        let got = read_at(file, &mut self.bytes[before..wanted as usize], offset + from + before as u64)?;
        (self.len, self.base) = (before + got, from);
        Ok(if self.len as u64 == wanted { Filled::More } else { Filled::Short })
    }

    /// Forgets the packet; gives back memory beyond `keep_bytes`.
    pub(crate) fn clear(&mut self, keep_bytes: u64) {
        self.len = 0;
        self.base = 0;
        if self.bytes.len() as u64 > keep_bytes {
            self.bytes = Vec::new();
        }
    }
}
