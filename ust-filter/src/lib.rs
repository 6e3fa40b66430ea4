// SPDX-License-Identifier: MIT OR Apache-2.0
//! The filter language: which events are wanted, said with their fields and contexts.
//!
//! It is the language of LTTng's filters (`lttng enable-event --filter`), with its precedence, in which bits bind tighter than
//! comparisons, unlike in C:
//!
//! | binds, from loosest to tightest | meaning                                                       |
//! |---------------------------------|---------------------------------------------------------------|
//! | `a \|\| b`                      | either; `b` is not looked at if `a` is true                   |
//! | `a && b`                        | both; `b` is not looked at if `a` is false                    |
//! | `a == b`, `a != b`              | numbers, or texts; `*` in a text matches any run of characters |
//! | `a < b`, `>`, `<=`, `>=`        | numbers, or texts by their bytes                              |
//! | `a \| b`                        | bits                                                          |
//! | `a ^ b`                         | bits                                                          |
//! | `a & b`                         | bits                                                          |
//! | `a << n`, `a >> n`              | bits; `n` from 0 to 63                                        |
//! | `-a`, `+a`, `!a`, `~a`          |                                                               |
//!
//! Operands are numbers (`23`, `0x17`, `027`, `'x'`, `1.5`, `0x1.8p3`), texts (`"lttng*"`, where `\*` is a star, `\"` a quote and
//! `\\` a backslash), fields (`size`, `point.x`, `list[3]`), contexts (`$ctx.vpid`, `$ctx.perf:thread:cycles`) and what the
//! application adds to its events (`$app.provider:name`). Comments are `/* */` and `//`.
//!
//! Integers are 64 bits, two's complement: an unsigned field above 2^63 compares as negative, as in LTTng. A number that meets
//! a float becomes one. If a field is missing, an index or a shift is out of range, or a field turns out to be of the wrong kind, the
//! whole filter says no, unless `||` or `&&` has already settled it (in LTTng an event that lacks any field of the filter is refused
//! whatever the others are).
//!
//! What LTTng accepts and this refuses, with the reason: an order between a text and a pattern (`name < "a*"`), numbers that
//! do not fit 64 bits, `'xy'`. What this accepts besides: `\"`.
//!
//! ```
//! use std::borrow::Cow;
//! use ust_filter::{Filter, Reference, Value, Values};
//!
//! struct Message;
//!
//! impl Values for Message {
//!     fn value(&self, reference: &Reference) -> Option<Value<'_>> {
//!         match reference.to_string().as_str() {
//!             "size" => Some(Value::Integer(4096)),
//!             "$ctx.procname" => Some(Value::Text(Cow::Borrowed(b"lttng-relayd"))),
//!             _ => None,
//!         }
//!     }
//! }
//!
//! let filter: Filter = r#"size & 0xfff == 0 && $ctx.procname == "lttng*""#.parse()?;
//! assert!(filter.accepts(&Message));
//! # Ok::<(), ust_filter::FilterError>(())
//! ```
//!
//! [`Filter::compile`] makes the program that traced programs run, [`Filter::accepts`] asks about events that were recorded; both say
//! the same.
//!
//! What this crate does not do: it knows no trace and no memory of a traced program. Who uses it says what fields there are
//! ([`Schema`]) and what their values are ([`Values`]).
#![deny(unsafe_code)]

mod ast;
mod check;
mod compile;
mod error;
mod eval;
mod lexer;
mod limits;
mod number;
mod parser;

pub use ast::{Filter, Reference, Root, Step};
pub use check::{Kind, Schema};
pub use error::FilterError;
pub use eval::{Value, Values};
