// SPDX-License-Identifier: MIT OR Apache-2.0
//! The attributes on items they are not for.

#[ust::tracepoint]
struct Checkout {
    order: u64,
}

#[ust::tracepoint]
const ORDER: u64 = 1;

#[ust::event_class]
mod class {}

#[ust::provider]
fn shop(a: u8) {}

#[ust::provider]
struct Shop;

#[derive(ust::Enumeration)]
struct Color {
    red: u8,
}

fn main() {}
