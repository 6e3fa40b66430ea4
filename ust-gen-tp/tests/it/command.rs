// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: outputs, exit statuses, and what is said where.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::fixtures::is_installed;

pub const GOOD: &str = "TRACEPOINT_EVENT(shop, a, TP_ARGS(int, n), TP_FIELDS(ctf_integer(int, n, n)))\n";
const BAD: &str = "TRACEPOINT_EVENT(shop, a, TP_ARGS(int, n), TP_FIELDS(ctf_interger(int, n, n)))\n";

/// A directory with a good and a bad file.
pub fn place() -> TempDir {
    let place = tempfile::tempdir().expect("a directory");
    fs::create_dir(place.path().join("sub")).expect("a directory");
    for (name, text) in [("good.tp", GOOD), ("sub/other.tp", GOOD), ("bad.tp", BAD)] {
        fs::write(place.path().join(name), text).expect("a file");
    }
    place
}

pub struct Ended {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

fn run(place: &Path, line: &str) -> Ended {
    run_with(place, line, &[])
}

/// Runs the command in a directory, with some variables of the environment; those for compilers are not set otherwise.
pub fn run_with(place: &Path, line: &str, variables: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ust-gen-tp"));
    for name in ["CC", "CXX", "CPPFLAGS", "CFLAGS", "CXXFLAGS"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let output = command.args(line.split_whitespace()).current_dir(place).output().expect("it runs");
    Ended {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

#[track_caller]
fn check(line: &str, status: i32, said: &str) -> TempDir {
    let place = place();
    let ended = run(place.path(), line);
    assert_eq!(ended.status, Some(status), "{line}: {}", ended.stderr);
    assert!(ended.stderr.contains(said), "{line}: {}", ended.stderr);
    place
}

#[test]
fn outputs_go_beside_their_inputs_unless_a_place_is_named() {
    let place = check("--json good.tp sub/other.tp", 0, "");
    assert!(place.path().join("good.json").exists() && place.path().join("sub/other.json").exists());
    let place = check("good.tp -o sub/x.json", 0, "");
    assert!(place.path().join("sub/x.json").exists() && !place.path().join("good.json").exists());
    let absolute = place.path().join("absolute.json");
    let ended = run(place.path(), &format!("--output={} good.tp", absolute.display()));
    assert_eq!(ended.status, Some(0));
    assert!(absolute.exists());
    let place = check("--json --rust good.tp", 0, "");
    assert!(place.path().join("good.json").exists() && place.path().join("good.rs").exists());
    let ended = run(place.path(), "--json -o - good.tp");
    assert!(ended.stdout.starts_with("{\n  \"format\": \"ust-gen-tp\""), "{}", ended.stdout);
}

#[test]
fn a_file_with_errors_makes_no_output_and_leaves_the_old_one() {
    let place = place();
    fs::write(place.path().join("bad.json"), "old").expect("a file");
    let ended = run(place.path(), "--json bad.tp good.tp");
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("bad.tp:1:54"), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 error in bad.tp"), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(place.path().join("bad.json")).expect("it is there"), "old");
    assert!(place.path().join("good.json").exists(), "the other file is not affected");
}

#[test]
fn checking_writes_nothing() {
    let place = check("--check good.tp", 0, "");
    assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 3);
    check("--check bad.tp", 1, "there is no kind of field `ctf_interger`");
    check("--check -o x.json good.tp", 2, "--check writes nothing");
}

#[test]
fn exit_statuses_are_those_of_lttng_where_it_has_one() {
    check("", 2, "No template file given");
    check("--nope good.tp", 2, "option --nope not recognized");
    check("good.tp -o x.h -o good.tp.c", 0, "");
    check("good.tp sub/other.tp -o x.json", 3, "Cannot process more than one input if you specify an output");
    check("good.tp -o x.txt", 4, "output file type unsupported: x.txt");
    check("--check good.txt", 0, "good.txt does not end in .tp. Skipping.");
    check("--json absent.tp", 255, "Cannot read input file absent.tp: No such file or directory");
    check("good.tp -o absent/x.json", 255, "Cannot write output file absent/x.json: No such file or directory");
}

#[test]
fn what_is_left_out_of_the_rust_is_said_and_is_no_failure() {
    let place = place();
    let text = "TRACEPOINT_EVENT(shop, b, TP_ARGS(struct s *, s), TP_FIELDS(ctf_integer(int, x, s->x)))\n";
    fs::write(place.path().join("c.tp"), text).expect("a file");
    let ended = run(place.path(), "c.tp -o c.rs");
    assert_eq!(ended.status, Some(0));
    let said = "warning: the event `b` is left out of the Rust: `s->x` is an expression of C\n --> c.tp:1:81";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(ended.stderr.contains("try: one more output, -o NAME_shim.c"), "{}", ended.stderr);
}

#[test]
fn rust_comes_with_what_c_has_to_record_where_that_has_a_place() {
    let text = "TRACEPOINT_EVENT(shop, b, TP_ARGS(struct s *, s), TP_FIELDS(ctf_integer(int, x, s->x)))\n";
    let function = "void ust_call_shop___b(struct s *s)";
    let with = |line: &str, expected: &[&str]| {
        let place = place();
        fs::write(place.path().join("c.tp"), text).expect("a file");
        let ended = run(place.path(), line);
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{line}");
        let entries = fs::read_dir(place.path()).expect("a directory");
        let is_new = |name: &String| !["good.tp", "bad.tp", "c.tp", "sub"].contains(&name.as_str());
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.retain(is_new);
        names.sort();
        assert_eq!(names, expected, "{line}");
        place
    };
    let read =
        |place: &tempfile::TempDir, name: &str| fs::read_to_string(place.path().join(name)).expect("it is there");
    let place = with("--rust c.tp", &["c.rs", "c_shim.c"]);
    assert!(read(&place, "c_shim.c").contains(function));
    assert!(read(&place, "c.rs").contains("pub unsafe fn b(s: *const ::core::ffi::c_void);"));
    with("--rust good.tp", &["good.rs"]);
    with("c.tp -o x.rs -o y_shim.cpp", &["x.rs", "y_shim.cpp"]);
    // A build that names it gets it; nothing may be in it.
    let place = with("good.tp -o x.rs -o x_shim.c --depfile x.d", &["x.d", "x.rs", "x_shim.c"]);
    assert!(!read(&place, "x_shim.c").contains("ust_call_"));
    assert_eq!(read(&place, "x.d"), "x.rs x_shim.c: good.tp\n");
    // Where there is no Rust, it is a name like any other.
    let place = with("c.tp -o x_shim.c", &["x_shim.c"]);
    assert!(read(&place, "x_shim.c").contains("#include \"x_shim.h\""));
}

#[test]
fn what_is_cpp_is_no_business_of_c() {
    let place = place();
    let text = "TRACEPOINT_EVENT(shop, b, TP_ARGS(std::string &, s), TP_FIELDS(ctf_string(s, s.c_str())))\n";
    fs::write(place.path().join("c.tp"), text).expect("a file");
    let ended = run(place.path(), "c.tp --rust");
    assert_eq!(ended.status, Some(0));
    let said = "the event `b` is left out of the Rust: `std::string &` is C++: name an output _shim.cpp";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    let ended = run(place.path(), "c.tp -o c.rs -o c_shim.cpp");
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_file_that_is_no_text_is_refused_with_the_line() {
    let place = place();
    fs::write(place.path().join("latin.tp"), b"// ok\n// Gr\xf6\xdfe\n").expect("a file");
    let ended = run(place.path(), "--check latin.tp");
    assert_eq!(ended.status, Some(255));
    assert!(ended.stderr.contains("line 2 is no UTF-8"), "{}", ended.stderr);
}

#[test]
fn a_depfile_names_what_was_read() {
    let place = check("--json good.tp --depfile good.d", 0, "");
    assert_eq!(fs::read_to_string(place.path().join("good.d")).expect("a file"), "good.json: good.tp\n");
    if is_installed("cc") {
        let fixtures = Path::new("tests/fixtures/pass");
        let ended = run(fixtures, "header_macros.tp -o /dev/null --json --depfile /dev/stdout");
        assert!(ended.stdout.starts_with("/dev/null: "), "{}", ended.stdout);
        assert!(
            ended.stdout.contains("header_macros.tp") && ended.stdout.contains("include/macros.h"),
            "{}",
            ended.stdout
        );
    }
    let place = check("--json bad.tp --depfile bad.d", 1, "");
    assert!(!place.path().join("bad.d").exists());
}

#[test]
fn help_and_version_are_printed_on_the_standard_output() {
    let place = place();
    assert!(run(place.path(), "--help").stdout.contains("Usage: ust-gen-tp [OPTION]... FILE..."));
    assert!(run(place.path(), "-V").stdout.starts_with("ust-gen-tp 0."));
}
