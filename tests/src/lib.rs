// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the traced programs (`src/bin/`) and the tests that check their traces (`tests/`) agree upon.
//!
//! Each event of a program carries who emitted it (`source`), a number that counts from zero for each source (`seq`),
//! a payload made from both, and its hash. So a test can tell a lost event, a repeated one and a torn one apart.
//!
//! No tracepoint is declared here: the tests link this crate and are no traced programs.

/// Bytes of the longest payload.
pub const PAYLOAD_BYTES_MAX: usize = 64;

/// The payload of event `seq` of `source`.
#[derive(Clone, Copy, Debug)]
pub struct Payload {
    bytes: [u8; PAYLOAD_BYTES_MAX],
    len: usize,
}

impl Payload {
    /// Makes it: 8 to 64 bytes that depend on both numbers.
    #[must_use]
    pub fn new(source: u32, seq: u64) -> Self {
        let mut word = u64::from(source) << 40 ^ seq;
        let mut bytes = [0; PAYLOAD_BYTES_MAX];
        for chunk in bytes.chunks_exact_mut(8) {
            word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 29)).to_le_bytes());
        }
        Self { bytes, len: 8 + (seq.wrapping_mul(7) % 57) as usize }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The hash that goes with it.
    #[must_use]
    pub fn hash(&self) -> u64 {
        hash(self.bytes())
    }
}

/// FNV-1a.
#[must_use]
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_of_neighbours_differ_in_content_and_hash() {
        let (a, b, c) = (Payload::new(1, 1), Payload::new(1, 2), Payload::new(2, 1));
        assert_ne!(a.hash(), b.hash());
        assert_ne!(a.hash(), c.hash());
        assert_eq!(a.bytes().len(), 15);
        assert!((0..1000).all(|seq| (8..=PAYLOAD_BYTES_MAX).contains(&Payload::new(0, seq).bytes().len())));
    }
}
