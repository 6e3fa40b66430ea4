// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values outside of the container or the range: found while compiling.

use ust::Enumeration;

#[derive(Enumeration)]
enum TooWide {
    A = 1 << 40,
}

#[derive(Enumeration)]
#[repr(u8)]
enum OutOfRange {
    #[enumeration(range = 4..=9)]
    A = 3,
}

fn main() {}
