// SPDX-License-Identifier: MIT OR Apache-2.0
//! An error for people: what failed on what, and one thing to try.

use std::fmt;

/// What is printed as `error: ...` and `try: ...`.
#[derive(Debug)]
pub struct Problem {
    /// What failed, on what, and why.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with something to try.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: Some(hint.into()) }
    }
}

impl Problem {
    /// A problem that says itself what to try.
    pub fn bare(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Problem {}
