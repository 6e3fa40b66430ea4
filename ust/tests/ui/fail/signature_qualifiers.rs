// SPDX-License-Identifier: MIT OR Apache-2.0
//! All qualifiers of a declaration are reported at once.

use ust::tracepoint;

#[tracepoint]
const fn constant(a: u8);

#[tracepoint]
async unsafe extern "C" fn many(a: u8);

fn main() {}
