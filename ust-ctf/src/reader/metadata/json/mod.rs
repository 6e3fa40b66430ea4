// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the metadata of CTF 2 (CTF2-SPEC-2.0): a sequence of JSON texts (RFC 7464), each an object that is a
//! fragment. [`fragment`] reads those, [`field`] the field classes in them, with the help of [`value`]; [`roles`] says
//! where a role means something, and [`place`] where a complaint is about.
//!
//! Fragments are parsed one at a time. Properties that the format does not have are passed over; extensions are refused,
//! because they may change the meaning of all else.

mod field;
mod fragment;
mod place;
mod roles;
mod value;

use fragment::Fragments;
use place::{Fragment, Places, Step};
use value::Object;

use super::Result;
use super::trace::TraceDraft;
use crate::class::TraceClass;
use crate::reader::error::Complaint;

/// What precedes each JSON text.
const RECORD_SEPARATOR: char = '\u{1e}';

/// Tells whether `source` is metadata of CTF 2.
pub(super) fn is_json(source: &str) -> bool {
    source.starts_with(RECORD_SEPARATOR) || source.trim_start().starts_with(['{', RECORD_SEPARATOR])
}

/// Returns what `source` describes.
pub(super) fn read(source: &str) -> Result<TraceClass> {
    let fragments = split(source)?;
    let places = Places::default();
    let draft = draft(source, &fragments, &places);
    let class = draft.and_then(|draft| draft.finish().map_err(Failed::Meaning));
    class.map_err(|failed| match failed {
        Failed::Meaning(complaint) => places.show(complaint, &fragments),
        Failed::Syntax(number, error) => syntax(number, &fragments[number], &error),
    })
}

fn draft(source: &str, fragments: &[Fragment<'_>], places: &Places) -> std::result::Result<TraceDraft, Failed> {
    let mut all = Fragments::new();
    let mut last = 0;
    for (number, fragment) in fragments.iter().enumerate() {
        last = places.child(0, Step::Fragment(number));
        let value = match serde_json::from_str(fragment.text) {
            Ok(value) => value,
            // The last one may be cut: a tracer may still be writing it.
            Err(error) if error.is_eof() && is_cut(source, fragment) => break,
            Err(error) => return Err(Failed::Syntax(number, error)),
        };
        all.add(Object::new(&value, places, last)?)?;
    }
    Ok(all.finish(last)?)
}

/// Why no classes came of it.
enum Failed {
    Syntax(usize, serde_json::Error),
    /// About a place.
    Meaning(Complaint),
}

impl From<Complaint> for Failed {
    fn from(complaint: Complaint) -> Self {
        Self::Meaning(complaint)
    }
}

/// Returns the JSON texts; what is empty between separators is none.
fn split(source: &str) -> Result<Vec<Fragment<'_>>> {
    let start = source.len() - source.trim_start().len();
    if !source[start..].starts_with(RECORD_SEPARATOR) {
        return Err(Complaint::new(start, "this looks like CTF 2, but there is no record separator (0x1E) before it"));
    }
    let mut at = start;
    let mut fragments = Vec::new();
    for text in source[start..].split(RECORD_SEPARATOR) {
        if !text.trim().is_empty() {
            fragments.push(Fragment { at, text });
        }
        at += text.len() + RECORD_SEPARATOR.len_utf8();
    }
    Ok(fragments)
}

fn is_cut(source: &str, fragment: &Fragment<'_>) -> bool {
    fragment.at + fragment.text.len() == source.len() && !source.ends_with('\n')
}

/// Returns the complaint about text that is not JSON.
#[cold]
fn syntax(number: usize, fragment: &Fragment<'_>, error: &serde_json::Error) -> Complaint {
    let message = error.to_string();
    // The position is that in the fragment; ours is that in the file.
    let message = message.split(" at line ").next().unwrap_or_default();
    let line_at = match error.line() {
        0 | 1 => 0,
        line => fragment.text.match_indices('\n').nth(line - 2).map_or(0, |(at, _)| at + 1),
    };
    let at = (line_at + error.column().saturating_sub(1)).min(fragment.text.len());
    Complaint::new(fragment.at + at, format!("fragment {}: {message}", number + 1))
}
