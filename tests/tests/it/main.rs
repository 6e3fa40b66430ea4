// SPDX-License-Identifier: MIT OR Apache-2.0
//! The runtime's promises, checked end to end: a traced program, the engine, and the reader.

mod contexts;
mod ends;
mod fields;
mod filters;
mod forks;
#[allow(dead_code)]
mod harness;
mod kill;
mod programs;
mod rules;
mod signals;
mod threads;
