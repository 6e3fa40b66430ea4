// SPDX-License-Identifier: MIT OR Apache-2.0
//! A daemon with hand-made images: slots, rings that change hands, and losses over a restart.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use ust_consumerd::control::Client;
use ust_consumerd::control::protocol::{DaemonReport, Request, SessionReport};
use ust_consumerd::{ChannelConfig, Daemon, DaemonOptions, RuleConfig, RuntimeDir, SessionConfig, StartError};
use ust_shm::layout::LostCause;
use ust_shm::ring::RingWords as _;
use ust_shm::rules::RulesView;

use crate::harness::{babeltrace, read};
use crate::program::{Program, live_pid};

/// A daemon on a thread.
struct Stage {
    root: TempDir,
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Stage {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let (stop, thread) = run(&root.path().join("run"));
        Self { root, stop, thread: Some(thread) }
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join("run")
    }

    fn ask(&self, request: &Request) -> SessionReport {
        Client::connect(&self.dir()).and_then(|mut client| client.ask(request)).expect("an answer")
    }

    /// A started session with one channel of small rings and a tick that hardly ever comes.
    fn start(&self, name: &str, subbuf_bytes: u32) -> SessionReport {
        let mut config = SessionConfig::new(name, self.root.path().join(name));
        std::fs::create_dir(&config.output).expect("new");
        config.channels.push(ChannelConfig { subbuf_bytes, subbuf_count: 4, tick_ms: 1, ..ChannelConfig::new("c") });
        config.rules.push(RuleConfig::pattern("c", "test:*"));
        self.ask(&Request::Create { config: Box::new(config), ephemeral: false });
        self.ask(&Request::Start { session: Some(name.to_owned()) })
    }

    fn destroy(&self, name: &str) -> SessionReport {
        self.ask(&Request::Destroy { session: Some(name.to_owned()) })
    }

    fn end(&mut self) {
        self.stop.shutdown(std::net::Shutdown::Both).expect("a socket");
        self.thread.take().expect("runs").join().expect("it ends in good order");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.end();
        }
    }
}

fn run(dir: &Path) -> (UnixStream, JoinHandle<()>) {
    let (stop, stopped) = UnixStream::pair().expect("a socket");
    let dir = open_when_free(dir);
    let daemon = Daemon::new(dir, DaemonOptions::default()).expect("a daemon");
    (stop, std::thread::spawn(move || daemon.run(stopped.as_fd()).expect("poll works")))
}

/// Another test that starts a program holds a copy of every descriptor between fork and exec, that of a lock just given up, too.
fn open_when_free(dir: &Path) -> RuntimeDir {
    let mut free = None;
    wait_until("the directory's lock", || match RuntimeDir::open(dir) {
        Ok(opened) => free.insert(opened).path().exists(),
        Err(StartError::Busy(_)) => false,
        Err(error) => panic!("{error}"),
    });
    free.expect("opened")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} did not come");
        std::thread::yield_now();
    }
}

/// Channels in the rules (slot, uid), and the enable word of `test:one`.
fn rules(dir: &Path) -> (Vec<(u32, u64)>, u64) {
    let bytes = std::fs::read(dir.join("rules")).expect("published");
    let view = RulesView::parse(&bytes).expect("valid");
    (view.channels().map(|channel| (channel.slot, channel.uid)).collect(), view.slots_for(("test", "one", 6)).0)
}

#[test]
fn a_destroyed_sessions_slot_and_rings_go_to_the_next_of_the_same_shape_without_what_they_hold() {
    let stage = Stage::new();
    stage.start("first", 4096);
    let (channels, word) = rules(&stage.dir());
    assert_eq!((channels.len(), channels[0].0, word), (1, 0, 1));
    let mut program = Program::start(&stage.dir(), live_pid());
    wait_until("the rules", || program.word(0, 0) == 1);
    let writer = program.ring(7, "worker");
    assert!(writer.record(0, 1));
    stage.destroy("first");
    assert_eq!(program.word(0, 0), 0, "switched off");
    assert_eq!(rules(&stage.dir()), (channels.clone(), 0), "the channel stays, without a rule");
    // A thread that had seen the old word records once more.
    assert!(writer.record(0, 2));
    stage.start("second", 4096);
    assert_eq!(rules(&stage.dir()), (channels, 1), "slot and uid are those of the first");
    stage.start("other", 8192);
    assert_eq!(rules(&stage.dir()).1, 0b11, "another shape, another slot");
    assert!(writer.record(0, 3));
    let report = stage.destroy("second");
    assert_eq!((report.progress.events, report.progress.lost), (1, 0), "what was counted before is not its own");
    stage.destroy("other");
    assert_eq!(read(&stage.root.path().join("first/ust")).values("test:one"), [1]);
    assert_eq!(read(&stage.root.path().join("second/ust")).values("test:one"), [3]);
    assert_eq!(read(&stage.root.path().join("other/ust")).values("test:one"), [0; 0]);
}

#[test]
fn losses_outside_any_ring_are_told_once_over_restarts_and_not_those_from_before_the_session() {
    let mut stage = Stage::new();
    let program = Program::start(&stage.dir(), live_pid());
    let lose = |count| {
        let header = program.head.header().expect("mapped");
        header.lost[LostCause::NoRing as usize].fetch_add(count, Ordering::Relaxed);
    };
    lose(1000);
    stage.start("demo", 4096);
    wait_until("the rules", || program.word(0, 0) == 1);
    lose(3);
    let told = |count: u64| {
        wait_until("the report", || {
            let streams = read(&stage.root.path().join("demo/ust")).packets;
            let newest = streams.iter().filter_map(|packets| packets.last());
            newest.map(|packet| packet.events_discarded).sum::<u64>() == count
        });
    };
    told(3);
    // A kill: what the daemon would do at its end is not done. Its state is put back to what it was.
    let saved = std::fs::read(stage.dir().join("sessions/demo.json")).expect("kept");
    stage.end();
    std::fs::write(stage.dir().join("sessions/demo.json"), saved).expect("ours");
    lose(4);
    let (stop, thread) = run(&stage.dir());
    (stage.stop, stage.thread) = (stop, Some(thread));
    lose(5);
    let report = stage.destroy("demo");
    assert_eq!(report.progress.lost, 12);
    let trace = stage.root.path().join("demo/ust");
    let reported: u64 =
        read(&trace).packets.iter().filter_map(|p| p.last()).map(|packet| packet.events_discarded).sum();
    assert_eq!(reported, 12);
    if let Some((_, warnings)) = babeltrace(&trace) {
        assert!(warnings.contains("discarded"), "{warnings}");
    }
}

#[test]
fn a_ring_of_a_channel_that_nobody_knows_is_left_alone_with_its_image() {
    let stage = Stage::new();
    stage.start("demo", 4096);
    let mut program = Program::start(&stage.dir(), live_pid());
    wait_until("the rules", || program.word(0, 0) == 1);
    let known = program.head.load_channel(0).expect("applied").uid;
    program.head.channel(0).expect("in range").uid.store(known ^ 1, Ordering::Relaxed);
    let stray = program.ring(7, "stray");
    stray.record(0, 1);
    program.close();
    wait_until("the end of the image", || {
        let mut client = Client::connect(&stage.dir()).expect("it listens");
        let report: DaemonReport = client.ask(&Request::Status {}).expect("an answer");
        (report.processes, report.unclaimed) == (0, 1)
    });
    assert!(program.path.exists(), "it may hold what somebody wants");
    assert_eq!(stray.header().consumed.load(Ordering::Relaxed), 0);
    assert_eq!(stage.destroy("demo").progress.events, 0);
}
