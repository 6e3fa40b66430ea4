// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust view --follow`: a trace that is still being recorded.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};

use crate::harness::{Place, traced};

/// Kills what a test leaves behind: a child, and its group if it has one.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            // SAFETY: a signal to the group of a child that was not waited for, or to none.
            #[allow(unsafe_code)]
            unsafe {
                libc::kill(-(self.0.id() as i32), libc::SIGKILL);
            }
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn send(child: &Running, signal: i32) {
    // SAFETY: a signal to a child of ours that was not waited for.
    #[allow(unsafe_code)]
    let sent = unsafe { libc::kill(child.0.id() as i32, signal) };
    assert_eq!(sent, 0);
}

/// Records a program that emits five events, says so, and goes on until it is told to end.
fn recording(place: &Place) -> Running {
    let traced = traced();
    let traced = traced.to_str().expect("a plain path");
    let arguments = ["record", "-o", "trace", "--", traced, "events", "5", "say", "emitted", "wait"];
    let mut command = place.command(&arguments);
    // A group of its own, so that the program ends with a recorder that is killed.
    command.process_group(0);
    let mut record = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(record.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
    assert_eq!(line, "emitted\n");
    Running(record)
}

#[test]
fn events_are_shown_while_the_recording_goes_on_and_the_view_ends_with_it() {
    let place = Place::new();
    let mut record = recording(&place);
    let mut command = place.command(&["view", "--follow", "trace"]);
    let mut view = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs"));
    let mut lines = BufReader::new(view.0.stdout.take().expect("piped"));
    for n in 0..5 {
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        assert!(line.trim_end().ends_with(&format!("{{ n = {n} }}")), "{line}");
        assert!(n == 0 || line.contains("] (+0."), "the time since the line before: {line}");
    }
    assert!(record.0.try_wait().expect("ours").is_none(), "the recording goes on");
    send(&record, libc::SIGTERM);
    record.0.wait().expect("ours");
    let (mut rest, mut stderr) = (String::new(), String::new());
    lines.read_to_string(&mut rest).expect("text");
    view.0.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
    let status = view.0.wait().expect("ours");
    assert_eq!((status.code(), rest.as_str(), stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn a_limit_or_a_reader_that_goes_away_ends_the_view() {
    let place = Place::new();
    let record = recording(&place);
    let limited = place.ust(&["view", "--follow", "trace", "--limit", "2", "--json"]);
    assert_eq!((limited.status, limited.stdout.lines().count()), (Some(0), 2));
    drop(record);
}
