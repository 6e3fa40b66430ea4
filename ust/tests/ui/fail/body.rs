// SPDX-License-Identifier: MIT OR Apache-2.0
//! A body with statements.

use ust::tracepoint;

#[tracepoint]
fn with_body(a: u8) {
    println!("{a}");
}

fn main() {
    // No error follows: the function still exists.
    with_body(1);
    ust::emit!(with_body(1));
    with_body::enabled();
}
