// SPDX-License-Identifier: MIT OR Apache-2.0
//! Going on where a recorder was killed (`docs/ring-protocol.md`, "Restart of the reader").
//!
//! A recorder takes one packet at a time: it appears in its stream file (`stream_file`, step 2), and then `reported` and
//! `consumed` are mirrored into the ring. A kill in between leaves one packet in a file that its ring does not know of. It is
//! the last one of its file, and it is known by what it holds: time stamps of that very thread.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use ust_ctf::packet::{PACKET_HEADER_BYTES, PACKET_SIZE_OFFSET, PacketHeader};
use ust_shm::atomics::Ordering;
use ust_shm::ring::RingWords as _;
use ust_shm::ring::reader::Want;
use ust_shm::rules::Channel;

use crate::channels::Shape;
use crate::error::StartError;
use crate::hub::Hub;
use crate::ring::Ring;
use crate::session::Session;
use crate::state::{SavedSession, SavedTrace};
use crate::summary::Closed;
use crate::trace::Trace;

/// The last packet of a stream file.
#[derive(Debug)]
struct LastPacket {
    path: PathBuf,
    header: PacketHeader,
    content_at: u64,
    /// Discarded events that it reports itself.
    discarded_more: u64,
}

/// What the files of a trace tell of the recorder that was killed.
#[derive(Debug, Default)]
pub(crate) struct Found {
    last: Vec<LastPacket>,
    /// By image: what was lost before the session began, by cause.
    pub lost_base: HashMap<String, [u64; 16]>,
    /// By image: what has been counted of its counters.
    pub counted: BTreeMap<String, Closed>,
    /// By image: events lost outside any ring that the trace reports.
    pub lost_reported: HashMap<String, u64>,
    /// The number for the next stream.
    pub next_stream: u64,
    pub packets: u64,
    pub bytes: u64,
}

impl Found {
    /// Looks through the stream files in `dir`, and gives each the form of a complete one.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn look_through(dir: &Path) -> io::Result<Self> {
        let mut found = Self::default();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') {
                // A first packet whose file had not appeared, or metadata that had not replaced the old.
                fs::remove_file(&path)?;
            } else if name != "metadata" && path.is_file() {
                found.look_at(path, &name)?;
            }
        }
        Ok(found)
    }

    fn look_at(&mut self, path: PathBuf, name: &str) -> io::Result<()> {
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let file_bytes = file.metadata()?.len();
        let (mut at, mut last, mut discarded_before) = (0, None::<(u64, PacketHeader)>, 0);
        let mut head = [0; PACKET_HEADER_BYTES];
        while at + PACKET_HEADER_BYTES as u64 <= file_bytes {
            file.read_exact_at(&mut head, at)?;
            let Ok((header, packet_bytes)) = PacketHeader::decode(&head) else { break };
            let whole = PACKET_HEADER_BYTES as u64 + header.content_bytes;
            if packet_bytes < whole || at + whole > file_bytes {
                break;
            }
            discarded_before = last.as_ref().map_or(0, |(_, before)| before.events_discarded);
            self.packets += 1;
            self.bytes += whole;
            last = Some((at, header));
            at += packet_bytes;
        }
        let Some((at, header)) = last else { return Ok(()) };
        complete(&file, at, &header)?;
        self.next_stream = self.next_stream.max(header.stream_instance_id.saturating_add(1));
        if let Some((_, image)) = name.rsplit_once("-lost_").and_then(|(front, _)| lost_image(front)) {
            *self.lost_reported.entry(image).or_default() += header.events_discarded;
        }
        let discarded_more = header.events_discarded.saturating_sub(discarded_before);
        self.last.push(LastPacket { path, header, content_at: at + PACKET_HEADER_BYTES as u64, discarded_more });
        Ok(())
    }

    /// Moves the ring's reader behind the packet that is in a file of `channel` already, if there is one. Only before
    /// anything is taken from the ring. Returns false if that cannot be said yet, since the writer is too fast.
    pub(crate) fn settle(&mut self, ring: &mut Ring, pid: i32, channel: &str) -> bool {
        let mut reader = ring.reader.clone();
        let span = match reader.take(&ring.words, Want::Everything) {
            Ok(None) if reader.has_unread(&ring.words) => return false,
            taken => taken.ok().flatten(),
        };
        let vtid = ring.words.header().vtid.load(Ordering::Relaxed) as i32;
        let is_its = |last: &LastPacket| {
            last.header.vpid == pid && last.header.vtid == vtid && is_of_channel(&last.path, channel, &last.header)
        };
        if let Some(span) = span {
            let written = |last: &LastPacket| {
                let bytes = last.header.content_bytes;
                let part = ring.words.content(&span).and_then(|content| content.part(0, bytes));
                bytes != 0 && part.is_some_and(|part| last.holds(part))
            };
            if let Some(idx) = self.last.iter().position(|last| is_its(last) && written(last)) {
                let last = self.last.swap_remove(idx);
                ring.reader.start_at(span.begin.wrapping_add(last.header.content_bytes));
                ring.discarded_reported = ring.discarded_reported.max(span.discarded);
                // At once: the recorder after us must find one packet too many at most, too.
                ring.mirror();
            }
            return true;
        }
        // Nothing unread: a thread that has ended, whose last discards may be reported already.
        let total = reader.discarded_now(&ring.words);
        let reported = |last: &LastPacket| {
            last.header.content_bytes == 0
                && last.discarded_more != 0
                && ring.discarded_reported.saturating_add(last.discarded_more) == total
        };
        if let Some(idx) = self.last.iter().position(|last| is_its(last) && reported(last)) {
            self.last.swap_remove(idx);
            ring.discarded_reported = total;
            ring.mirror();
        }
        true
    }
}

impl LastPacket {
    fn holds(&self, part: ust_shm::region::Region) -> bool {
        let mut written = vec![0; part.len() as usize];
        let read = File::open(&self.path).and_then(|file| file.read_exact_at(&mut written, self.content_at));
        let mut there = vec![0; part.len() as usize];
        read.is_ok() && part.load_bytes(0, &mut there) && there == written
    }
}

impl Hub {
    /// Takes up a session that an earlier daemon has kept. What is in the way of its trace is a warning of the session.
    pub(crate) fn resume(&mut self, saved: SavedSession) {
        let SavedSession { id, config, started, started_ns, clock_kind, slots, mut chunk, .. } = saved;
        chunk.id = chunk.id.max(next_chunk(&config.output));
        let mut session = Session::new(id, config);
        session.ephemeral = saved.ephemeral;
        session.tally.resume(&saved.kept);
        (session.started, session.started_ns, session.clock_kind) = (started, started_ns, clock_kind);
        (session.chunk, session.snapshot_count) = (chunk, saved.snapshot_count);
        for (name, uid, slot) in slots {
            let Some(channel) = session.config.channel(&name).cloned() else { continue };
            let Shape { mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts } = session.shape(&channel);
            let given = Channel { slot, uid, mode, subbuf_bytes, subbuf_count, block_timeout_us, contexts };
            self.channels.adopt(given, id);
            session.note_slot(&channel, uid, slot);
        }
        let mut found = Found::default();
        if let Some(saved) = &saved.trace {
            let dir = session.trace_dir();
            match resume_trace(&mut session, &dir, self.open_max, saved) {
                Ok(files) => found = files,
                // Killed in a rotation, between two chunks; or somebody took the files away.
                Err(error) => {
                    session.tally.warn(format!("the trace before cannot be gone on with: {error}"));
                    let begun = if started { session.begin_chunk(&dir, self.open_max, None) } else { Ok(()) };
                    session.tally.warn_of(begun);
                }
            }
        }
        found.lost_base = saved.lost_base.into_iter().collect();
        found.counted = saved.kept.again;
        session.resumed = started.then_some(found);
        self.add(session);
    }
}

fn resume_trace(session: &mut Session, dir: &Path, open_max: u64, saved: &SavedTrace) -> Result<Found, StartError> {
    let found = Found::look_through(dir).map_err(StartError::io("look through", dir))?;
    let mut trace = Trace::resume(dir, &session.config.name, open_max, saved, &found)?;
    session.describe_files(&mut trace);
    session.trace = Some(trace);
    Ok(found)
}

/// The number behind those of the chunks in `archives`.
fn next_chunk(output: &Path) -> u64 {
    let number = |entry: fs::DirEntry| entry.file_name().to_string_lossy().rsplit('-').next()?.parse::<u64>().ok();
    let entries = fs::read_dir(output.join("archives")).into_iter().flatten().flatten();
    entries.filter_map(number).max().map_or(0, |newest| newest + 1)
}

/// Takes the padding off the last packet and off the file.
fn complete(file: &File, at: u64, header: &PacketHeader) -> io::Result<()> {
    let whole = PACKET_HEADER_BYTES as u64 + header.content_bytes;
    file.write_all_at(&whole.saturating_mul(8).to_le_bytes(), at + PACKET_SIZE_OFFSET)?;
    file.set_len(at + whole)
}

/// The begin of a lost stream's name up to the image's name, and that name: `PROCNAME-PID-NONCE`.
fn lost_image(front: &str) -> Option<(&str, String)> {
    let (front, nonce) = front.rsplit_once('-')?;
    let (procname, pid) = front.rsplit_once('-')?;
    Some((procname, format!("{pid}-{nonce}")))
}

/// Whether a file's name is that of a stream of `channel`: `PROCNAME-TID-CHANNEL_STREAM`, perhaps with `_NUMBER` behind it.
fn is_of_channel(path: &Path, channel: &str, header: &PacketHeader) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = format!("-{channel}_{}", header.stream_instance_id);
    name.ends_with(&end) || name.rsplit_once('_').is_some_and(|(front, _)| front.ends_with(&end))
}
