// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command's outputs of C: which files, from where they can be compiled, and what happens when a compiler fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;

use crate::command::{Ended, GOOD, place, run_with};
use crate::fixtures::is_installed;

/// Flags with which a compiler finds the headers of libust.
fn cppflags() -> String {
    format!("-I{}", Path::new("../ust-capi/include").canonicalize().expect("the headers").display())
}

fn run(place: &Path, line: &str) -> Ended {
    run_with(place, line, &[("CPPFLAGS", &cppflags())])
}

/// Runs the command, which must succeed silently.
#[track_caller]
fn succeed(place: &Path, line: &str) {
    let ended = run(place, line);
    assert_eq!((ended.status, ended.stderr.as_str(), ended.stdout.as_str()), (Some(0), "", ""), "{line}");
}

/// The files in a directory that were not there before, without those in others.
fn made(place: &TempDir) -> BTreeSet<String> {
    let entries = fs::read_dir(place.path()).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| !["good.tp", "bad.tp", "sub"].contains(&name.as_str())).collect()
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn text(place: &TempDir, name: &str) -> String {
    fs::read_to_string(place.path().join(name)).expect("it is there")
}

/// Compiles a source file, from another directory.
#[track_caller]
fn compile(source: &Path, flags: &[&str]) {
    let mut command = Command::new("gcc");
    command.args(["-Wall", "-Wextra", "-Werror", "-c", "-o", "/dev/null", &cppflags()]).args(flags).arg(source);
    let output = command.current_dir("/").output().expect("gcc runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn without_options_a_header_a_source_file_and_its_object_lie_beside_the_input() {
    if !is_installed("cc") {
        return;
    }
    let place = place();
    succeed(place.path(), "good.tp sub/other.tp");
    assert_eq!(made(&place), names(&["good.h", "good.c", "good.o"]));
    assert!(place.path().join("sub/other.o").exists(), "not in the current directory");
    assert!(text(&place, "sub/other.c").ends_with("#include \"other.h\"\n"));
    let place = self::place();
    succeed(place.path(), "--cpp good.tp");
    assert_eq!(made(&place), names(&["good.h", "good.cpp", "good.o"]));
}

#[test]
fn each_output_is_named_by_its_suffix_and_the_others_are_not_left_behind() {
    if !is_installed("cc") {
        return;
    }
    for (line, expected) in [
        ("good.tp -o x.h", &["x.h"][..]),
        ("-o x.c good.tp", &["x.c"]),
        ("good.tp --output=x.o", &["x.o"]),
        ("good.tp -o x.c -o y.h", &["x.c", "y.h"]),
        ("-o x.o good.tp --output y.c", &["x.o", "y.c"]),
        ("good.tp -o x.cpp -o x.hpp -o x.o -o x.json -o x.rs", &["x.cpp", "x.hpp", "x.o", "x.json", "x.rs"]),
        ("-a good.tp -o x.cc", &["x.cc"]),
    ] {
        let place = place();
        succeed(place.path(), line);
        assert_eq!(made(&place), names(expected), "{line}");
        for name in expected.iter().filter(|name| name.ends_with(".o")) {
            let start = fs::read(place.path().join(name)).expect("it is there");
            assert!(start.starts_with(b"\x7fELF"), "{line}");
        }
    }
}

#[test]
fn a_source_file_finds_its_header_wherever_it_is_compiled_from() {
    if !is_installed("gcc") {
        return;
    }
    let place = place();
    fs::create_dir_all(place.path().join("gen/include")).expect("a directory");
    let absolute = place.path().join("gen/absolute.h");
    for (line, source, include) in [
        ("good.tp -o good.h -o good.c".to_owned(), "good.c", "good.h"),
        ("good.tp -o a.h -o b.c".to_owned(), "b.c", "a.h"),
        ("good.tp -o gen/include/x.h -o sub/x.c".to_owned(), "sub/x.c", "../gen/include/x.h"),
        (format!("good.tp -o {} -o gen/y.c", absolute.display()), "gen/y.c", "absolute.h"),
        ("good.tp -o 2s.h -o 2s.c".to_owned(), "2s.c", "2s.h"),
    ] {
        succeed(place.path(), &line);
        assert!(text(&place, source).ends_with(&format!("#include \"{include}\"\n")), "{line}");
        compile(&place.path().join(source), &[]);
    }
    // A source file alone expects its header beside it.
    succeed(place.path(), "good.tp -o alone.c");
    assert!(text(&place, "alone.c").ends_with("#include \"alone.h\"\n"));
}

#[test]
fn a_provider_that_is_loaded_later_has_no_call_sites() {
    if !is_installed("gcc") {
        return;
    }
    let place = place();
    succeed(place.path(), "good.tp -o good.h -o good.c");
    let preprocessed = |flag: &str| {
        let mut command = Command::new("gcc");
        let output = command.args(["-E", &cppflags(), flag, "good.c"]).current_dir(place.path()).output();
        String::from_utf8(output.expect("gcc runs").stdout).expect("text")
    };
    let callsite = "ust_callsite_shop___a __attribute__((weak, visibility(\"hidden\"))) = {";
    let squeezed = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed(preprocessed("-DNOTHING")).contains(callsite));
    for flag in ["-DTRACEPOINT_PROBE_DYNAMIC_LINKAGE", "-DLTTNG_UST_TRACEPOINT_PROBE_DYNAMIC_LINKAGE"] {
        let text = squeezed(preprocessed(flag));
        assert!(!text.contains(callsite) && text.contains("ust_tracepoint_shop___a = {"), "{flag}");
        assert!(!text.contains("dlopen (\"libust"), "a provider is linked with libust");
    }
}

#[test]
fn the_compile_command_is_shown_and_made_of_the_usual_variables() {
    if !is_installed("gcc") {
        return;
    }
    let place = place();
    let flags = format!("{} -DFROM_CPPFLAGS", cppflags());
    let variables = [("CC", "gcc -std=c11"), ("CPPFLAGS", flags.as_str()), ("CFLAGS", "-O1  -g0")];
    let ended = run_with(place.path(), "-v -I sub -D SIZE=3 good.tp", &variables);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let expected =
        format!("Compile command: gcc -std=c11 -c {flags} -O1 -g0 -I sub -DSIZE=3 -I. -iquote . -o good.o good.c");
    assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
    for name in ["good.h", "good.c", "good.o"] {
        assert!(ended.stderr.contains(&format!("Writing {name}\n")), "{}", ended.stderr);
    }
    let variables = [("CXX", "g++ -std=c++11"), ("CXXFLAGS", "-O1"), ("CPPFLAGS", flags.as_str()), ("CC", "false")];
    let ended = run_with(place.path(), "--verbose good.tp --cpp", &variables);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("Compile command: g++ -std=c++11 -c"), "{}", ended.stderr);
}

#[test]
fn a_compiler_that_fails_is_a_failure_with_its_message_and_leaves_no_object() {
    if !is_installed("cc") {
        return;
    }
    let place = place();
    let wrong =
        "TRACEPOINT_EVENT(shop, a, TP_ARGS(int, n), TP_FIELDS(ctf_integer(int, n, unknown_function_of_n + n)))\n";
    fs::write(place.path().join("wrong.tp"), wrong).expect("a file");
    let ended = run(place.path(), "wrong.tp");
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("wrong.h:") && ended.stderr.contains("unknown_function_of_n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("ust-gen-tp: cannot make wrong.o: the compiler failed"), "{}", ended.stderr);
    assert_eq!(made(&place), names(&["wrong.tp", "wrong.h", "wrong.c"]), "what the message is about, and nothing else");
    fs::write(place.path().join("wrong.o"), "old").expect("a file");
    assert_eq!(run(place.path(), "wrong.tp").status, Some(1));
    assert_eq!(text(&place, "wrong.o"), "old");
    let ended = run(place.path(), "wrong.tp -o x.o");
    assert_eq!(ended.status, Some(1));
    assert!(!made(&place).iter().any(|name| name.starts_with("x") || name.starts_with('.')), "{:?}", made(&place));
}

#[test]
fn a_missing_compiler_or_header_is_said_with_what_to_try() {
    let place = place();
    let ended = run_with(place.path(), "good.tp", &[("CC", "/nowhere/cc -x")]);
    assert_eq!(ended.status, Some(1));
    let said = "ust-gen-tp: no C compiler was found (tried /nowhere/cc); set CC to one";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert_eq!(made(&place), names(&["good.h", "good.c"]));
    if is_installed("cc") && !Path::new("/usr/include/ust/tracepoint.h").exists() {
        let ended = run_with(place.path(), "good.tp", &[]);
        assert_eq!(ended.status, Some(1));
        let said = "try: CPPFLAGS=-I and the directory that has ust/tracepoint.h of libust";
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn a_file_with_errors_makes_no_c() {
    let place = place();
    let ended = run(place.path(), "bad.tp");
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("there is no kind of field `ctf_interger`"), "{}", ended.stderr);
    assert_eq!(made(&place), names(&[]));
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure() {
    let place = place();
    for line in ["good.tp -o absent/x.h", "good.tp -o absent/x.o"] {
        let ended = run(place.path(), line);
        assert_eq!(ended.status, Some(255), "{line}");
        assert!(ended.stderr.contains("Cannot write output file absent/x."), "{}", ended.stderr);
    }
}

#[test]
fn a_header_that_includes_itself_is_not_overwritten() {
    let place = place();
    fs::write(place.path().join("own.h"), GOOD).expect("a file");
    let ended = run(place.path(), "own.h");
    assert_eq!(ended.status, Some(2));
    assert!(ended.stderr.contains("own.h is the input: name another output with -o"), "{}", ended.stderr);
    assert_eq!(text(&place, "own.h"), GOOD);
    succeed(place.path(), "own.h -o own-ust.h -o own-ust.c");
}

#[test]
fn an_output_is_written_again_unless_it_may_be_kept() {
    let place = place();
    let path = place.path().join("good.h");
    let changed = || fs::metadata(&path).and_then(|found| found.modified()).expect("a time");
    let make_old = || {
        let file = fs::File::options().append(true).open(&path).expect("the output");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("a time");
    };
    succeed(place.path(), "good.tp -o good.h");
    make_old();
    succeed(place.path(), "good.tp -o good.h --keep");
    assert_eq!(changed(), SystemTime::UNIX_EPOCH);
    succeed(place.path(), "good.tp -o good.h");
    assert!(changed() > SystemTime::UNIX_EPOCH, "make looks at the time");
    make_old();
    fs::write(place.path().join("good.tp"), GOOD.replace("int, n", "long, n")).expect("a file");
    succeed(place.path(), "good.tp -o good.h --keep");
    assert!(changed() > SystemTime::UNIX_EPOCH && text(&place, "good.h").contains("long n"));
}

#[test]
fn a_depfile_names_all_outputs_of_c() {
    if !is_installed("cc") {
        return;
    }
    let place = place();
    succeed(place.path(), "good.tp --depfile good.d");
    assert_eq!(text(&place, "good.d"), "good.h good.c good.o: good.tp\n");
}

#[test]
fn the_output_is_the_same_each_time() {
    let path = Path::new("tests/fixtures/pass").canonicalize().expect("the fixtures");
    let place = tempfile::tempdir().expect("a directory");
    let mut texts = BTreeSet::new();
    for number in 0..3 {
        let header = place.path().join(format!("{number}/program.h"));
        fs::create_dir(header.parent().expect("a directory")).expect("a directory");
        succeed(&path, &format!("program.tp -o {}", header.display()));
        texts.insert(fs::read_to_string(header).expect("it is there"));
    }
    assert_eq!(texts.len(), 1);
}

#[test]
fn definitions_stay_conditions_for_the_compiler() {
    let place = place();
    let text_of = |line: &str| {
        succeed(place.path(), line);
        text(&place, "x.h")
    };
    let conditional = "#ifdef HAVE_IT\n#define FIELD(n) ctf_integer(int, n, n)\nTRACEPOINT_EVENT(shop, it, TP_ARGS(int, n), \
                       TP_FIELDS(FIELD(n) ctf_array(char, a, &n, SIZE)))\n#endif\n";
    fs::write(place.path().join("x.tp"), conditional).expect("a file");
    let with = text_of("x.tp -o x.h -DHAVE_IT -DSIZE=3");
    assert_eq!(with, text_of("x.tp -o x.h"));
    assert!(with.contains("#ifdef HAVE_IT\n") && with.contains("UST_ARRAY_FIELD(\"a\", char, SIZE, 10, 0)"), "{with}");
}
