// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers as C writes them.

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

/// Returns the number that `word` is, or why it is none. A word begins with a digit, or with a point and a digit.
pub(crate) fn parse(word: &str) -> Result<Number, &'static str> {
    let lower = word.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        return if hex.contains(['.', 'p']) { hex_float(hex).map(Number::Float) } else { integer(hex, 16) };
    }
    if lower.contains(['.', 'e']) {
        let digits = lower.trim_end_matches(['f', 'l']);
        return digits.parse().map(Number::Float).map_err(|_| "this is no number");
    }
    match lower.strip_prefix('0') {
        Some(octal) if octal.starts_with(|c: char| c.is_ascii_digit()) => integer(octal, 8),
        _ => integer(&lower, 10),
    }
}

/// Digits, then `u`, `l`, `ll` in either order.
fn integer(digits: &str, radix: u32) -> Result<Number, &'static str> {
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (digits, suffix) = digits.split_at(end);
    if digits.is_empty() || !["", "u", "l", "ll", "ul", "ull", "lu", "llu"].contains(&suffix) {
        return Err(match radix {
            8 => "this is no number: after a 0 come digits from 0 to 7",
            16 => "this is no number: after 0x come digits from 0 to f",
            _ => "this is no number",
        });
    }
    let value = u64::from_str_radix(digits, radix).map_err(|_| "this number does not fit 64 bits")?;
    // Two's complement, as everything else is.
    Ok(Number::Integer(value as i64))
}

/// `1.8p3`: hexadecimal digits with a point, times a power of two.
fn hex_float(text: &str) -> Result<f64, &'static str> {
    const WRONG: &str = "this is no number: a hexadecimal one with a point reads 0x1.8p3";
    let text = text.trim_end_matches('l');
    let (mantissa, exponent) = text.split_once('p').ok_or(WRONG)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(WRONG);
    }
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16).ok_or(WRONG)?);
    }
    let exponent: i32 = exponent.parse().map_err(|_| WRONG)?;
    let places = i32::try_from(fraction.len()).map_err(|_| WRONG)?;
    Ok(value * 2.0_f64.powi(exponent.saturating_sub(places.saturating_mul(4))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_c() {
        let integers = [
            ("0", 0),
            ("23", 23),
            ("1ull", 1),
            ("1LU", 1),
            ("027", 23),
            ("0x17", 23),
            ("0XfFu", 255),
            ("18446744073709551615", -1),
            ("0x8000000000000000", i64::MIN),
        ];
        for (word, expected) in integers {
            assert_eq!(parse(word), Ok(Number::Integer(expected)), "{word}");
        }
        let floats = [
            ("1.5", 1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1.5e-1f", 0.15),
            ("0x1.8p3", 12.0),
            ("0x.8p0", 0.5),
        ];
        for (word, expected) in floats {
            assert_eq!(parse(word), Ok(Number::Float(expected)), "{word}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_the_reason() {
        let cases = [
            ("089", "digits from 0 to 7"),
            ("0x", "digits from 0 to f"),
            ("1x", "no number"),
            ("1lul", "no number"),
            ("99999999999999999999", "64 bits"),
            ("1e", "no number"),
            ("0x1.8", "0x1.8p3"),
            ("0x.p1", "0x1.8p3"),
            ("0x1.8p99999999999", "0x1.8p3"),
        ];
        for (word, reason) in cases {
            let found = parse(word).expect_err(word);
            assert!(found.contains(reason), "{word}: {found}");
        }
    }
}
