// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the C preprocessor is asked for.

use std::path::Path;
use std::process::Command;

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
    assert_eq!(lines, [5, 8, 9, 13]);
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

#[test]
fn a_missing_compiler_is_said_with_what_needs_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ust-gen-tp"));
    command.args(["--check", "tests/fixtures/pass/header_macros.tp"]).env("CC", "no-such-compiler -m64");
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("try: no C compiler was found (tried no-such-compiler); set CC to one"), "{said}");
    assert!(said.contains("`HEADER_ARG`, `HEADER_EVENT`") && said.contains("may come from included files"), "{said}");
}

#[test]
fn definitions_and_directories_reach_the_preprocessor() {
    if !is_installed("cc") {
        return;
    }
    let text = "#include \"macros.h\"\nTRACEPOINT_EVENT(shop, a, TP_ARGS(int, n), TP_FIELDS(header_integer(n, n)))\n";
    let options = Options { include_dirs: vec!["tests/fixtures/pass/include".into()], ..Options::default() };
    let found = read_text(Path::new("a.tp"), text.to_owned(), &options);
    assert_eq!(found.model.events[0].fields.len(), 1, "{}", found.problems.render(&found.sources));
    let text = "#include <stddef.h>\nTRACEPOINT_EVENT(shop, a, TP_ARGS(int, n), TP_FIELDS(GIVEN))\n";
    let options = Options { defines: vec!["GIVEN=ctf_integer(int, n, n)".to_owned()], ..Options::default() };
    let found = read_text(Path::new("a.tp"), text.to_owned(), &options);
    assert_eq!(found.problems.render(&found.sources), "");
}

#[test]
fn a_file_with_headers_of_cpp_is_preprocessed_as_cpp() {
    if !is_installed("c++") {
        return;
    }
    let text = "# include <cstddef>\n#include \"macros.h\"\n\
                TRACEPOINT_EVENT(shop, a, TP_ARGS(int, n), TP_FIELDS(header_integer(n, n)))\n";
    let options = Options { include_dirs: vec!["tests/fixtures/pass/include".into()], ..Options::default() };
    let found = read_text(Path::new("a.tp"), text.to_owned(), &options);
    assert!(!found.problems.has_errors(), "{}", found.problems.render(&found.sources));
    assert_eq!(found.model.events[0].fields.len(), 1);
}
