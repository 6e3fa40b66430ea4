// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints decimal numbers without the formatting machinery, which is most of the cost of a line otherwise.

/// Digits of the greatest number of 64 bits.
const DIGITS_MAX: usize = 20;

/// Appends `number`.
pub(super) fn put_decimal(line: &mut Vec<u8>, number: u64) {
    put_padded(line, number, 1);
}

/// Appends `number` with its sign.
pub(super) fn put_signed_decimal(line: &mut Vec<u8>, number: i64) {
    if number < 0 {
        line.push(b'-');
    }
    put_decimal(line, number.unsigned_abs());
}

/// Appends `number` with zeros before it, so that it has at least `digit_count` digits, of which there
/// cannot be more than 20.
pub(super) fn put_padded(line: &mut Vec<u8>, number: u64, digit_count: usize) {
    let mut digits = [b'0'; DIGITS_MAX];
    let mut start = DIGITS_MAX;
    let mut rest = number;
    while rest > 0 {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let start = start.min(DIGITS_MAX.saturating_sub(digit_count));
    line.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_those_of_the_formatting_machinery() {
        for number in [0, 1, 9, 10, 99, 100, 12_345, u64::MAX - 1, u64::MAX] {
            let mut line = Vec::new();
            put_decimal(&mut line, number);
            line.push(b' ');
            put_signed_decimal(&mut line, number as i64);
            line.push(b' ');
            put_padded(&mut line, number, 9);
            let expected = format!("{number} {} {number:09}", number as i64);
            assert_eq!(String::from_utf8_lossy(&line), expected);
        }
    }
}
