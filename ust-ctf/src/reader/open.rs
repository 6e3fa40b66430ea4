// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens the traces below folders: searches them, finds their packets, and says what their tracers lost.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::clock::Scale;
use super::error::OpenError;
use super::loss::losses;
use super::metadata::read_metadata;
use super::plan::{StreamPlan, align_bits_max};
use super::scan::{Scanned, Scanner};
use super::stream::{Packet, Stream};
use super::warning::Warning;
use super::window::{TIME_MIN, Window};
use super::{Trace, TraceData, TraceFolder};
use crate::class::{EnvValue, TraceClass};
use crate::limits::{ALIGN_BITS_MAX, REOPEN_COUNT_MAX, SCAN_THREADS_MAX};

const METADATA: &str = "metadata";

/// Does the work of [`Trace::open_all`].
///
/// A tracer that runs writes of each new class into the metadata before it writes the first packet of it. So metadata that is
/// still the same after the packets were looked for describes all of them; else all is done once more.
pub(super) fn open(roots: &[PathBuf]) -> Result<Trace, OpenError> {
    let (mut trace, mut read) = open_once(roots)?;
    for _ in 0..REOPEN_COUNT_MAX {
        if read.iter().all(|(path, version)| version_of(path).is_ok_and(|now| now == *version)) {
            break;
        }
        (trace, read) = open_once(roots)?;
    }
    Ok(trace)
}

/// What differs when a file was replaced or written to: its inode, length, and time of the last change.
type Version = (u64, u64, i64, i64);

fn version_of(path: &Path) -> io::Result<Version> {
    fs::metadata(path).map(|is| (is.ino(), is.len(), is.mtime(), is.mtime_nsec()))
}

/// Opens what is there; returns the metadata files that were read, too.
fn open_once(roots: &[PathBuf]) -> Result<(Trace, Vec<(PathBuf, Version)>), OpenError> {
    let mut warnings = Vec::new();
    let mut failed = Vec::new();
    let mut described = Vec::new();
    for root in roots {
        let (paths, unread) = trace_folders(root)?;
        failed.extend(unread);
        for path in paths {
            match describe(root, &path) {
                Ok(found) => described.push(found),
                Err(error) => failed.push((path.join(METADATA), error)),
            }
        }
    }
    if described.is_empty() {
        let path = roots.first().cloned().unwrap_or_default();
        let first = failed.into_iter().next().map(|(_, error)| error);
        return Err(first.unwrap_or(OpenError::NoTrace { path }));
    }
    warnings.extend(failed.into_iter().map(|(path, error)| Warning::unreadable(path, error)));
    let read = described.iter().map(|found| (found.path.join(METADATA), found.version)).collect();
    let mut folders = Vec::new();
    for group in group(described) {
        folders.push(open_group(group, &mut warnings)?);
    }
    number(&mut folders);
    let mut losses: Vec<_> = folders.iter().flat_map(|folder| losses(folder, &mut warnings)).collect();
    losses.sort_by_key(|loss| loss.begin_ns);
    Ok((Trace { data: TraceData { folders, warnings, losses }.into(), window: Window::ALL }, read))
}

/// Folders, and those that cannot be searched with the reason.
type Unread = Vec<(PathBuf, OpenError)>;

/// Returns the folders that have metadata, `root` and what is below it, in a fixed order.
fn trace_folders(root: &Path) -> Result<(Vec<PathBuf>, Unread), OpenError> {
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

/// A folder whose metadata was read.
struct Described {
    path: PathBuf,
    /// Of the metadata, before it was read.
    version: Version,
    name: String,
    class: TraceClass,
    files: Vec<PathBuf>,
}

fn describe(root: &Path, path: &Path) -> Result<Described, OpenError> {
    let metadata = path.join(METADATA);
    let version = version_of(&metadata).map_err(|error| OpenError::io(&metadata, error))?;
    let text = fs::read(&metadata).map_err(|error| OpenError::io(&metadata, error))?;
    let class = read_metadata(&metadata, &text)?;
    let align_bits = align_bits_max(&class);
    if align_bits > ALIGN_BITS_MAX {
        return Err(OpenError::Alignment { path: metadata, align_bits });
    }
    let name = trace_name(root, path, &class);
    Ok(Described { path: path.to_owned(), version, name, class, files: stream_files(path)? })
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

fn host(class: &TraceClass) -> &str {
    if let Some(EnvValue::String(host)) = class.env("hostname") { host } else { "" }
}

fn trace_name(root: &Path, path: &Path, class: &TraceClass) -> String {
    let host = host(class);
    let below = path.strip_prefix(root).unwrap_or(Path::new("")).to_string_lossy();
    let slash = if host.is_empty() || below.is_empty() { "" } else { "/" };
    format!("{host}{slash}{below}")
}

/// Puts folders of one trace together: a rotation makes several, with the same identity.
fn group(mut described: Vec<Described>) -> Vec<Vec<Described>> {
    described.sort_by(|a, b| (a.class.uuid, &a.path).cmp(&(b.class.uuid, &b.path)));
    // The same folder may be given twice.
    described.dedup_by(|a, b| a.path == b.path);
    let mut groups: Vec<Vec<Described>> = Vec::new();
    for found in described {
        match groups.last_mut().filter(|group| group[0].class.uuid.is_some() && group[0].class.uuid == found.class.uuid)
        {
            Some(group) => group.push(found),
            None => groups.push(vec![found]),
        }
    }
    groups
}

/// Opens the streams of one trace, whose metadata only ever grows from folder to folder.
fn open_group(mut group: Vec<Described>, warnings: &mut Vec<Warning>) -> Result<TraceFolder, OpenError> {
    let size = |found: &Described| found.class.streams.iter().map(|stream| 1 + stream.events.len()).sum::<usize>();
    let richest = (0..group.len()).rev().max_by_key(|idx| size(&group[*idx])).unwrap_or(0);
    let files: Vec<_> = group.iter_mut().flat_map(|found| std::mem::take(&mut found.files)).collect();
    let paths = group.iter().map(|found| found.path.clone()).collect();
    // As babeltrace2 has it: folders that were put together have no name in common but that of the host.
    let name = if group.len() > 1 { host(&group[0].class).to_owned() } else { group[0].name.clone() };
    let class = group.swap_remove(richest).class;
    let streams = join(&class, scan_all(&class, files, warnings));
    let plans = class.streams.iter().map(StreamPlan::new).collect();
    let align_bits = align_bits_max(&class);
    Ok(TraceFolder { paths, name, class, streams, plans, align_bits, class_numbers: Vec::new() })
}

/// Scans `files` in parallel; what is found comes in their order.
fn scan_all(class: &TraceClass, files: Vec<PathBuf>, warnings: &mut Vec<Warning>) -> Vec<Scanned> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len()).min(SCAN_THREADS_MAX);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work = || {
        let mut scanner = Scanner::new(class);
        // Relaxed: only the number counts; the results are handed over under the lock.
        while let Some((idx, path)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, files.get(i)?)))
        {
            let mut found = Vec::new();
            let scanned = scanner.scan(path.clone(), &mut found);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((idx, scanned, found));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(idx, ..)| *idx);
    let mut scanned = Vec::new();
    for (_, file, mut found) in results {
        warnings.append(&mut found);
        scanned.extend(file);
    }
    scanned
}

/// Joins the files that one stream was cut into; they follow each other in time.
fn join(class: &TraceClass, mut scanned: Vec<Scanned>) -> Vec<Stream> {
    let begin = |file: &Scanned| file.packets.first().and_then(|packet| packet.begin);
    scanned.sort_by_key(|file| (file.class_idx, file.instance_id, begin(file)));
    let mut streams: Vec<Stream> = Vec::new();
    for mut file in scanned {
        // Without an instance or a time, nothing says what follows what.
        let is_part = |stream: &&mut Stream| {
            file.instance_id.is_some()
                && begin(&file).is_some()
                && (stream.class_idx, stream.instance_id) == (file.class_idx, file.instance_id)
        };
        if let Some(stream) = streams.last_mut().filter(is_part) {
            for packet in &mut file.packets {
                packet.file_idx = stream.files.len() as u32;
            }
            stream.files.push(file.file);
            stream.packets.append(&mut file.packets);
            continue;
        }
        let same_class = streams.last().filter(|stream| stream.class_idx == file.class_idx);
        streams.push(Stream {
            files: vec![file.file],
            packets: file.packets,
            class_idx: file.class_idx,
            class_id: class.streams[file.class_idx].id,
            instance_id: file.instance_id,
            folder_number: 0,
            number: 0,
            exits: Default::default(),
            number_in_class: same_class.map_or(0, |stream| stream.number_in_class + 1),
        });
    }
    for stream in &mut streams {
        if stream.files.len() > 1 {
            stream.packets.sort_by_key(|packet| packet.begin);
            // Snapshots may overlap: a packet that is in two files is one.
            stream.packets.dedup_by(|second, first| is_same(first, second));
        }
        bound(class, stream);
    }
    streams
}

fn is_same(first: &Packet, second: &Packet) -> bool {
    let facts = |packet: &Packet| {
        let Packet { content_bits, packet_bits, begin, end, discarded_events, seq_num, .. } = packet;
        (*content_bits, *packet_bits, *begin, *end, *discarded_events, *seq_num)
    };
    first.file_idx != second.file_idx && facts(first) == facts(second)
}

/// Sets the times between which the events of each packet are sorted.
fn bound(class: &TraceClass, stream: &mut Stream) {
    let clock = class.streams[stream.class_idx].clock.and_then(|idx| class.clocks.get(idx));
    let Some(scale) = clock.map(Scale::new) else {
        // Events without a clock come first.
        for packet in &mut stream.packets {
            (packet.begin_ns, packet.end_ns, packet.reach_ns) = (TIME_MIN, TIME_MIN, TIME_MIN);
        }
        return;
    };
    let (mut begin_min, mut reach) = (TIME_MIN, TIME_MIN);
    for idx in 0..stream.packets.len() {
        let next_begin = stream.packets.get(idx + 1).and_then(|next| next.begin);
        let packet = &mut stream.packets[idx];
        packet.begin_ns = packet.begin.map_or(begin_min, |cycles| scale.ns(cycles).max(begin_min));
        // What ends before it begins was not ended: its recorder was killed.
        let end = packet.end.filter(|end| packet.begin.is_none_or(|begin| begin <= *end));
        packet.end_ns = match end.or(next_begin) {
            Some(cycles) => scale.ns(cycles).max(packet.begin_ns),
            None => i64::MAX,
        };
        begin_min = if end.is_some() { packet.end_ns } else { packet.begin_ns };
        reach = reach.max(packet.end_ns);
        packet.reach_ns = reach;
    }
}

/// Numbers streams and event classes through all traces.
fn number(folders: &mut [TraceFolder]) {
    let (mut streams, mut classes) = (0, 0);
    for (number, folder) in folders.iter_mut().enumerate() {
        for stream in &mut folder.streams {
            stream.folder_number = number;
            stream.number = streams;
            streams += 1;
        }
        for stream in &folder.class.streams {
            folder.class_numbers.push(classes);
            classes += stream.events.len() as u32;
        }
    }
}
