// SPDX-License-Identifier: MIT OR Apache-2.0
//! The daemon as a process, and what clients may do to it.
//!
//! # Safety
//! Two calls between fork and exec.

#![allow(unsafe_code)]

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::stage::{LIMIT, Stage, send, wait_until};

#[test]
fn twenty_daemons_started_at_once_leave_one() {
    let stage = Stage::new();
    let commands: Vec<_> = (0..20)
        .map(|_| stage.command("daemon --background --json").stdout(Stdio::piped()).spawn().expect("it runs"))
        .collect();
    let mut pids: Vec<u64> = commands
        .into_iter()
        .map(|command| {
            let done = command.wait_with_output().expect("our child");
            let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("each finds a daemon");
            report["pid"].as_u64().expect("a number")
        })
        .collect();
    pids.dedup();
    assert_eq!(pids.len(), 1, "all found the same");
    let again = stage.try_ust("daemon --foreground");
    assert_eq!(again.status, Some(4));
    assert!(again.stderr.contains("is in use by another recorder"), "{}", again.stderr);
}

#[test]
fn a_daemon_ends_by_sigterm_keeps_its_sessions_and_leaves_no_socket() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    program.tell("events 3");
    send(stage.daemon_pid(), libc::SIGTERM);
    wait_until("the end", || !stage.runtime_dir().join("control").exists());
    assert_eq!(stage.values("demo"), [0, 1, 2], "the trace is complete");
    assert!(stage.ust("status").starts_with("demo (current) [inactive]"), "the next daemon knows the session");
    stage.ust("start");
    program.tell("events 2");
    stage.ust("destroy");
    assert_eq!(stage.values("demo"), [0, 1, 2, 3, 4]);
}

#[test]
fn damaged_files_of_a_daemon_before_cost_what_they_held_and_no_more() {
    let stage = Stage::new();
    stage.create("one", "");
    stage.create("two", "");
    stage.kill_daemon();
    let dir = stage.runtime_dir();
    std::fs::write(dir.join("sessions/one.json"), "{").expect("ours");
    std::fs::write(dir.join("daemon.json"), [0xff; 100]).expect("ours");
    std::fs::write(dir.join("sessions/.three.json"), "half written").expect("ours");
    let sessions = stage.json("list");
    assert_eq!((sessions.as_array().map(Vec::len), sessions[0]["config"]["name"].as_str()), (Some(1), Some("two")));
    let said = stage.try_ust("doctor").stdout;
    assert!(said.contains("sessions/one.json cannot be read: "), "{said}");
    stage.create("one", "");
}

#[test]
fn a_session_whose_next_chunk_cannot_be_begun_goes_on_when_it_can() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    program.tell("events 5");
    stage.wait_for_events(5);
    stage.kill_daemon();
    // A file is in the way of the trace's folder.
    let ust = stage.place.path().join("demo/ust");
    std::fs::rename(&ust, stage.place.path().join("kept")).expect("ours");
    std::fs::write(&ust, "").expect("ours");
    assert!(stage.ust("status").contains("warning "), "it says so");
    program.tell("events 5");
    std::fs::remove_file(&ust).expect("ours");
    wait_until("the trace", || stage.json("status")["progress"]["packets"].as_u64() > Some(0));
    stage.ust("destroy");
    let values = stage.values("demo");
    assert_eq!(values.last(), Some(&9));
    assert!(values.len() >= 5, "the events waited in the ring");
}

#[test]
fn an_idle_daemon_ends_if_it_shall() {
    let stage = Stage::new();
    let mut daemon = stage.command("daemon --idle-exit 10ms").spawn().expect("it runs");
    wait_until("the end", || daemon.try_wait().expect("our child").is_some());
    assert!(daemon.wait().expect("our child").success());
}

#[test]
fn a_service_manager_hands_over_the_socket_and_hears_that_the_daemon_is_ready() {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::net::{UnixDatagram, UnixListener};
    let stage = Stage::new();
    std::fs::DirBuilder::new().create(stage.runtime_dir()).expect("new");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(stage.runtime_dir(), std::fs::Permissions::from_mode(0o700)).expect("ours");
    let control = stage.runtime_dir().join("control");
    let listener = UnixListener::bind(&control).expect("a socket");
    let notified = stage.place.path().join("notify");
    let manager = UnixDatagram::bind(&notified).expect("a socket");
    manager.set_read_timeout(Some(LIMIT)).expect("a socket");
    let mut command = std::process::Command::new("sh");
    stage.prepare(&mut command);
    command.args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" daemon", env!("CARGO_BIN_EXE_ust")]);
    let passed = listener.as_raw_fd();
    // SAFETY: between fork and exec, two system calls that are async-signal-safe.
    unsafe {
        command.env("NOTIFY_SOCKET", &notified).pre_exec(move || {
            libc::dup2(passed, 3);
            // Where it is number 3 already, it is not to be closed by exec either.
            libc::fcntl(3, libc::F_SETFD, 0);
            Ok(())
        });
    }
    let mut daemon = command.spawn().expect("it runs");
    let mut said = [0; 64];
    let n = manager.recv(&mut said).expect("it tells");
    assert!(said[..n].starts_with(b"READY=1"));
    assert_eq!(stage.daemon_pid(), daemon.id() as i32);
    stage.ust("daemon --stop");
    assert!(daemon.wait().expect("our child").success());
    assert!(control.exists(), "the socket is the manager's");
    let n = manager.recv(&mut said).expect("it tells");
    assert!(said[..n].starts_with(b"STOPPING=1"));
}

/// `nobody`.
const FOREIGN_USER: u32 = 65_534;

/// Whether we may become other users; if not, that is said.
fn is_root() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0);
    if !root {
        assert!(std::env::var_os("UST_REQUIRE_TOOLS").is_none(), "UST_REQUIRE_TOOLS is set, but we are not root");
        println!("SKIPPED: a client of another user needs root");
    }
    root
}

#[test]
fn the_socket_answers_its_owner_and_root_and_nobody_else() {
    if !is_root() {
        return;
    }
    let stage = Stage::new();
    stage.create("secret", "");
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    };
    // Where another user can execute it, and as far open as nobody would have it.
    let copy = stage.place.path().join("ust");
    std::fs::copy(env!("CARGO_BIN_EXE_ust"), &copy).expect("a copy");
    set_mode(stage.place.path(), 0o755);
    set_mode(&copy, 0o755);
    set_mode(&stage.runtime_dir(), 0o755);
    set_mode(&stage.runtime_dir().join("control"), 0o666);
    let as_foreign = |line: &str, dir: &Path| {
        let mut command = std::process::Command::new(&copy);
        stage.prepare(&mut command);
        command.args(line.split_whitespace()).env("UST_RUNTIME_DIR", dir).current_dir("/").uid(FOREIGN_USER);
        crate::harness::run(command.output())
    };
    let refused = as_foreign("list", &stage.runtime_dir());
    assert_eq!((refused.status, refused.stdout.as_str()), (Some(1), ""), "{}", refused.stderr);
    let expected = format!("error: the daemon at `{}/control` did not answer: ", stage.runtime_dir().display());
    assert!(refused.stderr.starts_with(&expected), "reached, and closed without a word: {}", refused.stderr);
    assert!(stage.ust("list").contains("secret"), "its owner");
    set_mode(&stage.runtime_dir(), 0o700);

    let theirs = stage.place.path().join("theirs");
    std::fs::create_dir(&theirs).expect("new");
    set_mode(&theirs, 0o700);
    std::os::unix::fs::chown(&theirs, Some(FOREIGN_USER), Some(FOREIGN_USER)).expect("root may");
    let started = as_foreign("daemon --background", &theirs);
    assert_eq!(started.status, Some(0), "{}", started.stderr);
    let as_root = |line: &str| crate::harness::run(stage.command(line).env("UST_RUNTIME_DIR", &theirs).output());
    let asked = as_root("list --json");
    assert_eq!((asked.status, asked.stdout.trim()), (Some(0), "[]"), "{}", asked.stderr);
    assert_eq!(as_root("daemon --stop").status, Some(0));
}

fn connect(stage: &Stage) -> UnixStream {
    let stream = UnixStream::connect(stage.runtime_dir().join("control")).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a socket");
    stream
}

fn ask(stream: &mut UnixStream, request: &[u8]) -> serde_json::Value {
    stream.write_all(&(request.len() as u32).to_le_bytes()).expect("it reads");
    stream.write_all(request).expect("it reads");
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("it answers");
    let mut answer = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut answer).expect("it answers");
    serde_json::from_slice(&answer).expect("JSON")
}

#[test]
fn requests_that_are_not_understood_are_answered_and_the_connection_goes_on() {
    let stage = Stage::new();
    stage.daemon_pid();
    let mut stream = connect(&stage);
    let cases: [(&[u8], &str, &str); 6] = [
        (b"no json", "request", "is no JSON"),
        (b"[]", "request", "has no envelope"),
        (br#"{"version":2,"id":9,"command":"status"}"#, "version", "has protocol version 2, the daemon speaks 1"),
        (br#"{"version":1,"id":9,"command":"dance"}"#, "request", "unknown variant `dance`"),
        (br#"{"version":1,"id":9,"command":"status","more":1}"#, "request", "unknown field `more`"),
        (br#"{"version":1,"id":9,"command":"stop","session":"x"}"#, "no-session", "there is no session `x`"),
    ];
    for (request, kind, message) in cases {
        let answer = ask(&mut stream, request);
        assert_eq!(answer["error"]["kind"], kind, "{answer}");
        assert!(answer["error"]["message"].as_str().expect("text").contains(message), "{answer}");
    }
    let answer = ask(&mut stream, br#"{"version":1,"id":9,"command":"status"}"#);
    assert_eq!((&answer["id"], answer["ok"]["sessions"].as_u64()), (&9.into(), Some(0)));
    stream.write_all(&u32::MAX.to_le_bytes()).expect("it reads");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("it answers and closes");
    assert!(String::from_utf8_lossy(&rest).contains(r#""kind":"frame""#));
}

#[test]
fn clients_that_say_nothing_half_or_too_much_harm_nobody() {
    let stage = Stage::new();
    let mut program = stage.serve();
    stage.create("demo", "");
    stage.ust("enable-event traced:*");
    stage.ust("start");
    let silent: Vec<_> = (0..30).map(|_| connect(&stage)).collect();
    let mut halves: Vec<_> = (0..20).map(|_| connect(&stage)).collect();
    halves.iter_mut().for_each(|half| half.write_all(b"\x10\x00\x00\x00{\"ver").expect("it reads"));
    // Asks without ever reading: its answers must not grow in the daemon.
    let mut deaf = connect(&stage);
    deaf.set_nonblocking(true).expect("a socket");
    let request = br#"{"version":1,"command":"apps","fields":true}"#;
    let mut frame = (request.len() as u32).to_le_bytes().to_vec();
    frame.extend(request);
    while deaf.write(&frame).is_ok_and(|n| n == frame.len()) {}
    let began = Instant::now();
    program.tell("events 100");
    stage.wait_for_events(100);
    stage.ust("stop");
    assert!(began.elapsed() < Duration::from_secs(10), "others have their turn: {:?}", began.elapsed());
    let status = std::fs::read_to_string(format!("/proc/{}/status", stage.daemon_pid())).expect("it lives");
    let rss_kb: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
        .expect("there");
    assert!(rss_kb < 64 << 10, "{rss_kb} kB");
    for half in &mut halves {
        let mut rest = Vec::new();
        half.read_to_end(&mut rest).expect("it is closed after some seconds");
        assert!(rest.is_empty());
    }
    drop(silent);
    let crowd: Vec<_> = (0..200).map(|_| connect(&stage)).collect();
    // They stay, and have all the places there are; the next one gets one of them.
    stage.ust("status");
    drop(crowd);
}

#[test]
fn the_completions_and_manual_pages_know_every_command() {
    let stage = Stage::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(stage.ust(&format!("completions {shell}")).contains("enable-rotation"), "{shell}");
    }
    stage.ust("man pages");
    let pages = crate::stage::names(&stage.place.path().join("pages"));
    assert!(pages.contains(&"ust.1".to_owned()) && pages.contains(&"ust-enable-event.1".to_owned()), "{pages:?}");
    assert!(!stage.runtime_dir().exists(), "no daemon is needed for that");
}
