// SPDX-License-Identifier: MIT OR Apache-2.0
//! Field attributes that do not fit the type: the error is at the attribute.

use ust::tracepoint;

#[tracepoint]
fn hex_of_text(#[field(hex)] a: &str);

#[tracepoint]
fn network_of_float(#[field(network)] a: f64);

#[tracepoint]
fn text_of_number(#[field(text)] a: u64);

#[tracepoint]
fn bin_of_char(#[field(bin)] a: char);

fn main() {}
