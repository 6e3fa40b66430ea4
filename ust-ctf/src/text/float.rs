// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints floating point numbers as `%g` of C does: six significant digits, no zeros behind them.

use std::io::{self, Write};

use super::decimal::put_decimal;

const DIGITS: i32 = 6;

/// Appends `value`.
pub(super) fn put_float(line: &mut Vec<u8>, value: f64) -> io::Result<()> {
    if value.is_sign_negative() {
        line.push(b'-'); // Also for zero and for what is not a number.
    }
    let value = value.abs();
    if value.is_nan() {
        line.extend_from_slice(b"nan");
        return Ok(());
    }
    if value.is_infinite() {
        line.extend_from_slice(b"inf");
        return Ok(());
    }
    // Small whole numbers are frequent and need no rounding.
    if value < 1e6 && value.fract() == 0.0 {
        put_decimal(line, value as u64);
        return Ok(());
    }
    // `D.DDDDDe±X`, rounded, so that the exponent is that of the rounded number.
    let scientific = format!("{value:.*e}", DIGITS as usize - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        let decimals = (DIGITS - 1 - exponent) as usize;
        line.extend(without_zeros(&format!("{value:.decimals$}")).as_bytes());
        return Ok(());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(line, "{}e{sign}{:02}", without_zeros(mantissa), exponent.unsigned_abs())
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_six_significant_digits_and_an_exponent_when_they_need_one() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (2222.0, "2222"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (0.000_099_999_99, "0.0001"),
            (999_999.4, "999999"),
            (999_999.5, "1e+06"),
            (123_456_789.0, "1.23457e+08"),
            (1e100, "1e+100"),
            (f64::MIN_POSITIVE, "2.22507e-308"),
            (f64::NAN, "nan"),
            (-f64::NAN, "-nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, expected) in cases {
            let mut line = Vec::new();
            put_float(&mut line, value).expect("memory");
            assert_eq!(String::from_utf8_lossy(&line), expected);
        }
    }
}
