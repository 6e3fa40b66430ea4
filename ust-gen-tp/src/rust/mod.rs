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
//! | `in_c`   | which parameters does an event have that C records?                                          |
//!
//! What needs a compiler of C, such as a member of a structure, is not guessed: C records such an event, and Rust calls that
//! ([`crate::c::c_shim`]); without C it is left out, and the reason is said. The conversions are those of C, as far as C defines them.

mod body;
mod in_c;
mod labels;
mod names;
mod plan;
mod print;
mod role;
mod value;

use crate::c::Dialect;
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
    /// With a shim it would be there.
    pub needs_shim: bool,
}

impl Omitted {
    /// Returns the reason as a warning, with its place. `shim` says how to get one.
    pub fn render(&self, sources: &Sources, shim: &str) -> String {
        let message = format!("the event `{}` is left out of the Rust: {}", self.event, self.reason);
        let warning = Problem::warning(self.span, message);
        if self.needs_shim { warning.help(shim) } else { warning }.render(sources)
    }
}

/// A module of Rust.
#[derive(Clone, Debug)]
pub struct Rust {
    /// Its text.
    pub text: String,
    /// The events that are not in it.
    pub omitted: Vec<Omitted>,
    /// The events that C records: [`c_shim`](crate::c_shim) makes the functions that the module calls.
    pub in_c: Vec<InC>,
}

/// An event that C records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InC {
    /// The event's name.
    pub event: String,
    /// Its definition: there may be others of this name, under other conditions.
    pub span: Span,
}

/// The functions of C that record events for a module.
#[derive(Clone, Debug, Default)]
pub struct Shim {
    /// The C they are in.
    pub dialect: Dialect,
    /// The libraries that the module says it is linked with; none where the build sees to that.
    pub libraries: Vec<Library>,
}

/// A library to be linked.
#[derive(Clone, Debug)]
pub struct Library {
    /// `shop_shim` for `libshop_shim.a`.
    pub name: String,
    /// It becomes part of the program.
    pub is_static: bool,
}

/// Returns the model as Rust. Events that only a compiler understands are recorded by functions of `shim`; without one, they are left
/// out.
pub fn rust(model: &Model, sources: &Sources, shim: Option<&Shim>) -> Rust {
    let module = plan::plan(model, sources, shim);
    let text = print::module(&module);
    Rust { text, omitted: module.omitted, in_c: module.in_c }
}

/// Why something cannot be said in Rust, and where.
#[derive(Clone, Debug)]
struct Refusal {
    span: Span,
    reason: String,
    /// C cannot say it either, or not so that Rust can call it.
    is_final: bool,
}

impl Refusal {
    /// A compiler of C would know.
    fn new(span: Span, reason: impl Into<String>) -> Self {
        Self { span, reason: reason.into(), is_final: false }
    }

    /// C is of no help.
    fn last(span: Span, reason: impl Into<String>) -> Self {
        Self { span, reason: reason.into(), is_final: true }
    }
}
