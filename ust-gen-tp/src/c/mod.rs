// SPDX-License-Identifier: MIT OR Apache-2.0
//! A model as C: a header with call sites and recording functions, against the headers `ust/tracepoint.h` and `ust/probe.h`.
//!
//! [`plan`] decides everything and makes a tree, [`print`] only prints it. In between:
//!
//! | module   | question                                                                                     |
//! |----------|----------------------------------------------------------------------------------------------|
//! | `text`   | what of the file goes to the header as it is: includes, macros, declarations, conditionals?  |
//! | `body`   | what is computed from the arguments of an event, and in which locals?                        |
//! | `value`  | how does the value of a field get its type, without a warning?                               |
//! | `names`  | which names are free?                                                                        |
//!
//! The header has three parts. The first holds the file's own text, with a call site declared where each event is defined, for
//! everybody who includes it. The other two hold the recording functions, and the call sites, for the files that ask for them; these
//! may include the header twice, once before they ask.
//!
//! A shim is a source file for events of a Rust program that only a compiler of C understands: recording functions, and what Rust calls.
//!
//! Expressions are not understood here: a compiler sees them as they were written.

mod body;
mod names;
mod plan;
mod print;
mod text;
mod value;

use std::path::Path;

use crate::load::Definitions;
use crate::rust::InC;

/// Which C is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// C, which a compiler of C++ takes too.
    #[default]
    C,
    /// C++ alone: values may be made of temporary objects.
    Cpp,
}

impl Dialect {
    /// The suffix of a source file.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Dialect::C => "c",
            Dialect::Cpp => "cpp",
        }
    }
}

/// Returns the header for `definitions`, which were read for C. `path` is where it goes: its name makes its guard.
pub fn c_header(definitions: &Definitions, path: &Path, dialect: Dialect) -> String {
    print::header(&plan::plan(definitions, path, dialect))
}

/// Returns a source file that records `events` for a Rust program, which calls them (`ust::extern_tracepoint`). It needs nothing else
/// that is made from the definitions. The definitions were read for C.
pub fn c_shim(definitions: &Definitions, events: &[InC], dialect: Dialect) -> String {
    print::shim(&plan::plan_shim(definitions, events, dialect))
}

/// Returns the source file that makes an object of a header. `header` is its path as seen from the source file.
pub fn c_source(definitions: &Definitions, header: &str) -> String {
    print::source(&plan::origin(definitions), header)
}
