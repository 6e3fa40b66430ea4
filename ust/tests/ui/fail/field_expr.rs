// SPDX-License-Identifier: MIT OR Apache-2.0
//! A computed field of another type than declared, and one that is passed.

use ust::tracepoint;

#[tracepoint]
fn computed(a: u32, #[field(expr = a.count_ones())] b: u64);

#[tracepoint]
fn passed(a: u32, #[field(expr = a + 1)] b: u32);

fn main() {
    passed(1, 2);
}
