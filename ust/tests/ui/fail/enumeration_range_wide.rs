// SPDX-License-Identifier: MIT OR Apache-2.0
//! An end of a range that does not fit the enum's `repr`.

use ust::Enumeration;

#[derive(Enumeration)]
#[repr(u8)]
enum WrongLiteral {
    #[enumeration(range = 4..=900)]
    A = 4,
}

fn main() {}
