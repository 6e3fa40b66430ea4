// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a trace shows of a program's events, without what differs from run to run and from tracer to tracer.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::tool::babeltrace2;

/// The events as lines, in order, and the types of their fields, by name; both as babeltrace2 prints them.
pub fn shown(trace: &Path) -> String {
    events(&babeltrace2(&["--no-delta", "--fields=loglevel,emf"], trace))
        + "\n"
        + &classes(&babeltrace2(&["--component=sink.text.details"], trace))
}

/// Level, link, name and fields of each event.
fn events(printed: &str) -> String {
    let mut events = String::new();
    for line in printed.lines() {
        let parts = line.split_once("] ").and_then(|(_, rest)| rest.split_once(": { cpu_id = "));
        let (head, rest) = parts.unwrap_or_else(|| panic!("an event without packet context: {line}"));
        let (_, fields) = rest.split_once(" }, ").unwrap_or_else(|| panic!("an event without fields: {line}"));
        let _ = writeln!(events, "{head}: {fields}");
    }
    events
}

/// The event classes with their fields, by name.
fn classes(printed: &str) -> String {
    let mut classes: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in printed.lines() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if let Some(name) = text.strip_prefix("Event class `").and_then(|rest| rest.split_once('`')) {
            classes.push(format!("{}\n", name.0));
            is_inside = true;
        } else if depth <= 4 {
            is_inside = false;
        } else if is_inside && let Some(class) = classes.last_mut() {
            let _ = writeln!(class, "{}{}", " ".repeat(depth - 4), without_length(text));
        }
    }
    classes.sort();
    // Several streams, or processes, have the same classes.
    classes.dedup();
    classes.concat()
}

/// A sequence counts its elements in 32 bits here; in LTTng, in as many as the type of the count has.
fn without_length(text: &str) -> String {
    let is_count = text.split_once(": ").is_some_and(|(name, _)| name.starts_with('_') && name.ends_with("_length"));
    if is_count {
        text.replacen("(8-bit", "(32-bit", 1).replacen("(16-bit", "(32-bit", 1).replacen("(64-bit", "(32-bit", 1)
    } else {
        text.to_owned()
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/sources").join(name).with_extension("txt")
}

/// Compares what a trace shows with what is expected of the program `name`. With `UST_BLESS` set, that is what is expected.
#[track_caller]
pub fn check(shown: &str, name: &str, of: &str) {
    if std::env::var_os("UST_BLESS").is_some() {
        std::fs::write(golden(name), shown).expect("a file");
    }
    let expected = std::fs::read_to_string(golden(name)).expect("what is expected");
    let different = expected.lines().zip(shown.lines()).find(|(expected, shown)| expected != shown);
    assert!(expected == shown, "{of}: first difference {different:#?}, in all:\n{shown}");
}
