// SPDX-License-Identifier: MIT OR Apache-2.0
//! Instances that do not fit their class.

use ust::{event_class, tracepoint};

#[event_class]
fn request(id: u64, path: &str);

#[tracepoint(class = request)]
fn attribute(#[field(hex)] id: u64, path: &str);

#[tracepoint(class = request)]
fn wrong_type(id: u32, path: &str);

#[tracepoint(class = request)]
fn too_few(id: u64);

fn main() {}
