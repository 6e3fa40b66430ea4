// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints points in time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Options;
use super::decimal::{put_decimal, put_padded};
use super::out::{Literal, Out};

pub(super) const NS_PER_S: i64 = 1_000_000_000;

/// Prints times in one form; it keeps the text of the last second, which most events share.
#[derive(Debug)]
pub(super) struct TimePrinter {
    options: Options,
    zone: TimeZone,
    cached: Option<(i64, Literal)>,
}

impl TimePrinter {
    pub(super) fn new(options: Options) -> Self {
        let zone = if options.clock_gmt { TimeZone::UTC } else { TimeZone::system() };
        Self { options, zone, cached: None }
    }

    /// Returns the text of `ns` since the epoch.
    pub(super) fn text(&mut self, ns: i64) -> String {
        let mut out = Out::default();
        self.put(&mut out, ns);
        String::from_utf8_lossy(out.text()).into_owned()
    }

    /// Appends the text of `ns` since the epoch.
    pub(super) fn put(&mut self, out: &mut Out, ns: i64) {
        if ns < 0 {
            // Before the epoch babeltrace2 shows seconds on its first line and the time of day of the
            // absolute value on the others; only the former means anything.
            let ns = ns.unsigned_abs();
            out.put(b"-");
            put_decimal(out, ns / NS_PER_S as u64);
            put_fraction(out, ns % NS_PER_S as u64);
            return;
        }
        let second = ns / NS_PER_S;
        let text = match &mut self.cached {
            Some((cached, text)) if *cached == second => text,
            cached => {
                let text = Literal::new(second_text(self.options, &self.zone, second).as_bytes());
                &mut cached.insert((second, text)).1
            }
        };
        out.literal(text);
        put_fraction(out, (ns % NS_PER_S) as u64);
    }
}

fn put_fraction(out: &mut Out, ns: u64) {
    out.put(b".");
    put_padded::<9>(out, ns);
}

fn second_text(options: Options, zone: &TimeZone, second: i64) -> String {
    if options.clock_seconds {
        return second.to_string();
    }
    // A number of nanoseconds in 64 bits is always a time that the calendar has.
    let time = Timestamp::from_second(second).unwrap_or_default().to_zoned(zone.clone());
    let date = if options.clock_date { time.strftime("%Y-%m-%d ").to_string() } else { String::new() };
    format!("{date}{}", time.strftime("%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(options: Options, ns: i64) -> String {
        TimePrinter::new(Options { clock_gmt: true, ..options }).text(ns)
    }

    #[test]
    fn a_time_is_shown_as_time_of_day_with_date_or_as_seconds() {
        let ns = 1_795_396_845 * NS_PER_S + 7;
        let plain = Options::default();
        assert_eq!(text(plain, ns), "01:20:45.000000007");
        assert_eq!(text(Options { clock_date: true, ..plain }, ns), "2026-11-23 01:20:45.000000007");
        let seconds = Options { clock_seconds: true, clock_date: true, ..plain };
        assert_eq!(text(seconds, ns), "1795396845.000000007");
    }

    #[test]
    fn times_have_a_date_from_the_epoch_to_the_last_nanosecond_of_64_bits() {
        let date = Options { clock_date: true, ..Options::default() };
        assert_eq!(text(date, 0), "1970-01-01 00:00:00.000000000");
        assert_eq!(text(date, i64::MAX), "2262-04-11 23:47:16.854775807");
        assert_eq!(text(date, i64::MIN), "-9223372036.854775808");
    }
}
