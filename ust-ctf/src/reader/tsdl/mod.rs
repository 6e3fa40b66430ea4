// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads TSDL: [`lexer`] makes tokens, [`parser`] a syntax tree ([`ast`]), [`resolve`] classes
//! ([`class`]), and [`model`] the plain classes of [`crate::model`].
//!
//! The first three are general; only the last knows which traces can be decoded so far.

pub(crate) mod ast;
pub(crate) mod class;
pub(crate) mod lexer;
pub(crate) mod model;
pub(crate) mod parser;
pub(crate) mod resolve;
mod types;

use std::path::Path;

use super::error::{Complaint, MetadataError};
use crate::model::TraceClass;

/// Returns the classes that `source`, the text of `file`, describes.
pub(crate) fn read(file: &Path, source: &str) -> Result<TraceClass, MetadataError> {
    let read = || -> Result<TraceClass, Complaint> {
        let tokens = lexer::tokens(source)?;
        let items = parser::parse(&tokens, source.len())?;
        model::trace_class(&resolve::resolve(&items)?)
    };
    read().map_err(|complaint| complaint.locate(file, source))
}
