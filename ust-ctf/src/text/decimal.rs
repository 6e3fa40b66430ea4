// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints whole numbers without the formatting machinery, which is most of the cost of a line otherwise.

use super::out::Out;

/// Digits of the greatest number of 64 bits.
const DIGITS_MAX: usize = 20;

/// All pairs of digits.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut idx = 0;
    while idx < 100 {
        pairs[idx] = [b'0' + (idx / 10) as u8, b'0' + (idx % 10) as u8];
        idx += 1;
    }
    pairs
};

/// Appends `number`.
#[inline]
pub(super) fn put_decimal(out: &mut Out, number: u64) {
    if number < 10 {
        out.put(&[b'0' + number as u8]);
    } else if number < 100 {
        out.put(&PAIRS[number as usize]);
    } else {
        out.with::<DIGITS_MAX>(|digits| {
            let count = number.ilog10() as usize + 1;
            put_digits(&mut digits[..count], number);
            count
        });
    }
}

/// Appends `number` with its sign.
#[inline]
pub(super) fn put_signed_decimal(out: &mut Out, number: i64) {
    if number < 0 {
        out.put(b"-");
    }
    put_decimal(out, number.unsigned_abs());
}

/// Appends `number` with zeros before it, so that it has `COUNT` digits, which are enough.
#[inline]
pub(super) fn put_padded<const COUNT: usize>(out: &mut Out, number: u64) {
    out.with::<COUNT>(|digits| {
        put_digits(digits, number);
        COUNT
    });
}

/// Fills `digits` with the last digits of `number`.
#[inline]
fn put_digits(digits: &mut [u8], mut number: u64) {
    let mut pairs = digits.rchunks_exact_mut(2);
    for pair in &mut pairs {
        pair.copy_from_slice(&PAIRS[(number % 100) as usize]);
        number /= 100;
    }
    if let [first] = pairs.into_remainder() {
        *first = b'0' + (number % 10) as u8;
    }
}

/// Appends `number` in base 16, upper case.
#[inline]
pub(super) fn put_hexadecimal(out: &mut Out, number: u64) {
    put_bits::<16>(out, number, 4, (64 - (number | 1).leading_zeros()).div_ceil(4));
}

/// Appends the lowest `digit_count` digits of `number`, each of which has `bits` bits, 64 at most.
pub(super) fn put_bits<const COUNT_MAX: usize>(out: &mut Out, number: u64, bits: u32, digit_count: u32) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.with::<COUNT_MAX>(|digits| {
        let count = (digit_count as usize).min(COUNT_MAX);
        let mut rest = number;
        for digit in digits[..count].iter_mut().rev() {
            *digit = DIGITS[(rest & ((1 << bits) - 1)) as usize & 15];
            rest >>= bits;
        }
        count
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_formatting_machinery() {
        let powers = (0..20).flat_map(|power| {
            let power = 10_u64.pow(power);
            [power - 1, power, power + 1]
        });
        for number in powers.chain([12_345, u64::MAX - 1, u64::MAX]) {
            let mut out = Out::default();
            put_decimal(&mut out, number);
            out.put(b" ");
            put_signed_decimal(&mut out, number as i64);
            out.put(b" ");
            put_padded::<9>(&mut out, number % 1_000_000_000);
            out.put(b" ");
            put_padded::<20>(&mut out, number);
            out.put(b" ");
            put_hexadecimal(&mut out, number);
            let (signed, low) = (number as i64, number % 1_000_000_000);
            let expected = format!("{number} {signed} {low:09} {number:020} {number:X}");
            assert_eq!(String::from_utf8_lossy(out.text()), expected);
        }
    }
}
