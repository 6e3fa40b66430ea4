// SPDX-License-Identifier: MIT OR Apache-2.0
//! Converts cycles to nanoseconds.
//!
//! The exact quotient is not what other readers show: babeltrace2 divides in binary64, which is a nanosecond
//! off now and then when the frequency is not 1 GHz. Two readers that disagree about the last digit are
//! worse than a last digit that is off, so this divides in the same way. It never goes backwards.

use crate::class::ClockClass;

const NS_PER_S: u64 = 1_000_000_000;

/// Returns the nanoseconds from the epoch to `cycles` of `clock`; beyond the years 1677 and 2262 it saturates.
pub fn ns_since_epoch(clock: &ClockClass, cycles: u64) -> i64 {
    Scale::new(clock).ns(cycles)
}

/// A clock class made ready for many conversions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    freq: u64,
    /// Nanoseconds from the epoch to cycle zero.
    origin_ns: i128,
}

impl Scale {
    pub(crate) fn new(clock: &ClockClass) -> Self {
        let whole_s = i128::from(clock.offset_s) * i128::from(NS_PER_S);
        Self { freq: clock.freq, origin_ns: whole_s + i128::from(ns_of_cycles(clock.freq, clock.offset_cycles)) }
    }

    #[inline]
    pub(crate) fn ns(&self, cycles: u64) -> i64 {
        let ns = self.origin_ns + i128::from(ns_of_cycles(self.freq, cycles));
        ns.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }
}

#[inline]
fn ns_of_cycles(freq: u64, cycles: u64) -> u64 {
    if freq == NS_PER_S {
        return cycles;
    }
    // `as` saturates, and turns the quotient of a zero frequency into a number.
    (1e9 * cycles as f64 / freq as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(freq: u64, offset_s: i64, offset_cycles: u64) -> ClockClass {
        ClockClass {
            id: String::new(),
            description: String::new(),
            uuid: None,
            identity: crate::class::Identity::default(),
            freq,
            precision: 0,
            offset_s,
            offset_cycles,
            is_unix_epoch: true,
        }
    }

    #[test]
    fn cycles_of_a_gigahertz_clock_are_nanoseconds_to_the_last_digit() {
        let cycles = (1 << 60) + 1;
        assert_eq!(ns_since_epoch(&clock(NS_PER_S, 2, 3), cycles), 2_000_000_003 + cycles as i64);
    }

    #[test]
    fn a_time_that_no_calendar_has_saturates() {
        assert_eq!(ns_since_epoch(&clock(1, i64::MAX, u64::MAX), u64::MAX), i64::MAX);
        assert_eq!(ns_since_epoch(&clock(1, i64::MIN, 0), 0), i64::MIN);
    }
}
