// SPDX-License-Identifier: MIT OR Apache-2.0
//! A crate with strict lints can declare tracepoints.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused_qualifications)]
#![deny(unused_lifetimes, single_use_lifetimes, trivial_casts, unused_results, elided_lifetimes_in_paths)]
#![forbid(unsafe_code, dead_code, deprecated, unused_variables, private_interfaces, non_snake_case, unused_imports)]

use ust::tracepoint;

/// A documented event.
#[tracepoint(provider = "shop", loglevel = Info)]
pub fn checkout(order: u64, total: f64, #[field(text)] sku: &[u8]);

#[tracepoint]
pub fn undocumented(r#type: u8, tp: u16, at: u32, wire: u64, size: i8, value: &str, sink: bool);

#[ust::event_class]
fn class(id: u8, #[field(nowrite)] hidden: u8);

#[tracepoint(class = class)]
pub fn instance(id: u8, hidden: u8);

/// The stock.
#[ust::provider]
pub mod stock {
    use ust::tracepoint;

    #[tracepoint]
    pub fn refill(item: u32, #[field(expr = item + 1)] next: u32);
}

/// Nothing yet.
#[ust::provider]
pub mod nothing {}

/// A state.
#[derive(Clone, Copy, Debug, ust::Enumeration)]
#[repr(u8)]
pub enum State {
    /// It runs.
    #[enumeration(label = "running")]
    Run = 1,
    /// It does not.
    #[enumeration(range = 2..=9)]
    Stop = 2,
}

#[tracepoint]
pub fn state(now: State, before: Option<State>, pointer: *const State) {}

fn main() {
    checkout(1, 2.0, b"sku");
    undocumented(1, 2, 3, 4, 5, "", true);
    instance(1, 2);
    stock::refill(1);
    state(State::Run, Some(State::Stop), std::ptr::null());
    ust::emit!(checkout(1, 2.0, b"sku"));
    let _ = checkout::enabled();
    ust::tracef!("text {}", 1);
    ust::tracelog!(Info, "text {}", 1);
}
