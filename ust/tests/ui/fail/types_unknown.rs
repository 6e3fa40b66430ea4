// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types that turn out not to be fields: the error is at the type.

use ust::tracepoint;

struct Order;

#[tracepoint]
fn structure(id: u8, order: Order);

#[tracepoint]
fn reference(order: &Order);

#[tracepoint]
fn elements(orders: &[Order]);

#[tracepoint]
fn option(order: Option<Order>);

#[tracepoint]
fn option_of_char(letter: Option<char>);

fn main() {}
