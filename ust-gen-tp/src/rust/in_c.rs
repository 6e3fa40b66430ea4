// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events that C records, because only a compiler understands their fields. Rust hands on the arguments.

use crate::c::Dialect;
use crate::ctype::CType;
use crate::model::{Code, Event};
use crate::passing::{Passing, passing};
use crate::rust::body::Param;
use crate::rust::role::rust_type;
use crate::rust::{Refusal, names};

/// Words and signs that C does not have.
const CPP_ALONE: [&str; 5] = ["::", "static_cast", "reinterpret_cast", "const_cast", "dynamic_cast"];

/// Returns the parameters of an event that C records, and sentences on those that are not as in C.
pub(super) fn params(event: &Event, dialect: Dialect) -> Result<(Vec<Param>, Vec<String>), Refusal> {
    if dialect == Dialect::C {
        refuse_cpp(event)?;
    }
    let (mut params, mut notes, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for arg in &event.args {
        let ident = names::unique(names::identifier(&arg.name.text), &mut taken);
        let ty = CType::parse(&arg.ty.tokens);
        let ty = match passing(&ty) {
            Passing::Number(scalar) => rust_type(scalar).to_owned(),
            Passing::Enum => "::core::ffi::c_int".to_owned(),
            Passing::Pointer(Some(scalar)) => format!("*const {}", rust_type(scalar)),
            Passing::Pointer(None) => "*const ::core::ffi::c_void".to_owned(),
            Passing::Address => {
                notes.push(format!("`{}` is the address of what in C is `{}`.", arg.name.text, arg.ty.text));
                "*const ::core::ffi::c_void".to_owned()
            }
        };
        params.push(Param { keys: Vec::new(), ident, ty });
    }
    Ok((params, notes))
}

fn refuse_cpp(event: &Event) -> Result<(), Refusal> {
    let is_cpp = |code: &&Code| {
        let has = |sign: &str| code.tokens.iter().any(|token| token.is(sign));
        CPP_ALONE.iter().any(|word| has(word))
    };
    let is_cpp_type = |code: &&Code| is_cpp(code) || code.tokens.iter().any(|token| token.is("&") || token.is("<"));
    let of_fields = event.fields.iter().flat_map(|field| [Some(&field.expr), field.count.as_ref(), field.ty.as_ref()]);
    let found = event.args.iter().map(|arg| &arg.ty).find(is_cpp_type).or_else(|| of_fields.flatten().find(is_cpp));
    match found {
        Some(code) => Err(Refusal::last(
            code.span,
            format!("`{}` is C++: name an output _shim.cpp, or Builder::cpp() in a build script", code.text),
        )),
        None => Ok(()),
    }
}

/// What callers promise.
pub(super) fn safety() -> [String; 3] {
    let promise = "The fields are expressions of C: the arguments are valid for these, and so is what they point to.";
    ["", "# Safety", promise].map(str::to_owned)
}
