// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the macros from outside, as a crate under strict lints.
#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic, rust_2018_idioms)]
#![allow(clippy::cast_possible_truncation)]
#![deny(unsafe_code)]

mod declare;
mod enumeration;
mod groups;
mod lazy;
mod payload;
