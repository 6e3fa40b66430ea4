// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads numbers of 1 to 64 bits at any bit of some bytes, in either byte order.

use crate::class::{ByteOrder, ClassKind, IntegerClass};

/// How a number of fixed size lies in the bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// 1 to 64.
    bits: u8,
    is_signed: bool,
    is_big: bool,
    is_reversed: bool,
    /// Neither signed, nor big, nor reversed.
    is_plain: bool,
}

impl Layout {
    /// Returns the layout of `bits` bits, which are 1 to 64.
    pub(crate) fn new(bits: u32, is_signed: bool, byte_order: ByteOrder, is_reversed: bool) -> Self {
        let is_big = byte_order == ByteOrder::Big;
        let is_plain = !(is_signed || is_big || is_reversed);
        Self { bits: bits.clamp(1, 64) as u8, is_signed, is_big, is_reversed, is_plain }
    }

    /// Returns the layout of `class`, unless its length is variable.
    pub(crate) fn of_integer(class: &IntegerClass) -> Option<Self> {
        let IntegerClass { bits, is_signed, byte_order, is_bit_reversed, .. } = class;
        (*bits > 0).then(|| Self::new(*bits, *is_signed, *byte_order, *is_bit_reversed))
    }

    /// Returns the layout of a class that is a number of fixed size, other than a floating point number.
    pub(crate) fn of_class(kind: &ClassKind) -> Option<Self> {
        match kind {
            ClassKind::Integer(class) => Self::of_integer(class),
            ClassKind::Bool { bits, byte_order, is_bit_reversed }
            | ClassKind::BitArray { bits, byte_order, is_bit_reversed, .. } => {
                Some(Self::new(*bits, false, *byte_order, *is_bit_reversed))
            }
            _ => None,
        }
    }

    /// Returns the size.
    #[inline]
    pub(crate) fn bits(self) -> u64 {
        u64::from(self.bits)
    }

    /// Returns the number at bit `at` of `bytes`, as 64 bits in two's complement; bits behind the end are zero.
    #[inline]
    pub(crate) fn read(self, bytes: &[u8], at: u64) -> u64 {
        let (byte, shift, bits) = ((at / 8) as usize, (at % 8) as u32, u32::from(self.bits));
        let near = bytes.get(byte..).and_then(|rest| rest.first_chunk::<8>());
        let value = match near {
            Some(word) if shift + bits <= 64 => {
                if self.is_plain {
                    return (u64::from_le_bytes(*word) << (64 - bits - shift)) >> (64 - bits);
                }
                let spare = 64 - bits;
                if self.is_big {
                    (u64::from_be_bytes(*word) << shift) >> spare
                } else {
                    (u64::from_le_bytes(*word) << (spare - shift)) >> spare
                }
            }
            _ => self.read_far(bytes, byte, shift),
        };
        self.finish(value)
    }

    /// Numbers that touch nine bytes, and those at the end of the bytes.
    #[cold]
    #[inline(never)]
    fn read_far(self, bytes: &[u8], byte: usize, shift: u32) -> u64 {
        let mut near = [0; 16];
        let rest = bytes.get(byte..).unwrap_or_default();
        let count = rest.len().min(9);
        near[..count].copy_from_slice(&rest[..count]);
        let spare = 128 - u32::from(self.bits);
        if self.is_big {
            ((u128::from_be_bytes(near) << shift) >> spare) as u64
        } else {
            ((u128::from_le_bytes(near) << (spare - shift)) >> spare) as u64
        }
    }

    #[inline]
    fn finish(self, value: u64) -> u64 {
        let spare = 64 - u32::from(self.bits);
        let value = if self.is_reversed { value.reverse_bits() >> spare } else { value };
        if self.is_signed { ((value << spare) as i64 >> spare) as u64 } else { value }
    }
}

/// Returns a word whose low `bits` bits are set.
pub(crate) fn ones(bits: u32) -> u64 {
    1_u64.checked_shl(bits).map_or(u64::MAX, |above| above - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit, as the specification says it.
    fn slowly(layout: Layout, bytes: &[u8], at: u64) -> u64 {
        let bit = |i: u64| {
            let at = at + i;
            let byte = bytes.get((at / 8) as usize).copied().unwrap_or(0);
            u64::from(if layout.is_big { byte >> (7 - at % 8) } else { byte >> (at % 8) } & 1)
        };
        let bits = layout.bits();
        let mut value = 0;
        for i in 0..bits {
            let weight = if layout.is_big != layout.is_reversed { bits - 1 - i } else { i };
            value |= bit(i) << weight;
        }
        if layout.is_signed && value >> (bits - 1) == 1 { value | !ones(layout.bits.into()) } else { value }
    }

    #[test]
    fn numbers_of_any_size_at_any_bit_are_those_that_their_bits_spell() {
        let bytes: Vec<u8> = (0..20_u32).map(|i| (i * 73 + 41) as u8).collect();
        for bits in 1..=64 {
            for at in 0..100 {
                for flags in 0..8 {
                    let order = if flags & 1 == 0 { ByteOrder::Little } else { ByteOrder::Big };
                    let layout = Layout::new(bits, flags & 2 != 0, order, flags & 4 != 0);
                    assert_eq!(layout.read(&bytes, at), slowly(layout, &bytes, at), "{layout:?} at {at}");
                }
            }
        }
    }
}
