// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types that can never be fields, each with what to pass instead.

use ust::tracepoint;

#[tracepoint]
fn texts(a: String, b: std::string::String, c: str, d: &std::path::Path, e: std::borrow::Cow<'static, str>);

#[tracepoint]
fn lists(a: Vec<u8>, b: &Vec<u64>, c: [u8], d: [[u8; 2]; 2], e: &[&str], f: &[String]);

#[tracepoint]
fn numbers(a: i128, b: u128, c: (u8, u8), d: (), e: Box<u8>);

#[tracepoint]
fn traits(a: impl Copy, b: &dyn Send, c: fn(u8), d: _, e: &mut u8, f: !);

#[tracepoint]
fn options(a: Option<&str>, b: Option<String>, c: Option<[u8; 2]>);

fn main() {
    // No error follows: the functions still exist.
    texts("a", "b", "c", "d", "e");
}
