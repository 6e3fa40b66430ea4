// SPDX-License-Identifier: MIT OR Apache-2.0
//! Snapshots, chunks, clearing, and files of limited size.

use std::path::Path;

use crate::stage::{Stage, names, wait_until};

/// The one name in `dir` that is not in `before`.
fn new_name(dir: &Path, before: &[String]) -> String {
    let mut new: Vec<_> = names(dir).into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(new.len(), 1, "{new:?}");
    new.remove(0)
}

/// Whether the values follow each other without a hole.
fn assert_contiguous(values: &[u64], what: &str) {
    assert!(!values.is_empty(), "{what}");
    assert!(values.windows(2).all(|pair| pair[1] == pair[0] + 1), "{what}: a hole or a torn event");
}

#[test]
fn snapshots_of_a_running_writer_hold_whole_events_in_order_and_tracing_goes_on() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("flight", "--snapshot");
    stage.ust("enable-channel small --subbuf-size 4K --num-subbuf 8");
    stage.ust("enable-event traced:count");
    stage.ust("start");
    program.tell("spin");
    wait_until("the writer", || stage.json("status")["progress"]["events"].as_u64() > Some(10_000));
    let dir = stage.place.path().join("flight");
    let mut newest = 0;
    for round in 0..8 {
        let before = names(&dir);
        let report = stage.json("snapshot record");
        let name = new_name(&dir, &before);
        assert!(report[0]["path"].as_str().expect("text").ends_with(&name));
        let values = stage.values(&format!("flight/{name}"));
        // The writer may overtake the reader in the oldest sub-buffers, which are lost then; what is there is whole.
        let gaps = values.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
        assert!(values.windows(2).all(|pair| pair[1] > pair[0]) && gaps <= 8, "round {round}: {gaps} gaps");
        let last = *values.last().expect("events");
        assert!(last > newest, "tracing goes on");
        newest = last;
    }
    program.signal(libc::SIGSTOP);
    let before = names(&dir);
    stage.ust("snapshot record --name still");
    let name = new_name(&dir, &before);
    assert!(name.starts_with("still-"));
    let values = stage.values(&format!("flight/{name}"));
    assert_contiguous(&values, "of a stopped writer");
    assert!(values.len() > 7 * (4096 / 16 - 1), "the oldest that was not overwritten is there: {}", values.len());
    program.signal(libc::SIGCONT);
}

#[test]
fn a_snapshot_of_limited_size_holds_the_newest_events_and_goes_to_every_output() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("flight", "--snapshot --max-size 10K");
    stage.ust("enable-channel c --subbuf-size 4K");
    stage.ust("enable-event traced:count");
    stage.ust("start");
    program.tell("events 2000");
    stage.ust("snapshot add-output second --name second");
    assert!(stage.ust("snapshot list-output").contains("[2] second: "));
    stage.ust("snapshot record");
    let small = stage.values(&format!("flight/{}", new_name(&stage.place.path().join("flight"), &[])));
    let all = stage.values(&format!("second/{}", new_name(&stage.place.path().join("second"), &[])));
    assert_contiguous(&small, "the limited one");
    assert_contiguous(&all, "the other");
    assert_eq!((small.last(), all.last()), (Some(&1999), Some(&1999)));
    assert!((200..=10 * 1024 / 16).contains(&small.len()), "{}", small.len());
    assert_eq!(all.len(), 2000, "2,000 events of 16 bytes have room in 8 sub-buffers of 4 KiB");
    stage.ust("snapshot del-output second");
    assert!(!stage.ust("snapshot list-output").contains("second"));
    stage.ust("clear");
    program.tell("events 10");
    stage.ust("snapshot record --output third");
    let third = stage.values(&format!("third/{}", new_name(&stage.place.path().join("third"), &[])));
    assert_eq!(third, (2000..2010).collect::<Vec<_>>(), "what was cleared is gone");
}

#[test]
fn what_a_program_that_died_had_recorded_is_offered_and_in_the_next_snapshot() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("flight", "--snapshot");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    program.tell("events 20");
    let pid = program.pid();
    program.signal(libc::SIGKILL);
    let offered = format!("flight recorder of traced ({pid}), which has ended: ust snapshot record -s flight");
    wait_until("the offer", || stage.ust("list").contains(&offered));
    stage.ust("snapshot record");
    let name = new_name(&stage.place.path().join("flight"), &[]);
    assert_eq!(stage.values(&format!("flight/{name}")), (0..20).collect::<Vec<_>>());
    stage.ust("destroy");
    assert_eq!(names(&stage.runtime_dir().join("apps")), [""; 0], "nothing is left behind");
    drop(program);
}

#[test]
fn chunks_are_complete_traces_that_follow_each_other() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    for _ in 0..3 {
        program.tell("events 10");
        stage.ust("rotate");
    }
    program.tell("events 5");
    stage.ust("stop");
    let chunks = names(&stage.place.path().join("demo/archives"));
    assert_eq!(chunks.len(), 3);
    for (i, chunk) in (0..).zip(&chunks) {
        assert!(chunk.ends_with(&format!("+0000-{i}")), "BEGIN-END-ID: {chunk}");
        assert_eq!(stage.values(&format!("demo/archives/{chunk}")), (10 * i..10 * i + 10).collect::<Vec<_>>());
    }
    assert_eq!(stage.values("demo/ust"), [30, 31, 32, 33, 34]);
    assert_eq!(stage.values("demo"), (0..35).collect::<Vec<_>>(), "all of it as one");
    stage.ust("start");
    program.tell("events 5");
    stage.ust("clear");
    program.tell("events 2");
    stage.ust("destroy");
    assert_eq!(stage.values("demo/ust"), [40, 41]);
}

#[test]
fn a_session_is_rotated_by_itself_by_time_and_by_size() {
    let stage = Stage::new();
    let mut program = stage.serve();
    let chunks = |name: &str| names(&stage.place.path().join(name).join("archives")).len();
    for (name, when) in [("timed", "--timer 20ms"), ("sized", "--size 4K")] {
        stage.create(name, "");
        stage.ust("enable-event traced:*");
        stage.ust(&format!("enable-rotation {when}"));
        stage.ust("start");
    }
    wait_until("two chunks by time", || chunks("timed") >= 2);
    assert_eq!(chunks("sized"), 0);
    program.tell("events 1000");
    wait_until("a chunk by size", || chunks("sized") >= 1);
    stage.ust("disable-rotation --timer -s timed");
    let before = chunks("timed");
    program.tell("events 1");
    stage.ust("destroy --all");
    assert_eq!(chunks("timed"), before);
    assert_eq!(stage.values("timed"), (0..1001).collect::<Vec<_>>());
    assert_eq!(stage.values("sized"), (0..1001).collect::<Vec<_>>());
}

#[test]
fn stream_files_of_limited_size_and_number_keep_the_newest() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-channel c --subbuf-size 4K --tick 1ms --tracefile-size 8K --tracefile-count 2");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    for round in 1..=20 {
        program.tell("events 200");
        stage.wait_for_events(200 * round);
    }
    stage.ust("destroy");
    let dir = stage.place.path().join("demo/ust");
    let files: Vec<_> = names(&dir).into_iter().filter(|name| name != "metadata").collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|name| std::fs::metadata(dir.join(name)).expect("there").len() <= 8192));
    let values = stage.place.values("demo");
    assert_contiguous(&values, "two files");
    assert_eq!(values.last(), Some(&3999));
}
