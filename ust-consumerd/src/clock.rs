// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells what the time stamps of a trace mean: their frequency, and where they stand on the calendar.
//!
//! Programs store raw cycles and never calibrate. Here the frequency comes, in this order, from two samples at least
//! [`SAMPLES_APART_NS`] apart, from the kernel's own conversion, or from two samples as far apart as they
//! happen to be. The first is the most exact but takes time, so the metadata is written again when it is there.
//! The calendar is fixed at the first sample and keeps its place when the frequency is refined.

use std::fs;
use std::fs::File;

use memmap2::MmapOptions;
use serde::{Deserialize, Serialize};
use ust_ctf::model;
use ust_shm::layout::clock as kind;

use crate::sys;

/// Two samples this far apart give the frequency to 5 parts in 10^8: they are exact to some 50 ns.
const SAMPLES_APART_NS: u64 = 1_000_000_000;

/// Two samples this far apart are better than nothing.
const SAMPLES_APART_NS_MIN: u64 = 200_000;

/// Reads of which the tightest makes a sample.
const READS_PER_SAMPLE: u32 = 16;

const NS_PER_S: u64 = 1_000_000_000;

/// Three clocks at the same moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    cycles: u64,
    monotonic_ns: u64,
    realtime_ns: u64,
}

impl Sample {
    fn take() -> Self {
        let read = || {
            let before = sys::cycles();
            let realtime_ns = sys::clock_ns(libc::CLOCK_REALTIME);
            let monotonic_ns = sys::clock_ns(libc::CLOCK_MONOTONIC);
            let width = sys::cycles().wrapping_sub(before);
            (width, Self { cycles: before.wrapping_add(width / 2), monotonic_ns, realtime_ns })
        };
        let mut best = read();
        for _ in 1..READS_PER_SAMPLE {
            let next = read();
            if next.0 < best.0 {
                best = next;
            }
        }
        best.1
    }
}

/// A clock as it is kept on disk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct SavedClock {
    kind: u32,
    cycles: u64,
    monotonic_ns: u64,
    realtime_ns: u64,
    hz: u64,
}

/// The clock of one trace.
#[derive(Clone, Debug)]
pub(crate) struct TraceClock {
    kind: u32,
    first: Sample,
    kernel_hz: Option<u64>,
    hz: u64,
    /// Age at which the frequency is to be refined next.
    refine_at_ns: u64,
}

impl TraceClock {
    /// A clock that stands on the calendar as of now.
    pub(crate) fn new() -> Self {
        let mut clock = Self {
            kind: kind::TSC,
            first: Sample::take(),
            kernel_hz: kernel_hz(),
            hz: 0,
            refine_at_ns: SAMPLES_APART_NS / 50,
        };
        clock.hz = clock.best_hz();
        clock
    }

    /// What must be kept so that the calendar keeps its place.
    pub(crate) fn save(&self) -> SavedClock {
        let Sample { cycles, monotonic_ns, realtime_ns } = self.first;
        SavedClock { kind: self.kind, cycles, monotonic_ns, realtime_ns, hz: self.hz }
    }

    /// The clock that was kept.
    pub(crate) fn restore(saved: SavedClock) -> Self {
        let SavedClock { kind, cycles, monotonic_ns, realtime_ns, hz } = saved;
        let first = Sample { cycles, monotonic_ns, realtime_ns };
        Self { kind, first, kernel_hz: kernel_hz(), hz, refine_at_ns: SAMPLES_APART_NS }
    }

    /// Decides what the time stamps are: `clock::TSC` or `clock::MONOTONIC`.
    pub(crate) fn set_kind(&mut self, kind: u32) {
        self.kind = kind;
    }

    /// The time now, as a traced program would stamp it.
    pub(crate) fn now(&self) -> u64 {
        if self.kind == kind::MONOTONIC { sys::clock_ns(libc::CLOCK_MONOTONIC) } else { sys::cycles() }
    }

    /// Refines the frequency if that is due; returns whether it changed.
    pub(crate) fn refine_if_due(&mut self) -> bool {
        let age_ns = sys::clock_ns(libc::CLOCK_MONOTONIC).saturating_sub(self.first.monotonic_ns);
        if age_ns < self.refine_at_ns {
            return false;
        }
        self.refine_at_ns = (age_ns * 10).max(SAMPLES_APART_NS);
        self.refine()
    }

    /// Refines the frequency with a sample of now; returns whether it changed.
    pub(crate) fn refine(&mut self) -> bool {
        let hz = self.best_hz();
        let changed = hz != self.hz && self.kind != kind::MONOTONIC;
        self.hz = hz;
        changed
    }

    fn best_hz(&self) -> u64 {
        loop {
            let sample = Sample::take();
            let ns = sample.monotonic_ns.saturating_sub(self.first.monotonic_ns);
            if ns < SAMPLES_APART_NS
                && let Some(hz) = self.kernel_hz
            {
                return hz;
            }
            if ns >= SAMPLES_APART_NS_MIN {
                let cycles = sample.cycles.wrapping_sub(self.first.cycles);
                let hz = u128::from(cycles) * u128::from(NS_PER_S) / u128::from(ns);
                return u64::try_from(hz).unwrap_or(u64::MAX).max(1);
            }
        }
    }

    /// The clock's description for the metadata.
    pub(crate) fn model(&self) -> model::Clock {
        let (hz, at_first, description) = match self.kind {
            kind::MONOTONIC => (NS_PER_S, self.first.monotonic_ns, "CLOCK_MONOTONIC"),
            _ => (self.hz, self.first.cycles, "CPU cycle counter"),
        };
        let since_epoch = u128::from(self.first.realtime_ns) * u128::from(hz) / u128::from(NS_PER_S);
        // Not before the epoch: the calendar began long before the machine was switched on.
        let offset = since_epoch.saturating_sub(u128::from(at_first));
        model::Clock {
            name: "monotonic".to_owned(),
            description: description.to_owned(),
            uuid: boot_id(),
            freq: hz,
            offset_s: i64::try_from(offset / u128::from(hz)).unwrap_or(0),
            offset_cycles: (offset % u128::from(hz)) as u64,
        }
    }
}

/// The kernel's own cycles per second, where it lets us see them.
fn kernel_hz() -> Option<u64> {
    const CAP_USER_TIME: u64 = 1 << 3;
    let event = File::from(sys::perf_dummy_event().ok()?);
    let page = MmapOptions::new().len(4096).map_raw_read_only(&event).ok()?;
    let mut bytes = [0u8; 64];
    crate::map::copy_private(&page, &mut bytes)?;
    let capabilities = u64::from_le_bytes(*bytes.get(40..)?.first_chunk()?);
    let shift = u16::from_le_bytes(*bytes.get(50..)?.first_chunk()?);
    let mult = u32::from_le_bytes(*bytes.get(52..)?.first_chunk()?);
    if capabilities & CAP_USER_TIME == 0 || mult == 0 || shift > 63 {
        return None;
    }
    u64::try_from((u128::from(NS_PER_S) << shift) / u128::from(mult)).ok()
}

/// The identity of this run of the system.
fn boot_id() -> [u8; 16] {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let mut id = [0; 16];
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_of_now_reads_as_the_time_of_day_on_either_clock() {
        for kind in [kind::TSC, kind::MONOTONIC] {
            let mut clock = TraceClock::new();
            clock.set_kind(kind);
            let model = clock.model();
            let stamp = clock.now();
            let wall_ns = u128::from(sys::clock_ns(libc::CLOCK_REALTIME));
            let cycles = u128::from(stamp) + u128::from(model.offset_cycles);
            let ns = model.offset_s as u128 * 1_000_000_000 + cycles * 1_000_000_000 / u128::from(model.freq);
            assert!(ns.abs_diff(wall_ns) < 50_000_000, "kind {kind}: {ns} against {wall_ns}");
            assert_ne!(model.uuid, [0; 16]);
        }
    }
}
