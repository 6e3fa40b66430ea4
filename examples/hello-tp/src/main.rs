// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program whose tracepoints stand in a definition file, `shop.tp`.
//!
//! ```text
//! cargo build -p hello-tp -p ust-cli && ./target/debug/ust record --view -- ./target/debug/hello-tp
//! ```

include!(concat!(env!("OUT_DIR"), "/shop.rs"));

fn main() {
    shop::shift_begin("Ada");
    for order in 0..3 {
        shop::checkout(order, f64::from(order) * 9.99, shop::Payment::CreditCard, b"A-113");
    }
    shop::shift_end("Ada");
}
