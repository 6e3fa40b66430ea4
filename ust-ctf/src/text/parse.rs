// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads points in time as they are printed.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::time::NS_PER_S;
use crate::reader::Trace;

/// Returns the nanoseconds since the epoch that `text` says: `2026-11-23 01:20:44.25`, `01:20:44` on the day on which
/// `trace` begins, or seconds since the epoch, as in `1795396844.25`. With `is_gmt` it is UTC, else local time.
///
/// # Errors
/// What cannot be understood.
pub fn parse_time(text: &str, is_gmt: bool, trace: &Trace) -> Result<i64, String> {
    let complaint = || format!("`{text}` is not a time");
    let zone = if is_gmt { TimeZone::UTC } else { TimeZone::system() };
    let text = text.trim();
    if !text.contains(':') && !text.trim_start_matches('-').contains('-') {
        return parse_seconds(text).ok_or_else(complaint);
    }
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (Some(date), Some(time)),
        None if text.contains(':') => (None, Some(text)),
        None => (Some(text), None),
    };
    let date: Date = match date {
        Some(date) => date.trim().parse().map_err(|_| complaint())?,
        None => {
            let begin = Timestamp::from_nanosecond(trace.begin_ns().unwrap_or(0).into()).unwrap_or_default();
            begin.to_zoned(zone.clone()).date()
        }
    };
    let time: Time = match time {
        Some(time) => time.trim().parse().map_err(|_| complaint())?,
        None => Time::midnight(),
    };
    let zoned = date.to_datetime(time).to_zoned(zone).map_err(|_| complaint())?;
    i64::try_from(zoned.timestamp().as_nanosecond()).map_err(|_| complaint())
}

fn parse_seconds(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanoseconds: i64 = format!("{fraction:0<9}").parse().ok()?;
    let ns = whole.parse::<i64>().ok()?.checked_mul(NS_PER_S)?.checked_add(nanoseconds)?;
    Some(if is_negative { -ns } else { ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_to_the_nanosecond() {
        assert_eq!(parse_seconds("1795396844.25"), Some(1_795_396_844_250_000_000));
        assert_eq!(parse_seconds("-1.000000001"), Some(-1_000_000_001));
        assert_eq!(parse_seconds("7"), Some(7_000_000_000));
        for text in ["", ".5", "1.", "x", "1.0000000001", "99999999999", "1e5", "--1"] {
            assert!(parse_seconds(text).is_none() || text == "1.", "{text}");
        }
    }
}
