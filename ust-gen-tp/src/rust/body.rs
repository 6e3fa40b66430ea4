// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parameters of a tracepoint function.
//!
//! They come in the order of the C arguments. A field that is one of them, in its turn, is this parameter; any other
//! field is computed, and stands where its turn is. An argument that is no field is a parameter that is skipped.

use crate::ctype::{CType, Scalar};
use crate::model::{Arg, Field, Shape};
use crate::rust::Refusal;
use crate::rust::labels::Enums;
use crate::rust::names;
use crate::rust::role::{self, Role, rust_type};
use crate::rust::value::{self, Value};

/// A parameter, or a field that is computed.
#[derive(Clone, Debug)]
pub(super) struct Param {
    /// What stands in `#[field(..)]`.
    pub(super) keys: Vec<String>,
    pub(super) ident: String,
    pub(super) ty: String,
}

/// What a function looks like.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) params: Vec<Param>,
    /// The parameters that callers pass: the position of the C argument, and the type.
    pub(super) signature: Vec<(usize, String)>,
    /// Sentences on arguments that are different in Rust.
    pub(super) notes: Vec<String>,
}

/// One field, before it has its place.
struct Made {
    /// The argument that it is, unchanged.
    is_arg: Option<usize>,
    ty: String,
    /// What it is computed from.
    expr: String,
}

/// Returns the parameters for `args` and `fields`.
pub(super) fn body(args: &[Arg], fields: &[Field], enums: &mut Enums) -> Result<Body, Refusal> {
    let roles = role::roles(args, fields, enums)?;
    let mut taken = Vec::new();
    let idents: Vec<String> = args.iter().map(|arg| names::identifier(&arg.name.text)).collect();
    for (ident, role) in idents.iter().zip(&roles) {
        if !matches!(role, Role::LengthOf(_)) {
            taken.push(ident.clone());
        }
    }
    let maker = Maker { args, roles: &roles, idents: &idents, enums };
    let mut params: Vec<Param> = Vec::new();
    let mut next = 0;
    for field in fields.iter().filter(|field| field.shape != Shape::Unused) {
        let made = maker.field(field)?;
        let mut keys = shown(field, &made.ty);
        let name = field.name.as_ref().map_or("", |name| &name.text);
        if !names::is_traceable(name) {
            return Err(Refusal::last(
                field.span,
                format!("the field name `{name}` is not of ASCII letters and digits"),
            ));
        }
        let ident = match made.is_arg.filter(|arg| *arg >= next) {
            Some(arg) => {
                maker.skip(&mut params, next..arg);
                next = arg + 1;
                idents[arg].clone()
            }
            None => {
                keys.push(format!("expr = {}", made.expr));
                let plain = names::identifier(name);
                let ident = if taken.contains(&plain) { format!("{name}_field") } else { plain };
                names::unique(ident, &mut taken)
            }
        };
        if names::plain(&ident) != name {
            keys.insert(0, format!("name = \"{name}\""));
        }
        params.push(Param { keys, ident, ty: made.ty });
    }
    maker.skip(&mut params, next..args.len());
    let is_passed = |(_, role): &(usize, &Role)| !matches!(role, Role::LengthOf(_));
    let passed = roles.iter().enumerate().filter(is_passed);
    let signature = passed.map(|(at, role)| (at, role.rust_type(maker.enums))).collect();
    let lengths = roles.iter().enumerate().filter_map(|(at, role)| match role {
        Role::LengthOf(slice) => {
            Some(format!("`{}` of C is the length of `{}`.", args[at].name.text, args[*slice].name.text))
        }
        _ => None,
    });
    Ok(Body { params, signature, notes: lengths.collect() })
}

/// The keys that say how a field is shown and whether it is stored.
fn shown(field: &Field, ty: &str) -> Vec<String> {
    let is_pointer = ty.starts_with('*');
    let keys = [
        ("hex", field.hex && !is_pointer),
        ("network", field.network && !is_pointer),
        ("text", field.text),
        ("nowrite", field.nowrite),
    ];
    keys.into_iter().filter(|(_, set)| *set).map(|(key, _)| key.to_owned()).collect()
}

struct Maker<'a, 'b> {
    args: &'a [Arg],
    roles: &'a [Role],
    idents: &'a [String],
    enums: &'a mut Enums<'b>,
}

impl Maker<'_, '_> {
    /// Adds arguments that are no fields.
    fn skip(&self, params: &mut Vec<Param>, range: std::ops::Range<usize>) {
        for at in range.filter(|at| !matches!(self.roles[*at], Role::LengthOf(_))) {
            let ty = self.roles[at].rust_type(self.enums);
            params.push(Param { keys: vec!["skip".to_owned()], ident: self.idents[at].clone(), ty });
        }
    }

    fn field(&self, field: &Field) -> Result<Made, Refusal> {
        let value = value::value(&field.expr, self.args)?;
        match field.shape {
            Shape::Integer | Shape::Float => self.number(field, &value),
            Shape::String => self.string(field, &value),
            Shape::Enum => self.enumeration(field, &value),
            _ => self.elements(field, &value),
        }
    }

    fn number(&self, field: &Field, value: &Value) -> Result<Made, Refusal> {
        let is_pointer = field.ty.as_ref().is_some_and(|code| CType::parse(&code.tokens).pointers > 0);
        if is_pointer && field.shape == Shape::Integer {
            return self.address(field, value);
        }
        let to = role::scalar_of(field.ty.as_ref(), field)?;
        let ty = rust_type(to).to_owned();
        let is_float = matches!(to, Scalar::Float { .. });
        if is_float != (field.shape == Shape::Float) {
            return Err(Refusal::new(field.span, "the field and its type are of two kinds"));
        }
        let expr = match value {
            Value::Arg { arg, casts } => {
                let (mut expr, mut from) = self.as_number(*arg);
                for cast in casts {
                    let through = if cast.pointers > 0 { Some(ADDRESS) } else { cast.scalar() };
                    let Some(through) = through else {
                        return Err(Refusal::new(field.expr.span, "the value is cast to a type of C"));
                    };
                    (expr, from) = (convert(&expr, from, through), through);
                }
                let unchanged = casts.is_empty() && self.roles[*arg] == Role::Number(to);
                let is_arg = unchanged.then_some(*arg);
                return Ok(Made { is_arg, ty, expr: convert(&expr, from, to) });
            }
            Value::Number(number) if is_float => format!("{number}.0"),
            Value::Number(number) => constant(*number, field, to)?,
            Value::Float(float) if is_float => float.clone(),
            _ => return Err(Refusal::new(field.expr.span, format!("`{}` is no such number", field.expr.text))),
        };
        Ok(Made { is_arg: None, ty, expr })
    }

    /// A field that is a pointer.
    fn address(&self, field: &Field, value: &Value) -> Result<Made, Refusal> {
        let Value::Arg { arg, casts } = value else {
            return Err(Refusal::new(field.expr.span, format!("`{}` is no address", field.expr.text)));
        };
        if let (true, Role::Pointer { .. }) = (casts.is_empty(), &self.roles[*arg]) {
            let (ty, expr) = (self.roles[*arg].rust_type(self.enums), self.idents[*arg].clone());
            return Ok(Made { is_arg: Some(*arg), ty, expr });
        }
        let (expr, from) = self.as_number(*arg);
        let expr = format!("{} as *const ::core::ffi::c_void", convert(&expr, from, ADDRESS));
        Ok(Made { is_arg: None, ty: "*const ::core::ffi::c_void".to_owned(), expr })
    }

    /// Returns an argument as a number, and the type of that.
    fn as_number(&self, arg: usize) -> (String, Scalar) {
        let ident = &self.idents[arg];
        match &self.roles[arg] {
            Role::Number(scalar) => (ident.clone(), *scalar),
            Role::Enum(_, container) => (format!("{ident} as {}", rust_type(*container)), *container),
            Role::Pointer { .. } => (format!("{ident} as usize"), ADDRESS),
            Role::LengthOf(slice) => (format!("{}.len()", self.idents[*slice]), ADDRESS),
            Role::Text | Role::Array { .. } | Role::Slice { .. } => (format!("{ident}.as_ptr() as usize"), ADDRESS),
        }
    }

    fn string(&self, field: &Field, value: &Value) -> Result<Made, Refusal> {
        let (is_arg, expr) = match value {
            Value::Arg { arg, .. } => (Some(*arg), self.idents[*arg].clone()),
            Value::Text(text) => (None, format!("{text:?}")),
            _ => return Err(Refusal::new(field.expr.span, format!("`{}` is no string", field.expr.text))),
        };
        Ok(Made { is_arg, ty: "&str".to_owned(), expr })
    }

    fn enumeration(&self, field: &Field, value: &Value) -> Result<Made, Refusal> {
        if let Value::Arg { arg, .. } = value {
            let (ty, expr) = (self.roles[*arg].rust_type(self.enums), self.idents[*arg].clone());
            return Ok(Made { is_arg: Some(*arg), ty, expr });
        }
        let refuse = || Refusal::new(field.expr.span, format!("`{}` has no label", field.expr.text));
        let Value::Number(number) = value else { return Err(refuse()) };
        let (provider, name) = field.enumeration.as_ref().ok_or_else(refuse)?;
        let container = role::scalar_of(field.ty.as_ref(), field)?;
        let index = self.enums.find(provider, name, container).ok_or_else(refuse)?;
        let expr = self.enums.variant(index, *number).ok_or_else(refuse)?;
        Ok(Made { is_arg: None, ty: self.enums.made[index].ident.clone(), expr })
    }

    /// An array or a sequence.
    fn elements(&self, field: &Field, value: &Value) -> Result<Made, Refusal> {
        let Value::Arg { arg, .. } = value else {
            return Err(Refusal::new(field.expr.span, format!("`{}` is not an argument", field.expr.text)));
        };
        let (ident, role) = (&self.idents[*arg], &self.roles[*arg]);
        if field.shape == Shape::Array {
            return Ok(Made { is_arg: Some(*arg), ty: role.rust_type(self.enums), expr: ident.clone() });
        }
        let (Role::Array { element, .. } | Role::Slice { element }) = role else {
            return Err(Refusal::new(field.expr.span, format!("`{}` has no elements", field.expr.text)));
        };
        let ty = format!("&[{element}]");
        let Some(count) = &field.count else { return Err(Refusal::new(field.span, "the field has no length")) };
        let length = match role::count_of(field, count, self.args)? {
            Value::Arg { arg: length, .. } if self.roles[length] == Role::LengthOf(*arg) => {
                return Ok(Made { is_arg: Some(*arg), ty, expr: ident.clone() });
            }
            Value::Arg { arg: length, .. } => {
                let (expr, from) = self.as_number(length);
                convert(&expr, from, ADDRESS)
            }
            Value::Number(number) if number >= 0 => number.to_string(),
            _ => return Err(Refusal::new(count.span, format!("`{}` is no length", count.text))),
        };
        // Not more than there is: C would read on, Rust must not.
        Ok(Made { is_arg: None, ty, expr: format!("&{ident}[..{ident}.len().min({length})]") })
    }
}

/// An address as a number.
const ADDRESS: Scalar = Scalar::Integer { bits: 64, signed: false, is_size: true };

/// Returns a number as another type, as C converts it.
fn convert(expr: &str, from: Scalar, to: Scalar) -> String {
    let is_float = |scalar| matches!(scalar, Scalar::Float { .. });
    match (from, to) {
        _ if rust_type(from) == rust_type(to) => expr.to_owned(),
        (from, Scalar::Bool) if is_float(from) => format!("{expr} != 0.0"),
        (_, Scalar::Bool) => format!("{expr} != 0"),
        (Scalar::Bool, to) if is_float(to) => format!("{}::from(u8::from({expr}))", rust_type(to)),
        (_, to) if expr.contains("!=") => format!("({expr}) as {}", rust_type(to)),
        (_, to) => format!("{expr} as {}", rust_type(to)),
    }
}

fn constant(number: i128, field: &Field, to: Scalar) -> Result<String, Refusal> {
    match to {
        Scalar::Bool => Ok((number != 0).to_string()),
        Scalar::Char => Ok(format!("{} as ::core::ffi::c_char", number as u8)),
        _ => {
            let ty = field.ty.as_ref().map(|code| CType::parse(&code.tokens));
            let cut = ty.and_then(|ty| ty.cut(number));
            cut.map(|number| number.to_string()).ok_or_else(|| Refusal::new(field.span, "the value does not fit"))
        }
    }
}
