// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sizes, times and counts as people write them, and numbers as people read them.

use std::time::Duration;

/// Reads `65536`, `64K`, `1M`, `1G`, in either case.
///
/// # Errors
/// What is wrong, for clap to print.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        Some((at, _)) => text.split_at(at),
        None => (text, ""),
    };
    let factor: u64 = match unit.to_ascii_uppercase().as_str() {
        "" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => return Err(format!("`{unit}` is no unit; write a number, or a number with K, M or G")),
    };
    let number: u64 = digits.parse().map_err(|_| "it must begin with a number, as in 256K".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "it is too large".to_owned())
}

/// Reads `100us`, `50ms`, `2s`, `5m`, `1h`; a number alone is microseconds, as in LTTng.
///
/// # Errors
/// What is wrong, for clap to print.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let factor: u64 = match unit {
        "" | "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return Err(format!("`{unit}` is no unit; write a number with us, ms, s, m or h")),
    };
    let number: u64 = digits.parse().map_err(|_| "it must begin with a number, as in 500ms".to_owned())?;
    number.checked_mul(factor).map(Duration::from_micros).ok_or_else(|| "it is too large".to_owned())
}

/// Milliseconds in the largest unit that divides them.
pub fn duration_text(ms: u64) -> String {
    for (factor, unit) in [(3_600_000, "h"), (60_000, "m"), (1000, "s")] {
        if ms != 0 && ms.is_multiple_of(factor) {
            return format!("{} {unit}", ms / factor);
        }
    }
    format!("{ms} ms")
}

/// `bytes` in the largest unit that divides it.
pub fn bytes_text(bytes: u64) -> String {
    for (shift, unit) in [(30, "G"), (20, "M"), (10, "K")] {
        if bytes != 0 && bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

/// `bytes` with three significant digits, in powers of 1000.
pub fn rounded_bytes_text(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["bytes", "kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            let decimals = if unit == "bytes" || value >= 99.95 { 0 } else { 1 };
            return format!("{value:.decimals$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.0} PB")
}

/// `number` with commas between thousands.
pub fn number_text(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_units() {
        let cases = [("4096", 4096), ("64k", 65_536), ("1M", 1 << 20), ("2GiB", 2 << 30), ("0", 0)];
        for (text, expected) in cases {
            assert_eq!(parse_bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "K", "12X", "1.5M", "-1", "99999999999G"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_shown_as_people_read_them() {
        assert_eq!(bytes_text(262_144), "256K");
        assert_eq!(bytes_text(4097), "4097");
        assert_eq!(rounded_bytes_text(999), "999 bytes");
        assert_eq!(rounded_bytes_text(95_400_000), "95.4 MB");
        assert_eq!(number_text(1_234_567), "1,234,567");
        assert_eq!(number_text(123), "123");
    }
}
