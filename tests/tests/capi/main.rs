// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs of C over libust: each way to link the provider, with each compiler, and what happens to a process.

mod cases;
mod example;
#[path = "../it/harness.rs"]
#[allow(dead_code, reason = "what records programs is shared; much of it is for the test programs in Rust")]
mod harness;
mod library;
mod linkage;
