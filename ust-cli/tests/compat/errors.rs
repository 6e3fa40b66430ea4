// SPDX-License-Identifier: MIT OR Apache-2.0
//! What compilers and linkers say of mistakes.

use std::process::Command;

use crate::build::{Build, GCC};
use crate::place::Place;

/// Fails unless a header with these events is refused, for a reason that is told.
#[track_caller]
fn check_refused(events: &str, reason: &str) {
    let place = Place::new();
    let header = format!(
        "#undef TRACEPOINT_PROVIDER\n#define TRACEPOINT_PROVIDER p\n#undef TRACEPOINT_INCLUDE\n#define TRACEPOINT_INCLUDE \"./p.h\"\n\
         #if !defined(P_H) || defined(TRACEPOINT_HEADER_MULTI_READ)\n#define P_H\n#include <lttng/tracepoint.h>\n{events}\n#endif\n\
         #include <lttng/tracepoint-event.h>\n"
    );
    let source = "#define TRACEPOINT_CREATE_PROBES\n#define TRACEPOINT_DEFINE\n#include \"p.h\"\n";
    std::fs::write(place.path().join("p.h"), header).expect("a file");
    std::fs::write(place.path().join("p.c"), source).expect("a file");
    let (folder, source) = (format!("-I{}", place.path().display()), place.path().join("p.c"));
    let Some(mut command) = Build::new(GCC, &["-c", &folder], &[source.to_str().expect("UTF-8")]).command() else {
        return;
    };
    check_failure(command.arg("-o").arg(place.path().join("p.o")), reason);
}

#[track_caller]
fn check_failure(command: &mut Command, reason: &str) {
    let output = command.output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains(reason), "{reason}: {stderr}");
}

const NO_FIELDS: &str = "TP_FIELDS())";

#[test]
fn mistakes_in_headers_are_told_with_their_reason() {
    check_refused(&format!("TRACEPOINT_EVENT(p, e, TP_ARGS(int, a, int), {NO_FIELDS}"), "UST_TP_PAIRS_ODD");
    let eleven: Vec<_> = ('a'..='k').map(|name| format!("int, {name}")).collect();
    let event = format!("TRACEPOINT_EVENT(p, e, TP_ARGS({}), {NO_FIELDS}", eleven.join(", "));
    check_refused(&event, "UST_TP_PAIRS_MORE_THAN_10");
    let event = |fields: &str| format!("TRACEPOINT_EVENT(p, e, TP_ARGS(int, a), TP_FIELDS({fields}))");
    check_refused(&event("ctf_interger(int, a, a)"), "ctf_interger");
    check_refused(&event("ctf_integer(int, a, nosuch)"), "nosuch");
    check_refused(&event("ctf_enum(p, nosuch, int, a, a)"), "ust_enumeration_p___nosuch");
    check_refused(&event("ctf_integer(int, a, a) ctf_integer(int, a, a)"), "ust_value_a");
    let named = |name: &str| format!("TRACEPOINT_EVENT(p, {name}, TP_ARGS(int, a), {NO_FIELDS}");
    check_refused(&named(&"n".repeat(254)), "ust_name_is_too_long_p___nnn");
    let twice = event("ctf_integer(int, a, a)");
    check_refused(&format!("{twice}\n{twice}"), "redefinition");
    check_refused("TRACEPOINT_EVENT_INSTANCE(p, nosuch, e, TP_ARGS(int, a))", "ust_record_p___nosuch");
}

#[test]
fn a_provider_that_is_not_linked_is_named() {
    let place = Place::new();
    let Some(mut command) = Build::new(GCC, &[], &["kinds.c"]).command() else { return };
    check_failure(command.arg("-o").arg(place.path().join("program")), "undefined reference to `ust_provider_kinds'");
}
