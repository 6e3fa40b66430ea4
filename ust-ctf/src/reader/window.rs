// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cuts the time of a trace into windows that can be read apart from each other, at ends of packets.
//!
//! A window is the times after its begin up to and with its end. Which window an event is in follows from the event's
//! packet alone: its key is the latest time of its packet up to it, between the bounds of the packet. So each event is in
//! exactly one window, also in a trace whose times go backwards or beyond its packets. Who leaves a packet because the window
//! ends notes the place, so that a later window does not pass the packet's first events again.

use super::Trace;
use super::stream::Packet;
use crate::limits::{FIRST_WINDOW_BYTES, WINDOW_BYTES};

/// The earliest time by which events are sorted; events without a clock have it.
pub(crate) const TIME_MIN: i64 = i64::MIN + 1;

/// An interval of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) after_ns: i64,
    pub(crate) until_ns: i64,
}

impl Window {
    /// All times.
    pub(crate) const ALL: Self = Self { after_ns: i64::MIN, until_ns: i64::MAX };
}

/// Returns windows of some bytes each, in order, which together are all times of `trace`.
///
/// It takes the events of a packet to be spread evenly over its time. A window ends at the end of a packet if there is one
/// near enough, because then that packet is passed once.
pub(crate) fn cut(trace: &Trace) -> Vec<Window> {
    let all = trace.window;
    let packets = trace.folders().iter().flat_map(|folder| &folder.streams).flat_map(|stream| &stream.packets);
    let is_wanted = |packet: &&Packet| packet.end_ns > all.after_ns && packet.begin_ns <= all.until_ns;
    // Times at which the number of bytes per nanosecond changes; the last is of packets that have an end.
    let mut changes = Vec::new();
    for packet in packets.filter(is_wanted).filter(|packet| TIME_MIN < packet.begin_ns && packet.end_ns < i64::MAX) {
        let ns = packet.end_ns.saturating_sub(packet.begin_ns).max(1) as f64;
        let rate = packet.content_bits as f64 / 8.0 / ns;
        changes.push((packet.begin_ns, rate));
        changes.push((packet.end_ns, -rate));
    }
    changes.sort_unstable_by_key(|(ns, change)| (*ns, *change < 0.0));
    let mut cutter = Cutter { windows: Vec::new(), all, after_ns: all.after_ns, wanted: FIRST_WINDOW_BYTES as f64 };
    let (mut bytes, mut rate, mut now) = (0.0, 0.0, changes.first().map_or(0, |change| change.0));
    for (ns, change) in changes {
        // Far from the end of any packet.
        while rate > 0.0 && bytes + rate * (ns.saturating_sub(now)) as f64 > cutter.wanted * 1.5 {
            let step = ((cutter.wanted - bytes).max(0.0) / rate) as i64 + 1;
            now = now.saturating_add(step).min(ns);
            cutter.cut(now);
            bytes = 0.0;
        }
        bytes += rate * (ns.saturating_sub(now)) as f64;
        now = ns;
        rate = f64::max(rate + change, 0.0);
        if change < 0.0 && bytes >= cutter.wanted {
            cutter.cut(ns);
            bytes = 0.0;
        }
    }
    cutter.finish()
}

struct Cutter {
    windows: Vec<Window>,
    all: Window,
    after_ns: i64,
    /// Bytes of the next window. The first ones are small, so that there is something to see at once.
    wanted: f64,
}

impl Cutter {
    fn cut(&mut self, until_ns: i64) {
        if self.after_ns < until_ns && until_ns < self.all.until_ns {
            self.windows.push(Window { after_ns: self.after_ns, until_ns });
            self.after_ns = until_ns;
            self.wanted = (self.wanted * 2.0).min(WINDOW_BYTES as f64);
        }
    }

    fn finish(mut self) -> Vec<Window> {
        self.windows.push(Window { after_ns: self.after_ns, until_ns: self.all.until_ns });
        self.windows
    }
}
