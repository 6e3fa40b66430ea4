// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments that are not plain names.

use ust::tracepoint;

#[tracepoint]
fn patterns((a, b): (u8, u8), _: u8, mut c: u8, ref d: u8, e @ 1..: u8);

fn main() {}
