// SPDX-License-Identifier: MIT OR Apache-2.0
//! Emits one event for each way of declaring one, with fields of every kind.

use ust::{Enumeration, emit, event_class, tracef, tracelog, tracepoint};

/// How an order is paid.
#[derive(Clone, Copy, Enumeration)]
#[repr(u8)]
enum Payment {
    Cash = 1,
    #[enumeration(label = "credit card", range = 2..=5)]
    Card = 2,
}

#[tracepoint(provider = "kinds", loglevel = Info, model_emf_uri = "http://example.com/model")]
fn numbers(a: u8, b: i16, #[field(hex)] c: u32, #[field(oct)] d: u16, #[field(bin)] e: u8, f: i64, g: usize, h: bool);

#[tracepoint(provider = "kinds")]
fn others(letter: char, single: f32, double: f64, payment: Payment, some: Option<u32>, none: Option<i64>);

#[tracepoint(provider = "kinds")]
fn texts(plain: &str, cut: &str, c: &std::ffi::CStr, #[field(text)] bytes: &[u8], #[field(text)] array: &[u8; 6]);

#[tracepoint(provider = "kinds")]
fn lists(
    array: &[i32; 2],
    floats: &[f64],
    empty: &[u16],
    #[field(network, name = "port")] p: u16,
    #[field(expr = array[0] + array[1])] sum: i32,
    #[field(nowrite)] unseen: u64,
);

#[event_class]
fn request(id: u64, path: &str);

#[tracepoint(provider = "kinds", class = request)]
fn request_begin(id: u64, path: &str);

#[tracepoint(provider = "kinds", class = request, loglevel = Debug)]
fn request_end(id: u64, path: &str);

#[ust::provider(name = "inner", loglevel = Warning)]
mod inner {
    #[tracepoint]
    pub fn of_module(n: u32);
}

fn main() {
    numbers(255, -2, 0xbeef, 0o17, 5, i64::MIN, 7, true);
    others('é', 1.5, -0.25, Payment::Card, Some(9), None);
    let _ = Payment::Cash;
    texts("it's \"quoted\"\n", "be\0hind", c"see", b"raw", b"abc\0de");
    lists(&[1, -1], &[0.5, 2.0], &[], 8080u16.to_be(), 3);
    request_begin(1, "/a");
    request_end(1, "/a");
    emit!(inner::of_module(4));
    tracef!("{} is {:?}", "answer", 42);
    tracelog!(Err, "long {}", "x".repeat(2000));
}
