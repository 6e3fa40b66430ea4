// SPDX-License-Identifier: MIT OR Apache-2.0
//! Levels that do not exist.

use ust::tracepoint;

#[tracepoint(loglevel = Inof)]
fn misspelled();

#[tracepoint(loglevel = warning)]
fn lower_case();

#[tracepoint(loglevel = Verbose)]
fn unknown();

fn main() {
    ust::tracelog!(Inof, "text");
}
