// SPDX-License-Identifier: MIT OR Apache-2.0
//! The integration tests of `ust-ctf`, as one binary.

mod ctf2;
mod damage;
mod details;
mod lttng;
mod metadata;
mod odd;
mod oracle;
mod roundtrip;
mod sample;
mod short;
mod tool;
mod tsdl;
mod writer;
