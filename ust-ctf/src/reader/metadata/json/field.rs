// SPDX-License-Identifier: MIT OR Apache-2.0
//! Field classes of CTF 2.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::place::Places;
use super::value::{Object, kind, ranges};
use crate::class::{
    Base, BitMapFlag, BlobClass, ByteOrder, ClassKind, Encoding, IntegerClass, Mapping, Role, TextClass,
};
use crate::reader::error::Complaint;
use crate::reader::metadata::Result;
use crate::reader::metadata::draft::{
    Bits, Choice, Draft, Float, Integer, Kind, Members, Origin, Reference, Scope, Step,
};

/// The aliases so far.
pub(super) type Aliases = HashMap<String, Arc<Draft>>;

const BYTE_ORDERS: [(&str, ByteOrder); 2] = [("little-endian", ByteOrder::Little), ("big-endian", ByteOrder::Big)];

const BIT_ORDERS: [(&str, ByteOrder); 2] = [("first-to-last", ByteOrder::Little), ("last-to-first", ByteOrder::Big)];

const ENCODINGS: [(&str, Encoding); 5] = [
    ("utf-8", Encoding::Utf8),
    ("utf-16be", Encoding::Utf16Be),
    ("utf-16le", Encoding::Utf16Le),
    ("utf-32be", Encoding::Utf32Be),
    ("utf-32le", Encoding::Utf32Le),
];

const ORIGINS: [(&str, Scope); 6] = [
    ("packet-header", Scope::PacketHeader),
    ("packet-context", Scope::PacketContext),
    ("event-record-header", Scope::EventHeader),
    ("event-record-common-context", Scope::EventContext),
    ("event-record-specific-context", Scope::SpecificContext),
    ("event-record-payload", Scope::Payload),
];

/// `default-clock-timestamp` is [`Role::Timestamp`] here; in a packet context it becomes [`Role::PacketBegin`].
const ROLES: [(&str, Role); 11] = [
    ("packet-magic-number", Role::PacketMagic),
    ("metadata-stream-uuid", Role::TraceUuid),
    ("data-stream-class-id", Role::StreamClassId),
    ("data-stream-id", Role::StreamId),
    ("packet-total-length", Role::PacketTotalBits),
    ("packet-content-length", Role::PacketContentBits),
    ("default-clock-timestamp", Role::Timestamp),
    ("packet-end-default-clock-timestamp", Role::PacketEnd),
    ("discarded-event-record-counter-snapshot", Role::DiscardedEvents),
    ("packet-sequence-number", Role::PacketSeqNum),
    ("event-record-class-id", Role::EventClassId),
];

/// Returns the class `value`, which is an object or the name of an alias, at the place `at`.
///
/// The depth of JSON, which its parser limits, bounds the calls.
pub(super) fn class(value: &Value, places: &Places, at: usize, aliases: &Aliases) -> Result<Arc<Draft>> {
    if let Value::String(name) = value {
        let alias = aliases.get(name).cloned();
        return alias.ok_or_else(|| Complaint::new(at, format!("there is no field class alias `{name}` before this")));
    }
    let object = Object::new(value, places, at)?;
    let (align, kind) = match object.required_string("type")? {
        "fixed-length-bit-array" => bits(object, false, Arc::from([]))?,
        "fixed-length-bit-map" => bits(object, false, flags(object)?)?,
        "fixed-length-boolean" => bits(object, true, Arc::from([]))?,
        "fixed-length-unsigned-integer" => integer(object, false, false)?,
        "fixed-length-signed-integer" => integer(object, true, false)?,
        "variable-length-unsigned-integer" => integer(object, false, true)?,
        "variable-length-signed-integer" => integer(object, true, true)?,
        "fixed-length-floating-point-number" => float(object)?,
        "null-terminated-string" => (8, Kind::Plain(ClassKind::String(encoding(object)?))),
        "static-length-string" => {
            let class = TextClass { len: length(object)?, encoding: encoding(object)? };
            (8, Kind::Plain(ClassKind::StaticText(class)))
        }
        "dynamic-length-string" => {
            (8, Kind::DynamicText { length: location(object, LENGTH)?, encoding: encoding(object)? })
        }
        "static-length-blob" => {
            let class = BlobClass { len: length(object)?, media_type: media_type(object)? };
            (8, Kind::StaticBlob(class, roles(object)?))
        }
        "dynamic-length-blob" => {
            (8, Kind::DynamicBlob { length: location(object, LENGTH)?, media_type: media_type(object)? })
        }
        "structure" => structure(object, aliases)?,
        "static-length-array" => {
            let (align, element) = element(object, aliases)?;
            (align, Kind::Array { len: length(object)?, element })
        }
        "dynamic-length-array" => {
            let (align, element) = element(object, aliases)?;
            (align, Kind::Sequence { length: location(object, LENGTH)?, element })
        }
        "optional" => {
            let class = inner(object, "field-class", aliases)?;
            (1, Kind::Optional { selector: location(object, SELECTOR)?, ranges: object.ranges(RANGES)?, class })
        }
        "variant" => {
            let options = options(object, aliases)?;
            (1, Kind::Variant { selector: Some(location(object, SELECTOR)?), options })
        }
        other => return Err(object.wrong("type", &format!("there is no field class of type `{other}`"))),
    };
    Draft::new(at, align, kind)
}

const LENGTH: &str = "length-field-location";
const SELECTOR: &str = "selector-field-location";
const RANGES: &str = "selector-field-ranges";

/// Returns the class that is the property `key`.
pub(super) fn inner(object: Object<'_>, key: &'static str, aliases: &Aliases) -> Result<Arc<Draft>> {
    class(object.required(key)?, object.places(), object.place(key), aliases)
}

/// What all fixed-length classes have in common.
struct FixedLength {
    bits: u64,
    byte_order: ByteOrder,
    is_bit_reversed: bool,
    align: u64,
}

fn fixed_length(object: Object<'_>) -> Result<FixedLength> {
    let order = object.choice("byte-order", &BYTE_ORDERS)?;
    let byte_order = order.ok_or_else(|| object.missing("byte-order"))?;
    // Little endian fills from the first bit unless `bit-order` says otherwise.
    let bit_order = object.choice("bit-order", &BIT_ORDERS)?;
    Ok(FixedLength {
        bits: length(object)?,
        byte_order,
        is_bit_reversed: bit_order.is_some_and(|order| order != byte_order),
        align: object.alignment("alignment")?,
    })
}

fn length(object: Object<'_>) -> Result<u64> {
    object.unsigned("length")?.ok_or_else(|| object.missing("length"))
}

/// Returns a number of bits that fits in a register.
fn up_to_64(object: Object<'_>, bits: u64) -> Result<u32> {
    match bits {
        1..=64 => Ok(bits as u32),
        _ => Err(object.wrong("length", &format!("a length of {bits} bits: 1 to 64 are read"))),
    }
}

fn bits(object: Object<'_>, is_bool: bool, flags: Arc<[BitMapFlag]>) -> Result<(u64, Kind)> {
    let FixedLength { bits, byte_order, is_bit_reversed, align } = fixed_length(object)?;
    let bits = up_to_64(object, bits)?;
    Ok((align, Kind::Bits(Bits { bits, byte_order, is_bit_reversed, is_bool, flags })))
}

fn flags(object: Object<'_>) -> Result<Arc<[BitMapFlag]>> {
    let Some(properties) = object.properties("flags")? else { return Err(object.missing("flags")) };
    let mut flags = Vec::new();
    for (at, label, value) in properties {
        let ranges = ranges(at, value)?;
        if let Some(range) = ranges.iter().find(|range| range.low < 0) {
            return Err(Complaint::new(at, format!("there is no bit {}: bits count from 0", range.low)));
        }
        flags.push(BitMapFlag { label: label.to_owned(), ranges });
    }
    if flags.is_empty() {
        return Err(object.wrong("flags", "there must be at least one flag"));
    }
    Ok(flags.into())
}

fn integer(object: Object<'_>, is_signed: bool, is_variable: bool) -> Result<(u64, Kind)> {
    let (bits, byte_order, is_bit_reversed, align) = match is_variable {
        true => (0, ByteOrder::Little, false, 8),
        false => {
            let fixed = fixed_length(object)?;
            (up_to_64(object, fixed.bits)?, fixed.byte_order, fixed.is_bit_reversed, fixed.align)
        }
    };
    let radix = object.unsigned("preferred-display-base")?.unwrap_or(10);
    let Some(base) = Base::from_radix(radix) else {
        return Err(
            object.wrong("preferred-display-base", &format!("the base cannot be {radix}: it must be 2, 8, 10 or 16"))
        );
    };
    let mut mappings = Vec::new();
    for (at, label, value) in object.properties("mappings")?.into_iter().flatten() {
        mappings.push(Mapping { label: label.to_owned(), ranges: ranges(at, value)? });
    }
    let is_enumeration = !mappings.is_empty();
    let mappings = mappings.into();
    let class = IntegerClass { bits, is_signed, byte_order, is_bit_reversed, base, mappings, is_enumeration };
    let roles = roles(object)?;
    if is_signed && !roles.is_empty() {
        return Err(object.wrong("roles", "only an unsigned integer can have roles"));
    }
    Ok((align, Kind::Integer(Integer { class, is_native: false, is_text: false, clock: None, roles })))
}

fn float(object: Object<'_>) -> Result<(u64, Kind)> {
    let FixedLength { bits, byte_order, is_bit_reversed, align } = fixed_length(object)?;
    let bits = match bits {
        16 | 32 | 64 | 128 => bits as u32,
        _ => {
            return Err(
                object.wrong("length", &format!("a floating point number of {bits} bits: 16, 32, 64 and 128 are read"))
            );
        }
    };
    Ok((align, Kind::Float(Float { bits, byte_order: Some(byte_order), is_bit_reversed })))
}

fn encoding(object: Object<'_>) -> Result<Encoding> {
    Ok(object.choice("encoding", &ENCODINGS)?.unwrap_or_default())
}

fn media_type(object: Object<'_>) -> Result<String> {
    Ok(object.string("media-type")?.unwrap_or("application/octet-stream").to_owned())
}

/// Returns the roles that are known; others mean nothing here.
fn roles(object: Object<'_>) -> Result<Vec<Role>> {
    let mut roles = Vec::new();
    for (at, value) in object.array("roles")?.into_iter().flatten() {
        let Value::String(name) = value else {
            return Err(Complaint::new(at, format!("a role must be a string, not {}", kind(value))));
        };
        let role = ROLES.iter().find_map(|(known, role)| (known == name).then_some(*role));
        roles.extend(role.filter(|role| !roles.contains(role)));
    }
    Ok(roles)
}

fn structure(object: Object<'_>, aliases: &Aliases) -> Result<(u64, Kind)> {
    let mut align = object.alignment("minimum-alignment")?;
    let mut members = Members::default();
    for (at, value) in object.array("member-classes")?.into_iter().flatten() {
        let member = Object::new(value, object.places(), at)?;
        let name = member.required_string("name")?;
        let draft = inner(member, "field-class", aliases)?;
        align = align.max(draft.align_bits);
        if !members.push(at, name, draft) {
            return Err(member.wrong("name", &format!("there are two members `{name}`")));
        }
    }
    Ok((align, Kind::Struct(members)))
}

fn element(object: Object<'_>, aliases: &Aliases) -> Result<(u64, Arc<Draft>)> {
    let element = inner(object, "element-field-class", aliases)?;
    Ok((object.alignment("minimum-alignment")?.max(element.align_bits), element))
}

fn options(object: Object<'_>, aliases: &Aliases) -> Result<Arc<[Choice]>> {
    let Some(list) = object.array("options")? else { return Err(object.missing("options")) };
    let mut options = Vec::new();
    let mut names = std::collections::HashSet::new();
    for (at, value) in list {
        let option = Object::new(value, object.places(), at)?;
        let name = option.string("name")?;
        if name.is_some_and(|name| !names.insert(name)) {
            return Err(option.wrong("name", &format!("there are two options `{}`", name.unwrap_or_default())));
        }
        let ranges = option.ranges(RANGES)?.ok_or_else(|| option.missing(RANGES))?;
        let draft = inner(option, "field-class", aliases)?;
        options.push(Choice { at, name: name.map(Arc::from), ranges: Some(ranges), draft });
    }
    if options.is_empty() {
        return Err(object.wrong("options", "there must be at least one option"));
    }
    Ok(options.into())
}

/// Returns the field location that is the property `key`.
fn location(object: Object<'_>, key: &'static str) -> Result<Reference> {
    let at = object.place(key);
    let location = Object::new(object.required(key)?, object.places(), at)?;
    let origin = location.choice("origin", &ORIGINS)?.map_or(Origin::Here, Origin::Scope);
    let Some(elements) = location.array("path")? else { return Err(location.missing("path")) };
    let mut path = Vec::new();
    for (at, value) in elements {
        path.push(match value {
            Value::String(name) => Step::Member(name.clone()),
            Value::Null => Step::Parent,
            other => {
                return Err(Complaint::new(
                    at,
                    format!("an element of a path is a string or null, not {}", kind(other)),
                ));
            }
        });
    }
    if !matches!(path.last(), Some(Step::Member(_))) {
        return Err(location.wrong("path", "a path must end with the name of a field"));
    }
    Ok(Reference { at, origin, path })
}
