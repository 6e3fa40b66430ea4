// SPDX-License-Identifier: MIT OR Apache-2.0
//! Enums that are no enumerations.

use ust::Enumeration;

#[derive(Enumeration)]
enum Empty {}

#[derive(Enumeration)]
enum Data {
    Unit,
    Tuple(u8),
    Named { a: u8 },
}

#[derive(Enumeration)]
enum Generic<T> {
    Unit,
    Other(T),
}

#[derive(Enumeration)]
#[repr(u128)]
enum Wide {
    A,
}

#[derive(Enumeration)]
enum Keys {
    #[enumeration(lable = "a")]
    A,
    #[enumeration(label = "")]
    B,
    #[enumeration(range = 3)]
    C,
    #[enumeration(range = 3..5)]
    D,
    #[enumeration]
    E,
}

fn main() {}
