// SPDX-License-Identifier: MIT OR Apache-2.0
//! A class that does not exist.

#[ust::tracepoint(class = requst)]
fn unknown(id: u64);

fn main() {}
