// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of the standard library that the user has given another meaning.
#![allow(dead_code, non_camel_case_types)]

mod core {}
mod ust_shm {}
struct Field;
struct Option;
struct Tracepoint;
struct bool;

macro_rules! file {
    () => {
        compile_error!("not this one")
    };
}

#[ust::tracepoint]
fn event(a: u8, text: &str);

fn main() {
    event(1, "");
    ust::emit!(event(1, ""));
    ust::tracef!("{}", 1);
}
