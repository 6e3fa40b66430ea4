// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shared-memory contract between a traced program and its consumer: layout, ring protocol, rules.
//!
//! Both sides link this crate, so that each rule exists once. The documents `docs/shm-layout.md` and
//! `docs/ring-protocol.md` are normative; rule numbers (R1 ...) in comments refer to the latter.
//!
//! What this crate does not do: no I/O, no mapping of files, no system calls, no threads. What runs
//! inside the traced program (everything but [`decode`], [`filter::ProgramBuilder`] and [`rules::RulesBuilder`]) does not allocate and
//! does not panic.

#![warn(missing_docs)]

pub mod atomics;
pub mod context;
pub mod decode;
pub mod descriptor;
pub mod encode;
pub mod filter;
pub mod glob;
#[cfg(not(loom))]
pub mod head;
pub mod layout;
pub mod limits;
pub mod region;
pub mod ring;
pub mod rules;
