// SPDX-License-Identifier: MIT OR Apache-2.0
//! A model as Rust: a module of `#[tracepoint]` functions for the crate `ust`.
//!
//! [`plan`] decides everything and makes a tree, [`print`] only prints it. In between, an event goes through
//!
//! | module   | question                                                                                     |
//! |----------|----------------------------------------------------------------------------------------------|
//! | `value`  | which argument, cast or constant is the value of a field?                                    |
//! | `role`   | what is an argument in Rust: a number, a text, a slice, the length of one?                   |
//! | `body`   | which parameters does the function have, and what is computed from which?                    |
//! | `labels` | which enum has the names of an integer's values?                                             |
//!
//! What needs a compiler of C, such as a member of a structure, is not guessed: the event is left out, and the reason is said. The
//! conversions are those of C, as far as C defines them.

mod body;
mod labels;
mod names;
mod plan;
mod print;
mod role;
mod value;

use crate::model::Model;
use crate::problem::Problem;
use crate::source::{Sources, Span};

/// Why an event is not in the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// The event's name.
    pub event: String,
    /// What the reason is about.
    pub span: Span,
    /// The reason.
    pub reason: String,
}

impl Omitted {
    /// Returns the reason as a warning, with its place.
    pub fn render(&self, sources: &Sources) -> String {
        let message = format!("the event `{}` is left out of the Rust: {}", self.event, self.reason);
        Problem::warning(self.span, message).render(sources)
    }
}

/// A module of Rust.
#[derive(Clone, Debug)]
pub struct Rust {
    /// Its text.
    pub text: String,
    /// The events that are not in it.
    pub omitted: Vec<Omitted>,
}

/// Returns the model as Rust.
pub fn rust(model: &Model, sources: &Sources) -> Rust {
    let module = plan::plan(model, sources);
    Rust { text: print::module(&module), omitted: module.omitted }
}

/// Why something cannot be said in Rust, and where.
#[derive(Clone, Debug)]
struct Refusal {
    span: Span,
    reason: String,
}

impl Refusal {
    fn new(span: Span, reason: impl Into<String>) -> Self {
        Self { span, reason: reason.into() }
    }
}
