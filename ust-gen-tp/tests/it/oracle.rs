// SPDX-License-Identifier: MIT OR Apache-2.0
//! The generator of LTTng and a compiler as the judge of what is a definition file.
//!
//! It is a fair one for files that a compiler can take without headers of a program, and for the mistakes that it sees at all.

use std::path::Path;
use std::process::Command;

use ust_gen_tp::{Options, read};

use crate::fixtures::{files, is_installed};

/// Not files of one `.tp`, or with names of a program that does not exist, or for LTTng 2.16 and later, or of C++; or such as
/// LTTng's script cuts a line of (a `#` in a string or a macro).
const NOT_FOR_LTTNG: [&str; 11] = [
    "blobs.tp",
    "cplusplus.tp",
    "enumerations.tp",
    "expressions.tp",
    "header_macros.tp",
    "not_in_lttng.tp",
    "not_in_rust.tp",
    "odd_names.tp",
    "own_macros.tp",
    "self_including.h",
    "comments.tp",
];

/// Whether LTTng's generator and gcc make an object of a file.
fn lttng_accepts(path: &Path, place: &Path) -> (bool, String) {
    let name = path.file_name().expect("a name");
    std::fs::copy(path, place.join(name)).expect("a copy");
    let (header, source) = (Path::new(name).with_extension("h"), Path::new(name).with_extension("c"));
    let mut generate = Command::new("lttng-gen-tp");
    let generated = run(generate.arg(name).arg("-o").arg(&header).arg("-o").arg(&source).current_dir(place));
    if !generated.0 {
        return generated;
    }
    let fixtures = Path::new("tests/fixtures/pass").canonicalize().expect("the fixtures");
    let fixtures = fixtures.to_str().expect("a path");
    run(Command::new("gcc")
        .args(["-std=gnu11", "-w", "-I.", "-c", "-include", "stdint.h", "-I", fixtures])
        .arg(&source)
        .current_dir(place))
}

fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("it runs");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn can_compare() -> bool {
    let header = Path::new("/usr/include/lttng/tracepoint.h").exists()
        || Path::new("/usr/include/x86_64-linux-gnu/lttng/tracepoint.h").exists();
    if !header {
        crate::fixtures::skip("the headers of lttng-ust are not installed");
    }
    header && is_installed("lttng-gen-tp") && is_installed("gcc")
}

#[test]
fn what_we_accept_lttng_and_gcc_accept() {
    if !can_compare() {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    for path in files("pass") {
        if NOT_FOR_LTTNG.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let (accepted, said) = lttng_accepts(&path, place.path());
        assert!(accepted, "{}: {said}", path.display());
    }
}

#[test]
fn what_lttng_and_gcc_refuse_we_refuse() {
    if !can_compare() {
        return;
    }
    // What they let through, and why it is refused all the same, is what the golden files say.
    let only_ours = [
        "duplicate_field.tp",
        "loglevel_of_no_event.tp",
        "misspelt_in_a_condition.tp",
        "signed_length.tp",
        "wrong_types.tp",
    ];
    let place = tempfile::tempdir().expect("a directory");
    let mut refused = 0;
    for path in files("fail").iter().filter(|path| path.extension().is_some_and(|suffix| suffix == "tp")) {
        let (accepted, _) = lttng_accepts(path, place.path());
        let ours = read(path, &Options::default()).expect("a readable file");
        assert!(ours.problems.has_errors());
        assert!(!accepted || only_ours.iter().any(|name| path.ends_with(name)), "{}", path.display());
        refused += usize::from(!accepted);
    }
    assert!(refused > 10);
}
