// SPDX-License-Identifier: MIT OR Apache-2.0
//! The runtime directory: whom it lets in, and what lies there.
//!
//! # Safety
//! One system call on a word that the caller borrows.

#![allow(unsafe_code)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU32;

use ust_consumerd::{Engine, EngineOptions, RuntimeDir, StartError};
use ust_shm::rules::RulesView;

use crate::harness::Bench;

/// Sleeps until `word` is no longer `value`.
pub fn futex_wait(word: &AtomicU32, value: u32) {
    // SAFETY: the kernel reads the word, which outlives the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, value, std::ptr::null::<u8>()) };
}

#[test]
fn a_directory_that_others_can_enter_is_refused() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("open");
    fs::create_dir(&path).expect("a new directory");
    fs::set_permissions(&path, Permissions::from_mode(0o750)).expect("ours");
    let error = RuntimeDir::open(&path).expect_err("unsafe");
    assert!(
        matches!(&error, StartError::Unsafe { reason, .. } if reason == "its mode is 0750, allowed is 0700"),
        "{error}"
    );
    let link = place.path().join("link");
    std::os::unix::fs::symlink(place.path(), &link).expect("a link");
    assert!(RuntimeDir::open(&link).is_err(), "a link could be changed");
}

#[test]
fn a_directory_has_one_recorder_at_a_time_and_outlives_it() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("shared");
    let first = RuntimeDir::open(&path).expect("new");
    assert!(matches!(RuntimeDir::open(&path), Err(StartError::Busy(_))));
    drop(first);
    assert!(RuntimeDir::open(&path).is_ok());
    assert!(path.exists());
}

#[test]
fn a_path_that_no_socket_can_have_is_refused_with_the_limit() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let long = place.path().join("x".repeat(120));
    let error = RuntimeDir::open(&long).expect_err("too long");
    assert!(error.to_string().ends_with("the longest that programs can reach has 100"), "{error}");
}

#[test]
fn the_rules_are_locked_while_the_engine_lives_and_want_nothing_afterwards() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("shared");
    let generation = || {
        let bytes = fs::read(path.join("rules")).expect("published");
        let view = RulesView::parse(&bytes).expect("valid");
        (view.generation(), view.slots_for(("test", "one", 6)).0)
    };
    for run in 0..2 {
        let dir = RuntimeDir::open(&path).expect("free");
        let engine = Engine::new(dir, EngineOptions::new(place.path().join(format!("trace{run}")))).expect("an engine");
        // Each recorder publishes empty rules, its own, and empty ones in the end.
        assert_eq!(generation(), (3 * run + 2, 1), "generations grow from recorder to recorder");
        assert!(is_locked(&path.join("rules")));
        let _ = engine.stop();
        assert_eq!(generation(), (3 * run + 3, 0));
        assert!(!is_locked(&path.join("rules")));
    }
}

/// Whether anybody holds a lock on the file, as a traced program asks.
fn is_locked(path: &std::path::Path) -> bool {
    use std::os::fd::AsRawFd as _;
    let file = fs::File::open(path).expect("there");
    let mut lock = libc::flock { l_type: libc::F_WRLCK as i16, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
    // SAFETY: `lock` is an exclusive local that outlives the call.
    assert_eq!(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) }, 0);
    lock.l_type != libc::F_UNLCK as i16
}

#[test]
fn a_private_directory_is_removed_with_everything_in_it() {
    let bench = Bench::new();
    let dir = bench.dir();
    assert_eq!(fs::metadata(&dir).expect("there").permissions().mode() & 0o777, 0o700);
    fs::write(dir.join("apps/.1-1"), "left by a killed program").expect("ours");
    let _ = bench.engine.stop();
    assert!(!dir.exists());
}

#[test]
fn the_engines_descriptors_are_not_inherited_by_programs_that_are_started() {
    let mut bench = Bench::new();
    let program = crate::program::Program::start(&bench.dir(), crate::program::live_pid());
    bench.pass();
    let root = bench.root.path().to_string_lossy().into_owned();
    let list = |directory: &str| {
        let output = Command::new("ls").args(["-l", directory]).stdout(Stdio::piped()).output().expect("ls runs");
        String::from_utf8(output.stdout).expect("text")
    };
    let is_engines = |line: &&str| line.contains(&root) || line.contains("inotify") || line.contains("pidfd");
    let ours = list(&format!("/proc/{}/fd", std::process::id()));
    assert!(ours.lines().filter(is_engines).count() >= 4, "{ours}");
    let inherited = list("/proc/self/fd");
    assert_eq!(inherited.lines().filter(is_engines).count(), 0, "{inherited}");
    drop(program);
}
