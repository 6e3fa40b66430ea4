// SPDX-License-Identifier: MIT OR Apache-2.0
//! A receiver and a return type.

use ust::tracepoint;

#[tracepoint]
fn method(&self, a: u8) -> bool;

#[tracepoint]
extern "C" fn variadic(a: u8, _: ...);

fn main() {}
