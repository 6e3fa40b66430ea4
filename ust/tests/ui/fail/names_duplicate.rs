// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two fields of one name.

use ust::tracepoint;

#[tracepoint]
fn same(a: u8, b: u8, a: u16);

#[tracepoint]
fn renamed(a: u8, #[field(name = "a")] b: u8);

fn main() {}
