// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens the traces below a folder: searches them, finds their packets, and says what their tracers lost.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::clock::ns_since_epoch;
use super::error::OpenError;
use super::event::EventTable;
use super::map::FileBytes;
use super::stream::{Packet, Stream, StreamFile, WarningList, index_packets};
use super::warning::{Loss, Lost, Warning, WarningReason};
use super::{Trace, TraceFolder, tsdl};
use crate::model::TraceClass;

const METADATA: &str = "metadata";

/// Does the work of [`Trace::open`].
pub(super) fn open(root: &Path) -> Result<Trace, OpenError> {
    let mut warnings = Vec::new();
    let mut folders = Vec::new();
    let (paths, mut failed) = trace_folders(root)?;
    for path in paths {
        match open_folder(root, &path, &mut warnings) {
            Ok(folder) => folders.push(folder),
            Err(error) => failed.push((path.join(METADATA), error)),
        }
    }
    if folders.is_empty() {
        let first = failed.into_iter().next().map(|(_, error)| error);
        return Err(first.unwrap_or_else(|| OpenError::NoTrace { path: root.to_owned() }));
    }
    warnings.extend(failed.into_iter().map(|(path, error)| Warning::unreadable(path, error)));
    folders.sort_by(|a, b| (a.class.uuid, &a.path).cmp(&(b.class.uuid, &b.path)));
    let mut losses: Vec<_> = folders.iter().flat_map(|folder| losses(folder, &mut warnings)).collect();
    losses.sort_by_key(|loss| loss.begin_ns);
    Ok(Trace { folders, warnings, losses })
}

/// Folders, and those that cannot be searched with the reason.
type Found = (Vec<PathBuf>, Vec<(PathBuf, OpenError)>);

/// Returns the folders that have metadata, `root` and what is below it, in a fixed order.
fn trace_folders(root: &Path) -> Result<Found, OpenError> {
    let mut found = Vec::new();
    let mut failed = Vec::new();
    let mut to_search = vec![root.to_owned()];
    while let Some(folder) = to_search.pop() {
        match search(&folder, &mut to_search) {
            Ok(true) => found.push(folder),
            Ok(false) => {}
            Err(error) if folder == root => return Err(OpenError::io(root, error)),
            Err(error) => failed.push((folder.clone(), OpenError::io(&folder, error))),
        }
    }
    found.sort();
    Ok((found, failed))
}

/// Tells whether `folder` has metadata, and adds the folders in it to `to_search`.
fn search(folder: &Path, to_search: &mut Vec<PathBuf>) -> io::Result<bool> {
    let mut has_metadata = false;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A link to a folder is not followed: it could lead back here.
        if entry.file_type()?.is_dir() {
            to_search.push(entry.path());
        } else {
            has_metadata |= entry.file_name() == METADATA;
        }
    }
    Ok(has_metadata)
}

fn open_folder(root: &Path, path: &Path, warnings: &mut Vec<Warning>) -> Result<TraceFolder, OpenError> {
    let metadata = path.join(METADATA);
    let text = fs::read(&metadata).map_err(|error| OpenError::io(&metadata, error))?;
    let class = tsdl::read(&metadata, &String::from_utf8_lossy(&text))?;
    let tables: HashMap<_, _> = class.streams.iter().map(|stream| (stream.id, EventTable::new(stream))).collect();
    let mut streams = Vec::new();
    for file in stream_files(path)? {
        let bytes = match FileBytes::open(&file) {
            Ok(bytes) => bytes,
            Err(error) => {
                let error = OpenError::io(&file, error);
                warnings.push(Warning::unreadable(file, error));
                continue;
            }
        };
        let file = StreamFile { path: file, bytes };
        let mut list = WarningList::default();
        let packets = index_packets(&file, &class.uuid, |id| tables.contains_key(&id), &mut list);
        warnings.append(&mut list.0);
        if let Some(Packet { header, .. }) = packets.first() {
            let (class_id, instance_id) = (u64::from(header.stream_id), header.stream_instance_id);
            streams.push(Stream { files: vec![file], packets, class_id, instance_id });
        }
    }
    let name = trace_name(root, path, &class);
    Ok(TraceFolder { path: path.to_owned(), name, class, streams: join_files(streams), tables })
}

fn stream_files(folder: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| OpenError::io(folder, error))? {
        let entry = entry.map_err(|error| OpenError::io(folder, error))?;
        let name = entry.file_name();
        let is_stream = name != METADATA && !name.as_encoded_bytes().starts_with(b".");
        if is_stream && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Joins the files that a size limit cut one stream into; they follow each other in time.
fn join_files(mut streams: Vec<Stream>) -> Vec<Stream> {
    let begin = |stream: &Stream| stream.packets.first().map(|packet| packet.header.timestamp_begin);
    streams.sort_by_key(|stream| (stream.class_id, stream.instance_id, begin(stream)));
    let mut joined: Vec<Stream> = Vec::new();
    for mut stream in streams {
        let Some(last) = joined.last_mut().filter(|last| follows(last, &stream)) else {
            joined.push(stream);
            continue;
        };
        for packet in &mut stream.packets {
            packet.file_idx += last.files.len();
        }
        last.files.append(&mut stream.files);
        last.packets.append(&mut stream.packets);
    }
    joined
}

fn follows(first: &Stream, second: &Stream) -> bool {
    let is_same = (first.class_id, first.instance_id) == (second.class_id, second.instance_id);
    match (first.packets.last(), second.packets.first()) {
        (Some(last), Some(next)) => is_same && last.header.timestamp_end <= next.header.timestamp_begin,
        _ => false,
    }
}

fn trace_name(root: &Path, path: &Path, class: &TraceClass) -> String {
    let host = class.env_str("hostname").unwrap_or_default();
    let below = path.strip_prefix(root).unwrap_or(Path::new("")).to_string_lossy();
    let slash = if host.is_empty() || below.is_empty() { "" } else { "/" };
    format!("{host}{slash}{below}")
}

/// Returns what the streams of `folder` say they lost; adds a warning for each contradiction.
fn losses(folder: &TraceFolder, warnings: &mut Vec<Warning>) -> Vec<Loss> {
    let mut losses = Vec::new();
    for stream in &folder.streams {
        let mut list = WarningList::default();
        let mut previous: Option<&Packet> = None;
        for packet in &stream.packets {
            compare(folder, stream, previous, packet, &mut losses, &mut list);
            previous = Some(packet);
        }
        warnings.append(&mut list.0);
    }
    losses
}

/// Compares the counters of a packet with those of the one before.
fn compare(
    folder: &TraceFolder,
    stream: &Stream,
    previous: Option<&Packet>,
    packet: &Packet,
    losses: &mut Vec<Loss>,
    warnings: &mut WarningList,
) {
    let header = &packet.header;
    let mut lose = |lost, count, certain, begin, end| {
        losses.push(Loss {
            lost,
            count,
            certain,
            begin_ns: ns_since_epoch(&folder.class.clock, begin),
            end_ns: ns_since_epoch(&folder.class.clock, end),
            trace_name: folder.name.clone(),
            trace_uuid: folder.class.uuid,
            stream: stream.path().to_owned(),
            stream_id: stream.class_id,
            stream_instance_id: stream.instance_id,
        });
    };
    let mut warn = |reason| warnings.push(&stream.files[packet.file_idx].path, packet.offset, reason);
    let Some(Packet { header: before, .. }) = previous else {
        if header.events_discarded > 0 {
            lose(Lost::Events, header.events_discarded, false, header.timestamp_begin, header.timestamp_end);
        }
        return;
    };
    let (begin, previous_end) = (header.timestamp_begin, before.timestamp_end);
    if begin < previous_end {
        warn(WarningReason::PacketOutOfOrder { begin, previous_end });
    }
    match header.events_discarded.checked_sub(before.events_discarded) {
        Some(0) => {}
        Some(count) => lose(Lost::Events, count, true, previous_end, header.timestamp_end),
        None => warn(WarningReason::DiscardedBackwards {
            found: header.events_discarded,
            previous: before.events_discarded,
        }),
    }
    match header.packet_seq_num.checked_sub(before.packet_seq_num) {
        Some(1) => {}
        Some(count @ 2..) => lose(Lost::Packets, count - 1, true, previous_end, begin),
        Some(0) | None => {
            warn(WarningReason::SequenceBackwards { found: header.packet_seq_num, previous: before.packet_seq_num })
        }
    }
}
