// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names that event rules or readers could not express.

use ust::tracepoint;

#[tracepoint(provider = "a:b", name = "x*")]
fn characters();

#[tracepoint(provider = "")]
fn empty();

#[tracepoint]
fn größe(länge: u8);

#[tracepoint(name = "-x")]
fn dash(#[field(name = "a b")] a: u8);

fn main() {}
