// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads tracepoint definition files, those of `lttng-gen-tp` (`.tp`) and headers that include themselves, checks them, and makes
//! Rust or C of them. Build scripts use [`Builder`]; the command `ust-gen-tp` is [`run`].
//!
//! A file goes through these passes, each of which knows only the one before:
//!
//! | module       | makes                                                                                    |
//! |--------------|------------------------------------------------------------------------------------------|
//! | `lexer`      | tokens with their places; comments, also those that begin with `#`, are set aside        |
//! | `reader`     | stretches between directives, with the conditions they stand under                       |
//! | `expand`     | the same with the macros of the file replaced, as C does it                              |
//! | `items`      | definitions, and the names that should be macros and are none                            |
//! | `headers`    | only for such names: macros and definitions of included files, from the C preprocessor   |
//! | `check`      | the [`model`], and complaints about what a compiler lets through or explains badly       |
//! | `json`       | the model as JSON                                                                        |
//! | `rust`       | a module of tracepoints for the crate `ust`                                              |
//! | `c`          | a header of C, the source file that makes an object of it, or one that Rust calls        |
//!
//! ```
//! use std::path::Path;
//! use ust_gen_tp::{Options, read_text};
//!
//! let text = "TRACEPOINT_EVENT(shop, checkout, TP_ARGS(int, id), TP_FIELDS(ctf_interger(int, id, id)))";
//! let found = read_text(Path::new("shop.tp"), text.to_owned(), &Options::default());
//! assert_eq!(found.model.provider.as_deref(), Some("shop"));
//! let problem = found.problems.iter().next().unwrap();
//! assert_eq!(problem.message, "there is no kind of field `ctf_interger`");
//! assert_eq!(problem.help.as_deref(), Some("`ctf_integer`"));
//! ```
//!
//! What this crate does not do: it does not decide conditions that depend on a build, it does not know the types and constants of a
//! program, and it runs a compiler only where a macro of an included file is needed, or an object is an output.
#![deny(unsafe_code)]

mod args;
mod builder;
mod c;
mod check;
mod cli;
mod compiler;
mod conditions;
mod ctype;
mod eval;
mod expand;
mod fields;
mod headers;
mod items;
mod json;
mod lexer;
mod limits;
mod load;
mod macros;
mod make;
pub mod model;
mod options;
mod output;
mod passing;
mod problem;
mod reader;
mod rust;
mod shim;
mod source;
mod token;
mod words;

pub use builder::{BuildError, Builder};
pub use c::{Dialect, c_header, c_shim, c_source};
pub use cli::run;
pub use ctype::Scalar;
pub use json::json;
pub use load::{Definitions, read, read_for_c, read_text};
pub use options::Options;
pub use problem::{Problem, Problems, Severity};
pub use rust::{InC, Library, Omitted, Rust, Shim, rust};
pub use source::{Source, Sources, Span};
