// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a traced program under the engine and reads back what was recorded.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ust_consumerd::{ChannelOptions, Engine, EngineOptions, LossMode, RecoverOptions, RuntimeDir, Summary};
use ust_ctf::reader::{Event, Loss, Trace, Value};

/// No test lets a program run longer: a hang is a failure with a reason.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// The program of `src/bin/traced`, with a scenario to play.
pub fn traced(scenario: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traced"));
    command.arg(scenario);
    command
}

/// A folder that is removed at the end.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ust-e2e-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a fresh folder");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A recording in progress, in a private runtime directory.
pub struct Recorder {
    pub engine: Engine,
    scratch: Scratch,
}

/// Discard mode with small rings.
pub fn small_rings() -> ChannelOptions {
    ChannelOptions { subbuf_bytes: 64 << 10, subbuf_count: 4, ..ChannelOptions::default() }
}

impl Recorder {
    pub fn new(channel: ChannelOptions) -> Self {
        Self::in_dir(RuntimeDir::create_private().expect("a runtime directory"), channel)
    }

    pub fn in_dir(dir: RuntimeDir, channel: ChannelOptions) -> Self {
        Self::with_filter(dir, channel, None)
    }

    pub fn with_filter(dir: RuntimeDir, channel: ChannelOptions, filter: Option<&str>) -> Self {
        let scratch = Scratch::new();
        let mut options = EngineOptions::new(scratch.path().join("trace"));
        options.channel = channel;
        options.filter = filter.map(str::to_owned);
        options.tick = Duration::from_millis(20);
        Self { engine: Engine::new(dir, options).expect("the engine starts"), scratch }
    }

    /// The runtime directory.
    pub fn dir(&self) -> PathBuf {
        self.engine.runtime_dir().path().to_owned()
    }

    /// Names of the images that are there, finished or not.
    pub fn images(&self) -> Vec<String> {
        image_names(&self.dir())
    }

    /// Starts `command` in this recording, its output going to pipes.
    pub fn spawn(&self, command: &mut Command) -> Child {
        spawn_in(&self.dir(), command)
    }

    /// Drains until `child` has ended.
    pub fn drain_until_end(&mut self, child: &mut Child) {
        let begin = Instant::now();
        while child.try_wait().expect("our child").is_none() {
            self.engine.run_once(Duration::from_millis(10), &[]).expect("poll works");
            if begin.elapsed() > PATIENCE {
                let _ = child.kill();
                panic!("the traced program hangs");
            }
        }
    }

    /// Runs `command` to its end and records it.
    pub fn run(mut self, command: &mut Command) -> Outcome {
        let mut child = self.spawn(command);
        self.drain_until_end(&mut child);
        let output = child.wait_with_output().expect("our child");
        self.finish(output)
    }

    /// Ends the recording and reads the trace.
    pub fn finish(self, output: Output) -> Outcome {
        let Self { engine, scratch } = self;
        let summary = engine.stop();
        Outcome::new(output, summary, scratch)
    }
}

/// Starts `command` with its tracing in `dir`.
pub fn spawn_in(dir: &Path, command: &mut Command) -> Child {
    command
        .env("UST_RUNTIME_DIR", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

pub fn image_names(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.join("apps")) else { return Vec::new() };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Records `command` with small rings in discard mode.
pub fn record(command: &mut Command) -> Outcome {
    Recorder::new(small_rings()).run(command)
}

/// Records `command` in block mode, which loses nothing.
pub fn record_all(command: &mut Command) -> Outcome {
    let channel = ChannelOptions { mode: LossMode::Block, ..small_rings() };
    Recorder::new(channel).run(command.env("UST_ALLOW_BLOCKING", "1"))
}

/// Records `command` in block mode with a filter.
pub fn record_filtered(command: &mut Command, filter: &str) -> Outcome {
    let channel = ChannelOptions { mode: LossMode::Block, ..small_rings() };
    let dir = RuntimeDir::create_private().expect("a runtime directory");
    Recorder::with_filter(dir, channel, Some(filter)).run(command.env("UST_ALLOW_BLOCKING", "1"))
}

/// Records a program with events of its own, which the caller reads; the folder goes with the second value.
pub fn record_raw(command: &mut Command) -> (Summary, Scratch) {
    let mut recorder = Recorder::new(ChannelOptions { mode: LossMode::Block, ..small_rings() });
    let mut child = recorder.spawn(command.env("UST_ALLOW_BLOCKING", "1"));
    recorder.drain_until_end(&mut child);
    let output = child.wait_with_output().expect("our child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let Recorder { engine, scratch } = recorder;
    (engine.stop(), scratch)
}

/// Records a program with events of its own, small rings, in block mode, with changed options.
pub fn record_with(command: &mut Command, change: impl FnOnce(&mut EngineOptions)) -> (Summary, Output, Scratch) {
    let scratch = Scratch::new();
    let mut options = EngineOptions::new(scratch.path().join("trace"));
    options.channel = ChannelOptions { mode: LossMode::Block, ..small_rings() };
    options.tick = Duration::from_millis(20);
    change(&mut options);
    let dir = RuntimeDir::create_private().expect("a runtime directory");
    let mut recorder = Recorder { engine: Engine::new(dir, options).expect("the engine starts"), scratch };
    let mut child = recorder.spawn(command.env("UST_ALLOW_BLOCKING", "1"));
    recorder.drain_until_end(&mut child);
    let output = child.wait_with_output().expect("our child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let Recorder { engine, scratch } = recorder;
    let summary = engine.stop();
    assert_eq!(summary.warnings, Vec::<String>::new());
    (summary, output, scratch)
}

/// Lets `command` be its own flight recorder of every event, and reads what it and its children have left.
pub fn record_itself(command: &mut Command) -> Outcome {
    let (scratch, dir) = own_dir();
    let output = spawn_in(&dir, command.env("UST_TRACE", "*")).wait_with_output().expect("our child");
    recovered(output, &dir, scratch)
}

/// Records `command` in block mode while it is its own flight recorder, too, with room for all it emits: each event goes to two channels.
pub fn record_twice(command: &mut Command) -> [Outcome; 2] {
    let (scratch, dir) = own_dir();
    let channel = ChannelOptions { mode: LossMode::Block, ..small_rings() };
    let recorder = Recorder::in_dir(RuntimeDir::open(&dir).expect("a safe folder"), channel);
    let first = recorder.run(command.env("UST_ALLOW_BLOCKING", "1").env("UST_TRACE", "*;size=64K;count=64"));
    let second = recovered(first.output.clone(), &dir, scratch);
    [first, second]
}

fn own_dir() -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let dir = scratch.path().join("run");
    std::fs::create_dir(&dir).expect("a fresh folder");
    std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("our folder");
    (scratch, dir)
}

fn recovered(output: Output, dir: &Path, scratch: Scratch) -> Outcome {
    let found = ust_consumerd::recover(dir, &scratch.path().join("trace"), RecoverOptions::default());
    Outcome::new(output, found.expect("something is left").summary, scratch)
}

/// One event of the traced programs, as the trace has it.
#[derive(Clone, Debug)]
pub struct Step {
    pub source: u32,
    pub seq: u64,
    pub vpid: i32,
    pub vtid: i32,
    pub cpu: u32,
}

/// A finished recording.
pub struct Outcome {
    pub output: Output,
    pub summary: Summary,
    pub steps: Vec<Step>,
    /// Events that the trace's own packets say were discarded.
    pub losses: Vec<Loss>,
    scratch: Scratch,
}

impl Outcome {
    fn new(output: Output, summary: Summary, scratch: Scratch) -> Self {
        assert_eq!(summary.warnings, Vec::<String>::new(), "the engine has nothing to complain about");
        let mut steps = Vec::new();
        let mut losses = Vec::new();
        if summary.packets > 0 {
            let trace = Trace::open(&summary.output).expect("the trace is readable");
            let mut events = trace.events();
            let mut last_ns = i64::MIN;
            while let Some(event) = events.next() {
                assert!(last_ns <= event.time_ns, "events come in the order of time");
                last_ns = event.time_ns;
                let (source, seq) = checked(&event);
                let of_packet = |name| event.packet_context().get(name).and_then(|value| value.integer()).expect(name);
                let (vpid, vtid, cpu) =
                    (of_packet("vpid") as i32, of_packet("vtid") as i32, of_packet("cpu_id") as u32);
                steps.push(Step { source, seq, vpid, vtid, cpu });
            }
            let warnings = trace.warnings().iter().chain(events.warnings());
            let warnings: Vec<_> = warnings.map(ToString::to_string).take(5).collect();
            assert_eq!(warnings, Vec::<String>::new(), "the trace is undamaged");
            losses = trace.losses().to_vec();
        }
        Self { output, summary, steps, losses, scratch }
    }

    /// The folder that holds the trace and goes with it.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Fails unless the program ended well.
    #[track_caller]
    pub fn assert_success(&self) -> &Self {
        let status = self.output.status;
        assert!(
            status.success(),
            "the program ended with {status} (signal {:?}): {}{}",
            status.signal(),
            self.stdout(),
            self.stderr()
        );
        self
    }

    /// The value that the program printed as `key=value`.
    #[track_caller]
    pub fn said(&self, key: &str) -> u64 {
        let stdout = self.stdout();
        let value = stdout.split_whitespace().filter_map(|word| word.split_once('=')).find(|(k, _)| *k == key);
        let value = value.unwrap_or_else(|| panic!("the program did not print {key}: {stdout}")).1;
        value.parse().expect("a number")
    }

    /// Numbers of the events of each source of each process, in the order of the trace.
    pub fn by_source(&self) -> BTreeMap<(i32, u32), Vec<u64>> {
        let mut sources = BTreeMap::<_, Vec<u64>>::new();
        for step in &self.steps {
            sources.entry((step.vpid, step.source)).or_default().push(step.seq);
        }
        sources
    }

    /// Numbers of the events of `source`, of whichever process.
    pub fn of(&self, source: u32) -> Vec<u64> {
        self.steps.iter().filter(|step| step.source == source).map(|step| step.seq).collect()
    }

    /// Fails unless `source` has exactly the events `0..count`, in order.
    #[track_caller]
    pub fn assert_complete(&self, source: u32, count: u64) -> &Self {
        assert_counts_up(&self.of(source), count);
        self
    }

    /// Fails if an event was lost, or the summary's count differs from the trace.
    #[track_caller]
    pub fn assert_nothing_lost(&self) -> &Self {
        assert!(self.summary.losses.is_empty(), "{:?}", self.summary.losses);
        assert!(self.losses.is_empty(), "{:?}", self.losses);
        self.assert_counted()
    }

    /// Fails unless the programs' own counters agree with the trace.
    #[track_caller]
    pub fn assert_counted(&self) -> &Self {
        assert_eq!(self.summary.event_count(), self.steps.len() as u64, "the counters agree with the trace");
        self
    }
}

/// Fails unless `seqs` are `0..count`.
#[track_caller]
pub fn assert_counts_up(seqs: &[u64], count: u64) {
    let first_wrong = seqs.iter().zip(0..).position(|(&seq, expected)| seq != expected);
    assert!(
        first_wrong.is_none() && seqs.len() as u64 == count,
        "{} events for {count}, the first wrong one at {first_wrong:?}",
        seqs.len()
    );
}

/// Source and number of an event whose payload is whole.
fn checked(event: &Event<'_>) -> (u32, u64) {
    let integer = |name: &str| {
        let field = event.payload().find(|field| field.name.trim_start_matches('_') == name);
        field.and_then(|field| field.value.integer()).unwrap_or_else(|| panic!("no number {name}")) as u64
    };
    let (source, seq, hash) = (integer("source") as u32, integer("seq"), integer("hash"));
    let payload = event.payload().find_map(|field| match field.value {
        Value::Array(elements) => Some(elements.map(byte).collect::<Vec<u8>>()),
        _ => None,
    });
    let payload = payload.expect("a payload");
    let expected = ust_tests::Payload::new(source, seq);
    assert_eq!((payload.as_slice(), hash), (expected.bytes(), expected.hash()), "event {seq} of {source} is torn");
    (source, seq)
}

fn byte(value: Value<'_>) -> u8 {
    value.integer().expect("a byte") as u8
}

/// Says why a test cannot do its work here. It passes then, unless `UST_REQUIRE_TOOLS` is set.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("UST_REQUIRE_TOOLS").is_none(), "{reason}, and UST_REQUIRE_TOOLS is set");
    eprintln!("SKIPPED: {reason}");
}

/// Whether `tool` can be run; says so if not.
pub fn is_installed(tool: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(OsStr::new(tool)).is_file()));
    if !found {
        skip(&format!("{tool} is not installed"));
    }
    found
}

/// Whether this is root, which some tests need; says so if not.
pub fn is_root(purpose: &str) -> bool {
    let uid = std::fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m));
    let root = uid.is_ok_and(|uid| uid == 0);
    if !root {
        skip(&format!("{purpose} needs root"));
    }
    root
}
