// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unknown, conflicting and repeated field attributes.

use ust::tracepoint;

#[tracepoint]
fn keys(
    #[field(hexx)] a: u32,
    #[field(hex, oct)] b: u32,
    #[field(text, network)] c: [u8; 4],
    #[field(hex = 3)] d: u32,
    #[field(expr)] e: u32,
    #[field(hex, hex)] f: u32,
    #[field(skip, hex)] g: u32,
    #[field] h: u32,
    #[field(hex)] #[field(name = "j")] i: u32,
    #[cfg(unix)] j: u32,
    #[serde(skip)] k: u32,
);

fn main() {}
