// SPDX-License-Identifier: MIT OR Apache-2.0
//! One stream file, which a reader may open at any moment, also after its writer was killed.
//!
//! Readers refuse a file that ends inside a packet, and a write of a packet may end anywhere. So the file ends in a hole that
//! belongs to its last packet as padding, and a packet is written into that hole, where nobody looks:
//!
//! | step | what is done                                          | what a reader finds                     |
//! |------|-------------------------------------------------------|-----------------------------------------|
//! | 1    | header and content into the hole                      | the packets before, the last one padded |
//! | 2    | the packet size of the one before: without padding    | one packet more, it is padded now       |
//!
//! Step 2 is one write of 8 bytes. A file's first packet is written under a hidden name, which is then renamed. When the hole is
//! used up the file is made longer and the last packet's size with it: two system calls, between which a kill would
//! leave a file that `babeltrace2` refuses. The hole doubles each time, so that this is rare: once per 64 MiB in the long
//! run. The same two calls take the hole away when a stream is complete.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use ust_ctf::packet::{PACKET_HEADER_BYTES, PACKET_SIZE_OFFSET, PacketHeader};

use crate::limits::{HOLE_BYTES_MAX, HOLE_BYTES_MIN};
use crate::sys;
use crate::trace::{Content, PacketError};

/// How large the files of a stream may become, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileLimits {
    /// Bytes of a file, above which the next one is begun.
    pub bytes: Option<u64>,
    /// Files that are kept; the oldest goes.
    pub count: Option<u32>,
}

/// A stream's file, open or not; under [`FileLimits`] the newest of several, of which each is whole by itself.
#[derive(Debug)]
pub(crate) struct StreamFile {
    dir: PathBuf,
    name: String,
    limits: FileLimits,
    /// Number of the file in its stream.
    number: u64,
    file: Option<File>,
    /// End of the last whole packet.
    bytes: u64,
    /// Begin of the last whole packet; `None` before the first.
    last_at: Option<u64>,
    /// Length of the file; the last packet is padded up to it.
    end: u64,
}

impl StreamFile {
    /// A file that appears in `dir` under `name` with its first packet.
    pub(crate) fn new(dir: PathBuf, name: String, limits: FileLimits) -> Self {
        Self { dir, name, limits, number: 0, file: None, bytes: 0, last_at: None, end: 0 }
    }

    /// Whether a descriptor is held.
    pub(crate) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Gives the descriptor back, for a while.
    pub(crate) fn release(&mut self) {
        self.file = None;
    }

    fn name_of(&self, number: u64) -> String {
        if self.limits.bytes.is_some() { format!("{}_{number}", self.name) } else { self.name.clone() }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(self.name_of(self.number))
    }

    fn hidden_path(&self) -> PathBuf {
        self.dir.join(format!(".{}", self.name_of(self.number)))
    }

    /// Begins the next file if a packet of so many bytes would make this one too large, and removes the oldest.
    fn turn_page(&mut self, packet_bytes: u64) -> io::Result<()> {
        let Some(bytes_max) = self.limits.bytes else { return Ok(()) };
        if self.last_at.is_none() || self.bytes + packet_bytes <= bytes_max {
            return Ok(());
        }
        self.complete()?;
        self.number += 1;
        (self.file, self.bytes, self.last_at, self.end) = (None, 0, None, 0);
        let kept = self.limits.count.map(|count| u64::from(count.max(1)));
        if let Some(oldest) = kept.and_then(|kept| self.number.checked_sub(kept)) {
            let _ = fs::remove_file(self.dir.join(self.name_of(oldest)));
        }
        Ok(())
    }

    /// Opens the file unless it is open.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        if self.file.is_some() {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.write(true).mode(0o640).custom_flags(libc::O_NOFOLLOW);
        // Before the first packet nothing of value can be there.
        let path = if self.last_at.is_none() {
            options.create(true).truncate(true);
            self.hidden_path()
        } else {
            self.path()
        };
        self.file = Some(options.open(path)?);
        Ok(())
    }

    /// Appends a packet; returns its bytes.
    ///
    /// # Errors
    /// [`PacketError`]; the file is as it was for a reader.
    pub(crate) fn append(&mut self, header: &PacketHeader, content: &Content<'_>) -> Result<u64, PacketError> {
        let output = PacketError::Output;
        let packet_bytes = PACKET_HEADER_BYTES as u64 + content.bytes();
        self.turn_page(packet_bytes).map_err(output)?;
        self.open().map_err(output)?;
        self.make_hole(packet_bytes).map_err(output)?;
        let Some(file) = &self.file else { return Err(PacketError::Image) };
        let head = header.encode_padded(self.end - self.bytes - packet_bytes);
        write_packet(file, self.bytes, &head, content)?;
        match self.last_at {
            Some(last_at) => set_packet_bytes(file, last_at, self.bytes - last_at).map_err(output)?,
            None => fs::rename(self.hidden_path(), self.path()).map_err(output)?,
        }
        self.last_at = Some(self.bytes);
        self.bytes += packet_bytes;
        Ok(packet_bytes)
    }

    /// Makes the file long enough for a packet.
    fn make_hole(&mut self, packet_bytes: u64) -> io::Result<()> {
        if self.bytes + packet_bytes <= self.end {
            return Ok(());
        }
        let Some(file) = &self.file else { return Ok(()) };
        let end = self.bytes + packet_bytes + self.end.clamp(HOLE_BYTES_MIN, HOLE_BYTES_MAX);
        file.set_len(end)?;
        if let Some(last_at) = self.last_at
            && let Err(error) = set_packet_bytes(file, last_at, end - last_at)
        {
            let _ = file.set_len(self.end);
            return Err(error);
        }
        self.end = end;
        Ok(())
    }

    /// Takes the hole away: no more packets are expected. Another one makes a new hole.
    ///
    /// # Errors
    /// The kernel's; the file can be read all the same.
    pub(crate) fn complete(&mut self) -> io::Result<()> {
        let Some(last_at) = self.last_at else {
            if self.file.take().is_some() {
                let _ = fs::remove_file(self.hidden_path());
            }
            return Ok(());
        };
        if self.end != self.bytes {
            self.open()?;
            let Some(file) = &self.file else { return Ok(()) };
            set_packet_bytes(file, last_at, self.bytes - last_at)?;
            file.set_len(self.bytes)?;
            self.end = self.bytes;
        }
        Ok(())
    }
}

/// Stores the size of the packet at `at`: 8 bytes, which no reader sees half of.
fn set_packet_bytes(file: &File, at: u64, packet_bytes: u64) -> io::Result<()> {
    file.write_all_at(&packet_bytes.saturating_mul(8).to_le_bytes(), at + PACKET_SIZE_OFFSET)
}

/// Writes header and content at `at`, in one call if it takes all.
///
/// Measured (99-byte events, 256 KiB packets, into ext4): one vectored write from populated mapped memory moves 4.0 GB/s, a write of
/// the header followed by `sendfile` 2.2 GB/s, because the kernel takes large folios for one large write.
fn write_packet(file: &File, at: u64, header: &[u8], content: &Content<'_>) -> Result<(), PacketError> {
    let (image, image_file, image_bytes) = match content {
        Content::Image { region, file, file_bytes } => (*region, file, *file_bytes),
        Content::Memory(copy) => {
            let written =
                file.write_all_at(header, at).and_then(|()| file.write_all_at(copy, at + header.len() as u64));
            return written.map_err(PacketError::Output);
        }
        Content::Empty => return file.write_all_at(header, at).map_err(PacketError::Output),
    };
    let total = header.len() as u64 + image.len();
    let mut done = 0;
    while done < total {
        let header_left = header.get(done as usize..).unwrap_or_default();
        let image_done = done.saturating_sub(header.len() as u64);
        let Some(image_left) = image.part(image_done, image.len() - image_done) else { return Err(PacketError::Image) };
        match sys::write_both_at(file.as_fd(), at + done, header_left, image_left) {
            Ok(0) => return Err(PacketError::Output(io::ErrorKind::WriteZero.into())),
            Ok(n) => done += n as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The image was cut under the mapping.
            Err(error) if error.raw_os_error() == Some(libc::EFAULT) => return Err(PacketError::Image),
            Err(error) => return Err(PacketError::Output(error)),
        }
    }
    // A cut zeroes the rest of its page, which reads without an error.
    let bytes_now = image_file.metadata().map_or(0, |found| found.len());
    if bytes_now < image_bytes { Err(PacketError::Image) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(seq: u64, content_bytes: u64) -> PacketHeader {
        PacketHeader {
            trace_uuid: [7; 16],
            stream_id: 0,
            stream_instance_id: 0,
            timestamp_begin: seq,
            timestamp_end: seq,
            content_bytes,
            packet_seq_num: seq,
            events_discarded: 0,
            cpu_id: 0,
            vpid: 1,
            vtid: 1,
            procname: [0; 16],
        }
    }

    /// The sequence numbers of the packets, if they fill the file exactly, as babeltrace2 asks.
    fn packets(bytes: &[u8]) -> Vec<u64> {
        let (mut at, mut found) = (0, Vec::new());
        while at < bytes.len() {
            let head = bytes[at..].first_chunk().expect("a whole header");
            let (header, packet_bytes) = PacketHeader::decode(head).expect("a packet begins here");
            found.push(header.packet_seq_num);
            at += packet_bytes as usize;
        }
        assert_eq!(at, bytes.len(), "the last packet ends beyond the file");
        found
    }

    #[test]
    fn a_file_holds_whole_packets_after_each_one_and_no_hole_in_the_end() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut stream = StreamFile::new(dir.path().to_owned(), "s".to_owned(), FileLimits::default());
        let body = vec![1u8; 300_000];
        for seq in 0..40 {
            stream.append(&header(seq, body.len() as u64), &Content::Memory(&body)).expect("room");
            let bytes = fs::read(dir.path().join("s")).expect("the file is there");
            assert_eq!(packets(&bytes), (0..=seq).collect::<Vec<_>>());
        }
        stream.complete().expect("the file can be cut");
        let bytes = fs::read(dir.path().join("s")).expect("the file is there");
        assert_eq!(bytes.len(), 40 * (body.len() + PACKET_HEADER_BYTES));
        assert_eq!(packets(&bytes).len(), 40);
        stream.append(&header(40, 0), &Content::Empty).expect("room");
        stream.complete().expect("the file can be cut");
        assert_eq!(packets(&fs::read(dir.path().join("s")).expect("the file is there")).len(), 41);
    }

    #[test]
    fn limited_files_are_whole_and_the_oldest_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        let limits = FileLimits { bytes: Some(3 * (PACKET_HEADER_BYTES as u64 + 100)), count: Some(2) };
        let mut stream = StreamFile::new(dir.path().to_owned(), "s".to_owned(), limits);
        for seq in 0..10 {
            stream.append(&header(seq, 100), &Content::Memory(&[1; 100])).expect("room");
        }
        stream.complete().expect("the file can be cut");
        let mut names: Vec<_> =
            fs::read_dir(dir.path()).expect("there").map(|e| e.expect("read").file_name()).collect();
        names.sort();
        assert_eq!(names, ["s_2", "s_3"]);
        let read = |name| packets(&fs::read(dir.path().join(name)).expect("the file is there"));
        assert_eq!((read("s_2"), read("s_3")), (vec![6, 7, 8], vec![9]));
    }

    #[test]
    fn a_packet_that_was_half_written_when_its_writer_died_is_not_seen() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut stream = StreamFile::new(dir.path().to_owned(), "s".to_owned(), FileLimits::default());
        stream.append(&header(0, 4), &Content::Memory(b"done")).expect("room");
        let file = stream.file.as_ref().expect("open");
        write_packet(file, stream.bytes, &header(1, 9).encode()[..50], &Content::Memory(b"half")).expect("room");
        assert_eq!(packets(&fs::read(dir.path().join("s")).expect("the file is there")), [0]);
    }
}
