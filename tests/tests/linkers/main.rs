// SPDX-License-Identifier: MIT OR Apache-2.0
//! No linker and no profile loses a tracepoint: builds `fixtures/linked` with each of them, records it with the command
//! `ust`, and looks.

mod fixture;
#[path = "../it/harness.rs"]
#[allow(dead_code, reason = "what finds and skips tools is shared; the rest drives the engine as a library")]
mod harness;
mod recording;

use std::path::Path;

use fixture::{BFD, DEFAULT, LLD, Linker, MOLD, compile_host, compile_linked_host};
use recording::{Recorded, end_under_flight_recorder, record};

/// The tracepoints of the program, and how many events it emits at each.
const PROGRAM: [(&str, usize); 4] =
    [("linked:in_program", 10), ("linked:in_library", 10), ("linked:in_generic", 10), ("linked:never_called", 0)];

fn check_program(linker: &Linker, profiles: &[&str]) {
    if !linker.is_installed() {
        return;
    }
    for profile in profiles {
        let recorded = record(&linker.build(profile).join("linked-program"), &[]);
        for (name, count) in PROGRAM {
            let context = format!("{name}, {} {profile}", linker.name);
            assert!(recorded.listed.contains(name), "{context}: not in {:?}", recorded.listed);
            assert_eq!(recorded.events.get(name).copied().unwrap_or(0), count, "{context}");
        }
    }
}

#[test]
fn the_default_linker_keeps_every_tracepoint() {
    check_program(&DEFAULT, &["dev", "release", "thin", "fat"]);
}

#[test]
fn gnu_ld_keeps_every_tracepoint() {
    check_program(&BFD, &["dev", "release", "fat"]);
}

#[test]
fn lld_keeps_every_tracepoint() {
    check_program(&LLD, &["dev", "release", "fat"]);
}

#[test]
fn mold_keeps_every_tracepoint() {
    check_program(&MOLD, &["dev", "release", "fat"]);
}

/// The number that a program printed as `key=value`.
fn said(stdout: &str, key: &str) -> usize {
    let value = stdout.split_whitespace().filter_map(|word| word.split_once('=')).find(|(k, _)| *k == key);
    value.and_then(|(_, value)| value.parse().ok()).unwrap_or_else(|| panic!("no {key} in {stdout}"))
}

/// How often the plugin is loaded, and how many events a thread then emits in it.
const CYCLES: usize = 150;
const EVENTS: usize = 20;

/// Records `host`, which loads and unloads the plugin with `threads` threads in it. Fails unless every event of the
/// plugin is there and it left no mapping behind.
fn record_plugin(host: &Path, plugin: &Path, threads: usize, context: &str) -> Recorded {
    let (cycles, events) = (CYCLES.to_string(), EVENTS.to_string());
    let recorded = record(host, &[plugin.as_ref(), cycles.as_ref(), events.as_ref()]);
    let count = |name: &str| recorded.events.get(name).copied().unwrap_or(0);
    assert_eq!(count("linked:plugin_begins"), CYCLES, "{context}: events of the constructor");
    assert_eq!(count("linked:in_plugin"), CYCLES * EVENTS * threads, "{context}: events of the plugin");
    assert_eq!(count("linked:plugin_ends"), CYCLES, "{context}: events of the destructor");
    let (early, late) = (said(&recorded.stdout, "early"), said(&recorded.stdout, "late"));
    assert!(late <= early + 8, "{context}: {early} mappings after 10 cycles, {late} after {CYCLES}");
    recorded
}

fn check_plugin(linker: &Linker, profile: &str) {
    if !linker.is_installed() {
        return;
    }
    let folder = linker.build(profile);
    let context = format!("{} {profile}", linker.name);
    let recorded = record_plugin(&folder.join("linked-program"), &folder.join("liblinked_plugin.so"), 1, &context);
    let of_program = recorded.events.get("linked:in_program").copied().unwrap_or(0);
    assert_eq!(of_program, said(&recorded.stdout, "program"), "{context}: of the program");
    assert!(said(&recorded.stdout, "descriptors") <= 6, "{context}: {}", recorded.stdout);
}

#[test]
fn a_library_that_is_loaded_and_unloaded_records_everything_and_leaves_nothing_behind() {
    check_plugin(&DEFAULT, "dev");
    check_plugin(&DEFAULT, "release");
    check_plugin(&BFD, "release");
    check_plugin(&LLD, "release");
    check_plugin(&MOLD, "release");
    check_plugin(&DEFAULT, "fat");
}

fn check_c_host(compiler: &str, host: &Path, linker: &Linker, profile: &str) {
    if !linker.is_installed() {
        return;
    }
    let plugin = linker.build(profile).join("liblinked_plugin.so");
    let context = format!("host by {compiler}, plugin by {} {profile}", linker.name);
    let recorded = record_plugin(host, &plugin, 2, &context);
    // A build that is not optimised keeps the tracepoints of `tracef!` and `tracelog!` too, which are the runtime's own.
    let of_plugin = ["linked:in_plugin", "linked:plugin_begins", "linked:plugin_ends"];
    let listed: Vec<&String> = recorded.listed.iter().filter(|name| !name.starts_with("ust_trace")).collect();
    assert_eq!(listed, of_plugin, "{context}: the only tracepoints");
    assert!(recorded.events.keys().eq(of_plugin), "{context}: the only events, not {:?}", recorded.events);
    let (before, most) = (said(&recorded.stdout, "descriptors_before"), said(&recorded.stdout, "descriptors_most"));
    assert_eq!(most, before, "{context}: descriptors while the plugin is there, and behind it");
}

#[test]
fn a_c_program_whose_only_tracepoints_come_and_go_with_a_rust_library_is_recorded_like_any_other() {
    let folder = tempfile::tempdir().expect("a folder");
    for compiler in ["cc", "gcc", "clang"] {
        let Some(host) = compile_host(compiler, folder.path()) else { continue };
        for (linker, profile) in
            [(DEFAULT, "dev"), (DEFAULT, "release"), (BFD, "release"), (LLD, "release"), (MOLD, "release")]
        {
            check_c_host(compiler, &host, &linker, profile);
        }
    }
}

/// Each run ends at another moment.
const ENDS: usize = 25;

#[test]
fn a_c_program_that_is_linked_with_a_rust_library_may_end_while_threads_emit() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = DEFAULT.build("release").join("liblinked_plugin.so");
    let Some(host) = compile_linked_host("cc", &plugin, folder.path()) else { return };
    for _ in 0..ENDS {
        let output = end_under_flight_recorder(&host);
        assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
}
