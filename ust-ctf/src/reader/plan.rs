// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decodes what stands around the fields of events: which event class it is, and when it happened.
//!
//! A header whose numbers lie at fixed bits is read with one load for each; so are LTTng's two, in which a small number
//! chooses between two such headers. Any other is walked.

use super::bits::Layout;
use super::place::{Damage, Place, SlotFile};
use super::program::{Phase, Program};
use super::walk::{self, RoleSink, fixed_bits};
use crate::class::{ClassKind, Range, Role, Slot, StreamClass, StructClass, TraceClass};

/// The clock of a stream, and the last roles that were read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// Cycles, all 64 bits.
    pub(crate) cycles: u64,
    /// Id in the event header.
    pub(crate) event_id: u64,
}

impl Clock {
    /// Sets the low `bits` bits; what went backwards has gone round.
    #[inline]
    pub(crate) fn update(&mut self, value: u64, bits: u32) {
        if bits >= 64 {
            self.cycles = value;
            return;
        }
        let lap = 1 << bits;
        let low = value & (lap - 1);
        let cycles = (self.cycles & !(lap - 1)) | low;
        // At the very end of the 64 bits there is no next lap.
        self.cycles = if cycles < self.cycles { cycles.checked_add(lap).unwrap_or(cycles) } else { cycles };
    }
}

impl RoleSink for Clock {
    #[inline]
    fn number(&mut self, role: Role, value: u64, bits: u32) {
        match role {
            Role::Timestamp => self.update(value, bits),
            Role::EventClassId => self.event_id = value,
            _ => {}
        }
    }
}

/// Numbers at fixed bits of a header.
#[derive(Clone, Debug, Default)]
struct Numbers {
    /// From the begin of the header.
    id: Option<(u64, Layout)>,
    time: Option<(u64, Layout)>,
    /// Size of the header.
    bits: u64,
}

impl Numbers {
    #[inline]
    fn read(&self, place: &mut Place<'_>, clock: &mut Clock) -> Result<(), Damage> {
        let begin = place.pos;
        place.skip(self.bits)?;
        if let Some((at, layout)) = self.id {
            clock.event_id = layout.read(place.bytes, begin + at);
        }
        if let Some((at, layout)) = self.time {
            clock.update(layout.read(place.bytes, begin + at), layout.bits() as u32);
        }
        Ok(())
    }

    /// Adds the members of `class`, which begins at `phase`; fails if their places are not fixed.
    fn add(&mut self, class: &StructClass, phase: &mut Phase) -> Option<()> {
        self.skip(phase.padding(class.align_bits.max(1))?, phase);
        for member in &class.members {
            self.skip(phase.padding(member.class.align_bits.max(1))?, phase);
            if let ClassKind::Struct(inner) = &member.class.kind {
                self.add(inner, phase)?;
                continue;
            }
            match (member.role, Layout::of_class(&member.class.kind)) {
                (Some(Role::EventClassId), Some(layout)) => self.id = Some((self.bits, layout)),
                // Two time stamps both count, one after the other.
                (Some(Role::Timestamp), Some(layout)) if self.time.is_none() => self.time = Some((self.bits, layout)),
                (Some(_), _) => return None,
                _ => {}
            }
            if member.save.is_some() {
                return None;
            }
            self.skip(fixed_bits(&member.class)?, phase);
        }
        Some(())
    }

    fn skip(&mut self, bits: u64, phase: &mut Phase) {
        self.bits = self.bits.saturating_add(bits).min(1 << 40);
        *phase = phase.after(bits);
    }
}

/// How the header of events is read.
#[derive(Clone, Debug)]
enum Header {
    /// There is none, or it has fixed places.
    Fixed(Numbers),
    /// A number at its begin chooses one of several.
    Chosen { tag: Layout, slot: Slot, tag_is_id: bool, options: Vec<(Vec<Range>, Numbers)> },
    /// Walk it.
    General(StructClass),
}

/// How the events of a stream class are read.
#[derive(Debug)]
pub(crate) struct StreamPlan {
    /// Alignment of the begin of an event.
    align: u64,
    header: Header,
    /// Index of each event class by its id, as far as ids are small.
    dense: Vec<u32>,
    /// Programs, in the order of the classes.
    programs: Vec<Program>,
    /// The id of events whose header has none.
    pub(crate) only_id: u64,
}

/// No class has this id.
const NONE: u32 = u32::MAX;

/// Ids up to here have a place in a table.
const DENSE_MAX: u64 = 1 << 16;

impl StreamPlan {
    /// Compiles the classes of `stream`.
    pub(crate) fn new(stream: &StreamClass) -> Self {
        let none = StructClass::default();
        let class = stream.event_header.as_ref().unwrap_or(&none);
        let align = class.align_bits.max(1);
        let (header, phase) = compile_header(class);
        let mut dense = Vec::new();
        for (idx, event) in stream.events.iter().enumerate().filter(|(_, event)| event.id < DENSE_MAX) {
            if dense.len() <= event.id as usize {
                dense.resize(event.id as usize + 1, NONE);
            }
            dense[event.id as usize] = idx as u32;
        }
        let contexts = || stream.event_context.iter();
        let programs = stream
            .events
            .iter()
            .map(|event| Program::compile(contexts().chain(&event.context).chain(&event.payload), phase))
            .collect();
        let only_id = stream.events.first().map_or(0, |event| event.id);
        Self { align, header, dense, programs, only_id }
    }

    /// Reads the header of the event at `place`.
    #[inline]
    pub(crate) fn read_header(
        &self,
        place: &mut Place<'_>,
        slots: &mut [u64],
        clock: &mut Clock,
    ) -> Result<(), Damage> {
        clock.event_id = self.only_id;
        place.align(self.align);
        match &self.header {
            Header::Fixed(numbers) => numbers.read(place, clock),
            Header::Chosen { tag, slot, tag_is_id, options } => {
                let begin = *place;
                place.skip(tag.bits())?;
                let value = tag.read(place.bytes, begin.pos);
                slots.set_slot(*slot, value);
                if *tag_is_id {
                    clock.event_id = value;
                }
                let value = i128::from(value);
                let option = options.iter().find(|(ranges, _)| ranges.iter().any(|range| range.contains(value)));
                let (_, numbers) = option.ok_or(Damage::NoOption(value))?;
                *place = begin;
                numbers.read(place, clock)
            }
            Header::General(class) => walk::skip_struct(class, place, slots, clock),
        }
    }

    /// Returns the index of the event class `id`, and its program.
    #[inline]
    pub(crate) fn event(&self, class: &StreamClass, id: u64) -> Option<(usize, &Program)> {
        let idx = match self.dense.get(id as usize) {
            Some(&NONE) => return None,
            Some(&idx) => idx as usize,
            None => class.events.binary_search_by_key(&id, |event| event.id).ok()?,
        };
        Some((idx, self.programs.get(idx)?))
    }
}

/// Returns how to read a header, and what is known of the place behind it.
fn compile_header(class: &StructClass) -> (Header, Phase) {
    let begin = Phase { modulus: class.align_bits.max(1), residue: 0 };
    let (mut numbers, mut phase) = (Numbers::default(), begin);
    if numbers.add(class, &mut phase).is_some() {
        return (Header::Fixed(numbers), phase);
    }
    compile_chosen(class, begin).unwrap_or_else(|| (Header::General(class.clone()), Phase::UNKNOWN))
}

/// Recognises a number and a variant of structures that it selects.
fn compile_chosen(class: &StructClass, begin: Phase) -> Option<(Header, Phase)> {
    let [tag, variant] = class.members.as_slice() else {
        return None;
    };
    let ClassKind::Variant(choice) = &variant.class.kind else {
        return None;
    };
    let layout = Layout::of_class(&tag.class.kind).filter(|_| matches!(tag.class.kind, ClassKind::Integer(_)))?;
    let is_plain = tag.save == Some(choice.selector.slot)
        && !choice.selector.is_signed
        && matches!(tag.role, None | Some(Role::EventClassId));
    if !is_plain || begin.padding(tag.class.align_bits.max(1)) != Some(0) {
        return None;
    }
    let mut options = Vec::new();
    let mut end = begin;
    for option in &choice.options {
        let ClassKind::Struct(inner) = &option.class.kind else {
            return None;
        };
        let mut numbers = Numbers { bits: layout.bits(), ..Numbers::default() };
        let mut phase = begin.after(layout.bits());
        numbers.skip(phase.padding(variant.class.align_bits.max(option.class.align_bits).max(1))?, &mut phase);
        numbers.add(inner, &mut phase)?;
        // What is known behind all of them: most end at a byte.
        let is_byte = phase.modulus >= 8 && phase.residue.is_multiple_of(8);
        let known = if is_byte { Phase { modulus: 8, residue: 0 } } else { Phase::UNKNOWN };
        end = if options.is_empty() || known == end { known } else { Phase::UNKNOWN };
        options.push((option.ranges.clone(), numbers));
    }
    let tag_is_id = tag.role == Some(Role::EventClassId);
    Some((Header::Chosen { tag: layout, slot: choice.selector.slot, tag_is_id, options }, end))
}

/// Returns the greatest alignment in `class`, which bits of packets are counted modulo.
pub(crate) fn align_bits_max(class: &TraceClass) -> u64 {
    let streams = class.streams.iter().flat_map(|stream| {
        let common = [&stream.packet_context, &stream.event_header, &stream.event_context];
        let events = stream.events.iter().flat_map(|event| [&event.context, &event.payload]);
        common.into_iter().chain(events)
    });
    let structs = streams.chain([&class.packet_header]).flatten();
    structs.map(super::program::align_max).fold(64, u64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_continues_from_the_one_before_across_the_end_of_its_bits() {
        let after = |cycles, value, bits| {
            let mut clock = Clock { cycles, event_id: 0 };
            clock.update(value, bits);
            clock.cycles
        };
        assert_eq!(after(0x0001_0000_0000_0005, 5, 48), 0x0001_0000_0000_0005);
        assert_eq!(after(0x0001_0000_0000_0005, 6, 48), 0x0001_0000_0000_0006);
        assert_eq!(after(0x0001_0000_0000_0005, 4, 48), 0x0002_0000_0000_0004);
        assert_eq!(after(u64::MAX, 4, 48), 0xffff_0000_0000_0004);
        assert_eq!(after(0x0fff_ffff, 1, 27), 0x1000_0001);
        assert_eq!(after(77, 5, 64), 5);
    }
}
