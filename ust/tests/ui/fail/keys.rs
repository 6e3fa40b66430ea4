// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unknown, repeated and malformed keys.

use ust::tracepoint;

#[tracepoint(porvider = "shop", name = "a", name = "b", level = Info)]
fn unknown();

#[tracepoint(provider = shop, name, loglevel = "Info", class = 3)]
fn values();

#[tracepoint("shop")]
fn text();

#[tracepoint(provider = "shop" name = "x")]
fn no_comma();

#[ust::event_class(name = "x")]
fn class();

#[ust::provider(nmae = "shop", loglevel = Inof)]
mod shop {}

fn main() {}
