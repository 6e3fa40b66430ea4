// SPDX-License-Identifier: MIT OR Apache-2.0
//! Says what tracers lost, from the counters of packets one after the other.

use super::TraceFolder;
use super::clock::Scale;
use super::stream::{Packet, Stream, WarningList};
use super::warning::{Loss, Lost, Warning, WarningReason};

/// Returns what the streams of `folder` say they lost; adds a warning for each contradiction.
pub(crate) fn losses(folder: &TraceFolder, warnings: &mut Vec<Warning>) -> Vec<Loss> {
    let mut losses = Vec::new();
    for stream in &folder.streams {
        let mut list = WarningList::default();
        let mut comparer = Comparer::new(folder, stream);
        for packet in &stream.packets {
            comparer.compare(packet, &mut losses, &mut list);
        }
        warnings.append(&mut list.0);
    }
    losses
}

struct Comparer<'t> {
    folder: &'t TraceFolder,
    stream: &'t Stream,
    scale: Option<Scale>,
    previous: Option<&'t Packet>,
}

impl<'t> Comparer<'t> {
    fn new(folder: &'t TraceFolder, stream: &'t Stream) -> Self {
        let clock = folder.class.streams[stream.class_idx].clock.and_then(|idx| folder.class.clocks.get(idx));
        Self { folder, stream, scale: clock.map(Scale::new), previous: None }
    }

    /// Compares the counters of a packet with those of the one before.
    fn compare(&mut self, packet: &'t Packet, losses: &mut Vec<Loss>, warnings: &mut WarningList) {
        let mut warn = |reason| {
            warnings.push(&self.stream.files[packet.file_idx as usize].path, packet.offset, reason);
        };
        let begin = packet.begin.unwrap_or(0);
        // A recorder that was killed leaves a last packet that has no end.
        let end = packet.end.filter(|end| *end >= begin).unwrap_or(begin);
        let is_last = self.stream.packets.last().is_some_and(|last| std::ptr::eq(last, packet));
        if let Some(end) = packet.end.filter(|end| *end < begin && !(*end == 0 && is_last)) {
            warn(WarningReason::PacketEndsEarly { begin, end });
        }
        let Some(before) = self.previous.replace(packet) else {
            if let Some(count @ 1..) = packet.discarded_events {
                losses.push(self.loss(Lost::Events, count, false, begin, end));
            }
            return;
        };
        let previous_end = before.end.or(before.begin).unwrap_or(0);
        if packet.begin.is_some() && begin < previous_end {
            warn(WarningReason::PacketOutOfOrder { begin, previous_end });
        }
        if let (Some(found), Some(previous)) = (packet.discarded_events, before.discarded_events) {
            match found.checked_sub(previous) {
                Some(0) => {}
                Some(count) => losses.push(self.loss(Lost::Events, count, true, previous_end, end)),
                None => warn(WarningReason::DiscardedBackwards { found, previous }),
            }
        }
        if let (Some(found), Some(previous)) = (packet.seq_num, before.seq_num) {
            match found.checked_sub(previous) {
                Some(1) => {}
                Some(count @ 2..) => losses.push(self.loss(Lost::Packets, count - 1, true, previous_end, begin)),
                Some(0) | None => warn(WarningReason::SequenceBackwards { found, previous }),
            }
        }
    }

    fn loss(&self, lost: Lost, count: u64, certain: bool, begin: u64, end: u64) -> Loss {
        let ns = |cycles| self.scale.map_or(0, |scale| scale.ns(cycles));
        Loss {
            lost,
            count,
            certain,
            begin_ns: ns(begin),
            end_ns: ns(end),
            cycles: self.scale.map(|_| (begin, end)),
            trace_name: self.folder.name.clone(),
            trace_uuid: self.folder.class.uuid,
            stream: std::path::absolute(self.stream.path()).unwrap_or_else(|_| self.stream.path().to_owned()),
            stream_id: self.stream.class_id,
            stream_instance_id: self.stream.instance_id.unwrap_or(self.stream.number_in_class),
        }
    }
}
