// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a recording function does: the value of each field goes to a local, and from there to the event.

use std::collections::BTreeSet;

use crate::c::names;
use crate::c::value::{self, Args};
use crate::ctype::{CType, Scalar};
use crate::model::{Arg, Code, Field, Shape};

/// An argument of a recording function.
#[derive(Clone, Debug)]
pub(super) struct Param {
    pub(super) ty: String,
    pub(super) ident: String,
}

/// How a value is stored.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// As it is.
    Number,
    /// Up to its NUL.
    Text,
    /// That many elements of a type.
    Elements { ty: String, count: String },
    /// Characters, as many in each event.
    Characters,
    /// A number of elements, and these.
    Sequence,
    /// A number of characters, and these.
    CountedCharacters,
}

/// The value of a field.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// The type of the local.
    pub(super) ty: String,
    pub(super) local: String,
    pub(super) init: String,
    pub(super) way: Way,
    /// Its type is known to be an integer.
    pub(super) is_integer: bool,
    /// Only filters see it.
    pub(super) is_hidden: bool,
}

/// An entry of the list of fields.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// What stands before it in the file.
    pub(super) docs: Vec<String>,
    /// The macro, and what it is given.
    pub(super) call: (&'static str, Vec<String>),
}

/// The locals of a recording function that are not values.
#[derive(Clone, Debug)]
pub(super) struct Locals {
    pub(super) tracepoint: String,
    pub(super) record: String,
    pub(super) bytes: String,
    pub(super) words: String,
    pub(super) at: String,
}

/// A recording function and the list of its fields.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) params: Vec<Param>,
    pub(super) values: Vec<Value>,
    pub(super) entries: Vec<Entry>,
    /// What is mentioned only so that no compiler misses it.
    pub(super) unused: Vec<String>,
    pub(super) locals: Locals,
}

/// Returns the parameters for some arguments.
pub(super) fn params(args: &[Arg], taken: &mut BTreeSet<String>) -> Vec<Param> {
    let param = |arg: &Arg| Param {
        ty: value::type_text(&arg.ty.tokens),
        ident: names::unique(&names::argument(&arg.name.text), taken),
    };
    args.iter().map(param).collect()
}

/// Returns what a recording function for `fields` of `args` does. `docs` says what stands before a field.
pub(super) fn body(args: &[Arg], fields: &[Field], docs: &dyn Fn(&Field) -> Vec<String>) -> Body {
    let known = Args::new(args);
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let params = params(args, &mut taken);
    let used = fields.iter().filter(|field| field.shape != Shape::Unused);
    let codes = used.flat_map(|field| [Some(&field.expr), field.count.as_ref()]).flatten();
    let mentioned: BTreeSet<&str> = codes.flat_map(|code| value::names(&code.tokens)).collect();
    taken.extend(mentioned.iter().map(|name| (*name).to_owned()));
    let locals = Locals {
        tracepoint: names::unique("tracepoint", &mut taken),
        record: names::unique("record", &mut taken),
        bytes: names::unique("bytes", &mut taken),
        words: names::unique("words", &mut taken),
        at: names::unique("at", &mut taken),
    };
    let (mut values, mut entries, mut unused) = (Vec::new(), Vec::new(), Vec::new());
    for field in fields {
        let Some(name) = &field.name else {
            // An expression with parentheses may have effects, which a field that is none has not.
            let is_plain = field.expr.name().is_some();
            unused.extend(is_plain.then(|| known.text(&field.expr.tokens)));
            continue;
        };
        let local = names::local(&name.text, &mut taken);
        let (ty, init, way) = local_of(field, &known);
        let scalar = field.ty.as_ref().and_then(|ty| CType::parse(&ty.tokens).scalar());
        let is_integer = matches!(scalar, Some(Scalar::Integer { .. } | Scalar::Bool));
        values.push(Value { ty, local, init, way, is_integer, is_hidden: field.nowrite });
        entries.push(Entry { docs: docs(field), call: entry(field, &name.text) });
    }
    for (arg, param) in args.iter().zip(&params) {
        let is_unused = !mentioned.contains(arg.name.text.as_str());
        if is_unused && !unused.contains(&param.ident) {
            unused.push(param.ident.clone());
        }
    }
    Body { params, values, entries, unused, locals }
}

/// The type, the value and the way of a field's local.
fn local_of(field: &Field, args: &Args) -> (String, String, Way) {
    let expr = &field.expr.tokens;
    let no_code = || Code::new(&[], field.span);
    let ty = field.ty.clone().unwrap_or_else(no_code).tokens;
    let count = field.count.clone().unwrap_or_else(no_code).tokens;
    let count_ty = field.count_ty.clone().unwrap_or_else(no_code).tokens;
    let element = value::type_text(&value::unqualified(&ty));
    let structure = |name: &str| format!("const struct {name}");
    let (characters, elements) = match field.nowrite {
        true => ("ust_hidden_elements", "ust_hidden_elements"),
        false => ("ust_characters", "ust_elements"),
    };
    let sized = |function: &str, element: &str| {
        let count = value::count(&count_ty, &count, args);
        format!("{function}({}, {count}, sizeof({element}))", value::address(expr, args))
    };
    match field.shape {
        Shape::Integer | Shape::Float | Shape::Enum => {
            (value::constant(&ty), value::number(&ty, expr, args), Way::Number)
        }
        Shape::String if field.nowrite => ("const char *const".to_owned(), value::string(expr, args), Way::Text),
        Shape::String => (structure("ust_text"), format!("ust_text({})", value::string(expr, args)), Way::Text),
        Shape::Array if field.text => {
            let (from, count) = (value::address(expr, args), args.text(&count));
            (structure("ust_elements"), format!("{characters}({from}, {count}, sizeof({element}))"), Way::Characters)
        }
        Shape::Array | Shape::FixedBlob => {
            let element = if field.shape == Shape::Array { element } else { "uint8_t".to_owned() };
            let way = Way::Elements { ty: element, count: value::operand(&count, args) };
            ("const void *const".to_owned(), value::address(expr, args), way)
        }
        Shape::Sequence if field.text => {
            (structure("ust_elements"), sized(characters, &element), Way::CountedCharacters)
        }
        Shape::Sequence => (structure("ust_elements"), sized(elements, &element), Way::Sequence),
        Shape::VariableBlob => (structure("ust_elements"), sized(elements, "uint8_t"), Way::Sequence),
        Shape::Unused => (String::new(), String::new(), Way::Number),
    }
}

/// The macro that describes a field.
fn entry(field: &Field, name: &str) -> (&'static str, Vec<String>) {
    let mut flags: Vec<&str> = Vec::new();
    flags.extend(field.network.then_some("UST_NETWORK"));
    flags.extend(field.text.then_some("UST_TEXT"));
    flags.extend(field.nowrite.then_some("UST_NOWRITE"));
    let flags = if flags.is_empty() { "0".to_owned() } else { flags.join(" | ") };
    let name = format!("\"{name}\"");
    let ty = field.ty.as_ref().map_or(String::new(), |ty| value::type_text(&value::unqualified(&ty.tokens)));
    let base = if field.hex { "16" } else { "10" }.to_owned();
    let count = field.count.as_ref().map_or(String::new(), |count| count.text.clone());
    let byte = "uint8_t".to_owned();
    match field.shape {
        Shape::Integer | Shape::Float | Shape::Unused => ("UST_NUMBER_FIELD", vec![name, ty, base, flags]),
        Shape::String => ("UST_STRING_FIELD", vec![name, flags]),
        Shape::Array => ("UST_ARRAY_FIELD", vec![name, ty, count, base, flags]),
        Shape::Sequence => ("UST_SEQUENCE_FIELD", vec![name, ty, base, flags]),
        Shape::FixedBlob => ("UST_ARRAY_FIELD", vec![name, byte, count, "16".to_owned(), flags]),
        Shape::VariableBlob => ("UST_SEQUENCE_FIELD", vec![name, byte, "16".to_owned(), flags]),
        Shape::Enum => {
            let (provider, label) = field.enumeration.as_ref().map_or(("", ""), |(a, b)| (&a.text, &b.text));
            let enumeration = format!("&ust_enumeration_{provider}___{label}");
            ("UST_ENUMERATION_FIELD", vec![name, enumeration, ty, flags])
        }
    }
}
