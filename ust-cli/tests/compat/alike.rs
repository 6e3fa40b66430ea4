// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same source gives the same trace with this project and with lttng-ust: names, levels, types, bases and values.
//!
//! What both show is a file beside the source, so that ours is checked where lttng-ust is not installed.

use std::path::Path;
use std::process::Command;

use crate::build::{Build, C_COMPILERS, CXX, CXX_COMPILERS, Compiler, GCC, Tracer};
use crate::lttng::Lttng;
use crate::place::Place;
use crate::shown::{check, shown};
use crate::tool::{self, is_installed};

/// Records with `ust record`, and returns what the trace shows.
#[track_caller]
pub fn recorded(place: &Place, program: &Path) -> String {
    recorded_with(place, &mut place.command(&["record", "-o", "trace", "--", program.to_str().expect("UTF-8")]))
}

/// The same with a command that records to `trace`.
#[track_caller]
pub fn recorded_with(place: &Place, command: &mut Command) -> String {
    let _ = std::fs::remove_dir_all(place.path().join("trace"));
    tool::output(command);
    shown(&place.path().join("trace"))
}

struct Case {
    name: &'static str,
    flags: &'static [&'static str],
    sources: &'static [&'static str],
    compilers: &'static [Compiler],
}

const KINDS: Case = Case { name: "kinds", flags: &["-DIN_ONE_FILE"], sources: &["kinds.c"], compilers: &C_COMPILERS };
const KINDS_OF_CXX: Case = Case { compilers: &CXX_COMPILERS, ..KINDS };
const OBJECTS: Case = Case { name: "objects", flags: &[], sources: &["objects.cc"], compilers: &CXX_COMPILERS };
const TEMPORARIES: Case =
    Case { name: "temporaries", flags: &[], sources: &["temporaries.cc"], compilers: &CXX_COMPILERS };
const MESSAGES: Case =
    Case { name: "messages", flags: &[], sources: &["messages.c", "messages-other.c"], compilers: &C_COMPILERS };
const SEVERAL: Case =
    Case { name: "several", flags: &[], sources: &["several.c", "several-both.c"], compilers: &C_COMPILERS };
const PARTS: Case = Case { name: "parts", flags: &["-DIN_ONE_FILE"], sources: &["parts.c"], compilers: &C_COMPILERS };
const PARTS_OF_CXX: Case = Case { compilers: &CXX_COMPILERS, ..PARTS };
const PARTS_APART: Case = Case { flags: &[], sources: &["parts.c", "parts-first.c", "parts-second.c"], ..PARTS };
const USAGE: Case = Case { name: "usage", flags: &[], sources: &["usage.c"], compilers: &C_COMPILERS };
const USAGE_OF_CXX: Case = Case { compilers: &CXX_COMPILERS, ..USAGE };
const BETTER: Case = Case { name: "better", flags: &[], sources: &["better.c"], compilers: &C_COMPILERS };

fn check_case(case: &Case) {
    if !is_installed("babeltrace2") {
        return;
    }
    let place = Place::new();
    let program = place.path().join(case.name);
    for compiler in case.compilers {
        if Build::new(*compiler, case.flags, case.sources).make(&program) {
            check(&recorded(&place, &program), case.name, &format!("{compiler:?}"));
            // With a filter, no event is recorded in the usual way.
            let program = program.to_str().expect("UTF-8");
            let mut command = place.command(&["record", "-o", "trace", "--filter", "$ctx.vpid > 0", "--", program]);
            check(&recorded_with(&place, &mut command), case.name, &format!("{compiler:?}, with a filter"));
        }
    }
}

#[test]
fn every_kind_of_field_in_c() {
    check_case(&KINDS);
}

#[test]
fn every_kind_of_field_in_cxx() {
    check_case(&KINDS_OF_CXX);
}

#[test]
fn objects_of_cxx() {
    check_case(&OBJECTS);
}

#[test]
fn text_in_the_manner_of_printf() {
    check_case(&MESSAGES);
}

#[test]
fn several_providers_in_one_file_with_old_and_new_spelling() {
    check_case(&SEVERAL);
}

#[test]
fn what_programs_take_for_granted() {
    check_case(&USAGE);
    check_case(&USAGE_OF_CXX);
}

#[test]
fn one_provider_in_several_headers_and_files() {
    check_case(&PARTS);
    check_case(&PARTS_OF_CXX);
    check_case(&PARTS_APART);
    check_case(&Case { compilers: &CXX_COMPILERS, ..PARTS_APART });
}

#[test]
fn what_lttng_records_otherwise() {
    check_case(&BETTER);
    check_case(&TEMPORARIES);
}

#[test]
fn lttng_records_the_same() {
    let Some(lttng) = Lttng::start() else { return };
    let place = Place::new();
    for (case, compiler, events) in [
        (KINDS, GCC, "kinds:*"),
        (OBJECTS, CXX, "objects:*"),
        (MESSAGES, GCC, "lttng_ust_trace*"),
        (USAGE, GCC, "usage:*"),
    ] {
        let program = place.path().join(case.name);
        let build = Build { tracer: Tracer::Lttng, ..Build::new(compiler, case.flags, case.sources) };
        if build.make(&program) {
            check(&shown(&lttng.record(&program, events)), case.name, "LTTng");
        }
    }
}
