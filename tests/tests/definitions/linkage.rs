// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the recording functions may be: in the object that is generated, in a file of the program that asks for them, also late, in a static
//! library, or in one that is loaded later.

use std::fs;
use std::process::Command;

use crate::build::Place;
use crate::harness::{is_installed, record_with};
use crate::recorded::{Recorded, read};
use ust_gen_tp::Dialect;

const CALLS: &str = "
int main(void)
{
	tracepoint(web, tick, 1);
	tracepoint(web, idle);
	return 0;
}
";

#[track_caller]
fn check(program: &mut Command) {
    let (summary, _, _scratch) = record_with(program, |_| {});
    let events = read(&summary.output);
    let values: Vec<String> = events.iter().map(Recorded::values).collect();
    assert_eq!(values, ["web:tick { n = 1 }", "web:idle {  }"]);
}

/// A directory with the generated files, and a program that begins with `start`.
fn place(start: &str) -> Option<Place> {
    if !is_installed("gcc") {
        return None;
    }
    let place = Place::new();
    place.generate("classes", Dialect::C);
    fs::write(place.path().join("main.c"), format!("{start}{CALLS}")).expect("a file");
    Some(place)
}

#[test]
fn in_the_generated_source_file() {
    for optimised in ["-O0", "-Os", "-O3"] {
        let Some(place) = place("#include \"classes.h\"\n") else { return };
        check(&mut place.link("gcc", &[optimised, "main.c", "classes.c"]));
    }
}

#[test]
fn in_a_file_of_the_program_that_asks_for_them_in_either_spelling() {
    for prefix in ["", "LTTNG_UST_"] {
        let start = format!(
            "#define {prefix}TRACEPOINT_CREATE_PROBES\n#define {prefix}TRACEPOINT_DEFINE\n#include \"classes.h\"\n"
        );
        let Some(place) = place(&start) else { return };
        check(&mut place.link("gcc", &["main.c"]));
    }
}

#[test]
fn in_a_file_that_asks_for_them_when_it_has_included_the_header_already() {
    let start = "#include \"classes.h\"\n#include \"classes.h\"\n#define TRACEPOINT_DEFINE\n#include \"classes.h\"\n\
                 #define TRACEPOINT_CREATE_PROBES\n#include \"classes.h\"\n#include \"classes.h\"\n";
    let Some(place) = place(start) else { return };
    check(&mut place.link("gcc", &["main.c"]));
}

#[test]
fn in_a_static_library_that_nothing_else_takes_the_file_out_of() {
    let start = "#define TRACEPOINT_DEFINE\n#include \"classes.h\"\n";
    let Some(place) = place(start) else { return };
    place.compile("gcc", &["-c", "-DTRACEPOINT_PROBE_DYNAMIC_LINKAGE", "classes.c"]);
    let archive = Command::new("ar").args(["rc", "libclasses.a", "classes.o"]).current_dir(place.path()).status();
    assert!(archive.expect("ar runs").success());
    check(&mut place.link("gcc", &["main.c", "libclasses.a"]));
}

#[test]
fn in_a_library_that_is_loaded_before_the_program_which_is_not_linked_with_libust() {
    for prefix in ["", "LTTNG_UST_"] {
        let start = format!(
            "#define {prefix}TRACEPOINT_DEFINE\n#define {prefix}TRACEPOINT_PROBE_DYNAMIC_LINKAGE\n#include \"classes.h\"\n"
        );
        let Some(place) = place(&start) else { return };
        place.compile("gcc", &["main.c", "-ldl", "-o", "alone"]);
        let flag = format!("-D{prefix}TRACEPOINT_PROBE_DYNAMIC_LINKAGE");
        place.link("gcc", &["-shared", "-fPIC", &flag, "classes.c"]);
        check(place.program("alone").env("LD_PRELOAD", place.path().join("program")));
        assert!(place.program("alone").env_remove("LD_PRELOAD").status().expect("it runs").success(), "all is off");
    }
}

#[test]
fn for_two_headers_of_one_provider_in_one_file() {
    let event =
        |name: &str| format!("TRACEPOINT_EVENT(parts, {name}, TP_ARGS(int, n), TP_FIELDS(ctf_integer(int, n, n)))\n");
    let start = "#define TRACEPOINT_CREATE_PROBES\n#define TRACEPOINT_DEFINE\n";
    let includes = "#include \"first.h\"\n#include \"second.h\"\n";
    let calls = "int main(void)\n{\n\ttracepoint(parts, first, 1);\n\ttracepoint(parts, second, 2);\n\treturn 0;\n}\n";
    for compiler in ["gcc", "clang", "g++", "clang++"] {
        if !is_installed(compiler) {
            continue;
        }
        let place = Place::new();
        for name in ["first", "second"] {
            let path = place.path().join(name).with_extension("tp");
            fs::write(&path, event(name)).expect("a file");
            place.generate_from(&path, Dialect::C);
        }
        // Once with all in one file, once with call sites alone in it.
        fs::write(place.path().join("one.c"), format!("{start}{includes}{calls}")).expect("a file");
        fs::write(place.path().join("main.c"), format!("#define TRACEPOINT_DEFINE\n{includes}{calls}"))
            .expect("a file");
        let language = if compiler.ends_with("++") { "c++" } else { "c" };
        let flag = "-DTRACEPOINT_PROBE_DYNAMIC_LINKAGE";
        place.compile(compiler, &["-x", language, "-c", flag, "first.c", "second.c"]);
        for files in [&["-x", language, "one.c"][..], &["first.o", "second.o", "-x", language, "main.c"]] {
            let (summary, _, _scratch) =
                record_with(&mut place.link(compiler, &[files, &["-x", "none"]].concat()), |_| {});
            let values: Vec<String> = read(&summary.output).iter().map(Recorded::values).collect();
            assert_eq!(values, ["parts:first { n = 1 }", "parts:second { n = 2 }"], "{compiler} {files:?}");
        }
    }
}
