// SPDX-License-Identifier: MIT OR Apache-2.0
//! Goes through the events of one stream.

use super::clock::Scale;
use super::event::Event;
use super::head::Head;
use super::piece::{Filled, Piece};
use super::place::{Damage, Place};
use super::plan::{Clock, StreamPlan};
use super::stream::{Exit, Packet, Stream, WarningList};
use super::warning::{FieldProblem, WarningReason};
use super::window::{TIME_MIN, Window};
use super::{TraceFolder, walk};
use crate::class::{EventClass, StreamClass, StructClass};
use crate::limits::{EVENT_BYTES_MAX, INSIDE_HEAD_BYTES};

/// An event that was found in the piece of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Bits of the piece where its header and its body begin.
    pub(crate) begin: u64,
    pub(crate) body: u64,
    pub(crate) class_idx: usize,
    pub(crate) cycles: u64,
    pub(crate) time_ns: i64,
}

/// A place in a stream.
#[derive(Debug)]
pub(crate) struct Cursor<'t> {
    pub(crate) folder: &'t TraceFolder,
    pub(crate) stream: &'t Stream,
    pub(crate) class: &'t StreamClass,
    pub(crate) plan: &'t StreamPlan,
    scale: Option<Scale>,
    piece_bytes: u64,
    /// Which events are wanted.
    window: Window,
    next_packet: usize,
    /// The packet that is read.
    packet: Option<&'t Packet>,
    /// Bytes of header and context of the last packet that was read, and what they say.
    pub(crate) head_bytes: Vec<u8>,
    pub(crate) head: Head,
    piece: Piece,
    /// Bits of the packet that hold events; fewer than it says if the file is cut.
    content_bits: u64,
    is_cut: bool,
    /// Bit of the piece, and the bit behind the last that may be read.
    pos: u64,
    end: u64,
    clock: Clock,
    /// Cycles and key before the event that was found.
    before: (u64, i64),
    pub(crate) slots: Vec<u64>,
    pub(crate) found: Found,
    /// Time by which events are sorted: that of the latest event, between the bounds of the packet.
    pub(crate) key_ns: i64,
    pub(crate) warnings: WarningList,
}

/// Why an event cannot be decoded.
enum Trouble {
    /// The piece ends.
    Piece,
    /// The packet is no good from here on.
    Bad(WarningReason),
}

impl<'t> Cursor<'t> {
    pub(crate) fn new(folder: &'t TraceFolder, stream: &'t Stream, piece_bytes: u64) -> Self {
        let class = &folder.class.streams[stream.class_idx];
        Self {
            folder,
            stream,
            class,
            plan: &folder.plans[stream.class_idx],
            scale: class.clock.and_then(|idx| folder.class.clocks.get(idx)).map(Scale::new),
            // Pieces begin at multiples of all alignments.
            piece_bytes: piece_bytes.max(folder.align_bits / 8).next_multiple_of(folder.align_bits / 8),
            window: Window::ALL,
            next_packet: 0,
            packet: None,
            head_bytes: Vec::new(),
            head: Head::default(),
            piece: Piece::default(),
            content_bits: 0,
            is_cut: false,
            pos: 0,
            end: 0,
            clock: Clock::default(),
            before: (0, TIME_MIN),
            slots: vec![0; folder.class.slot_count],
            found: Found { begin: 0, body: 0, class_idx: 0, cycles: 0, time_ns: 0 },
            key_ns: TIME_MIN,
            warnings: WarningList::default(),
        }
    }

    /// Begins anew with the events of `window`.
    pub(crate) fn restart(&mut self, window: Window) {
        self.window = window;
        self.packet = None;
        self.key_ns = TIME_MIN;
        self.next_packet = 0;
        self.next_packet = self.stream.packets.partition_point(|packet| packet.reach_ns <= window.after_ns);
        self.piece.clear(self.piece_bytes);
    }

    /// Returns the packet of the event that was found.
    pub(crate) fn packet(&self) -> (&'t Packet, usize) {
        let idx = self.next_packet.saturating_sub(1);
        (&self.stream.packets[idx], idx)
    }

    /// Bits of the event that was found last.
    pub(crate) fn event_bits(&self) -> u64 {
        self.pos.saturating_sub(self.found.begin)
    }

    pub(crate) fn place(&self, pos: u64) -> Place<'_> {
        Place { bytes: self.piece.bytes(), pos, end: self.end }
    }

    /// Finds the next event, past everything that cannot be read; tells whether there is one.
    pub(crate) fn advance(&mut self) -> bool {
        loop {
            let Some(packet) = self.packet else {
                if !self.open_packet() {
                    return false;
                }
                continue;
            };
            match self.decode(packet) {
                Ok(true) if self.key_ns > self.window.after_ns => {
                    if self.key_ns <= self.window.until_ns {
                        return true;
                    }
                    // This packet has nothing more for this window; the next one might.
                    self.leave();
                    self.packet = None;
                }
                Ok(true) => {}
                Ok(false) => self.packet = None,
                Err(Trouble::Piece) => self.refill(packet),
                Err(Trouble::Bad(reason)) => {
                    self.warn(packet, self.pos, reason);
                    self.packet = None;
                }
            }
        }
    }

    /// Decodes the event at `pos`; there is none at the end of the packet.
    #[inline]
    fn decode(&mut self, packet: &Packet) -> Result<bool, Trouble> {
        let is_last_piece = self.piece.base_bits() + self.end >= self.content_bits;
        if self.pos >= self.end {
            return if is_last_piece { Ok(false) } else { Err(Trouble::Piece) };
        }
        let mut place = Place { bytes: self.piece.bytes(), pos: self.pos, end: self.end };
        let mut clock = self.clock;
        if let Err(damage) = self.plan.read_header(&mut place, &mut self.slots, &mut clock) {
            return Err(self.header_trouble(damage, is_last_piece));
        }
        let Some((class_idx, program)) = self.plan.event(self.class, clock.event_id) else {
            let (id, stream_id) = (clock.event_id, self.class.id);
            return Err(Trouble::Bad(WarningReason::UnknownEvent { id, stream_id }));
        };
        let (body, cycles) = (place.pos, clock.cycles);
        if let Err(damage) = program.run(&mut place, &mut self.slots, &mut clock) {
            return Err(self.body_trouble(damage, class_idx, body, is_last_piece));
        }
        if place.pos == self.pos {
            let event = self.class.events[class_idx].name.clone();
            return Err(Trouble::Bad(WarningReason::EventWithoutBits { event }));
        }
        let time_ns = self.scale.as_ref().map_or(0, |scale| scale.ns(cycles));
        let key_before = self.key_ns;
        if self.scale.is_some() {
            self.key_ns = self.key_ns.max(time_ns).min(packet.end_ns);
        }
        self.found = Found { begin: self.pos, body, class_idx, cycles, time_ns };
        self.before = (self.clock.cycles, key_before);
        self.pos = place.pos;
        self.clock = clock;
        Ok(true)
    }

    #[cold]
    fn header_trouble(&self, damage: Damage, is_last_piece: bool) -> Trouble {
        match FieldProblem::of(damage) {
            Some(problem) => Trouble::Bad(WarningReason::EventHeader { problem }),
            None if is_last_piece => Trouble::Bad(WarningReason::EventHeaderCut),
            None => Trouble::Piece,
        }
    }

    #[cold]
    fn body_trouble(&mut self, damage: Damage, class_idx: usize, body: u64, is_last_piece: bool) -> Trouble {
        let problem = FieldProblem::of(damage);
        if problem.is_none() && !is_last_piece {
            return Trouble::Piece;
        }
        let class = &self.class.events[class_idx];
        let (event, field) = (class.name.clone(), self.damaged_field(class, body));
        Trouble::Bad(match problem {
            None => WarningReason::FieldCut { event, field },
            Some(problem) => WarningReason::Field { event, field, problem },
        })
    }

    /// Returns the name of the first field that cannot be read.
    fn damaged_field(&mut self, class: &EventClass, body: u64) -> String {
        let mut place = Place { bytes: self.piece.bytes(), pos: body, end: self.end };
        for scope in scopes(self.class, class) {
            place.align(scope.align_bits.max(1));
            for member in &scope.members {
                if walk::skip_member(member, &mut place, &mut self.slots[..], &mut ()).is_err() {
                    return member.name.clone();
                }
            }
        }
        String::new()
    }

    /// Opens the next packet that has events for the window; tells whether there is one.
    fn open_packet(&mut self) -> bool {
        loop {
            let Some(packet) = self.stream.packets.get(self.next_packet) else {
                return false;
            };
            if packet.begin_ns > self.window.until_ns {
                return false;
            }
            self.next_packet += 1;
            if packet.end_ns <= self.window.after_ns {
                continue;
            }
            self.key_ns = packet.begin_ns;
            self.piece.clear(self.piece_bytes);
            (self.content_bits, self.is_cut) = (packet.content_bits, packet.is_cut);
            match self.read_head(packet) {
                Ok(()) => {
                    self.packet = Some(packet);
                    self.enter(packet);
                    return true;
                }
                Err(reason) => self.warn(packet, 0, reason),
            }
        }
    }

    /// Notes where the event lies that is beyond the window.
    #[cold]
    fn leave(&self) {
        self.stream.leave(Exit {
            packet: self.next_packet - 1,
            until_ns: self.window.until_ns,
            pos: self.piece.base_bits() + self.found.begin,
            cycles: self.before.0,
            key_ns: self.before.1,
        });
    }

    /// Goes on where an earlier window ended, if one did in this packet.
    fn enter(&mut self, packet: &Packet) {
        if packet.begin_ns > self.window.after_ns {
            return;
        }
        if let Some(exit) = self.stream.entry(self.next_packet - 1, self.window.after_ns) {
            (self.clock.cycles, self.key_ns) = (exit.cycles, exit.key_ns);
            if exit.pos <= self.end {
                self.pos = exit.pos;
            } else {
                // Beyond the piece: at its end, so that the next one begins there.
                let from = exit.pos / self.folder.align_bits * self.folder.align_bits;
                self.refill_from(packet, exit.pos, from);
            }
        }
    }

    fn read_head(&mut self, packet: &Packet) -> Result<(), WarningReason> {
        (self.pos, self.end) = (0, 0);
        // The first events of a packet that began before the window are not needed, if it is known where they end.
        let is_inside = packet.begin_ns <= self.window.after_ns;
        let bytes = if is_inside { INSIDE_HEAD_BYTES } else { self.piece_bytes };
        loop {
            let filled = self.fill(packet, 0, bytes).map_err(|error| WarningReason::PacketUnreadable { error })?;
            match Head::read(&self.folder.class, self.piece.bytes(), &mut self.slots) {
                Ok(head) => {
                    if head.class_idx != self.stream.class_idx || head.bits > self.content_bits {
                        return Err(WarningReason::PacketChanged);
                    }
                    self.clock = Clock { cycles: head.first_cycles(), event_id: 0 };
                    self.pos = head.bits;
                    self.head_bytes.clear();
                    let len = (head.bits.div_ceil(8) as usize).min(self.piece.bytes().len());
                    self.head_bytes.extend_from_slice(&self.piece.bytes()[..len]);
                    self.head = head;
                    return Ok(());
                }
                Err(super::head::HeadError::Cut) if filled == Filled::More && self.end < self.content_bits => {}
                Err(_) => return Err(WarningReason::PacketChanged),
            }
        }
    }

    /// Reads the piece of the packet that begins with the event at `pos`.
    #[cold]
    fn refill(&mut self, packet: &Packet) {
        let at = self.piece.base_bits() + self.pos;
        self.refill_from(packet, at, at / self.folder.align_bits * self.folder.align_bits);
    }

    fn refill_from(&mut self, packet: &Packet, at: u64, from: u64) {
        let filled = self.fill(packet, from / 8, self.piece_bytes);
        self.pos = at - from;
        let reason = match filled {
            Ok(Filled::More) => return,
            Ok(Filled::Short) => {
                let found_bytes = from / 8 + self.piece.bytes().len() as u64;
                self.content_bits = self.content_bits.min(found_bytes * 8);
                self.is_cut = true;
                let packet_bytes = packet.packet_bits / 8;
                self.warn(packet, 0, WarningReason::PacketCut { found_bytes, packet_bytes });
                return;
            }
            Ok(Filled::TooLarge) => WarningReason::EventTooLarge { event: String::new(), bytes_max: EVENT_BYTES_MAX },
            Err(error) => WarningReason::PacketUnreadable { error },
        };
        self.warn(packet, self.pos, reason);
        self.packet = None;
    }

    fn fill(&mut self, packet: &Packet, from: u64, bytes: u64) -> std::io::Result<Filled> {
        let file = &self.stream.files[packet.file_idx as usize].file;
        let filled = self.piece.fill(file, packet.offset, self.content_bits.div_ceil(8), from, bytes)?;
        let base = self.piece.base_bits();
        self.end = (self.piece.bytes().len() as u64 * 8).min(self.content_bits.saturating_sub(base));
        Ok(filled)
    }

    #[cold]
    fn warn(&mut self, packet: &Packet, pos: u64, reason: WarningReason) {
        // That the packet is cut was said when it was found.
        if self.is_cut && reason.is_cut() {
            return;
        }
        let file = &self.stream.files[packet.file_idx as usize].path;
        self.warnings.push(file, packet.offset + (self.piece.base_bits() + pos) / 8, reason);
    }

    /// Returns the event that was found.
    pub(crate) fn event(&self) -> Event<'_> {
        Event::new(self)
    }
}

/// Returns the structures behind the header of an event.
pub(crate) fn scopes<'c>(stream: &'c StreamClass, event: &'c EventClass) -> impl Iterator<Item = &'c StructClass> {
    stream.event_context.iter().chain(&event.context).chain(&event.payload)
}
