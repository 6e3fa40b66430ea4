// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the program ended is how the recording ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use crate::harness::{Place, traced};

#[test]
fn the_exit_status_is_that_of_the_program() {
    let place = Place::new();
    let run = place.record(&["-o", "a"], &["events", "3", "exit", "42"]);
    assert_eq!(run.status, Some(42));
    assert_eq!(place.values("a"), [0, 1, 2]);
    let run = place.record(&["-o", "b"], &["events", "3", "abort"]);
    assert_eq!(run.status, Some(128 + 6), "{run:?}");
    assert_eq!(place.values("b"), [0, 1, 2], "what was committed is there");
}

#[test]
fn a_signal_to_the_recorder_ends_the_program_and_completes_the_trace() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let place = Place::new();
        let program = traced();
        let program = program.to_str().expect("a plain path");
        // A shell's background jobs ignore SIGINT, and so would the program.
        let mut recorder = Command::new("env")
            .args(["--default-signal=INT", env!("CARGO_BIN_EXE_ust")])
            .args(["record", "-o", "trace", "--", program, "events", "5", "say", "ready", "wait"])
            .current_dir(place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut said = String::new();
        let mut stdout = BufReader::new(recorder.stdout.take().expect("piped"));
        stdout.read_line(&mut said).expect("a line");
        assert_eq!(said, "ready\n");
        let kill = Command::new("kill").args([&format!("-{signal}"), &recorder.id().to_string()]).status();
        assert!(kill.expect("kill runs").success());
        let mut stderr = String::new();
        recorder.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
        assert_eq!(recorder.wait().expect("ours").code(), Some(status), "{stderr}");
        assert!(stderr.contains("\nevents     5\n"), "{stderr}");
        assert_eq!(place.values("trace"), [0, 1, 2, 3, 4]);
    }
}
