// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the arguments of an event are in Rust. It follows from their types and from what all fields do with them.

use crate::ctype::{Base, CType, Scalar};
use crate::model::{Arg, Code, Field, Name, Shape};
use crate::rust::Refusal;
use crate::rust::labels::Enums;
use crate::rust::value::{self, Value};

/// What an argument is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Role {
    Number(Scalar),
    /// One of [`Enums`], recorded as the number.
    Enum(usize, Scalar),
    /// Characters of a string.
    Text,
    Array {
        element: String,
        len: i128,
    },
    Slice {
        element: String,
    },
    /// An address.
    Pointer {
        to: &'static str,
    },
    /// No argument of its own: the length of a slice that is another argument.
    LengthOf(usize),
}

/// The type of the elements of an array or a sequence.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Element {
    /// A number.
    Of(&'static str),
    /// Text, for which any byte will do.
    Byte,
}

/// What a field does with an argument.
#[derive(Clone, Debug)]
enum Use {
    Number,
    Text,
    Elements { element: Element, bytes: u8, fixed: Option<i128>, is_cast: bool },
    Enum(Name, Name, Scalar),
    LengthOf(usize),
}

/// Returns a number's type in Rust.
pub(super) fn rust_type(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "bool",
        Scalar::Char => "::core::ffi::c_char",
        Scalar::Integer { is_size: true, signed, .. } => {
            if signed {
                "isize"
            } else {
                "usize"
            }
        }
        Scalar::Integer { bits: 8, signed, .. } => {
            if signed {
                "i8"
            } else {
                "u8"
            }
        }
        Scalar::Integer { bits: 16, signed, .. } => {
            if signed {
                "i16"
            } else {
                "u16"
            }
        }
        Scalar::Integer { bits: 32, signed, .. } => {
            if signed {
                "i32"
            } else {
                "u32"
            }
        }
        Scalar::Integer { signed, .. } => {
            if signed {
                "i64"
            } else {
                "u64"
            }
        }
        Scalar::Float { bits: 32 } => "f32",
        Scalar::Float { .. } => "f64",
    }
}

impl Role {
    /// Returns the type of the parameter.
    pub(super) fn rust_type(&self, enums: &Enums) -> String {
        match self {
            Role::Number(scalar) => rust_type(*scalar).to_owned(),
            Role::Enum(index, _) => enums.made[*index].ident.clone(),
            Role::Text => "&str".to_owned(),
            Role::Array { element, len } => format!("&[{element}; {len}]"),
            Role::Slice { element } => format!("&[{element}]"),
            Role::Pointer { to } => format!("*const {to}"),
            Role::LengthOf(_) => "usize".to_owned(),
        }
    }
}

/// Returns the type of a field or its elements.
pub(super) fn scalar_of(code: Option<&Code>, field: &Field) -> Result<Scalar, Refusal> {
    let Some(code) = code else { return Err(Refusal::new(field.span, "the field has no type")) };
    CType::parse(&code.tokens)
        .scalar()
        .ok_or_else(|| Refusal::new(code.span, format!("`{}` is a type of C", code.text)))
}

/// Returns the type of a field's elements, and their size.
fn element_of(field: &Field) -> Result<(Element, u8), Refusal> {
    let scalar = scalar_of(field.ty.as_ref(), field)?;
    Ok((if field.text { Element::Byte } else { Element::Of(rust_type(scalar)) }, scalar.bytes()))
}

/// Returns the number of a field's elements.
pub(super) fn count_of(field: &Field, count: &Code, args: &[Arg]) -> Result<Value, Refusal> {
    match field.count_value {
        Some(number) => Ok(Value::Number(number)),
        None => value::value(count, args),
    }
}

/// Returns the role of each argument.
pub(super) fn roles(args: &[Arg], fields: &[Field], enums: &mut Enums) -> Result<Vec<Role>, Refusal> {
    let mut uses: Vec<Vec<Use>> = vec![Vec::new(); args.len()];
    for field in fields.iter().filter(|field| field.shape != Shape::Unused) {
        add_uses(field, args, &mut uses)?;
        if let (Shape::Enum, Some((provider, name))) = (field.shape, &field.enumeration) {
            enums.get(provider, name, scalar_of(field.ty.as_ref(), field)?)?;
        }
    }
    let mut roles = Vec::new();
    for (at, arg) in args.iter().enumerate() {
        roles.push(role(at, arg, &uses, enums)?);
    }
    // The length of a slice is a parameter of its own unless the slice has this one length in all fields.
    for at in 0..args.len() {
        if let Role::LengthOf(slice) = roles[at] {
            let keeps = !matches!(roles[slice], Role::Slice { .. }) || !has_one_length(slice, at, args, fields)?;
            if let (true, Some(scalar)) = (keeps, CType::parse(&args[at].ty.tokens).scalar()) {
                roles[at] = Role::Number(scalar);
            }
        }
    }
    Ok(roles)
}

fn has_one_length(slice: usize, length: usize, args: &[Arg], fields: &[Field]) -> Result<bool, Refusal> {
    let is = |code: &Code, wanted: usize| {
        value::value(code, args).map(|value| matches!(value, Value::Arg { arg, .. } if arg == wanted))
    };
    for field in fields.iter().filter(|field| field.shape == Shape::Sequence) {
        let count = field.count.as_ref().unwrap_or(&field.expr);
        if is(&field.expr, slice)? && !is(count, length)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn add_uses(field: &Field, args: &[Arg], uses: &mut [Vec<Use>]) -> Result<(), Refusal> {
    let value = value::value(&field.expr, args)?;
    let Value::Arg { arg, casts } = &value else { return Ok(()) };
    match field.shape {
        Shape::Integer | Shape::Float => uses[*arg].push(Use::Number),
        Shape::String => uses[*arg].push(Use::Text),
        Shape::Enum => {
            let (provider, name) =
                field.enumeration.clone().ok_or_else(|| Refusal::new(field.span, "no enumeration"))?;
            uses[*arg].push(Use::Enum(provider, name, scalar_of(field.ty.as_ref(), field)?));
        }
        Shape::Array | Shape::Sequence => {
            let (element, bytes) = element_of(field)?;
            let Some(count) = &field.count else { return Ok(()) };
            let fixed = match (field.shape, count_of(field, count, args)?) {
                (Shape::Array, Value::Number(count)) if (0..1 << 32).contains(&count) => Some(count),
                (Shape::Array, _) => {
                    return Err(Refusal::new(count.span, format!("the length `{}` is not a constant", count.text)));
                }
                (_, Value::Arg { arg: length, .. }) => {
                    uses[length].push(Use::LengthOf(*arg));
                    None
                }
                (_, Value::Number(_)) => None,
                _ => return Err(Refusal::new(count.span, format!("`{}` is no length", count.text))),
            };
            uses[*arg].push(Use::Elements { element, bytes, fixed, is_cast: !casts.is_empty() });
        }
        Shape::FixedBlob | Shape::VariableBlob => {
            return Err(Refusal::new(field.span, "the crate `ust` has no fields with a media type"));
        }
        Shape::Unused => {}
    }
    Ok(())
}

fn role(at: usize, arg: &Arg, uses: &[Vec<Use>], enums: &mut Enums) -> Result<Role, Refusal> {
    let (ty, own) = (CType::parse(&arg.ty.tokens), &uses[at]);
    let refuse = |what: &str| Err(Refusal::new(arg.name.span, format!("the argument `{}` {what}", arg.name.text)));
    let is_memory = own.iter().any(|used| matches!(used, Use::Text | Use::Elements { .. }));
    if ty.pointers > 0 {
        return if is_memory { memory(arg, &ty, own) } else { Ok(Role::Pointer { to: pointed(&ty) }) };
    }
    if is_memory {
        return refuse(&format!("is used as a pointer, and is `{}`", arg.ty.text));
    }
    let mut enumerations = own.iter().filter_map(|used| match used {
        Use::Enum(provider, name, container) => Some((provider, name, *container)),
        _ => None,
    });
    if let Some((provider, name, container)) = enumerations.next() {
        let index = enums.get(provider, name, container)?;
        for (provider, name, container) in enumerations {
            if enums.get(provider, name, container)? != index {
                return refuse("is of two enumerations, or of one with two types");
            }
        }
        let is_number = ty.is_scalar() || ty.base == Base::Enum;
        return if is_number { Ok(Role::Enum(index, container)) } else { refuse(&of_c(arg)) };
    }
    let Some(scalar) = ty.scalar() else { return refuse(&of_c(arg)) };
    let mut slices = own.iter().filter_map(|used| match used {
        Use::LengthOf(slice) => Some(*slice),
        _ => None,
    });
    match slices.next() {
        Some(slice) if slices.all(|other| other == slice) => Ok(Role::LengthOf(slice)),
        _ => Ok(Role::Number(scalar)),
    }
}

fn of_c(arg: &Arg) -> String {
    format!("has the type `{}` of C", arg.ty.text)
}

fn pointed(ty: &CType) -> &'static str {
    match (&ty.base, ty.pointers) {
        (Base::Scalar(scalar), 1) => rust_type(*scalar),
        _ => "::core::ffi::c_void",
    }
}

/// The role of a pointer whose memory is recorded.
fn memory(arg: &Arg, ty: &CType, uses: &[Use]) -> Result<Role, Refusal> {
    let refuse = |what: String| Err(Refusal::new(arg.name.span, format!("the argument `{}` {what}", arg.name.text)));
    let is_text = uses.iter().any(|used| matches!(used, Use::Text));
    let pointed_bytes = match (&ty.base, ty.pointers) {
        (Base::Scalar(scalar), 1) => Some(scalar.bytes()),
        _ => None,
    };
    let (mut role, mut len): (Option<&Element>, Option<i128>) = (None, None);
    for used in uses {
        let Use::Elements { element, bytes, fixed, is_cast } = used else { continue };
        role = match (role, element) {
            (None | Some(Element::Byte), element) => Some(element),
            (Some(known), Element::Byte) if *bytes == 1 => Some(known),
            (Some(known), element) if known == element => Some(known),
            _ => return refuse("has elements of two types".to_owned()),
        };
        if !is_cast && pointed_bytes.is_some_and(|pointed| pointed != *bytes) {
            return refuse(format!("is `{}`, and its elements are of another size", arg.ty.text));
        }
        if let (Some(known), Some(fixed)) = (len, fixed)
            && known != *fixed
        {
            return refuse("is an array of two lengths".to_owned());
        }
        len = len.or(*fixed);
    }
    let element = role.map(|element| match element {
        Element::Of(name) => (*name).to_owned(),
        Element::Byte => "u8".to_owned(),
    });
    match (element, len) {
        (Some(_), _) if is_text => refuse("is both a string and elements".to_owned()),
        (Some(element), Some(len)) => Ok(Role::Array { element, len }),
        (Some(element), None) => Ok(Role::Slice { element }),
        (None, _) if pointed_bytes == Some(1) || ty.base == Base::Void => Ok(Role::Text),
        (None, _) => refuse(format!("is a string, and is `{}`", arg.ty.text)),
    }
}
