// SPDX-License-Identifier: MIT OR Apache-2.0
//! How events are spread over time: a fixed number of equal parts of the trace's time.

/// Parts into which the time of a trace is cut: as many as a narrow terminal has columns.
const PART_COUNT: usize = 60;

/// Events over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Nanoseconds since the epoch where the first part begins.
    pub begin_ns: i64,
    /// Nanoseconds of each part, at least 1.
    pub step_ns: u64,
    /// Events in each part. What is before the first or behind the last counts there.
    pub counts: Vec<u64>,
}

impl Spread {
    /// Returns parts without events that cover `begin_ns..=end_ns`.
    pub(super) fn new(begin_ns: i64, end_ns: i64) -> Self {
        let step_ns = (end_ns.abs_diff(begin_ns) / PART_COUNT as u64 + 1).max(1);
        Self { begin_ns, step_ns, counts: vec![0; PART_COUNT] }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }
}

/// Adds events to a [`Spread`]. Most events are in the part of the one before.
#[derive(Debug)]
pub(super) struct Spreader {
    pub(super) spread: Spread,
    /// The part of the last event, and its times: `low..high`.
    part: usize,
    low: i64,
    high: i64,
}

impl Spreader {
    pub(super) fn new(spread: Spread) -> Self {
        Self { spread, part: 0, low: 0, high: 0 }
    }

    #[inline]
    pub(super) fn count(&mut self, time_ns: i64) {
        if !(self.low <= time_ns && time_ns < self.high) {
            self.find(time_ns);
        }
        if let Some(count) = self.spread.counts.get_mut(self.part) {
            *count += 1;
        }
    }

    #[cold]
    fn find(&mut self, time_ns: i64) {
        let Spread { begin_ns, step_ns, ref counts } = self.spread;
        let after = u64::try_from(time_ns.saturating_sub(begin_ns)).unwrap_or(0);
        let part = (after / step_ns.max(1)).min(counts.len().saturating_sub(1) as u64);
        self.part = part as usize;
        let step = i64::try_from(step_ns).unwrap_or(i64::MAX);
        self.low = begin_ns.saturating_add(step.saturating_mul(part as i64));
        self.high = self.low.saturating_add(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_count_in_the_part_of_their_time_and_strangers_at_the_edges() {
        let mut spreader = Spreader::new(Spread::new(1000, 1000 + 60 * 10 - 1));
        assert_eq!(spreader.spread.step_ns, 10);
        for time_ns in [1000, 1009, 1010, 1599, 5, i64::MIN, 99_999, i64::MAX, 1001] {
            spreader.count(time_ns);
        }
        let counts = &spreader.spread.counts;
        assert_eq!((counts[0], counts[1], counts[59]), (5, 1, 3));
        assert_eq!(counts.iter().sum::<u64>(), 9);
    }

    #[test]
    fn a_trace_of_one_moment_and_one_of_all_time_have_parts() {
        assert_eq!(Spread::new(7, 7).step_ns, 1);
        let mut spreader = Spreader::new(Spread::new(i64::MIN, i64::MAX));
        spreader.count(i64::MIN);
        spreader.count(i64::MAX);
        assert_eq!(spreader.spread.counts.iter().sum::<u64>(), 2);
    }
}
