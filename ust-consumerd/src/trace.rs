// SPDX-License-Identifier: MIT OR Apache-2.0
//! The trace on disk: its metadata and its stream files.
//!
//! The metadata is replaced as a whole, by rename, before the first packet that needs it. A reader finds whole packets at
//! any time (`stream_file`). A packet that could not be written has used up its sequence number, which is how the reader
//! learns of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ust_ctf::metadata;
use ust_ctf::model::{EnvValue, TraceClass};
use ust_ctf::packet::PacketHeader;
use ust_shm::context::{Context, ContextList};
use ust_shm::region::Region;

use crate::classes::{Classes, Table};
use crate::clock::TraceClock;
use crate::error::StartError;
use crate::limits::DISCARDED_MAX;
use crate::resume::Found;
use crate::state::SavedTrace;
use crate::stream_file::{FileLimits, StreamFile};
use crate::sys;

/// Who recorded a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub vpid: i32,
    pub vtid: i32,
    pub procname: [u8; 16],
}

/// What a packet says besides its content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub origin: Origin,
    pub timestamp_begin: u64,
    pub timestamp_end: u64,
    pub cpu: u32,
    /// Events discarded since the packet before it in whatever stream told of the same counter.
    pub discarded_more: u64,
}

/// The events of a packet.
pub(crate) enum Content<'a> {
    /// None: the packet only says how many were discarded.
    Empty,
    /// Mapped memory of an image file, which has so many bytes unless it is cut.
    Image { region: Region, file: &'a File, file_bytes: u64 },
    /// A private copy.
    Memory(&'a [u8]),
}

impl Content<'_> {
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Image { region, .. } => region.len(),
            Self::Memory(copy) => copy.len() as u64,
        }
    }
}

/// Why a packet is not in the trace.
#[derive(Debug)]
pub(crate) enum PacketError {
    /// The trace could not be written. The packet is lost, the next one may succeed.
    Output(io::Error),
    /// The image does not hold what it should: it was cut.
    Image,
}

/// Member of the environment that says when the trace was begun.
const CREATED: &str = "trace_creation_datetime";

/// Stream classes that a recorder before us has described: text that stays as it is, since their programs may be gone.
#[derive(Debug, Default)]
struct Frozen {
    text: String,
    class_count: usize,
}

impl Frozen {
    /// The classes in metadata that [`metadata::render`] made.
    fn of(text: &str) -> Self {
        const CLASS: &str = "\nstream {\n";
        let at = text.find(CLASS).map_or(text.len(), |at| at + 1);
        Self { text: text[at..].to_owned(), class_count: text.matches(CLASS).count() }
    }
}

/// The trace's identity in metadata that [`metadata::render`] made.
fn metadata_uuid(text: &str) -> Option<[u8; 16]> {
    let (_, rest) = text.split_once("\tuuid = \"")?;
    let (shown, _) = rest.split_once('"')?;
    let digits: Vec<u8> = shown.chars().filter(|c| *c != '-').map_while(|c| c.to_digit(16)).map(|d| d as u8).collect();
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.try_into().ok()
}

/// No channel's slot.
const NO_SLOT: u32 = u32::MAX;

/// The files of a channel's streams.
#[derive(Clone, Debug)]
pub(crate) struct ChannelFiles {
    /// Part of their names.
    pub name: String,
    pub limits: FileLimits,
}

impl Default for ChannelFiles {
    fn default() -> Self {
        Self { name: "ring".to_owned(), limits: FileLimits::default() }
    }
}

/// Names a stream of a [`Trace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamId(usize);

#[derive(Debug)]
struct Stream {
    /// Slot of the channel.
    slot: u32,
    class_idx: usize,
    file: StreamFile,
    packet_seq: u64,
    timestamp: u64,
    discarded: u64,
    used_at: u64,
}

/// One trace being written.
#[derive(Debug)]
pub(crate) struct Trace {
    dir: PathBuf,
    uuid: [u8; 16],
    env: Vec<(String, EnvValue)>,
    pub clock: TraceClock,
    classes: Classes,
    frozen: Frozen,
    /// Number of the first stream; those below are of a recorder before us.
    first_stream: u64,
    metadata_stale: bool,
    streams: Vec<Stream>,
    /// Streams that nobody writes to: by channel, class, end of the last packet, index.
    idle: BTreeSet<(u32, usize, u64, usize)>,
    channels: BTreeMap<u32, ChannelFiles>,
    open_max: u64,
    use_count: u64,
    /// Packets on disk.
    pub packets: u64,
    /// Bytes on disk, in stream files.
    pub bytes: u64,
}

impl Trace {
    /// Begins a trace in `dir`, an existing, empty directory. At most `open_max` stream files are open at once.
    pub(crate) fn new(dir: &Path, name: &str, open_max: u64) -> Result<Self, StartError> {
        let mut trace = Self::new_in(dir, name, open_max)?;
        // Shows at once whether the directory can be written to.
        trace.write_metadata().map_err(StartError::io("write metadata in", dir))?;
        Ok(trace)
    }

    fn new_in(dir: &Path, name: &str, open_max: u64) -> Result<Self, StartError> {
        let mut uuid = [0; 16];
        sys::random(&mut uuid).map_err(StartError::io("get random numbers for", dir))?;
        uuid[6] = uuid[6] & 0x0f | 0x40; // a random UUID (version 4)
        uuid[8] = uuid[8] & 0x3f | 0x80;
        let clock = TraceClock::new();
        Ok(Self {
            dir: dir.to_owned(),
            uuid,
            env: environment(name),
            clock,
            classes: Classes::default(),
            frozen: Frozen::default(),
            first_stream: 0,
            metadata_stale: true,
            streams: Vec::new(),
            idle: BTreeSet::new(),
            channels: BTreeMap::new(),
            open_max: open_max.max(1),
            use_count: 0,
            packets: 0,
            bytes: 0,
        })
    }

    /// What the recorder after us must know to go on.
    pub(crate) fn save(&self) -> SavedTrace {
        let created = self.env.iter().find(|(key, _)| key == CREATED).map(|(_, value)| value);
        let created = if let Some(EnvValue::String(text)) = created { text.clone() } else { String::new() };
        SavedTrace { uuid: self.uuid, created, clock: self.clock.save() }
    }

    /// Goes on with the trace in `dir`, in which `found` are the files.
    ///
    /// # Errors
    /// The metadata cannot be read or written.
    pub(crate) fn resume(
        dir: &Path,
        name: &str,
        open_max: u64,
        saved: &SavedTrace,
        found: &Found,
    ) -> Result<Self, StartError> {
        let metadata = dir.join("metadata");
        let text = fs::read_to_string(&metadata).map_err(StartError::io("read", &metadata))?;
        let mut trace = Self::new_in(dir, name, open_max)?;
        // The metadata knows best: a rotation may have begun a trace that nobody had time to note.
        trace.uuid = metadata_uuid(&text).unwrap_or(saved.uuid);
        trace.clock = TraceClock::restore(saved.clock);
        for (key, value) in &mut trace.env {
            if key == CREATED {
                *value = EnvValue::String(saved.created.clone());
            }
        }
        trace.frozen = Frozen::of(&text);
        trace.first_stream = found.next_stream;
        (trace.packets, trace.bytes) = (found.packets, found.bytes);
        trace.write_metadata().map_err(StartError::io("write metadata in", dir))?;
        Ok(trace)
    }

    /// The class for a process with these descriptors in a channel with these contexts, preferably `current`.
    pub(crate) fn assign_class(&mut self, current: Option<usize>, contexts: &ContextList, table: &Table) -> usize {
        let (class_idx, changed) = self.classes.assign(current, contexts, table);
        self.metadata_stale |= changed;
        class_idx
    }

    /// The directory of the trace.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Says that the clock's description changed.
    pub(crate) fn invalidate_metadata(&mut self) {
        self.metadata_stale = true;
    }

    /// Brings the metadata up to date.
    pub(crate) fn write_metadata(&mut self) -> io::Result<()> {
        if !self.metadata_stale {
            return Ok(());
        }
        let class = TraceClass {
            uuid: self.uuid,
            env: self.env.clone(),
            clock: self.clock.model(),
            streams: self.classes.model(self.frozen.class_count),
        };
        // A hidden name: readers take every other file for a stream.
        let hidden = self.dir.join(".metadata");
        let written = || {
            let mut file = File::create(&hidden)?;
            file.write_all(metadata::render(&class).as_bytes())?;
            file.write_all(self.frozen.text.as_bytes())?;
            fs::rename(&hidden, self.dir.join("metadata"))
        };
        if let Err(error) = written() {
            let _ = fs::remove_file(&hidden);
            return Err(error);
        }
        self.metadata_stale = false;
        Ok(())
    }

    /// Says what people call a raw counter.
    pub(crate) fn name_raw(&mut self, context: Context, name: &str) {
        self.classes.name_raw(context, name);
    }

    /// Says what the files of the channel in `slot` are called and how large they may become.
    pub(crate) fn set_channel(&mut self, slot: u32, files: ChannelFiles) {
        self.channels.insert(slot, files);
    }

    /// Adds a stream of `class_idx` that belongs to no channel; its file appears with its first packet.
    pub(crate) fn add_stream(&mut self, class_idx: usize, procname: &[u8; 16], what: &str) -> StreamId {
        self.push_stream(NO_SLOT, class_idx, &format!("{}-{what}", file_name(procname)), FileLimits::default())
    }

    fn push_stream(&mut self, slot: u32, class_idx: usize, name: &str, limits: FileLimits) -> StreamId {
        let idx = self.streams.len();
        let instance = self.first_stream + idx as u64;
        self.streams.push(Stream {
            slot,
            class_idx,
            file: StreamFile::new(self.dir.clone(), format!("{name}_{instance}"), limits),
            packet_seq: 0,
            timestamp: 0,
            discarded: 0,
            used_at: 0,
        });
        StreamId(idx)
    }

    /// The class that the stream belongs to.
    pub(crate) fn class_of(&self, id: StreamId) -> usize {
        self.streams[id.0].class_idx
    }

    /// A stream of `class_idx` for packets from `timestamp_begin` on: one that is idle and ended before, else a new one.
    ///
    /// Of those that ended before it takes the one that ended last, so that there are never more streams than threads at a time,
    /// if packets come in the order of time. Files are what a short thread costs most: making one takes 200 us in
    /// a folder of thousands.
    pub(crate) fn take_stream(
        &mut self,
        slot: u32,
        class_idx: usize,
        timestamp_begin: u64,
        origin: &Origin,
    ) -> StreamId {
        let range = (slot, class_idx, 0, 0)..=(slot, class_idx, timestamp_begin, usize::MAX);
        let ended = self.idle.range(range).next_back().copied();
        if let Some(found) = ended {
            self.idle.remove(&found);
            return StreamId(found.3);
        }
        let files = self.channels.get(&slot).cloned().unwrap_or_default();
        let name = format!("{}-{}-{}", file_name(&origin.procname), origin.vtid, files.name);
        self.push_stream(slot, class_idx, &name, files.limits)
    }

    /// Gives a stream back: another ring may go on with it.
    pub(crate) fn give_back_stream(&mut self, id: StreamId) {
        let stream = &self.streams[id.0];
        self.idle.insert((stream.slot, stream.class_idx, stream.timestamp, id.0));
    }

    /// Completes the stream's file and closes it; it is opened again if another packet comes.
    pub(crate) fn close_stream(&mut self, id: StreamId) {
        let stream = &mut self.streams[id.0];
        // The packets are there in any case; only the padding of the last one stays if this fails.
        let _ = stream.file.complete();
        stream.file.release();
    }

    /// Completes every stream's file.
    ///
    /// # Errors
    /// The first of the kernel's; the trace can be read all the same.
    pub(crate) fn complete(&mut self) -> io::Result<()> {
        self.streams.iter_mut().map(|stream| stream.file.complete()).fold(Ok(()), Result::and)
    }

    /// Appends a packet.
    ///
    /// # Errors
    /// [`PacketError`]; the packet is lost then, and its sequence number used up.
    pub(crate) fn write(&mut self, id: StreamId, packet: &Packet, content: &Content<'_>) -> Result<(), PacketError> {
        let first = self.streams[id.0].packet_seq == 0;
        if first && packet.discarded_more > 0 {
            // Readers count discarded events between packets, so there must be one before.
            let begin = Packet { discarded_more: 0, timestamp_end: packet.timestamp_begin, ..*packet };
            self.append(id, &begin, &Content::Empty)?;
        }
        self.append(id, packet, content)
    }

    fn append(&mut self, id: StreamId, packet: &Packet, content: &Content<'_>) -> Result<(), PacketError> {
        let described = self.write_metadata();
        let opened = described.and_then(|()| self.open(id));
        let stream = &mut self.streams[id.0];
        let timestamp_begin = packet.timestamp_begin.max(stream.timestamp);
        let timestamp_end = packet.timestamp_end.max(timestamp_begin);
        let discarded = stream.discarded.saturating_add(packet.discarded_more).min(DISCARDED_MAX);
        let header = PacketHeader {
            trace_uuid: self.uuid,
            stream_id: (self.frozen.class_count + stream.class_idx) as u32,
            stream_instance_id: self.first_stream + id.0 as u64,
            timestamp_begin,
            timestamp_end,
            content_bytes: content.bytes(),
            packet_seq_num: stream.packet_seq,
            events_discarded: discarded,
            cpu_id: packet.cpu,
            vpid: packet.origin.vpid,
            vtid: packet.origin.vtid,
            procname: packet.origin.procname,
        };
        stream.packet_seq += 1;
        opened.map_err(PacketError::Output)?;
        let bytes = stream.file.append(&header, content)?;
        stream.timestamp = timestamp_end;
        stream.discarded = discarded;
        self.packets += 1;
        self.bytes += bytes;
        Ok(())
    }

    /// Opens the stream's file unless it is open, closing the one that was not used for longest if need be.
    fn open(&mut self, id: StreamId) -> io::Result<()> {
        self.use_count += 1;
        self.streams[id.0].used_at = self.use_count;
        if self.streams[id.0].file.is_open() {
            return Ok(());
        }
        let open = self.streams.iter_mut().filter(|s| s.file.is_open());
        if self.open_max <= open.count() as u64
            && let Some(oldest) = self.streams.iter_mut().filter(|s| s.file.is_open()).min_by_key(|s| s.used_at)
        {
            oldest.file.release();
        }
        self.streams[id.0].file.open()
    }
}

fn environment(trace_name: &str) -> Vec<(String, EnvValue)> {
    let mut hostname = String::new();
    let _ = File::open("/proc/sys/kernel/hostname").and_then(|mut file| file.read_to_string(&mut hostname));
    let text = |key: &str, value: &str| (key.to_owned(), EnvValue::String(value.to_owned()));
    let number = |key: &str, value: i64| (key.to_owned(), EnvValue::Integer(value));
    vec![
        text("domain", "ust"),
        // What Trace Compass and babeltrace2 know the fields' meaning by.
        text("tracer_name", "lttng-ust"),
        number("tracer_major", 2),
        number("tracer_minor", 13),
        number("architecture_bit_width", 64),
        text("trace_name", trace_name),
        text(CREATED, &utc_datetime(sys::clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000)),
        text("hostname", hostname.trim_end()),
        text("recorder", env!("CARGO_PKG_NAME")),
        text("recorder_version", env!("CARGO_PKG_VERSION")),
    ]
}

/// Seconds since the epoch in the form `20261123T013047+0000`.
pub(crate) fn utc_datetime(seconds: u64) -> String {
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{:02}T{hour:02}{minute:02}{second:02}+0000", days + 1)
}

/// A thread's name as a part of a file name: what is not plain becomes `_`.
fn file_name(procname: &[u8; 16]) -> String {
    let end = procname.iter().position(|&byte| byte == 0).unwrap_or(procname.len());
    let plain = |byte: &u8| if byte.is_ascii_alphanumeric() || b"-+".contains(byte) { char::from(*byte) } else { '_' };
    let name: String = procname[..end].iter().map(plain).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc_datetime(0), "19700101T000000+0000");
        assert_eq!(utc_datetime(951_782_399), "20000228T235959+0000");
        assert_eq!(utc_datetime(951_782_400), "20000229T000000+0000");
        assert_eq!(utc_datetime(1_795_397_447), "20261123T013047+0000");
    }

    #[test]
    fn a_hostile_thread_name_makes_a_plain_file_name() {
        assert_eq!(file_name(b"../../etc/passwd"), "______etc_passwd");
        assert_eq!(file_name(&[0; 16]), "unnamed");
        assert_eq!(file_name(b"hello\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "hello");
    }
}
