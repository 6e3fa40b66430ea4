// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the packets of a stream file, by an index of LTTng or from header to header.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::error::OpenError;
use super::head::{Head, HeadError};
use super::index::{self, Entry};
use super::stream::{Packet, StreamFile, WarningList};
use super::warning::{Warning, WarningReason};
use crate::class::TraceClass;
use crate::limits::{HEAD_BYTES, HEAD_BYTES_MAX};

/// A file and the packets in it.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) file: StreamFile,
    pub(crate) packets: Vec<Packet>,
    pub(crate) class_idx: usize,
    pub(crate) instance_id: Option<u64>,
}

/// What scanning needs besides the file.
pub(crate) struct Scanner<'c> {
    class: &'c TraceClass,
    slots: Vec<u64>,
    bytes: Vec<u8>,
}

impl<'c> Scanner<'c> {
    pub(crate) fn new(class: &'c TraceClass) -> Self {
        Self { class, slots: vec![0; class.slot_count], bytes: Vec::new() }
    }

    /// Returns the packets of the file `path`, unless there are none; what is wrong goes to `warnings`.
    pub(crate) fn scan(&mut self, path: PathBuf, warnings: &mut Vec<Warning>) -> Option<Scanned> {
        let mut list = WarningList::default();
        let scanned = self.scan_file(&path, &mut list);
        warnings.append(&mut list.0);
        match scanned {
            Ok(scanned) => scanned,
            Err(error) => {
                let error = OpenError::io(&path, error);
                warnings.push(Warning::unreadable(path, error));
                None
            }
        }
    }

    fn scan_file(&mut self, path: &Path, warnings: &mut WarningList) -> io::Result<Option<Scanned>> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut found = Scanned {
            file: StreamFile { path: path.to_owned(), file },
            packets: Vec::new(),
            class_idx: 0,
            instance_id: None,
        };
        if let Some(entries) = index::read(path, size)
            && self.take_index(&entries, &mut found, size)
        {
            return Ok(Some(found));
        }
        found.packets.clear();
        let mut offset = 0;
        while offset < size {
            match self.next_packet(&mut found, offset, size - offset, warnings)? {
                Some(packet_bytes) => offset = offset.saturating_add(packet_bytes),
                None => break,
            }
        }
        Ok((!found.packets.is_empty()).then_some(found))
    }

    /// Takes the packets from an index, if it agrees with the first packet.
    fn take_index(&mut self, entries: &[Entry], found: &mut Scanned, size: u64) -> bool {
        let Some(first) = entries.first() else {
            return false;
        };
        let Ok(Ok(head)) = self.read_head(&found.file.file, first.offset, size) else {
            return false;
        };
        let stream_class = &self.class.streams[head.class_idx];
        let is_same = first.stream_class_id == stream_class.id
            && head.begin.is_none_or(|begin| begin == first.begin)
            && entries.iter().all(|entry| entry.stream_class_id == first.stream_class_id)
            && head.sizes(size - first.offset).is_ok_and(|sizes| sizes == (first.content_bits, first.packet_bits));
        if !is_same {
            return false;
        }
        (found.class_idx, found.instance_id) = (head.class_idx, head.stream_id);
        found.packets.extend(entries.iter().map(|entry| Packet {
            file_idx: 0,
            is_cut: false,
            offset: entry.offset,
            content_bits: entry.content_bits,
            packet_bits: entry.packet_bits,
            begin: head.begin.map(|_| entry.begin),
            end: head.end.map(|_| entry.end),
            discarded_events: head.discarded.map(|_| entry.discarded_events),
            seq_num: head.seq_num.and(entry.seq_num),
            begin_ns: 0,
            end_ns: 0,
            reach_ns: 0,
        }));
        // An index of version 1.0 has no numbers; a packet that has one must be asked.
        head.seq_num.is_none() || entries.iter().all(|entry| entry.seq_num.is_some())
    }

    /// Adds the packet at `offset`; returns its size, or nothing if there is no way on.
    fn next_packet(
        &mut self,
        found: &mut Scanned,
        offset: u64,
        rest_bytes: u64,
        warnings: &mut WarningList,
    ) -> io::Result<Option<u64>> {
        let head = match self.read_head(&found.file.file, offset, offset + rest_bytes)? {
            Ok(head) => head,
            Err(error) => {
                let reason = match error {
                    HeadError::Cut => WarningReason::HeadCut { found_bytes: rest_bytes },
                    HeadError::Bad(reason) => reason,
                    HeadError::UnknownClass(id) => WarningReason::UnknownStreamClass { id },
                };
                warnings.push(&found.file.path, offset, reason);
                return Ok(None);
            }
        };
        let (content_bits, total_bits) = match head.sizes(rest_bytes) {
            Ok(sizes) => sizes,
            Err(reason) => {
                warnings.push(&found.file.path, offset, reason);
                return Ok(None);
            }
        };
        let is_cut = total_bits / 8 > rest_bytes;
        if is_cut {
            let reason = WarningReason::PacketCut { found_bytes: rest_bytes, packet_bytes: total_bits / 8 };
            warnings.push(&found.file.path, offset, reason);
        }
        if found.packets.is_empty() {
            (found.class_idx, found.instance_id) = (head.class_idx, head.stream_id);
        } else if (head.class_idx, head.stream_id) != (found.class_idx, found.instance_id) {
            warnings.push(&found.file.path, offset, WarningReason::OtherStream);
            return Ok(Some(total_bits / 8));
        }
        let rest_bits = rest_bytes.saturating_mul(8);
        found.packets.push(Packet {
            file_idx: 0,
            is_cut,
            offset,
            content_bits: content_bits.min(rest_bits),
            packet_bits: total_bits.min(rest_bits),
            begin: head.begin,
            end: head.end,
            discarded_events: head.discarded,
            seq_num: head.seq_num,
            begin_ns: 0,
            end_ns: 0,
            reach_ns: 0,
        });
        // At least a byte, so this ends.
        Ok(Some((total_bits / 8).max(1)))
    }

    fn read_head(&mut self, file: &File, offset: u64, size: u64) -> io::Result<Result<Head, HeadError>> {
        let mut wanted = HEAD_BYTES;
        loop {
            let count = wanted.min(size.saturating_sub(offset));
            self.bytes.resize(count as usize, 0);
            let got = read_at(file, &mut self.bytes, offset)?;
            match Head::read(self.class, &self.bytes[..got], &mut self.slots) {
                Err(HeadError::Cut) if got as u64 == wanted && wanted < HEAD_BYTES_MAX => wanted *= 16,
                result => return Ok(result),
            }
        }
    }
}

/// Reads `bytes` from `offset` on, fewer if the file ends; returns how many.
pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < bytes.len() {
        match file.read_at(&mut bytes[got..], offset.saturating_add(got as u64)) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
