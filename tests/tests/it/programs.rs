// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs that treat their descriptors, memory, CPUs and threads in their own way, and notice nothing of being traced.
//!
//! # Safety
//! The unsafe blocks are system calls with live arguments.

#![allow(unsafe_code)]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::harness::{Recorder, Scratch, is_root, record, record_all, skip, small_rings, spawn_in, traced};

/// The number that a program printed as `key=value`.
fn said(stdout: &str, key: &str) -> u64 {
    let value = stdout.split_whitespace().filter_map(|word| word.split_once('=')).find(|(k, _)| *k == key);
    value.unwrap_or_else(|| panic!("no {key} in {stdout}")).1.parse().expect("a number")
}

#[test]
fn a_program_that_closes_all_descriptors_keeps_its_files_to_itself_and_is_recorded_throughout() {
    let outcome = record_all(&mut traced("close-all"));
    outcome.assert_success().assert_nothing_lost().assert_complete(0, 51_000).assert_complete(1, 50_000);
}

#[test]
fn each_event_names_the_cpu_that_recorded_it() {
    for tunables in ["", "glibc.pthread.rseq=0"] {
        let outcome = record_all(traced("hop").arg("3000").env("GLIBC_TUNABLES", tunables));
        outcome.assert_success().assert_nothing_lost();
        assert_eq!(outcome.steps.len(), 3000);
        for step in &outcome.steps {
            // The source is the CPU that the thread was pinned to.
            assert_eq!(step.cpu, step.source, "event {}, `{tunables}`", step.seq);
        }
        let cpus: BTreeSet<u32> = outcome.steps.iter().map(|step| step.cpu).collect();
        if outcome.said("cpus") < 2 {
            skip("this machine has one CPU");
        } else {
            assert_eq!(cpus.len(), 2, "{cpus:?}");
        }
    }
}

#[test]
fn a_program_that_locks_its_memory_locks_its_rings_and_no_more() {
    let outcome = record_all(traced("lock-memory").arg("5000"));
    outcome.assert_success().assert_nothing_lost().assert_complete(0, 5000).assert_complete(1, 5000);
    if outcome.said("locked") == 0 {
        skip("mlockall is not allowed here");
    } else {
        // What the program locks without us, its libraries and heap, is the most of it.
        let nowhere = Scratch::new();
        let mut untraced = traced("lock-memory");
        let output = spawn_in(&nowhere.path().join("no/such/folder"), untraced.arg("5000")).wait_with_output();
        let without = said(&String::from_utf8_lossy(&output.expect("our child").stdout), "locked_kib");
        let with = outcome.said("locked_kib");
        assert!(with < without + 4096, "{with} KiB locked while traced, {without} KiB without");
    }
}

#[test]
fn a_kernel_without_populate_write_is_served_through_the_image_s_path() {
    let outcome = record_all(traced("without-populate").args(["plain", "0", "5000"]));
    outcome.assert_success().assert_nothing_lost().assert_complete(0, 5000);
}

/// Limits the resource for `command`.
fn limited(command: &mut Command, resource: libc::__rlimit_resource_t, limit: u64) -> &mut Command {
    let set = move || {
        let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
        // SAFETY: a live local; the call is async-signal-safe.
        match unsafe { libc::setrlimit(resource, &raw const limit) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: only a system call runs between fork and exec.
    unsafe { command.pre_exec(set) }
}

#[test]
fn a_program_with_few_descriptors_is_recorded() {
    let mut command = traced("plain");
    let outcome = record_all(limited(command.args(["0", "5000"]), libc::RLIMIT_NOFILE, 8));
    outcome.assert_success().assert_nothing_lost().assert_complete(0, 5000);
}

#[test]
fn a_limit_on_file_sizes_never_kills_the_program() {
    for limit in [0, 100_000, 1 << 20, 16 << 20] {
        let mut command = traced("plain");
        let outcome = record(limited(command.args(["0", "500"]), libc::RLIMIT_FSIZE, limit));
        outcome.assert_success();
        if limit == 16 << 20 {
            outcome.assert_nothing_lost().assert_complete(0, 500);
        } else if limit == 0 {
            assert_eq!(outcome.summary.processes.len(), 0, "there is no room for an image");
        }
    }
}

#[test]
fn a_limit_on_address_space_costs_events_at_most_and_each_is_counted() {
    let mut command = traced("plain");
    let outcome = record_all(limited(command.args(["0", "5000"]), libc::RLIMIT_AS, 64 << 20));
    outcome.assert_success();
    assert_eq!(outcome.steps.len() as u64 + outcome.summary.losses.events(), 5000);
}

#[test]
fn threads_that_live_at_the_same_time_each_have_a_ring() {
    let outcome = record_all(traced("live-threads").args(["300", "10"]));
    outcome.assert_success().assert_nothing_lost();
    assert_eq!(outcome.steps.len(), 3000);
    assert_eq!(outcome.said("rings"), 300);
}

#[test]
fn recording_changes_neither_errno_nor_threads_nor_descriptors() {
    let nowhere = Scratch::new();
    let output = spawn_in(&nowhere.path().join("no/such/folder"), traced("effects").arg("1")).wait_with_output();
    let untraced = said(&String::from_utf8_lossy(&output.expect("our child").stdout), "descriptors");
    for (what, outcome) in [
        ("discarding", record(traced("effects").arg("200000"))),
        ("waiting", record_all(traced("effects").arg("50000"))),
    ] {
        outcome.assert_success();
        assert_eq!(outcome.said("errno_changed"), 0, "{what}");
        assert_eq!(outcome.said("gained"), 0, "{what}: descriptors");
        assert_eq!(outcome.said("threads"), 1, "{what}");
        assert_eq!(outcome.said("descriptors"), untraced, "{what}");
        assert_eq!(outcome.stderr(), "", "{what}");
        outcome.assert_counted();
        let expected = if what == "discarding" { 200_000 } else { 50_000 };
        assert_eq!(outcome.steps.len() as u64 + outcome.summary.losses.events(), expected, "{what}");
    }
}

#[test]
fn an_instrumented_program_that_nobody_traces_takes_64_kib_at_most_and_leaves_no_image() {
    let scratch = Scratch::new();
    std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o700)).expect("our folder");
    let output = spawn_in(scratch.path(), &mut traced("memory")).wait_with_output().expect("our child");
    assert!(output.status.success());
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = |key: &str| said(&stdout, key);
    eprintln!("image {} KiB, private {} KiB", said("image_kib"), said("private_kib"));
    assert_eq!((said("image"), said("rings")), (1, 0));
    assert!(said("image_kib") + said("private_kib") <= 64, "{stdout}");
    assert_eq!(std::fs::read_dir(scratch.path().join("apps")).expect("made by the program").count(), 0);
}

#[test]
fn a_start_up_takes_a_fraction_of_a_millisecond_with_a_recorder_and_without() {
    let recorder = Recorder::new(small_rings());
    // On tmpfs, as runtime directories are: next to the recorder's.
    let alone = recorder.dir().with_extension("alone");
    std::fs::create_dir(&alone).expect("a fresh folder");
    std::fs::set_permissions(&alone, std::fs::Permissions::from_mode(0o700)).expect("our folder");
    for (what, dir) in [("without a recorder", alone.clone()), ("with a recorder", recorder.dir())] {
        let start = |_| {
            let output = spawn_in(&dir, &mut traced("start")).wait_with_output().expect("our child");
            said(&String::from_utf8_lossy(&output.stdout), "start_up_ns")
        };
        let mut ns: Vec<u64> = (0..41).map(start).collect();
        ns.sort_unstable();
        let median_us = ns[20] / 1000;
        eprintln!("start-up {what}: median {median_us} us, worst {} us", ns[40] / 1000);
        // Promised are 200 us in a release build; this may be a debug build on a busy machine.
        assert!(0 < median_us && median_us < 1000, "{what}: {median_us} us");
    }
    std::fs::remove_dir_all(&alone).expect("our folder");
}

/// Runs a program with this runtime directory under `UST_DEBUG=1`; what it wrote to standard error.
fn complaint(dir: &std::path::Path) -> String {
    let output = spawn_in(dir, traced("plain").args(["0", "100"]).env("UST_DEBUG", "1")).wait_with_output();
    let output = output.expect("our child");
    assert!(output.status.success(), "the program goes on");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_unsafe_runtime_directory_is_refused_and_only_ust_debug_says_so() {
    let scratch = Scratch::new();
    let open = scratch.path().join("open");
    std::fs::create_dir(&open).expect("a fresh folder");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o770)).expect("our folder");
    assert!(complaint(&open).contains("open to others: its mode must be 0700"), "{}", complaint(&open));
    let link = scratch.path().join("link");
    std::os::unix::fs::symlink(&open, &link).expect("a link");
    assert!(complaint(&link).contains("there is no runtime directory"), "{}", complaint(&link));
    let missing = scratch.path().join("no/such/folder");
    assert!(complaint(&missing).contains("there is no runtime directory"), "{}", complaint(&missing));
    let quiet = spawn_in(&missing, traced("plain").args(["0", "100"])).wait_with_output().expect("our child");
    assert!(quiet.status.success() && quiet.stderr.is_empty());
    assert!(std::fs::read_dir(&open).expect("our folder").next().is_none(), "nothing was made in it");
    if is_root("a directory of another user") {
        let foreign = scratch.path().join("foreign");
        std::fs::create_dir(&foreign).expect("a fresh folder");
        std::fs::set_permissions(&foreign, std::fs::Permissions::from_mode(0o700)).expect("our folder");
        std::os::unix::fs::chown(&foreign, Some(65_534), None).expect("root may");
        assert!(complaint(&foreign).contains("belongs to another user"), "{}", complaint(&foreign));
    }
}

#[test]
fn a_setuid_program_is_not_traced() {
    if !is_root("a setuid program") {
        return;
    }
    let recorder = Recorder::new(small_rings());
    let scratch = Scratch::new();
    let copy = scratch.path().join("setuid");
    std::fs::copy(traced("").get_program(), &copy).expect("a copy");
    std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o755)).expect("our folder");
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o4755)).expect("our file");
    let mut command = Command::new(&copy);
    command.args(["plain", "0", "100"]).env("UST_DEBUG", "1").env("UST_TRACE", "*").uid(65_534);
    let dir = recorder.dir();
    let mut child = recorder.spawn(&mut command);
    assert!(child.wait().expect("our child").success());
    assert_eq!(crate::harness::image_names(&dir), [""; 0], "it is not its own recorder either");
    let outcome = recorder.finish(child.wait_with_output().expect("our child"));
    outcome.assert_success();
    assert_eq!((outcome.summary.processes.len(), outcome.stderr().as_str()), (0, ""));
}

#[test]
fn a_full_file_system_costs_events_and_never_a_signal() {
    if !is_root("mounting a small file system") {
        return;
    }
    let scratch = Scratch::new();
    let (from, at) = (c"tmpfs", std::ffi::CString::new(scratch.path().as_os_str().as_encoded_bytes()).expect("no NUL"));
    // SAFETY: NUL-terminated strings that live through the call.
    let mounted =
        unsafe { libc::mount(from.as_ptr(), at.as_ptr(), from.as_ptr(), 0, c"size=200k,mode=0700".as_ptr().cast()) };
    if mounted != 0 {
        return skip("mount is not allowed here");
    }
    // Room for the image, not for a ring of 256 KiB: the rules come from the engine, which needs little.
    let dir = ust_consumerd::RuntimeDir::open(scratch.path()).expect("a safe folder");
    let mut recorder = Recorder::in_dir(dir, small_rings());
    let mut child = recorder.spawn(traced("plain").args(["0", "500"]));
    recorder.drain_until_end(&mut child);
    // The image fills the file system: until it is removed, the engine cannot take its rules back there.
    let begin = std::time::Instant::now();
    while !recorder.images().is_empty() {
        assert!(begin.elapsed() < crate::harness::PATIENCE, "the image of an ended program stays");
        recorder.engine.run_once(std::time::Duration::from_millis(10), &[]).expect("poll works");
    }
    let outcome = recorder.finish(child.wait_with_output().expect("our child"));
    // SAFETY: as above.
    unsafe { libc::umount2(at.as_ptr(), libc::MNT_DETACH) };
    outcome.assert_success();
    assert_eq!(outcome.steps.len(), 0);
    assert_eq!(outcome.summary.losses.no_ring, 500);
}
