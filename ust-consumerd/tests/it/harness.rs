// SPDX-License-Identifier: MIT OR Apache-2.0
//! An engine in directories of its own, and what came out of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use ust_consumerd::{Engine, EngineOptions, RuntimeDir, Summary};
use ust_ctf::packet::{PACKET_HEADER_BYTES, PacketHeader};
use ust_ctf::reader::{Packet, Stream, Trace};

/// A tick that never comes by itself.
pub const NEVER: Duration = Duration::from_secs(1 << 20);

/// An engine under test.
pub struct Bench {
    pub root: TempDir,
    pub engine: Engine,
}

impl Bench {
    /// An engine with small rings (4 x 4 KiB), whose every pass is a tick.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with changed options.
    pub fn with(change: impl FnOnce(&mut EngineOptions)) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let dir = RuntimeDir::create_private_in(root.path()).expect("a private directory");
        let mut options = EngineOptions::new(root.path().join("trace"));
        options.channel.subbuf_bytes = 4096;
        options.channel.subbuf_count = 4;
        options.tick = Duration::ZERO;
        change(&mut options);
        let engine = Engine::new(dir, options).expect("an engine");
        Self { root, engine }
    }

    pub fn dir(&self) -> PathBuf {
        self.engine.runtime_dir().path().to_owned()
    }

    /// One pass that does not wait.
    pub fn pass(&mut self) {
        self.engine.run_once(Duration::ZERO, &[]).expect("poll works");
    }

    /// Ends the recording and reads the trace back.
    pub fn stop(self) -> Outcome {
        let summary = self.engine.stop();
        let text = babeltrace(&summary.output);
        Outcome { recorded: read(&summary.output), summary, text, _root: self.root }
    }
}

/// What an engine left behind.
pub struct Outcome {
    pub summary: Summary,
    pub recorded: Recorded,
    /// What babeltrace2 printed: events, then warnings. `None` without it.
    pub text: Option<(String, String)>,
    _root: TempDir,
}

/// A trace as our reader sees it.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Event name, field `value`, vtid, in the order of time.
    pub events: Vec<(String, u32, i32)>,
    /// Headers by stream file, in the order of their names.
    pub packets: Vec<Vec<PacketHeader>>,
}

impl Recorded {
    /// The values of all events of `name`.
    pub fn values(&self, name: &str) -> Vec<u32> {
        self.events.iter().filter(|(n, ..)| n == name).map(|&(_, value, _)| value).collect()
    }
}

/// Reads a trace, which must be free of damage.
pub fn read(path: &Path) -> Recorded {
    let trace = Trace::open(path).expect("a readable trace");
    let mut recorded = Recorded::default();
    let mut events = trace.events();
    while let Some(event) = events.next() {
        let integer = |name| event.field(name).and_then(|value| value.integer()).unwrap_or_else(|| panic!("no {name}"));
        let value = event.payload().next().and_then(|field| field.value.integer()).expect("a number");
        recorded.events.push((event.class.name.clone(), value as u32, integer("vtid") as i32));
    }
    let warnings: Vec<_> = trace.warnings().iter().chain(events.warnings()).map(ToString::to_string).collect();
    assert!(warnings.is_empty(), "{warnings:?}");
    for folder in trace.folders() {
        let mut streams: Vec<_> = folder.streams().iter().collect();
        streams.sort_by_key(|stream| stream.path().to_owned());
        recorded.packets.extend(streams.iter().map(|s| packet_headers(s)));
    }
    recorded
}

/// The headers of the packets of a stream, as they were written.
fn packet_headers(stream: &Stream) -> Vec<PacketHeader> {
    let header = |packet: &Packet| {
        let bytes = std::fs::read(stream.packet_file(packet)).expect("a readable file");
        let bytes = bytes[packet.offset as usize..].first_chunk::<PACKET_HEADER_BYTES>().expect("a whole header");
        PacketHeader::decode(bytes).expect("a header").0
    };
    stream.packets().iter().map(header).collect()
}

/// Standard output and standard error of babeltrace2 on the trace; `None` (said) where it is not installed.
pub fn babeltrace(path: &Path) -> Option<(String, String)> {
    let Ok(output) = Command::new("babeltrace2").arg("--clock-gmt").arg(path).output() else {
        skip("babeltrace2 is not installed");
        return None;
    };
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let (events, warnings) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "babeltrace2 refuses the trace: {warnings}");
    Some((events, warnings))
}

/// Says that a test was skipped; fails where that is not allowed.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("UST_REQUIRE_TOOLS").is_none(), "UST_REQUIRE_TOOLS is set, but {reason}");
    println!("SKIPPED: {reason}");
}
