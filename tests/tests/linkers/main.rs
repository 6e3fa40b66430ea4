// SPDX-License-Identifier: MIT OR Apache-2.0
//! No linker and no profile loses a tracepoint: builds `fixtures/linked` with each of them, records it, and looks.
//!
//! The fixture is built offline into a folder of its own below the workspace's target folder, with the workspace's lock file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use ust_consumerd::{ChannelOptions, Engine, EngineOptions, LossMode, RuntimeDir};
use ust_ctf::reader::Trace;

/// The tracepoints of the program, and how many events it emits at each.
const PROGRAM: [(&str, usize); 4] =
    [("linked:in_program", 10), ("linked:in_library", 10), ("linked:in_generic", 10), ("linked:never_called", 0)];

/// No program runs longer: a hang is a failure with a reason.
const PATIENCE: Duration = Duration::from_secs(60);

const TARGET: &str = env!("UST_TESTS_TARGET");

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/linked")
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
        let Some(program) = self.program else { return true };
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
        if !found {
            let required = std::env::var_os("UST_REQUIRE_TOOLS").is_some();
            assert!(!required, "{program} is not installed, and UST_REQUIRE_TOOLS is set");
            eprintln!("SKIPPED: {program} is not installed");
        }
        found
    }

    /// Builds the fixture and returns the folder of its program and plugin.
    fn build(&self, profile: &str) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        // Once: another cargo may be reading it.
        static LOCKED: Once = Once::new();
        LOCKED.call_once(|| {
            std::fs::copy(root.join("Cargo.lock"), fixture().join("Cargo.lock")).expect("a lock file");
        });
        let target = root.join("target/linkers").join(self.name);
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

/// What a recorded program said, the events of each tracepoint, and the tracepoints that its metadata lists.
struct Recorded {
    stdout: String,
    events: BTreeMap<String, usize>,
    listed: Vec<String>,
}

/// Records `command` in block mode, to its end.
fn record(command: &mut Command) -> Recorded {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut options = EngineOptions::new(scratch.path().join("trace"));
    options.channel =
        ChannelOptions { mode: LossMode::Block, subbuf_bytes: 16 << 10, subbuf_count: 4, ..ChannelOptions::default() };
    let dir = RuntimeDir::create_private().expect("a runtime directory");
    command.env("UST_RUNTIME_DIR", dir.path()).env("UST_ALLOW_BLOCKING", "1").stdout(Stdio::piped());
    let mut engine = Engine::new(dir, options).expect("the engine starts");
    let mut child = command.spawn().expect("the program starts");
    let begin = Instant::now();
    while child.try_wait().expect("our child").is_none() {
        if begin.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the program hangs");
        }
        engine.run_once(Duration::from_millis(10), &[]).expect("poll works");
    }
    let output = child.wait_with_output().expect("our child");
    let summary = engine.stop();
    assert!(output.status.success(), "the program ended with {}", output.status);
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    assert_eq!(summary.warnings, Vec::<String>::new());
    let trace = Trace::open(&summary.output).expect("the trace is readable");
    let mut events = BTreeMap::new();
    let mut found = trace.events();
    while let Some(event) = found.next() {
        *events.entry(event.class.name.clone()).or_default() += 1;
    }
    let warnings = trace.warnings().iter().chain(found.warnings()).map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(warnings, Vec::<String>::new(), "the trace is undamaged");
    let metadata = std::fs::read_to_string(summary.output.join("metadata")).expect("metadata");
    let quoted = metadata.split("name = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let listed = quoted.filter(|name| name.contains(':')).map(str::to_owned).collect();
    Recorded { stdout: String::from_utf8_lossy(&output.stdout).into_owned(), events, listed }
}

fn check_program(linker: &Linker, profiles: &[&str]) {
    if !linker.is_installed() {
        return;
    }
    for profile in profiles {
        let recorded = record(&mut Command::new(linker.build(profile).join("linked-program")));
        for (name, count) in PROGRAM {
            let context = format!("{name}, {} {profile}", linker.name);
            assert!(recorded.listed.iter().any(|listed| listed == name), "{context}: not in {:?}", recorded.listed);
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
    let mut command = Command::new(folder.join("linked-program"));
    command.arg(folder.join("liblinked_plugin.so")).args([CYCLES.to_string(), EVENTS.to_string()]);
    let recorded = record(&mut command);
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
