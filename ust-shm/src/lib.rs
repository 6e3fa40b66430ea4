// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shared-memory contract between traced programs and their consumer.
pub mod descriptor;
