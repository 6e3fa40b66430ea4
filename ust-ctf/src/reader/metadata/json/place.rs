// SPDX-License-Identifier: MIT OR Apache-2.0
//! Remembers where in the metadata a value is: in which fragment, and on what path in it.
//!
//! A parsed JSON value does not know its position, so complaints carry the number of a path here; the byte is
//! searched in the text only when there is a complaint to show.

use std::cell::RefCell;

use crate::reader::error::Complaint;

/// The paths that were needed so far.
#[derive(Debug, Default)]
pub(super) struct Places(RefCell<Vec<(usize, Step)>>);

/// A step of a path, from the place before it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// The first one: the fragment of this number.
    Fragment(usize),
    Key(&'static str),
    /// A key that is not one of the format's own.
    Name(Box<str>),
    Index(usize),
}

/// A fragment of the metadata.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'s> {
    /// Byte of the metadata at which it starts.
    pub(super) at: usize,
    pub(super) text: &'s str,
}

impl Places {
    /// Returns the place of `step` from `from`.
    pub(super) fn child(&self, from: usize, step: Step) -> usize {
        let mut places = self.0.borrow_mut();
        places.push((from, step));
        places.len() - 1
    }

    /// Returns the steps to `place`, the fragment first.
    fn path(&self, place: usize) -> Vec<Step> {
        let places = self.0.borrow();
        let mut path = Vec::new();
        let mut place = place;
        while let Some((from, step)) = places.get(place) {
            path.push(step.clone());
            if matches!(step, Step::Fragment(_)) {
                break;
            }
            place = *from;
        }
        path.reverse();
        path
    }

    /// Returns `complaint`, which is about a place, as one about a byte of the metadata with the path in words.
    #[cold]
    pub(super) fn show(&self, complaint: Complaint, fragments: &[Fragment<'_>]) -> Complaint {
        let path = self.path(complaint.at);
        let Some((Step::Fragment(number), steps)) = path.split_first() else {
            return Complaint { at: 0, ..complaint };
        };
        let Some(fragment) = fragments.get(*number) else {
            return Complaint { at: 0, ..complaint };
        };
        let mut message = format!("{} fragment {}: ", kind(fragment.text), number + 1);
        for (idx, step) in steps.iter().enumerate() {
            let dot = if idx == 0 { "" } else { "." };
            match step {
                Step::Key(key) => message += &format!("{dot}{key}"),
                Step::Name(name) => message += &format!("{dot}{name}"),
                Step::Index(idx) => message += &format!("[{idx}]"),
                Step::Fragment(_) => {}
            }
        }
        if !steps.is_empty() {
            message += ": ";
        }
        message += &complaint.message;
        Complaint { at: fragment.at + find(fragment.text, steps), message }
    }
}

/// Returns the `type` of the fragment `text`, for people.
fn kind(text: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
    value.and_then(|value| value.get("type")?.as_str().map(str::to_owned)).unwrap_or_else(|| "metadata".to_owned())
}

/// Returns the byte of the JSON `text` at which the value at the end of `path` starts, or as near as there is one.
fn find(text: &str, path: &[Step]) -> usize {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    scanner.blanks();
    for step in path {
        let start = scanner.at;
        let found = match step {
            Step::Key(key) => scanner.member(text, key),
            Step::Name(key) => scanner.member(text, key),
            Step::Index(idx) => scanner.element(*idx),
            Step::Fragment(_) => None,
        };
        scanner.at = found.unwrap_or(start);
        if found.is_none() {
            break;
        }
    }
    scanner.at
}

/// Walks over JSON that is known to be well formed.
struct Scanner<'s> {
    bytes: &'s [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes to the begin of the value of `key` in the object that starts here; of several, the last counts.
    fn member(&mut self, text: &str, key: &str) -> Option<usize> {
        let mut found = None;
        self.open(b'{')?;
        while self.peek()? == b'"' {
            let start = self.at;
            self.string();
            let name: Option<String> = serde_json::from_str(text.get(start..self.at)?).ok();
            self.blanks();
            self.at += 1; // The colon.
            self.blanks();
            if name.as_deref() == Some(key) {
                found = Some(self.at);
            }
            self.value();
            self.comma();
        }
        found
    }

    /// Goes to the begin of the element `idx` of the array that starts here.
    fn element(&mut self, idx: usize) -> Option<usize> {
        self.open(b'[')?;
        for _ in 0..idx {
            self.value();
            self.comma();
        }
        self.peek().filter(|byte| *byte != b']').map(|_| self.at)
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        if self.peek()? != bracket {
            return None;
        }
        self.at += 1;
        self.blanks();
        Some(())
    }

    fn comma(&mut self) {
        self.blanks();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.blanks();
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
    }

    /// Goes behind a value.
    fn value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    if depth == 0 {
                        return;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' | b',' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_byte_where_its_value_starts() {
        let text = r#" {"a": [1, {"x\u0079": "]"}, [2]], "b\"": {"c": 3, "c": 4}}"#;
        let cases: [(&[Step], &str); 6] = [
            (&[Step::Key("a"), Step::Index(1), Step::Key("xy")], "\"]\""),
            (&[Step::Key("a"), Step::Index(2), Step::Index(0)], "2]]"),
            (&[Step::Name("b\"".into()), Step::Key("c")], "4}}"),
            (&[Step::Key("a"), Step::Index(7)], "[1"),
            (&[Step::Key("none")], "{\"a\""),
            (&[], "{\"a\""),
        ];
        for (path, start) in cases {
            let at = find(text, path);
            assert!(text[at..].starts_with(start), "{path:?} leads to {}", &text[at..]);
        }
    }
}
