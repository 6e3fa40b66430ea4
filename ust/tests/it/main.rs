// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the macros from outside, as a crate under strict lints.
#![deny(warnings, missing_docs, unreachable_pub)]
#![forbid(unsafe_code)]

mod declare;
mod payload;
