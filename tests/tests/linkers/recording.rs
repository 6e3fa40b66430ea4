// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command `ust` as its user has it: built, run on a program, and its trace read by both readers.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use ust_ctf::reader::Trace;

use crate::fixture::{TARGET, workspace};
use crate::harness::is_installed;

/// Nothing that is run takes longer: a hang is a failure with a reason.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where cargo put this test: `FOLDER/PROFILE/deps/TEST`, or `FOLDER/TARGET/PROFILE/deps/TEST` if it was given a target.
pub struct BuildPlace {
    /// The folder of everything that cargo builds.
    pub folder: PathBuf,
    profile: String,
    has_target: bool,
}

impl BuildPlace {
    pub fn of_this_test() -> Self {
        let this = std::env::current_exe().expect("this test");
        let name = |path: &Path| path.file_name().and_then(OsStr::to_str).expect("a plain name").to_owned();
        let place = this.ancestors().nth(2).expect("the profile's folder");
        let above = place.parent().expect("the folder of all profiles");
        let has_target = name(above) == TARGET;
        let folder = if has_target { above.parent().expect("the folder of all targets") } else { above };
        let profile = match name(place) {
            // The one profile whose folder has another name.
            debug if debug == "debug" => "dev".to_owned(),
            other => other,
        };
        Self { folder: folder.to_owned(), profile, has_target }
    }
}

/// The command `ust`, built once as this test was: cargo tells a test the programs of its own package only.
fn ust() -> &'static Path {
    static UST: OnceLock<PathBuf> = OnceLock::new();
    UST.get_or_init(|| {
        let place = BuildPlace::of_this_test();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(workspace()).args(["build", "--locked", "--quiet", "-p", "ust-cli", "--bin", "ust"]);
        cargo.args(["--profile", &place.profile, "--message-format", "json-render-diagnostics"]);
        cargo.arg("--target-dir").arg(&place.folder);
        if place.has_target {
            cargo.args(["--target", TARGET]);
        }
        let output = cargo.output().expect("cargo runs");
        assert!(output.status.success(), "cannot build `ust`: {}", text(&output.stderr));
        let executable = |line: &str| {
            let message: serde_json::Value = serde_json::from_str(line).expect("cargo speaks JSON");
            message["executable"].as_str().map(PathBuf::from)
        };
        text(&output.stdout).lines().find_map(executable).expect("cargo has built a program")
    })
}

/// What a recorded program said, the events of each tracepoint, and the tracepoints that the trace's metadata lists.
pub struct Recorded {
    pub stdout: String,
    pub events: BTreeMap<String, usize>,
    pub listed: BTreeSet<String>,
}

/// Records `program` in block mode, to its end. Fails if anything went wrong, or a reader disagrees.
pub fn record(program: &Path, arguments: &[&OsStr]) -> Recorded {
    let scratch = tempfile::tempdir().expect("a folder");
    let trace = scratch.path().join("trace");
    let mut command = Command::new(ust());
    command.args(["record", "--mode", "block", "--subbuf-size", "16K", "--subbuf-count", "4", "-o"]);
    let output = run(command.arg(&trace).arg("--").arg(program).args(arguments));
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "`ust record` ended with {}: {stdout}{stderr}", output.status);
    let counted = counted_without_loss(&stderr);
    let events = events(&trace);
    assert_eq!(events.values().sum::<usize>(), counted, "the counters agree with the trace");
    check_with_babeltrace2(&trace, counted);
    let metadata = std::fs::read_to_string(trace.join("metadata")).expect("metadata");
    let quoted = metadata.split("name = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let listed = quoted.filter(|name| name.contains(':')).map(str::to_owned).collect();
    Recorded { stdout, events, listed }
}

/// Runs `program` under a flight recorder, whose writers never wait; how it ended.
pub fn end_under_flight_recorder(program: &Path) -> Output {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(ust());
    command.args(["record", "--mode", "overwrite", "-o"]).arg(scratch.path().join("trace"));
    run(command.arg("--").arg(program))
}

/// The number of events in the summary of a recording. Fails unless it is all that was said, and tells of no loss.
fn counted_without_loss(stderr: &str) -> usize {
    let lines: Vec<&str> = stderr.lines().collect();
    // The program would speak before it, and its warnings stand behind the losses.
    assert!(lines.first().is_some_and(|line| line.starts_with("trace      ")), "{stderr}");
    assert_eq!(lines.last(), Some(&"lost       0"), "{stderr}");
    let counted = lines.iter().find_map(|line| line.strip_prefix("events     "));
    counted.and_then(|n| n.replace(',', "").parse().ok()).unwrap_or_else(|| panic!("no number of events: {stderr}"))
}

/// The number of events of each name in a trace, which is undamaged and has no gap.
fn events(trace: &Path) -> BTreeMap<String, usize> {
    let trace = Trace::open(trace).expect("the trace is readable");
    let mut events = BTreeMap::new();
    let mut found = trace.events();
    while let Some(event) = found.next() {
        *events.entry(event.class.name.clone()).or_default() += 1;
    }
    let warnings = trace.warnings().iter().chain(found.warnings()).map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(warnings, Vec::<String>::new(), "the trace is undamaged");
    assert!(trace.losses().is_empty(), "{:?}", trace.losses());
    events
}

/// Fails unless babeltrace2, if it is there, finds `count` events and nothing to complain about.
fn check_with_babeltrace2(trace: &Path, count: usize) {
    if !is_installed("babeltrace2") {
        return;
    }
    let output = run(Command::new("babeltrace2").arg(trace));
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "babeltrace2");
    assert_eq!(output.stdout.iter().filter(|&&byte| byte == b'\n').count(), count, "events that babeltrace2 prints");
}

/// Runs `command` to its end. Kills it and what it has started if it hangs.
fn run(command: &mut Command) -> Output {
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it starts");
    let group = format!("-{}", child.id());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let ended = receiver.recv_timeout(PATIENCE);
    let hangs = ended.is_err();
    let output = ended.unwrap_or_else(|_| {
        // Its output ends with its group, and is worth seeing.
        let killed = Command::new("kill").args(["-KILL", "--", &group]).status().expect("kill runs");
        assert!(killed.success(), "{command:?} hangs and cannot be killed");
        receiver.recv().expect("it was waited for")
    });
    let output = output.expect("our child");
    assert!(!hangs, "{command:?} hangs: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
