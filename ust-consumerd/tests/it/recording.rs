// SPDX-License-Identifier: MIT OR Apache-2.0
//! The example of a program that records itself.

use std::process::Command;

use ust_ctf::reader::Trace;

#[test]
fn a_program_that_records_itself_finds_exactly_the_events_in_between() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let output = place.path().join("trace");
    let runtime = place.path().join("run");
    // Cargo builds examples before it runs tests, next to the test's own folder.
    let this = std::env::current_exe().expect("this test");
    let example = this.ancestors().nth(2).expect("the profile's folder").join("examples/self_record");
    let run = Command::new(example).arg(&output).env("UST_RUNTIME_DIR", &runtime).output().expect("the example runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.starts_with("shop: 4000 events\nlost: 0\n"), "{said}");
    let trace = Trace::open(&output).expect("a trace");
    assert_eq!(trace.events().count(), 4000);
    assert!(trace.losses().is_empty());
    let streams: usize = trace.folders().iter().map(|folder| folder.streams().len()).sum();
    assert!((1..=4).contains(&streams), "one stream per ring; threads that end early hand theirs on");
    assert!(!runtime.join("wakeup").exists(), "nobody listens there any more");
}
