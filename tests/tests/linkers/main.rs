// SPDX-License-Identifier: MIT OR Apache-2.0
//! No linker and no profile loses a tracepoint: builds `fixtures/linked` with each of them, records it with the command
//! `ust`, and looks.
//!
//! The fixture is built offline into a folder of its own below the workspace's target folder, with the workspace's lock file.

#[path = "../it/harness.rs"]
#[allow(dead_code, reason = "what finds and skips tools is shared; the rest drives the engine as a library")]
mod harness;
mod recording;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use recording::{BuildPlace, record};

/// The tracepoints of the program, and how many events it emits at each.
const PROGRAM: [(&str, usize); 4] =
    [("linked:in_program", 10), ("linked:in_library", 10), ("linked:in_generic", 10), ("linked:never_called", 0)];

const TARGET: &str = env!("UST_TESTS_TARGET");

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn fixture() -> PathBuf {
    workspace().join("tests/fixtures/linked")
}

/// What to link with, and the compiler's flags for it.
struct Linker {
    name: &'static str,
    /// The program that must be there; none for the compiler's default.
    program: Option<&'static str>,
    flags: &'static str,
}

const DEFAULT: Linker = Linker { name: "default", program: None, flags: "" };
const BFD: Linker =
    Linker { name: "bfd", program: Some("ld.bfd"), flags: "-Clinker-features=-lld -Clink-arg=-fuse-ld=bfd" };
const LLD: Linker =
    Linker { name: "lld", program: Some("ld.lld"), flags: "-Clinker-features=-lld -Clink-arg=-fuse-ld=lld" };
const MOLD: Linker =
    Linker { name: "mold", program: Some("mold"), flags: "-Clinker-features=-lld -Clink-arg=-fuse-ld=mold" };

impl Linker {
    fn is_installed(&self) -> bool {
        self.program.is_none_or(harness::is_installed)
    }

    /// Builds the fixture and returns the folder of its program and plugin.
    fn build(&self, profile: &str) -> PathBuf {
        // Once: another cargo may be reading it.
        static LOCKED: Once = Once::new();
        LOCKED.call_once(|| {
            std::fs::copy(workspace().join("Cargo.lock"), fixture().join("Cargo.lock")).expect("a lock file");
        });
        let target = BuildPlace::of_this_test().folder.join("linkers").join(self.name);
        let rustflags = format!("CARGO_TARGET_{}_RUSTFLAGS", TARGET.to_uppercase().replace('-', "_"));
        let output = Command::new(env!("CARGO"))
            .current_dir(fixture())
            .args(["build", "--offline", "--quiet", "--workspace", "--target", TARGET, "--profile", profile])
            .env("CARGO_TARGET_DIR", &target)
            .env(rustflags, self.flags)
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} cannot build the fixture ({profile}): {stderr}", self.name);
        target.join(TARGET).join(if profile == "dev" { "debug" } else { profile })
    }
}

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

fn check_plugin(linker: &Linker, profile: &str) {
    const CYCLES: usize = 150;
    const EVENTS: usize = 20;
    if !linker.is_installed() {
        return;
    }
    let folder = linker.build(profile);
    let (plugin, cycles, events) = (folder.join("liblinked_plugin.so"), CYCLES.to_string(), EVENTS.to_string());
    let recorded = record(&folder.join("linked-program"), &[plugin.as_ref(), cycles.as_ref(), events.as_ref()]);
    let count = |name: &str| recorded.events.get(name).copied().unwrap_or(0);
    assert_eq!(count("linked:plugin_begins"), CYCLES, "{}: events of the constructor", linker.name);
    assert_eq!(count("linked:in_plugin"), CYCLES * EVENTS, "{}: events of the plugin", linker.name);
    assert_eq!(count("linked:plugin_ends"), CYCLES, "{}: events of the destructor", linker.name);
    assert_eq!(count("linked:in_program"), said(&recorded.stdout, "program"), "{}: of the program", linker.name);
    let (early, late) = (said(&recorded.stdout, "early"), said(&recorded.stdout, "late"));
    assert!(late <= early + 8, "{}: {early} mappings after 10 cycles, {late} after {CYCLES}", linker.name);
    assert!(said(&recorded.stdout, "descriptors") <= 6, "{}: {}", linker.name, recorded.stdout);
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
