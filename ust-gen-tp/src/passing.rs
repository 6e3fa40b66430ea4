// SPDX-License-Identifier: MIT OR Apache-2.0
//! How an argument of an event goes from Rust to the C that records it.

use crate::ctype::{Base, CType, Scalar};

/// How an argument is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    /// As it is.
    Number(Scalar),
    /// As an `int`: what C takes for the enum depends on its constants.
    Enum,
    /// As it is. To numbers of a type, or to anything else.
    Pointer(Option<Scalar>),
    /// By its address, because only a compiler knows its size: a structure, or a type by another name.
    Address,
}

/// Returns how an argument of the type `ty` is passed.
pub(crate) fn passing(ty: &CType) -> Passing {
    match (&ty.base, ty.pointers) {
        (Base::Scalar(scalar), 0) => Passing::Number(*scalar),
        (Base::Enum, 0) => Passing::Enum,
        (Base::Scalar(scalar), 1) => Passing::Pointer(Some(*scalar)),
        (_, 0) => Passing::Address,
        _ => Passing::Pointer(None),
    }
}
