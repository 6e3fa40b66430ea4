// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the C preprocessor is asked for.

use std::path::Path;

use ust_gen_tp::{Options, read, read_text};

use crate::fixtures::is_installed;

#[test]
fn macros_of_included_files_are_found_and_named_with_the_files_that_were_read() {
    if !is_installed("cc") {
        return;
    }
    let path = Path::new("tests/fixtures/pass/header_macros.tp");
    let found = read(path, &Options::default()).expect("a readable file");
    let notes = found.notes.join("\n");
    assert!(notes.contains("Preprocessor command: cc -E -dD"), "{notes}");
    assert!(notes.contains("HEADER_ARG, HEADER_EVENT, HEADER_PROVIDER, header_integer, header_string"), "{notes}");
    assert!(found.files.contains(&"tests/fixtures/pass/include/macros.h".into()), "{:?}", found.files);
    let lines: Vec<usize> = found.model.events.iter().map(|event| found.sources.line(event.head.span)).collect();
    assert_eq!(lines, [5, 8, 9]);
}

#[test]
fn the_preprocessor_is_not_asked_where_nothing_is_missing() {
    let text = "#include <stdio.h>\nTRACEPOINT_EVENT(shop, a, TP_ARGS(void), TP_FIELDS())\n";
    let found = read_text(Path::new("a.tp"), text.to_owned(), &Options::default());
    assert!(found.notes.is_empty() && !found.problems.has_errors());
}

#[test]
fn a_mistake_in_a_macro_of_a_header_is_shown_there() {
    if !is_installed("cc") {
        return;
    }
    let text = "#include \"bad.h\"\nTRACEPOINT_EVENT(shop, a, TP_ARGS(int, n), TP_FIELDS(bad_field(n)))\n";
    let path = Path::new("tests/fixtures/cases/given.tp");
    let found = read_text(path, text.to_owned(), &Options::default());
    let shown = found.problems.render(&found.sources);
    assert!(shown.contains("there is no kind of field `ctf_interger`"), "{shown}");
    assert!(shown.contains("tests/fixtures/cases/bad.h:2"), "{shown}");
    assert!(shown.contains("tests/fixtures/cases/given.tp:2:54"), "{shown}");
}

#[test]
fn an_include_that_is_missing_is_said_with_what_needs_it() {
    if !is_installed("cc") {
        return;
    }
    let path = Path::new("tests/fixtures/cases/missing_header.tp");
    let found = read(path, &Options::default()).expect("a readable file");
    let shown = found.problems.render(&found.sources);
    assert!(shown.contains("warning: `their_field` may come from included files, which cannot be read"), "{shown}");
    assert!(shown.contains("the C preprocessor failed"), "{shown}");
    assert!(shown.contains("error: there is no kind of field `their_field`"), "{shown}");
}
