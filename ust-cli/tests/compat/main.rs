// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs that were written for lttng-ust, compiled unchanged: what `ust record` takes of them, and what lttng-ust itself does.

mod alike;
mod build;
mod errors;
#[path = "../../../tests/tests/capi/library.rs"]
#[allow(dead_code, reason = "what installs libust is shared; compiling is done otherwise here")]
mod library;
mod linkage;
mod listed;
mod lttng;
mod messages;
#[path = "../it/harness.rs"]
#[allow(dead_code, reason = "what runs `ust` is shared; the traced programs are others here")]
mod place;
mod shown;
#[path = "../it/stage.rs"]
#[allow(dead_code, reason = "what has a daemon is shared")]
mod stage;
mod standards;
mod tool;

/// What the shared modules need of theirs.
mod harness {
    pub use crate::place::{Place, Run, run, traced};
    pub use crate::tool::is_installed;
}
