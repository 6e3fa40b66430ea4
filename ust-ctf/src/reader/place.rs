// SPDX-License-Identifier: MIT OR Apache-2.0
//! A place in the bytes of a packet, and the values that later fields refer to.

use std::borrow::Cow;

use crate::class::{Encoding, Selector, Slot};

/// Why a field cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It is longer than what is left.
    Cut,
    /// No option of a variant has this selector.
    NoOption(i128),
    /// A number of variable length has more than 64 bits.
    TooWide,
    /// So many elements, and each of them without a bit.
    TooMany(u64),
}

/// A bit of some bytes, and the bit behind the last that may be read.
///
/// The first byte is one of a packet that all alignments of its classes divide, so that bits of the bytes are aligned
/// as those of the packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'e> {
    pub(crate) bytes: &'e [u8],
    pub(crate) pos: u64,
    /// Not more than the bytes have.
    pub(crate) end: u64,
}

impl<'e> Place<'e> {
    /// Goes on to a multiple of `align`, a power of two.
    #[inline]
    pub(crate) fn align(&mut self, align: u64) {
        let mask = align.wrapping_sub(1);
        self.pos = self.pos.saturating_add(mask) & !mask;
    }

    /// Goes `bits` on.
    #[inline]
    pub(crate) fn skip(&mut self, bits: u64) -> Result<(), Damage> {
        match self.pos.checked_add(bits) {
            Some(pos) if pos <= self.end => {
                self.pos = pos;
                Ok(())
            }
            _ => Err(Damage::Cut),
        }
    }

    /// Takes `count` bytes from here, which must be the begin of a byte.
    #[inline]
    pub(crate) fn take(&mut self, count: u64) -> Result<&'e [u8], Damage> {
        let begin = self.pos / 8;
        self.skip(count.checked_mul(8).ok_or(Damage::Cut)?)?;
        self.bytes.get(begin as usize..(begin + count) as usize).ok_or(Damage::Cut)
    }

    /// Takes text up to and with its NUL; returns it without.
    #[inline]
    pub(crate) fn take_text(&mut self, encoding: Encoding) -> Result<&'e [u8], Damage> {
        let rest = self.bytes.get((self.pos / 8) as usize..(self.end / 8) as usize).ok_or(Damage::Cut)?;
        let unit = unit_bytes(encoding);
        let len = if unit == 1 {
            find_nul(rest)
        } else {
            rest.chunks_exact(unit).position(|unit| unit.iter().all(|byte| *byte == 0)).map(|units| units * unit)
        };
        let len = len.ok_or(Damage::Cut)?;
        self.pos += (len + unit) as u64 * 8;
        Ok(&rest[..len])
    }

    /// Takes a number of variable length (LEB128), as 64 bits in two's complement.
    pub(crate) fn take_leb(&mut self, is_signed: bool) -> Result<u64, Damage> {
        let mut value: u64 = 0;
        let mut shift = 0;
        loop {
            let byte = self.take(1)?[0];
            let part = u64::from(byte & 0x7f);
            if shift < 64 {
                value |= part << shift;
            }
            // What does not fit must repeat the sign.
            let above = if shift >= 64 { part } else { part >> (64 - shift).min(7) };
            let sign =
                if is_signed && shift >= 57 && value >> 63 == 1 { 0x7f >> (64 - shift.min(64)).min(7) } else { 0 };
            if shift >= 57 && above != sign {
                return Err(Damage::TooWide);
            }
            shift += 7;
            if byte & 0x80 == 0 {
                if is_signed && shift < 64 && byte & 0x40 != 0 {
                    value |= u64::MAX << shift;
                }
                return Ok(value);
            }
        }
    }
}

/// Returns the place of the first NUL.
#[inline]
pub(crate) fn find_nul(bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    // Most strings are short: a word at a time, without a call.
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let zeros = word.wrapping_sub(LOW) & !word & (LOW << 7);
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    bytes[at..].iter().position(|byte| *byte == 0).map(|found| at + found)
}

/// Returns `bytes` up to the first NUL code unit, if there is one.
pub(crate) fn until_nul(bytes: &[u8], encoding: Encoding) -> &[u8] {
    let unit = unit_bytes(encoding);
    if unit == 1 {
        return &bytes[..find_nul(bytes).unwrap_or(bytes.len())];
    }
    let units = bytes.chunks_exact(unit).take_while(|unit| unit.iter().any(|byte| *byte != 0)).count();
    &bytes[..units * unit]
}

/// Returns the size of a code unit.
pub(crate) fn unit_bytes(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf8 => 1,
        Encoding::Utf16Le | Encoding::Utf16Be => 2,
        Encoding::Utf32Le | Encoding::Utf32Be => 4,
    }
}

/// Where the values of fields that others refer to are kept.
pub(crate) trait SlotFile {
    fn slot(&self, slot: Slot) -> u64;
    fn set_slot(&mut self, slot: Slot, value: u64);

    /// Returns the value of a selector.
    fn selected(&self, selector: &Selector) -> i128 {
        let value = self.slot(selector.slot);
        if selector.is_signed { (value as i64).into() } else { value.into() }
    }
}

impl SlotFile for [u64] {
    #[inline]
    fn slot(&self, slot: Slot) -> u64 {
        self.get(slot.0 as usize).copied().unwrap_or(0)
    }

    #[inline]
    fn set_slot(&mut self, slot: Slot, value: u64) {
        if let Some(kept) = self.get_mut(slot.0 as usize) {
            *kept = value;
        }
    }
}

/// Slots of a reader of values: those of its event until it stores one.
pub(crate) type Slots<'e> = Cow<'e, [u64]>;

impl SlotFile for Slots<'_> {
    fn slot(&self, slot: Slot) -> u64 {
        self.as_ref().slot(slot)
    }

    fn set_slot(&mut self, slot: Slot, value: u64) {
        // What the walk of the event found there already needs no copy.
        if self.slot(slot) != value {
            self.to_mut().as_mut_slice().set_slot(slot, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leb(bytes: &[u8], is_signed: bool) -> Result<u64, Damage> {
        Place { bytes, pos: 0, end: bytes.len() as u64 * 8 }.take_leb(is_signed)
    }

    #[test]
    fn numbers_of_variable_length_have_up_to_64_bits() {
        assert_eq!(leb(&[0xe5, 0x8e, 0x26], false), Ok(624_485));
        assert_eq!(leb(&[0xc0, 0xbb, 0x78], true), Ok(-123_456_i64 as u64));
        assert_eq!(leb(&[0x7f], true), Ok(u64::MAX));
        let mut most = [0xff; 10];
        most[9] = 1;
        assert_eq!(leb(&most, false), Ok(u64::MAX));
        most[9] = 3;
        assert_eq!(leb(&most, false), Err(Damage::TooWide));
        let least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        assert_eq!(leb(&least, true), Ok(i64::MIN as u64));
        let padded = [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
        assert_eq!(leb(&padded, false), Ok(1));
        assert_eq!(leb(&[0x80], false), Err(Damage::Cut));
    }

    #[test]
    fn the_first_nul_is_found_wherever_it_is() {
        for len in 0..40 {
            let mut bytes = vec![0x80; 40];
            bytes[len] = 0;
            assert_eq!(find_nul(&bytes), Some(len));
            assert_eq!(find_nul(&bytes[..len]), None);
        }
    }
}
