// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls with wrong arguments are errors at the argument.

use ust::{emit, tracepoint};

#[tracepoint]
fn checkout(order: u64, sku: &str);

fn main() {
    checkout("a", "b");
    checkout(1);
    emit!(checkout("a", "b"));
    emit!(checkout(1));
    emit!(checkout);
    emit!();
    ust::tracef!();
    ust::tracelog!(Info);
}
