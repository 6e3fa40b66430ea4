// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints fields: each class becomes a node once, with its names and punctuation as bytes; a node decodes and prints in one
//! pass, without making values.

use super::decimal::{put_bits, put_decimal, put_hexadecimal, put_signed_decimal};
use super::float::put_float;
use super::out::{Literal, Out};
use super::quote::put_text;
use super::style::Colors;
use crate::class::{Base, BitMapFlag, Encoding, FloatClass, Mapping, OptionalClass, Slot, VariantClass};
use crate::limits::LINE_BYTES_MAX;
use crate::reader::{
    Damage, Layout, Place, SlotFile, Text, is_present, ones, option_idx, take_bytes, take_float, take_string, until_nul,
};

/// How a class is printed.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Decimal(Layout),
    SignedDecimal(Layout),
    Number(Number),
    Enumeration(Number, Vec<Label>),
    Bool(Layout),
    Bits(Layout, Vec<BitMapFlag>),
    Float(FloatClass),
    String(Encoding),
    Text(Count, Encoding),
    Blob(Count),
    /// Elements; with `true`, their indices are shown.
    Array(Count, u64, Box<Node>, bool),
    Struct(Members),
    Optional(OptionalClass, u64, Box<Node>),
    Variant(VariantClass, Vec<(u64, Node)>),
}

/// A whole number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    /// Nothing if its length is variable.
    pub(super) layout: Option<Layout>,
    pub(super) is_signed: bool,
    pub(super) base: Base,
}

/// A label of an enumeration, with quotes and escapes.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) mapping: Mapping,
    pub(super) text: Literal,
}

/// How many.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    Fixed(u64),
    Said(Slot),
}

impl Count {
    #[inline]
    fn get(self, slots: &Overlay<'_>) -> u64 {
        match self {
            Self::Fixed(count) => count,
            Self::Said(slot) => slots.slot(slot),
        }
    }
}

/// The members of a structure with their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    pub(super) align: u64,
    pub(super) members: Vec<MemberNode>,
    /// What is printed behind them.
    pub(super) end: Literal,
}

/// A member of a structure.
#[derive(Clone, Debug)]
pub(super) struct MemberNode {
    /// Comma, name, equals sign; nothing is printed if it is hidden.
    pub(super) before: Literal,
    pub(super) align: u64,
    pub(super) save: Option<Slot>,
    pub(super) is_hidden: bool,
    pub(super) node: Node,
}

/// The slots of an event, and what elements of arrays put over them.
#[derive(Debug)]
pub(super) struct Overlay<'e> {
    pub(super) base: &'e [u64],
    pub(super) over: Vec<(Slot, u64)>,
}

impl SlotFile for Overlay<'_> {
    fn slot(&self, slot: Slot) -> u64 {
        match self.over.iter().find(|(found, _)| *found == slot) {
            Some((_, value)) => *value,
            None => self.base.slot(slot),
        }
    }

    fn set_slot(&mut self, slot: Slot, value: u64) {
        if let Some((_, kept)) = self.over.iter_mut().find(|(found, _)| *found == slot) {
            *kept = value;
        } else if self.base.slot(slot) != value {
            self.over.push((slot, value));
        }
    }
}

/// What printing needs besides the node and the place.
pub(super) struct Context<'c, 'e> {
    pub(super) out: &'c mut Out,
    pub(super) slots: Overlay<'e>,
    pub(super) colors: &'c Colors,
}

impl Members {
    #[inline]
    pub(super) fn put(&self, context: &mut Context<'_, '_>, place: &mut Place<'_>) -> Result<(), Damage> {
        place.align(self.align);
        for member in &self.members {
            place.align(member.align);
            if member.save.is_some() || member.is_hidden {
                member.put_special(context, place)?;
                continue;
            }
            context.out.literal(&member.before);
            member.node.put(context, place)?;
        }
        context.out.literal(&self.end);
        Ok(())
    }
}

impl MemberNode {
    fn put_special(&self, context: &mut Context<'_, '_>, place: &mut Place<'_>) -> Result<(), Damage> {
        if let Some(slot) = self.save
            && let Some(value) = self.node.number(&context.slots, *place)?
        {
            context.slots.set_slot(slot, value);
        }
        if self.is_hidden {
            let mut hidden = Out::default();
            let mut quiet = Context {
                out: &mut hidden,
                slots: Overlay { base: context.slots.base, over: std::mem::take(&mut context.slots.over) },
                colors: context.colors,
            };
            let result = self.node.put(&mut quiet, place);
            context.slots.over = quiet.slots.over;
            return result;
        }
        context.out.literal(&self.before);
        self.node.put(context, place)
    }
}

#[inline]
fn read(layout: Layout, place: &mut Place<'_>) -> Result<u64, Damage> {
    let at = place.pos;
    place.skip(layout.bits())?;
    Ok(layout.read(place.bytes, at))
}

impl Number {
    #[inline]
    fn read(&self, place: &mut Place<'_>) -> Result<u64, Damage> {
        match self.layout {
            Some(layout) => read(layout, place),
            None => place.take_leb(self.is_signed),
        }
    }

    fn put(&self, out: &mut Out, value: u64) {
        let bits = self.layout.map_or(64, |layout| layout.bits() as u32);
        match self.base {
            Base::Decimal if self.is_signed => put_signed_decimal(out, value as i64),
            Base::Decimal => put_decimal(out, value),
            Base::Hexadecimal => {
                out.put(b"0x");
                put_hexadecimal(out, value & ones(bits.next_multiple_of(4)));
            }
            Base::Octal => {
                // An octal digit has 3 bits, so the sign reaches into the first one.
                let value = value & ones(bits.div_ceil(3) * 3);
                out.put(b"0");
                put_bits::<22>(out, value, 3, (64 - (value | 1).leading_zeros()).div_ceil(3));
            }
            Base::Binary => {
                out.put(b"0b");
                put_bits::<64>(out, value, 1, bits);
            }
        }
    }
}

impl Node {
    /// Returns what later fields see of this one, if it is a number.
    fn number(&self, slots: &Overlay<'_>, mut place: Place<'_>) -> Result<Option<u64>, Damage> {
        Ok(Some(match self {
            Self::Decimal(layout) | Self::SignedDecimal(layout) | Self::Bits(layout, _) => read(*layout, &mut place)?,
            Self::Number(number) | Self::Enumeration(number, _) => number.read(&mut place)?,
            Self::Bool(layout) => u64::from(read(*layout, &mut place)? != 0),
            Self::Optional(class, align, inner) if is_present(class, slots) => {
                place.align(*align);
                return inner.number(slots, place);
            }
            Self::Variant(class, options) => {
                let (align, inner) = &options[option_idx(class, slots)?];
                place.align(*align);
                return inner.number(slots, place);
            }
            _ => return Ok(None),
        }))
    }

    /// Decodes a field from its aligned place, and prints it.
    pub(super) fn put(&self, context: &mut Context<'_, '_>, place: &mut Place<'_>) -> Result<(), Damage> {
        match self {
            Self::Decimal(layout) => {
                let value = read(*layout, place)?;
                context.value(|out| put_decimal(out, value));
            }
            Self::SignedDecimal(layout) => {
                let value = read(*layout, place)?;
                context.value(|out| put_signed_decimal(out, value as i64));
            }
            Self::Number(number) => {
                let value = number.read(place)?;
                context.value(|out| number.put(out, value));
            }
            Self::Float(class) => {
                let value = take_float(class, place)?;
                context.value(|out| put_float(out, value));
            }
            Self::String(encoding) => {
                let bytes = take_string(place, *encoding)?;
                context.text(bytes, *encoding);
            }
            Self::Text(count, encoding) => {
                let bytes = take_bytes(place, count.get(&context.slots))?;
                context.text(until_nul(bytes, *encoding), *encoding);
            }
            Self::Array(count, align, element, with_index) => {
                let count = count.get(&context.slots);
                return put_elements(context, place, count, *align, element, *with_index);
            }
            Self::Struct(members) => {
                context.out.put(b"{");
                return members.put(context, place);
            }
            _ => return self.put_rare(context, place),
        }
        Ok(())
    }

    fn put_rare(&self, context: &mut Context<'_, '_>, place: &mut Place<'_>) -> Result<(), Damage> {
        match self {
            Self::Enumeration(number, labels) => {
                let value = number.read(place)?;
                put_enumeration(context, number, labels, value);
            }
            Self::Bool(layout) => {
                let value = read(*layout, place)?;
                context.value(|out| out.slice(if value != 0 { b"true" } else { b"false" }));
            }
            Self::Bits(layout, flags) => {
                let value = read(*layout, place)?;
                put_bit_map(context, layout.bits() as u32, flags, value);
            }
            Self::Blob(count) => put_blob(context, take_bytes(place, count.get(&context.slots))?),
            Self::Optional(class, align, inner) => {
                if !is_present(class, &context.slots) {
                    context.value(|out| out.put(b"<none>"));
                    return Ok(());
                }
                put_braced(context, place, *align, inner)?;
            }
            Self::Variant(class, options) => {
                let (align, inner) = &options[option_idx(class, &context.slots)?];
                put_braced(context, place, *align, inner)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn put_braced(context: &mut Context<'_, '_>, place: &mut Place<'_>, align: u64, inner: &Node) -> Result<(), Damage> {
    context.out.put(b"{ ");
    place.align(align);
    inner.put(context, place)?;
    context.out.put(b" }");
    Ok(())
}

fn put_elements(
    context: &mut Context<'_, '_>,
    place: &mut Place<'_>,
    count: u64,
    align: u64,
    element: &Node,
    with_index: bool,
) -> Result<(), Damage> {
    if count == 0 {
        context.out.put(b"[ ]");
        return Ok(());
    }
    context.out.put(b"[ ");
    for idx in 0..count {
        if idx > 0 {
            context.out.put(b", ");
        }
        if with_index {
            context.out.put(b"[");
            put_decimal(context.out, idx);
            context.out.put(b"] = ");
        }
        place.align(align);
        element.put(context, place)?;
        // Only arrays of arrays without a bit come here.
        if context.out.len() - context.begin() > LINE_BYTES_MAX {
            return Err(Damage::TooMany(count));
        }
    }
    context.out.put(b" ]");
    Ok(())
}

fn put_enumeration(context: &mut Context<'_, '_>, number: &Number, labels: &[Label], value: u64) {
    let wide = if number.is_signed { i128::from(value as i64) } else { i128::from(value) };
    context.out.put(b"( ");
    let holds = |label: &Label| label.mapping.ranges.iter().any(|range| range.contains(wide));
    let mut is_first = true;
    for (idx, label) in labels.iter().enumerate().filter(|(_, label)| holds(label)) {
        // A label with several ranges is shown once.
        if labels[..idx].iter().any(|before| before.mapping.label == label.mapping.label && holds(before)) {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            context.out.put(b", ");
        }
        context.value(|out| out.literal(&label.text));
    }
    if is_first {
        context.out.literal(&context.colors.unknown);
        context.out.put(b"<unknown>");
        context.out.literal(&context.colors.off);
    }
    context.out.put(b" : container = ");
    context.value(|out| number.put(out, value));
    context.out.put(b" )");
}

/// Bits in base 16, and behind them the flags that are set.
fn put_bit_map(context: &mut Context<'_, '_>, bits: u32, flags: &[BitMapFlag], value: u64) {
    let set = |flag: &BitMapFlag| {
        flag.ranges.iter().any(|range| {
            let low = range.low.clamp(0, 64) as u32;
            let high = range.high.clamp(-1, 63) as i64;
            (i64::from(low)..=high).any(|bit| value >> bit & 1 == 1)
        })
    };
    if !flags.is_empty() {
        context.out.put(b"( ");
        let mut is_first = true;
        for flag in flags.iter().filter(|flag| set(flag)) {
            if !std::mem::take(&mut is_first) {
                context.out.put(b", ");
            }
            context.value(|out| put_text(out, flag.label.as_bytes()));
        }
        if is_first {
            context.out.literal(&context.colors.unknown);
            context.out.put(b"<unknown>");
            context.out.literal(&context.colors.off);
        }
        context.out.put(b" : container = ");
    }
    context.value(|out| {
        out.put(b"0x");
        put_hexadecimal(out, value & ones(bits));
    });
    if !flags.is_empty() {
        context.out.put(b" )");
    }
}

fn put_blob(context: &mut Context<'_, '_>, bytes: &[u8]) {
    context.out.put(b"{ ");
    for (idx, byte) in bytes.iter().enumerate() {
        if idx > 0 {
            context.out.put(b", ");
        }
        context.value(|out| {
            out.put(b"0x");
            put_bits::<2>(out, u64::from(*byte), 4, 2);
        });
    }
    context.out.slice(if bytes.is_empty() { b"}" } else { b" }" });
}

impl Context<'_, '_> {
    /// Puts a value in its colour.
    #[inline]
    fn value(&mut self, put: impl FnOnce(&mut Out)) {
        if !self.colors.is_on {
            put(self.out);
            return;
        }
        self.out.literal(&self.colors.value);
        put(self.out);
        self.out.literal(&self.colors.off);
    }

    #[inline]
    fn text(&mut self, bytes: &[u8], encoding: Encoding) {
        if encoding == Encoding::Utf8 {
            self.value(|out| put_text(out, bytes));
        } else {
            self.value(|out| put_text(out, &Text { bytes, encoding }.utf8()));
        }
    }

    /// Where the line began, for bounding it.
    fn begin(&self) -> usize {
        self.out.mark()
    }
}
