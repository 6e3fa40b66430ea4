// SPDX-License-Identifier: MIT OR Apache-2.0
//! The four ways in which a program for lttng-ust gets its provider, and programs that have names of their own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::alike::{recorded, recorded_with};
use crate::build::{Build, C_COMPILERS, CXX_COMPILERS, GCC};
use crate::library::prefix;
use crate::place::{Place, run};
use crate::shown::check;
use crate::tool::{self, is_installed};

/// A place with the provider of `kinds` as a library that is linked with libust; nothing where a tool is missing.
fn with_provider() -> Option<(Place, PathBuf)> {
    if !is_installed("babeltrace2") {
        return None;
    }
    let place = Place::new();
    let provider = place.path().join("libkinds.so");
    let flags = ["-shared", "-fPIC", "-fvisibility=hidden"];
    Build::new(GCC, &flags, &["kinds-probes.c"]).make(&provider).then_some((place, provider))
}

/// The program, which is not linked with libust and asks for no provider.
fn unlinked(place: &Place) -> PathBuf {
    let program = place.path().join("unlinked");
    let flags = ["-DTRACEPOINT_PROBE_DYNAMIC_LINKAGE"];
    Build { is_linked_with_tracer: false, ..Build::new(GCC, &flags, &["kinds.c"]) }.make(&program);
    program
}

/// `ust record` of a program with arguments, which finds libust.
fn record(place: &Place, words: &[&Path]) -> Command {
    let mut command = place.command(&["record", "-o", "trace", "--"]);
    command.args(words).env("LD_LIBRARY_PATH", prefix().join("lib"));
    command
}

#[test]
fn in_another_file_of_the_program() {
    if !is_installed("babeltrace2") {
        return;
    }
    let place = Place::new();
    let program = place.path().join("program");
    if Build::new(GCC, &[], &["kinds.c", "kinds-probes.c"]).make(&program) {
        check(&recorded(&place, &program), "kinds", "two files");
    }
}

#[test]
fn in_a_static_library_of_which_nothing_else_is_needed() {
    if !is_installed("babeltrace2") || !is_installed("ar") {
        return;
    }
    let place = Place::new();
    let (object, archive) = (place.path().join("kinds.o"), place.path().join("libkinds.a"));
    if !Build::new(GCC, &["-c"], &["kinds-probes.c"]).make(&object) {
        return;
    }
    tool::output(Command::new("ar").arg("rcs").arg(&archive).arg(&object));
    let program = place.path().join("program");
    Build { libraries: &[archive.into()], ..Build::new(GCC, &["-Wl,--gc-sections"], &["kinds.c"]) }.make(&program);
    check(&recorded(&place, &program), "kinds", "a static library");
}

#[test]
fn in_a_shared_library_of_which_nothing_else_is_needed() {
    let Some((place, provider)) = with_provider() else { return };
    let program = place.path().join("program");
    let rpath = format!("-Wl,-rpath,{}", place.path().display());
    let linkers: Vec<&str> = [("bfd", "ld.bfd"), ("lld", "ld.lld"), ("mold", "mold")]
        .into_iter()
        .filter_map(|(linker, tool)| is_installed(tool).then_some(linker))
        .collect();
    for of_provider in &linkers {
        let flags = ["-shared", "-fPIC", "-fvisibility=hidden", &format!("-fuse-ld={of_provider}")];
        Build::new(GCC, &flags, &["kinds-probes.c"]).make(&provider);
        for of_program in &linkers {
            let libraries: [OsString; 3] = ["-Wl,--as-needed".into(), provider.clone().into(), rpath.clone().into()];
            let flags = [&format!("-fuse-ld={of_program}"), "-Wl,--gc-sections"];
            Build { libraries: &libraries, ..Build::new(GCC, &flags, &["kinds.c"]) }.make(&program);
            let shown = recorded_with(&place, &mut record(&place, &[&program]));
            check(&shown, "kinds", &format!("{of_provider} and {of_program}"));
        }
    }
}

#[test]
fn a_library_of_a_provider_shows_its_name_alone_or_nothing() {
    let place = Place::new();
    let provider = place.path().join("libkinds.so");
    if !is_installed("nm") {
        return;
    }
    for (flag, shown) in
        [("-DNOTHING", &["ust_provider_kinds"][..]), ("-DLTTNG_UST_TRACEPOINT_PROVIDER_HIDDEN_DEFINITION", &[])]
    {
        for compiler in C_COMPILERS {
            let flags = ["-shared", "-fPIC", flag];
            if Build::new(compiler, &flags, &["kinds-probes.c"]).make(&provider) {
                let symbols = tool::output(Command::new("nm").args(["-D", "--defined-only"]).arg(&provider));
                let names = symbols.lines().filter_map(|line| line.rsplit(' ').next());
                // GNU ld lists the ends of the section, which are hidden.
                let names: Vec<_> = names.filter(|name| !name.ends_with("_ust_tracepoints")).collect();
                assert_eq!(names, shown, "{compiler:?} {flag}");
            }
        }
    }
}

#[test]
fn in_a_library_that_is_loaded_before_the_program() {
    let Some((place, provider)) = with_provider() else { return };
    let program = unlinked(&place);
    let preload = format!("LD_PRELOAD={}", provider.display());
    let mut command = record(&place, &[Path::new("env"), Path::new(&preload), &program]);
    check(&recorded_with(&place, &mut command), "kinds", "LD_PRELOAD");
}

#[test]
fn in_a_library_that_the_program_loads() {
    let Some((place, provider)) = with_provider() else { return };
    let program = unlinked(&place);
    check(&recorded_with(&place, &mut record(&place, &[&program, &provider])), "kinds", "dlopen");
}

#[test]
fn nowhere_is_no_error() {
    let Some((place, _)) = with_provider() else { return };
    let program = unlinked(&place);
    for libraries in [prefix().join("lib"), PathBuf::new()] {
        let run = run(record(&place, &[&program]).env("LD_LIBRARY_PATH", &libraries).output());
        assert_eq!(run.status, Some(3), "the program ends well, and nothing is recorded: {}", run.stderr);
        let _ = std::fs::remove_dir_all(place.path().join("trace"));
    }
}

#[test]
fn fields_that_are_not_recorded_are_there_for_filters() {
    if !is_installed("babeltrace2") {
        return;
    }
    let place = Place::new();
    let program = place.path().join("program");
    if !Build::new(GCC, &["-DIN_ONE_FILE"], &["kinds.c"]).make(&program) {
        return;
    }
    let recorded = |filter: &str| {
        let arguments = ["record", "-o", "trace", "-e", "kinds:hidden", "--filter", filter, "--"];
        let run = place.command(&arguments).arg(&program).output().expect("it runs");
        let trace = place.path().join("trace");
        let shown = place.ust(&["view", "--no-delta", "trace"]).stdout;
        let _ = std::fs::remove_dir_all(&trace);
        (
            run.status.code(),
            shown.lines().filter_map(|line| Some(line.rsplit_once("{ ")?.1.to_owned())).collect::<Vec<_>>(),
        )
    };
    let (first, second) = ("n = 5, twice = 10 }".to_owned(), "n = 6, twice = 12 }".to_owned());
    for filter in [
        "secret == 10",
        "secret_text == \"hid*\"",
        "secret_sequence[2] == 3",
        "secret_sequence_hex[1] == -2",
        "secret_sequence_text == \"h\"",
        "secret_real < 2",
        "secret_state == 5",
    ] {
        assert_eq!(recorded(filter), (Some(0), vec![first.clone()]), "{filter}");
    }
    assert_eq!(recorded("secret_text == \"(null)\""), (Some(0), vec![second.clone()]));
    for filter in
        ["secret_values[1] == -2", "secret_hex[0] == 1", "secret_net[0] == 0x1000000", "secret_net_hex[0] == 0x1000000"]
    {
        assert_eq!(recorded(filter), (Some(0), vec![first.clone(), second.clone()]), "{filter}");
    }
}

#[test]
fn a_program_may_have_the_names_without_prefix_for_itself() {
    if !is_installed("babeltrace2") {
        return;
    }
    let place = Place::new();
    let program = place.path().join("program");
    if Build::new(GCC, &[], &["names.c"]).make(&program) {
        check(&recorded(&place, &program), "names", "version 1");
    }
}

#[test]
fn hooks_of_functions_may_call_tracepoints() {
    let place = Place::new();
    let program = place.path().join("hooks");
    for compiler in C_COMPILERS.iter().chain(&CXX_COMPILERS) {
        if !Build::new(*compiler, &["-finstrument-functions"], &["hooks.c"]).make(&program) {
            continue;
        }
        for filter in ["n > 0", "$ctx.vpid > 0"] {
            let _ = std::fs::remove_dir_all(place.path().join("trace"));
            let mut command = place.command(&["record", "-o", "trace", "--filter", filter, "--"]);
            tool::output(command.arg(&program));
            let shown = place.ust(&["view", "--no-delta", "trace"]).stdout;
            let names: Vec<_> = shown.lines().filter_map(|line| line.split(' ').nth(2)).collect();
            let of_hook = "parts:first:";
            let of_message = ["lttng_ust_tracef:event:", "lttng_ust_tracelog:LTTNG_UST_TRACEPOINT_LOGLEVEL_INFO:"];
            let expected = match filter {
                "n > 0" => vec![of_hook, of_hook],
                _ => [&[of_hook, "kinds:own:", "kinds:texts:"][..], &of_message, &[of_hook]].concat(),
            };
            assert_eq!(names, expected, "{compiler:?} {filter}");
        }
    }
}

#[test]
fn a_tracepoint_may_be_a_probe_of_sdt_as_well() {
    let place = Place::new();
    let program = place.path().join("probed");
    for compiler in C_COMPILERS.iter().chain(&CXX_COMPILERS) {
        if Build::new(*compiler, &["-Isdt"], &["probed.c"]).make(&program) {
            let printed = tool::output(&mut Command::new(&program));
            assert_eq!(printed, "kinds:nothing\nkinds:run 16\nkinds:ten 55\n", "{compiler:?}: recorded or not");
        }
    }
}
