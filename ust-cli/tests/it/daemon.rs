// SPDX-License-Identifier: MIT OR Apache-2.0
//! The daemon as a process, and what clients may do to it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
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
fn an_idle_daemon_ends_if_it_shall() {
    let stage = Stage::new();
    let mut daemon = stage.command("daemon --idle-exit 10ms").spawn().expect("it runs");
    wait_until("the end", || daemon.try_wait().expect("our child").is_some());
    assert!(daemon.wait().expect("our child").success());
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
    drop(crowd);
    stage.ust("status");
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
