// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints floating point numbers as `%g` of C does: six significant digits, no zeros behind them.

use std::fmt::Write as _;

use super::decimal::put_decimal;
use super::out::Out;

const DIGITS: i32 = 6;

/// Appends `value`.
pub(super) fn put_float(out: &mut Out, value: f64) {
    if value.is_sign_negative() {
        out.put(b"-"); // Also for zero and for what is not a number.
    }
    let value = value.abs();
    if value < 1e6 && value.trunc() == value {
        // Small whole numbers are frequent and need no rounding.
        put_decimal(out, value as u64);
    } else if value.is_nan() {
        out.put(b"nan");
    } else if value.is_infinite() {
        out.put(b"inf");
    } else if !put_quickly(out, value) {
        put_exactly(out, value);
    }
}

/// Appends a number of a usual size, unless its seventh digit leaves doubt about the rounding.
fn put_quickly(out: &mut Out, value: f64) -> bool {
    if !(1e-4..999_999.0).contains(&value) {
        return false;
    }
    // The number times a power of ten that leaves six digits before the point; both are exact to 53 bits.
    let mut scaled = value;
    let mut decimals = 0;
    while scaled < 100_000.0 {
        scaled = value * POWERS[decimals + 1];
        decimals += 1;
    }
    let whole = scaled as u64;
    let fraction = scaled - whole as f64;
    if (fraction - 0.5).abs() < 1e-6 {
        return false;
    }
    let mut digits = whole + u64::from(fraction > 0.5);
    if digits >= 1_000_000 {
        return false;
    }
    while decimals > 0 && digits.is_multiple_of(10) {
        digits /= 10;
        decimals -= 1;
    }
    let scale = POWERS[decimals] as u64;
    put_decimal(out, digits / scale);
    if decimals > 0 {
        out.put(b".");
        let mut rest = digits % scale;
        out.with::<10>(|places| {
            for place in places[..decimals].iter_mut().rev() {
                *place = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            decimals
        });
    }
    true
}

const POWERS: [f64; 11] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];

#[cold]
fn put_exactly(out: &mut Out, value: f64) {
    // `D.DDDDDe±X`, rounded, so that the exponent is that of the rounded number.
    let scientific = format!("{value:.*e}", DIGITS as usize - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        let decimals = (DIGITS - 1 - exponent) as usize;
        out.slice(without_zeros(&format!("{value:.decimals$}")).as_bytes());
        return;
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "{}e{sign}{:02}", without_zeros(mantissa), exponent.unsigned_abs());
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
            let mut out = Out::default();
            put_float(&mut out, value);
            assert_eq!(String::from_utf8_lossy(out.text()), expected);
        }
    }

    #[test]
    fn the_quick_way_prints_what_the_exact_way_prints() {
        let mut state: u64 = 88_172_645_463_325_252;
        for _ in 0..200_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Sizes from a millionth to ten millions; few digits, whose next is often a five.
            let value = f64::from((state >> 40) as u32) / [1e1, 1e3, 1e6, 1e8, 1e10, 2e7][(state % 6) as usize];
            let (mut quick, mut exact) = (Out::default(), Out::default());
            if value > 0.0 && put_quickly(&mut quick, value) {
                put_exactly(&mut exact, value);
                assert_eq!(String::from_utf8_lossy(quick.text()), String::from_utf8_lossy(exact.text()), "{value:e}");
            }
        }
    }
}
