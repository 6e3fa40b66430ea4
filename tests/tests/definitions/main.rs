// SPDX-License-Identifier: MIT OR Apache-2.0
//! Definition files as programs of C: generated, compiled, recorded, and read; against LTTng, which gets the same files and the same program.

mod build;
mod from_rust;
#[path = "../it/harness.rs"]
#[allow(dead_code, reason = "what records programs is shared; much of it is for the test programs in Rust")]
mod harness;
#[path = "../capi/library.rs"]
#[allow(dead_code, reason = "what installs libust is shared; programs are made differently here")]
mod library;
mod linkage;
mod lttng;
mod recorded;
mod values;
