// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files that were read, and places in them.
//!
//! Not here: nothing is opened. Who reads a file adds its text.

use std::path::{Path, PathBuf};

/// Bytes of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Index of the file in [`Sources`].
    pub file: u32,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// Returns the span from the beginning of this one to the end of `last`, which is in the same file; else this one.
    pub fn to(self, last: Span) -> Span {
        if self.file == last.file && self.start <= last.end { Span { end: last.end, ..self } } else { self }
    }
}

/// One file.
#[derive(Debug)]
pub struct Source {
    /// Its path, as it was given.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Where its lines begin.
    lines: Vec<u32>,
}

impl Source {
    /// Returns the line and the column of byte `at`; both count from 1, columns in characters.
    pub fn position(&self, at: u32) -> (usize, usize) {
        let line = self.lines.partition_point(|&start| start <= at);
        let start = self.lines[line - 1] as usize;
        let before = self.text.get(start..at as usize).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

/// The files of one run.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a file and returns its index.
    pub fn add(&mut self, path: &Path, text: String) -> u32 {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect();
        self.files.push(Source { path: path.to_owned(), text, lines });
        self.files.len() as u32 - 1
    }

    /// Returns the file that `span` is in.
    pub fn file(&self, span: Span) -> &Source {
        &self.files[span.file as usize]
    }

    /// Returns the line of a place, from 1 on.
    pub fn line(&self, span: Span) -> usize {
        self.file(span).position(span.start).0
    }

    /// Returns where line `line` of a file stands, without its end; `None` behind the last one.
    pub(crate) fn line_span(&self, file: u32, line: usize) -> Option<Span> {
        let source = self.files.get(file as usize)?;
        let start = *source.lines.get(line.checked_sub(1)?)?;
        let rest = source.text.get(start as usize..)?;
        let end = start + rest.find('\n').unwrap_or(rest.len()) as u32;
        Some(Span { file, start, end })
    }
}
