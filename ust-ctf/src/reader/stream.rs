// SPDX-License-Identifier: MIT OR Apache-2.0
//! Streams, their files and packets.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::warning::{Warning, WarningReason};
use crate::limits::{EXITS_MAX, WARNINGS_PER_STREAM_MAX};

/// The ordered packets of one stream, which may be spread over files.
#[derive(Debug)]
pub struct Stream {
    pub(crate) files: Vec<StreamFile>,
    pub(crate) packets: Vec<Packet>,
    /// Index of its class.
    pub(crate) class_idx: usize,
    pub(crate) class_id: u64,
    pub(crate) instance_id: Option<u64>,
    pub(crate) folder_number: usize,
    pub(crate) number: usize,
    pub(crate) number_in_class: u64,
    /// Where windows of time ended, the latest last.
    pub(crate) exits: Mutex<VecDeque<Exit>>,
}

impl Stream {
    /// Returns the first file of the stream.
    pub fn path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |file| &file.path)
    }

    /// Returns the id of the stream class.
    pub fn class_id(&self) -> u64 {
        self.class_id
    }

    /// Returns which stream of its class it is, if the trace says so.
    pub fn instance_id(&self) -> Option<u64> {
        self.instance_id
    }

    /// Returns its number among all streams of the [`super::Trace`], from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Returns the file that holds `packet`, which is one of its packets.
    pub fn packet_file(&self, packet: &Packet) -> &Path {
        &self.files[packet.file_idx as usize].path
    }

    /// Returns its packets, in order.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }
}

/// A place in a packet where a window of time ended: the events before it are not after `until_ns`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub(crate) packet: usize,
    pub(crate) until_ns: i64,
    /// Bit of the packet.
    pub(crate) pos: u64,
    pub(crate) cycles: u64,
    pub(crate) key_ns: i64,
}

impl Stream {
    /// Notes where a window ended.
    pub(crate) fn leave(&self, exit: Exit) {
        let mut exits = self.exits.lock().unwrap_or_else(PoisonError::into_inner);
        if exits.len() == EXITS_MAX {
            exits.pop_front();
        }
        exits.push_back(exit);
    }

    /// Returns the last known place in a packet before which there is nothing after `after_ns`.
    pub(crate) fn entry(&self, packet: usize, after_ns: i64) -> Option<Exit> {
        let exits = self.exits.lock().unwrap_or_else(PoisonError::into_inner);
        let usable = exits.iter().filter(|exit| exit.packet == packet && exit.until_ns <= after_ns);
        usable.max_by_key(|exit| exit.pos).copied()
    }
}

/// A file with packets of one stream.
#[derive(Debug)]
pub(crate) struct StreamFile {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
}

/// What is known of a packet before its events are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Index into [`Stream::files`].
    pub(crate) file_idx: u32,
    /// Whether the file ends before it.
    pub(crate) is_cut: bool,
    /// Byte of its file where it begins.
    pub offset: u64,
    /// Bits from its begin to the end of its last event.
    pub content_bits: u64,
    /// Bits from its begin to its end, all in the file.
    pub packet_bits: u64,
    /// Cycles of its begin, if it says so.
    pub begin: Option<u64>,
    /// Cycles of its end, if it says so.
    pub end: Option<u64>,
    /// Events discarded in the stream up to its end, if it says so.
    pub discarded_events: Option<u64>,
    /// Its number in its stream, if it has one.
    pub seq_num: Option<u64>,
    /// Nanoseconds since the epoch between which its events are sorted among those of other streams.
    pub(crate) begin_ns: i64,
    pub(crate) end_ns: i64,
    /// The latest end up to this packet.
    pub(crate) reach_ns: i64,
}

impl Packet {
    /// Returns the nanoseconds since the epoch of its begin, if it says when that is.
    pub fn begin_ns(&self) -> Option<i64> {
        self.begin.map(|_| self.begin_ns)
    }

    /// Returns the nanoseconds since the epoch of its end, if it says when that is.
    pub fn end_ns(&self) -> Option<i64> {
        self.end.map(|_| self.end_ns)
    }
}

/// Warnings of one stream, not more than are useful.
#[derive(Debug, Default)]
pub(crate) struct WarningList(pub(crate) Vec<Warning>);

impl WarningList {
    pub(crate) fn push(&mut self, file: &Path, offset: u64, reason: WarningReason) {
        let reason = match self.0.len() {
            count if count < WARNINGS_PER_STREAM_MAX => reason,
            WARNINGS_PER_STREAM_MAX => WarningReason::TooMany,
            _ => return,
        };
        self.0.push(Warning { file: file.to_owned(), offset, reason });
    }
}
