// SPDX-License-Identifier: MIT OR Apache-2.0
//! The traced program: `traced SCENARIO [ARGS]`. What it counted it prints as `key=value`.

#[path = "../../programs/events.rs"]
mod events;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["plain", count] => events::emit_all(0, count.parse().expect("a number")),
        other => panic!("no such scenario: {other:?}"),
    }
}
