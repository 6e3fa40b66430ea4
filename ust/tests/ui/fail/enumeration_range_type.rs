// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ends of a range have the type of the enum's `repr`.

use ust::Enumeration;

#[derive(Enumeration)]
#[repr(u8)]
enum NotANumber {
    #[enumeration(range = "a"..="b")]
    A = 4,
}

fn main() {}
