// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recorders that are killed, and processes that come and go.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Place, run, traced};

/// No step of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(40);

/// Bytes of the events on disk, the holes at the files' ends left out. A file with a hidden name has no whole packet yet.
fn written_bytes(place: &Place) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = std::fs::read_dir(place.path().join("trace")) else { return 0 };
    let shown = entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    shown.filter_map(|entry| entry.metadata().ok()).map(|found| 512 * found.blocks()).sum()
}

fn kill(target: &str) {
    // A group that has ended already is as good.
    let _ = Command::new("kill").args(["-KILL", "--", target]).stderr(Stdio::null()).status();
}

#[test]
fn a_trace_whose_recorder_was_killed_while_it_wrote_is_read_without_a_complaint() {
    let program = traced();
    let program = program.to_str().expect("a plain path");
    for kib in [64, 500, 1100, 1500, 3000, 5000] {
        let place = Place::new();
        let options = ["record", "-o", "trace", "--mode", "block", "--subbuf-size", "64K"];
        let mut recorder = place
            .command(&[&options, ["--", program, "events", "1000000000"].as_slice()].concat())
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let begin = Instant::now();
        while written_bytes(&place) < kib << 10 {
            assert!(begin.elapsed() < PATIENCE && recorder.try_wait().expect("ours").is_none(), "it records");
            std::thread::yield_now();
        }
        kill(&recorder.id().to_string());
        recorder.wait().expect("ours");
        kill(&format!("-{}", recorder.id()));
        let values = place.values("trace");
        assert_eq!(values, (0..values.len() as u64).collect::<Vec<_>>(), "{kib} KiB");
        assert!(values.len() > 1000, "{kib} KiB: {} events", values.len());
        match Command::new("babeltrace2").arg("trace").current_dir(place.path()).output() {
            Err(_) if std::env::var_os("UST_REQUIRE_TOOLS").is_none() => {
                println!("SKIPPED: babeltrace2 is not installed");
            }
            theirs => {
                let theirs = run(theirs);
                assert_eq!((theirs.status, theirs.stderr.as_str()), (Some(0), ""), "{kib} KiB");
                assert_eq!(theirs.stdout.lines().count(), values.len(), "{kib} KiB");
            }
        }
    }
}

#[test]
fn processes_that_start_fork_exec_exit_and_die_at_any_moment_are_all_recorded() {
    let place = Place::new();
    let program = traced();
    let program = program.to_str().expect("a plain path");
    // Twenty at a time: a third ends in good order, a third is aborted, a third is become by an exec.
    let script = "for round in 1 2 3 4 5; do for i in 1 2 3 4 5 6; do
        $0 events 50 & $0 events 50 abort & (exec $0 events 50) &
        done; wait; done 2>/dev/null; true";
    let options = ["record", "-o", "trace", "--mode", "block", "--subbuf-size", "4K", "--subbuf-count", "2"];
    let recorded = place.ust(&[&options, ["--", "sh", "-c", script, program].as_slice()].concat());
    assert_eq!(recorded.status, Some(0), "{recorded:?}");
    assert!(recorded.stderr.contains("\nprocesses  90: traced x 90\n"), "{}", recorded.stderr);
    assert!(recorded.stderr.contains("\nlost       0\n"), "{}", recorded.stderr);
    let mut values = place.values("trace");
    values.sort_unstable();
    let expected: Vec<u64> = (0..50).flat_map(|value| [value; 90]).collect();
    assert_eq!(values, expected);
}
