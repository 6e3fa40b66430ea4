// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cuts the time of a trace into windows that can be read apart from each other, at ends of packets.
//!
//! A window is the times after its begin up to and with its end. Which window an event is in follows from the event's
//! packet alone: its key is the latest time of its packet up to it, between the bounds of the packet. So each event is in
//! exactly one window, also in a trace whose times go backwards or beyond its packets. A cut at the end of a packet costs
//! the packet nothing; of the other streams, the packet across the cut is passed twice.

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
pub(crate) fn cut(trace: &Trace) -> Vec<Window> {
    let packets = trace.folders().iter().flat_map(|folder| &folder.streams).flat_map(|stream| &stream.packets);
    let all = trace.window;
    let is_wanted = |packet: &&Packet| packet.end_ns > all.after_ns && packet.begin_ns <= all.until_ns;
    let mut ends: Vec<_> = packets.filter(is_wanted).map(|packet| (packet.end_ns, packet.content_bits / 8)).collect();
    ends.sort_unstable();
    let mut windows = Vec::new();
    let (mut after_ns, mut bytes) = (all.after_ns, 0_u64);
    // The first ones are small, so that there is something to see at once.
    let mut wanted = FIRST_WINDOW_BYTES;
    for (end_ns, packet_bytes) in ends {
        bytes = bytes.saturating_add(packet_bytes);
        if bytes >= wanted && after_ns < end_ns && end_ns < all.until_ns {
            windows.push(Window { after_ns, until_ns: end_ns });
            (after_ns, bytes) = (end_ns, 0);
            wanted = (wanted * 2).min(WINDOW_BYTES);
        }
    }
    windows.push(Window { after_ns, until_ns: all.until_ns });
    windows
}
