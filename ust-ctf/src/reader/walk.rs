// SPDX-License-Identifier: MIT OR Apache-2.0
//! Goes past fields of any class: the general path, which [`super::program`] leaves what it cannot flatten.
//!
//! It keeps what later fields refer to, and tells whoever asks the values that have a role.

use super::bits::Layout;
use super::place::{Damage, Place, SlotFile};
use crate::class::{Class, ClassKind, Encoding, Member, OptionalClass, Range, Role, StructClass, VariantClass};
use crate::limits::EMPTY_ELEMENTS_MAX;

/// Who is told the values that have a role.
pub(crate) trait RoleSink {
    /// A number, the latest of its role.
    fn number(&mut self, role: Role, value: u64, bits: u32);
    /// The bytes of [`Role::TraceUuid`].
    fn uuid(&mut self, _bytes: [u8; 16]) {}
}

/// Goes past the members of `class`.
pub(crate) fn skip_struct<S: SlotFile + ?Sized>(
    class: &StructClass,
    place: &mut Place<'_>,
    slots: &mut S,
    roles: &mut impl RoleSink,
) -> Result<(), Damage> {
    place.align(class.align_bits.max(1));
    for member in &class.members {
        skip_member(member, place, slots, roles)?;
    }
    Ok(())
}

/// Goes past `member`.
pub(crate) fn skip_member<S: SlotFile + ?Sized>(
    member: &Member,
    place: &mut Place<'_>,
    slots: &mut S,
    roles: &mut impl RoleSink,
) -> Result<(), Damage> {
    let class = &*member.class;
    if member.save.is_some() || member.role.is_some() {
        let before = *place;
        if let Some(chosen) = chosen(class, slots)?
            && let Some((value, bits)) = take_number(chosen, place)?
        {
            if let Some(slot) = member.save {
                slots.set_slot(slot, as_kept(chosen, value));
            }
            if let Some(role) = member.role {
                roles.number(role, value, bits);
            }
            return Ok(());
        }
        if member.role == Some(Role::TraceUuid) {
            skip(class, place, slots, roles)?;
            roles.uuid(uuid(before));
            return Ok(());
        }
    }
    skip(class, place, slots, roles)
}

/// Sixteen bytes from `place`.
fn uuid(mut place: Place<'_>) -> [u8; 16] {
    place.align(8);
    place.take(16).ok().and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
}

/// Returns the class of what is there: through optionals and variants, that of the option; nothing if it is absent.
pub(crate) fn chosen<'c, S: SlotFile + ?Sized>(class: &'c Class, slots: &S) -> Result<Option<&'c Class>, Damage> {
    let mut class = class;
    loop {
        class = match &class.kind {
            ClassKind::Optional(inner) if is_present(inner, slots) => &inner.class,
            ClassKind::Optional(_) => return Ok(None),
            ClassKind::Variant(variant) => &variant.options[option_idx(variant, slots)?].class,
            _ => return Ok(Some(class)),
        };
    }
}

/// Returns what later fields see of `value`.
pub(crate) fn as_kept(class: &Class, value: u64) -> u64 {
    if matches!(class.kind, ClassKind::Bool { .. }) { u64::from(value != 0) } else { value }
}

/// Takes a whole number and its size in bits, if `class` is one.
pub(crate) fn take_number(class: &Class, place: &mut Place<'_>) -> Result<Option<(u64, u32)>, Damage> {
    if let ClassKind::Integer(integer) = &class.kind
        && integer.bits == 0
    {
        place.align(class.align_bits.max(8));
        return place.take_leb(integer.is_signed).map(|value| Some((value, 64)));
    }
    let Some(layout) = Layout::of_class(&class.kind) else {
        return Ok(None);
    };
    place.align(class.align_bits.max(1));
    let at = place.pos;
    place.skip(layout.bits())?;
    Ok(Some((layout.read(place.bytes, at), layout.bits() as u32)))
}

/// Goes past a field of `class`.
pub(crate) fn skip<S: SlotFile + ?Sized>(
    class: &Class,
    place: &mut Place<'_>,
    slots: &mut S,
    roles: &mut impl RoleSink,
) -> Result<(), Damage> {
    place.align(class.align_bits.max(1));
    match &class.kind {
        ClassKind::Integer(_) | ClassKind::Bool { .. } | ClassKind::BitArray { .. } => {
            take_number(class, place).map(|_| ())
        }
        ClassKind::Float(float) => place.skip(float.bits.into()),
        ClassKind::String(encoding) => take_string(place, *encoding).map(|_| ()),
        ClassKind::StaticText(text) => take_bytes(place, text.len).map(|_| ()),
        ClassKind::DynamicText(text) => take_bytes(place, slots.slot(text.len.slot)).map(|_| ()),
        ClassKind::StaticBlob(blob) => take_bytes(place, blob.len).map(|_| ()),
        ClassKind::DynamicBlob(blob) => take_bytes(place, slots.slot(blob.len.slot)).map(|_| ()),
        ClassKind::Array(array) => skip_elements(&array.element, array.len, place, slots, roles),
        ClassKind::Sequence(array) => {
            let count = slots.slot(array.len.slot);
            skip_elements(&array.element, count, place, slots, roles)
        }
        ClassKind::Struct(inner) => skip_struct(inner, place, slots, roles),
        ClassKind::Optional(inner) if is_present(inner, slots) => skip(&inner.class, place, slots, roles),
        ClassKind::Optional(_) => Ok(()),
        ClassKind::Variant(variant) => {
            let option = option_idx(variant, slots)?;
            skip(&variant.options[option].class, place, slots, roles)
        }
    }
}

/// Goes past `count` elements.
pub(crate) fn skip_elements<S: SlotFile + ?Sized>(
    element: &Class,
    count: u64,
    place: &mut Place<'_>,
    slots: &mut S,
    roles: &mut impl RoleSink,
) -> Result<(), Damage> {
    if count == 0 {
        return Ok(());
    }
    if let Some(bits @ 1..) = stride(element) {
        place.align(element.align_bits.max(1));
        return place.skip(bits.checked_mul(count).ok_or(Damage::Cut)?);
    }
    for _ in 0..count {
        let before = place.pos;
        skip(element, place, slots, roles)?;
        // It read nothing, so it kept nothing, and the others read nothing either.
        if place.pos == before {
            return if count > EMPTY_ELEMENTS_MAX { Err(Damage::TooMany(count)) } else { Ok(()) };
        }
    }
    Ok(())
}

/// Returns the bits that a field of `class` is aligned to; text and blobs lie in whole bytes whatever the metadata says.
pub(crate) fn aligned(class: &Class) -> u64 {
    match class.kind {
        ClassKind::String(_)
        | ClassKind::StaticText(_)
        | ClassKind::DynamicText(_)
        | ClassKind::StaticBlob(_)
        | ClassKind::DynamicBlob(_) => class.align_bits.max(8),
        _ => class.align_bits.max(1),
    }
}

/// Returns the size of a field of `class` if it is always the same, without what aligns its begin.
///
/// A structure has one if no padding in it depends on its place, and if nobody wants to know a value in it.
pub(crate) fn fixed_bits(class: &Class) -> Option<u64> {
    match &class.kind {
        ClassKind::Integer(integer) => (integer.bits > 0).then(|| integer.bits.into()),
        ClassKind::Bool { bits, .. } | ClassKind::BitArray { bits, .. } => Some((*bits).into()),
        ClassKind::Float(float) => Some(float.bits.into()),
        ClassKind::StaticText(text) => text.len.checked_mul(8),
        ClassKind::StaticBlob(blob) => blob.len.checked_mul(8),
        ClassKind::Array(array) if array.len == 0 => Some(0),
        ClassKind::Array(array) => stride(&array.element)?.checked_mul(array.len),
        ClassKind::Struct(inner) if inner.align_bits <= class.align_bits => {
            let mut bits: u64 = 0;
            for member in &inner.members {
                if member.save.is_some() || member.role.is_some() {
                    return None;
                }
                // Aligned members of an aligned structure: padding is known.
                let align = aligned(&member.class);
                if align > class.align_bits {
                    return None;
                }
                bits = bits.checked_next_multiple_of(align)?;
                bits = bits.checked_add(fixed_bits(&member.class)?)?;
            }
            Some(bits)
        }
        _ => None,
    }
}

/// Returns the distance of elements of `class` in an array if it is always the same.
pub(crate) fn stride(class: &Class) -> Option<u64> {
    fixed_bits(class).filter(|bits| bits.is_multiple_of(class.align_bits.max(1)))
}

/// Takes text up to its NUL.
pub(crate) fn take_string<'e>(place: &mut Place<'e>, encoding: Encoding) -> Result<&'e [u8], Damage> {
    place.align(8);
    place.take_text(encoding)
}

/// Takes `count` bytes, which begin at a byte.
pub(crate) fn take_bytes<'e>(place: &mut Place<'e>, count: u64) -> Result<&'e [u8], Damage> {
    place.align(8);
    place.take(count)
}

/// Tells whether an optional field is there.
pub(crate) fn is_present<S: SlotFile + ?Sized>(class: &OptionalClass, slots: &S) -> bool {
    contains(&class.ranges, slots.selected(&class.selector))
}

/// Returns which option of a variant is there.
pub(crate) fn option_idx<S: SlotFile + ?Sized>(class: &VariantClass, slots: &S) -> Result<usize, Damage> {
    let value = slots.selected(&class.selector);
    let found = class.options.iter().position(|option| contains(&option.ranges, value));
    found.ok_or(Damage::NoOption(value))
}

fn contains(ranges: &[Range], value: i128) -> bool {
    ranges.iter().any(|range| range.contains(value))
}
