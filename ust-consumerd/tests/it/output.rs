// SPDX-License-Identifier: MIT OR Apache-2.0
//! The trace's file system: full, taken, or not there.

use std::path::Path;
use std::process::Command;

use ust_consumerd::{Engine, EngineOptions, RuntimeDir, StartError};

use crate::harness::{Bench, NEVER, read, skip};
use crate::program::{Program, live_pid};

/// A small file system, unmounted at the end.
struct Tmpfs<'a>(&'a Path);

impl<'a> Tmpfs<'a> {
    fn mount(path: &'a Path, size: &str) -> Option<Self> {
        std::fs::create_dir(path).expect("a new directory");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(path).output();
        match mount {
            Ok(output) if output.status.success() => Some(Self(path)),
            _ => {
                skip("a tmpfs cannot be mounted (not root)");
                None
            }
        }
    }
}

impl Drop for Tmpfs<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_full_file_system_costs_whole_packets_which_are_counted_and_the_recording_goes_on() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let mount = place.path().join("small");
    let Some(tmpfs) = Tmpfs::mount(&mount, "64k") else { return };
    let output = mount.join("trace");
    let mut bench = Bench::with(|options| {
        options.output.clone_from(&output);
        options.tick = NEVER;
    });
    let mut program = Program::start(&bench.dir(), live_pid());
    bench.pass();
    let writer = program.ring(7, "worker");
    let mut value = 0;
    for _ in 0..40 {
        value += writer.fill_subbuf(value);
        bench.pass();
    }
    // Room again: the next packets arrive.
    std::fs::remove_file(mount.join("filler")).unwrap_or_default();
    let whole = Command::new("mount").args(["-o", "remount,size=1m"]).arg(&mount).status().expect("mount runs");
    assert!(whole.success());
    value += writer.fill_subbuf(value);
    bench.pass();
    let summary = bench.engine.stop();
    let recorded = read(&output);
    let lost = summary.losses.packets_unwritten;
    assert!(lost > 10, "{lost} packets lost");
    assert!(summary.warnings.iter().any(|w| w.contains("cannot be written to the trace: No space left")));
    let packets = &recorded.packets[0];
    let last_seq = packets.last().expect("packets").packet_seq_num;
    assert_eq!(packets.len() as u64 + lost, last_seq + 1, "a lost packet uses up its number");
    let values = recorded.values("test:one");
    assert_eq!(values.last(), Some(&(value - 1)), "the end is there");
    assert!(values.len() < value as usize && values.windows(2).all(|pair| pair[0] < pair[1]));
    if let Some((_, warnings)) = crate::harness::babeltrace(&output) {
        assert!(warnings.contains(&format!("Tracer discarded {lost} packets between")), "{warnings}");
    }
    drop(tmpfs);
}

#[test]
fn a_directory_that_holds_something_is_not_written_into() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let output = place.path().join("trace");
    std::fs::create_dir(&output).expect("a new directory");
    std::fs::write(output.join("precious"), "data").expect("a new file");
    let dir = RuntimeDir::create_private_in(place.path()).expect("a private directory");
    let error = Engine::new(dir, EngineOptions::new(&output)).expect_err("not empty");
    assert!(matches!(&error, StartError::OutputNotEmpty(path) if *path == output), "{error}");
    assert_eq!(std::fs::read_dir(&output).expect("there").count(), 1);
}

#[test]
fn an_output_below_a_directory_that_does_not_exist_is_an_error_that_names_it() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = RuntimeDir::create_private_in(place.path()).expect("a private directory");
    let runtime = dir.path().to_owned();
    let error = Engine::new(dir, EngineOptions::new(place.path().join("no/trace"))).expect_err("no parent");
    assert!(error.to_string().starts_with("cannot create directory"), "{error}");
    assert!(!runtime.exists(), "nothing is left behind");
}
