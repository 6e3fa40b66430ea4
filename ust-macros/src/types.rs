// SPDX-License-Identifier: MIT OR Apache-2.0
//! Argument types that can never be fields, recognised by their shape, with what to pass instead.
//!
//! What a name stands for is not known here: types that only look right are left to the trait `Field`.

use quote::ToTokens;
use syn::{GenericArgument, Lifetime, PathArguments, Type, TypePath, TypeReference};

use crate::errors::Errors;

/// Reports what is wrong with the type of a field, and tells whether nothing is.
pub fn check(ty: &Type, errors: &mut Errors) -> bool {
    let before = errors.count();
    check_field(ty, errors);
    errors.count() == before
}

/// Reports what would not even be a function argument here. For arguments that are not recorded.
pub fn check_argument(ty: &Type, errors: &mut Errors) -> bool {
    match ty {
        Type::Reference(reference) => check_lifetime(reference, errors) && check_argument(&reference.elem, errors),
        Type::ImplTrait(_) | Type::Infer(_) => check(ty, errors),
        _ => true,
    }
}

fn check_field(ty: &Type, errors: &mut Errors) {
    let problem = match ty {
        Type::Reference(reference) => return check_reference(reference, errors),
        Type::Path(path) => match path_problem(path) {
            Some(problem) => problem,
            None => return check_option(path, errors),
        },
        Type::Array(array) => return check_element(&array.elem, errors),
        Type::Paren(inner) => return check_field(&inner.elem, errors),
        Type::Group(inner) => return check_field(&inner.elem, errors),
        Type::Slice(_) => format!("a slice is passed by reference: `&{}`", text(ty)),
        Type::Tuple(tuple) if tuple.elems.is_empty() => "`()` holds nothing to record: remove the argument".into(),
        Type::Tuple(_) => "a tuple cannot be a field: declare one argument per part".into(),
        Type::ImplTrait(_) => "`impl Trait` has no fixed layout: name one concrete type".into(),
        Type::TraitObject(_) => "`dyn Trait` has no fixed layout: name one concrete type".into(),
        Type::Infer(_) => "the type must be named: it fixes the layout of the event".into(),
        Type::Never(_) => "`!` has no values to record: remove the argument".into(),
        Type::FnPtr(_) => "pass a function's address as `f as *const ()`, and declare `*const ()`".into(),
        _ => return,
    };
    errors.push(ty, problem);
}

fn check_reference(reference: &TypeReference, errors: &mut Errors) {
    if let Some(token) = &reference.mutability {
        errors.push(token, "a tracepoint only reads its arguments: use a shared reference, without `mut`");
    }
    check_lifetime(reference, errors);
    match &*reference.elem {
        Type::Slice(slice) => check_element(&slice.elem, errors),
        Type::Array(array) => check_element(&array.elem, errors),
        Type::Path(path) => match name(path).as_deref() {
            Some("str" | "String" | "CStr") => {}
            Some("Vec") => {
                let inner = argument(path).map_or("T".into(), text);
                errors.push(path, format!("declare `&[{inner}]`: a `&Vec<{inner}>` converts to it in the call"));
            }
            _ => check_field(&reference.elem, errors),
        },
        Type::Tuple(_) | Type::Ptr(_) => {
            errors.push(reference, "a reference to this cannot be a field: pass its parts by value");
        }
        inner => check_field(inner, errors),
    }
}

fn check_lifetime(reference: &TypeReference, errors: &mut Errors) -> bool {
    let named = |lifetime: &&Lifetime| lifetime.ident != "static" && lifetime.ident != "_";
    match reference.lifetime.as_ref().filter(named) {
        Some(lifetime) => {
            errors.push(lifetime, "a tracepoint keeps no reference after the call: leave the lifetime out");
            false
        }
        None => true,
    }
}

fn check_element(ty: &Type, errors: &mut Errors) {
    match ty {
        Type::Array(_) | Type::Slice(_) => {
            errors.push(ty, "arrays do not nest in a field: pass `rows.as_flattened()` as `&[T]`");
        }
        Type::Reference(_) => {
            errors.push(ty, "elements are numbers: record references one by one, or join text into one `&str`");
        }
        _ => check_field(ty, errors),
    }
}

fn check_option(path: &TypePath, errors: &mut Errors) {
    if name(path).as_deref() != Some("Option") {
        return;
    }
    match argument(path) {
        Some(inner @ (Type::Reference(_) | Type::Array(_))) => errors.push(
            inner,
            "`Option` holds a number by value: for text declare `&str` and pass `value.unwrap_or(\"\")`; \
             for a reference to a number pass `value.copied()`",
        ),
        Some(inner) => check_field(inner, errors),
        None => {}
    }
}

fn path_problem(path: &TypePath) -> Option<String> {
    let inner = || argument(path).map_or("T".into(), text);
    Some(match name(path)?.as_str() {
        "String" => "a `String` is passed as `&str`: declare `&str`, and pass `&text`".into(),
        "str" => "text is passed by reference: declare `&str`".into(),
        "CString" => "a `CString` is passed as `&CStr`: declare `&CStr`, and pass `&text`".into(),
        "CStr" => "C text is passed by reference: declare `&CStr`".into(),
        "Cow" | "OsString" | "PathBuf" | "Path" | "OsStr" => {
            "this text is passed as `&str`: declare `&str`, and convert in the call".into()
        }
        "Vec" => format!("a `Vec<{0}>` is passed as `&[{0}]`: declare `&[{0}]`, and pass `&list`", inner()),
        "Box" | "Rc" | "Arc" => "pass what it points to: declare that type, and dereference in the call".into(),
        wide @ ("i128" | "u128") => format!(
            "`{wide}` is wider than 64 bits: declare two `u64` halves, or `[u8; 16]` and pass `value.to_le_bytes()`"
        ),
        "Self" => "there is no `Self` here: name the type".into(),
        _ => return None,
    })
}

/// The last name of a path.
fn name(path: &TypePath) -> Option<String> {
    path.path.segments.last().map(|segment| segment.ident.to_string())
}

/// The first type argument of the last name of a path.
fn argument(path: &TypePath) -> Option<&Type> {
    match &path.path.segments.last()?.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    }
}

/// A type as a person would write it.
fn text(ty: &Type) -> String {
    let spaced = ty.to_token_stream().to_string();
    spaced
        .replace("& ", "&")
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ::", "::")
        .replace(":: ", "::")
}
