// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generic parameters and named lifetimes.

use ust::tracepoint;

#[tracepoint]
fn generic<T: Copy>(value: T)
where
    T: Send;

#[tracepoint]
fn lifetime<'a>(text: &'a str);

#[tracepoint]
fn undeclared(text: &'a str, fine: &'static str, also_fine: &'_ str);

fn main() {}
