// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a trace cannot be opened at all. What is damaged but readable is a [`super::Warning`] instead.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a trace cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or folder cannot be read; check that it exists and may be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// There is no `metadata` file in the folder or below; give the folder of a trace.
    #[error("no trace in `{}`: neither it nor a folder below has a `metadata` file", path.display())]
    NoTrace {
        /// Where it was searched.
        path: PathBuf,
    },
    /// The metadata aligns a field to more than this reader can.
    #[error("`{}` aligns a field to {align_bits} bits; up to 32768 can be read", path.display())]
    Alignment {
        /// The metadata file.
        path: PathBuf,
        /// The greatest alignment in it.
        align_bits: u64,
    },
    /// The metadata cannot be understood.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

impl OpenError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// Why metadata cannot be understood, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataError {
    /// The metadata file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// The text of that line; of a long one what is around the place, with `…` where it was cut. Empty if there is no text.
    pub line_text: String,
    /// Characters of `line_text` before the place.
    pub caret: usize,
}

impl std::error::Error for MetadataError {}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, line_text, caret } = self;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        write!(f, "{}:{line}:{column}: {message}", file.display())?;
        if line_text.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{margin} |")?;
        writeln!(f, "{number} | {line_text}")?;
        // Tabs are as wide in the line of the caret as in the line above it.
        let before = line_text.chars().take(*caret);
        let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        write!(f, "{margin} | {indent}^")
    }
}

/// A complaint about the byte `at` of the metadata text.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Complaint {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// Returns the error that shows this place of `source`, the text of `file`.
    pub(crate) fn locate(self, file: &Path, source: &str) -> MetadataError {
        // Behind the last word is as good as the end, and has a line to show.
        let mut at = self.at.min(source.trim_end().len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        let line_start = source[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = source[at..].find('\n').map_or(source.len(), |newline| at + newline);
        let (line_text, caret) = clip(&source[line_start..line_end], at - line_start);
        MetadataError {
            file: file.to_owned(),
            line: source[..line_start].matches('\n').count() + 1,
            column: source[line_start..at].chars().count() + 1,
            message: visible(&self.message),
            line_text,
            caret,
        }
    }
}

/// Returns what of `line` is shown for its byte `at`, and the number of characters before that.
fn clip(line: &str, at: usize) -> (String, usize) {
    // Half of what is shown of a long line, in characters: CTF 2 metadata can be one line.
    const AROUND: usize = 100;
    let before = &line[..at];
    let start = before.char_indices().rev().nth(AROUND).map(|(start, _)| start);
    let line = line.trim_end();
    let end = line.get(at..).and_then(|after| after.char_indices().nth(AROUND)).map(|(len, _)| at + len);
    let shown = line.get(start.unwrap_or(0)..end.unwrap_or(line.len())).unwrap_or_default();
    let shown = visible(shown);
    let text = format!("{}{shown}{}", if start.is_some() { "…" } else { "" }, if end.is_some() { "…" } else { "" });
    let caret = before[start.unwrap_or(0)..].chars().count() + usize::from(start.is_some());
    (text, caret)
}

/// Returns `text` with a visible character for each control character but tabs: it comes from elsewhere, and is shown.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => c,
            '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
            '\x7f' => '\u{2421}',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}
