// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filter programs: from a rule to the decision about one event.
//!
//! | step    | where                       | what                                                               |
//! |---------|-----------------------------|--------------------------------------------------------------------|
//! | compile | `ust-filter`, consumer side | text to a [`Program`], whose fields have names                     |
//! | link    | [`link`], both sides        | a program and a descriptor to words in the filter area             |
//! | apply   | [`area`], both sides        | entries of linked programs, by tracepoint                          |
//! | run     | [`run`], traced program     | an entry, a record in private memory and contexts to yes or no     |
//!
//! `docs/shm-layout.md` ("Filter area") is normative for the formats and for who may change what when.
//!
//! Nothing here allocates but [`ProgramBuilder`]; nothing panics; linked words are read by single atomic loads, each checked
//! where it is used, so that any bit pattern gives a decision or [`run::Corrupt`].

#[cfg(not(loom))]
pub mod area;
#[cfg(not(loom))]
pub mod link;
mod program;
#[cfg(not(loom))]
pub mod run;

pub use program::{Comparison, Op, Program, ProgramBuilder, Reference, TooLarge, Unary};
#[cfg(not(loom))]
pub(crate) use program::{code, header};
