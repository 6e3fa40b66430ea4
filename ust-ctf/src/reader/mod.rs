// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens traces and yields their events in the order of time.
//!
//! The way of an event: the packets of all stream files are found when the trace is opened; a packet is read into a buffer
//! when the merge comes to it, and the [`Event`]s in it are lent one after the other; fields are read when somebody asks.
//!
//! Everything in a stream file is untrusted. Damage never ends the reading of the rest: it becomes a
//! [`Warning`], what a tracer says it lost becomes a [`Loss`]. Only metadata that cannot be understood is an
//! error, because nothing can be read without it.
//!
//! ```no_run
//! use ust_ctf::reader::Trace;
//!
//! let trace = Trace::open("trace")?;
//! let mut events = trace.events();
//! while let Some(event) = events.next() {
//!     if let Some(size) = event.payload().get("size").and_then(|value| value.integer()) {
//!         println!("{} {}: {size}", event.time_ns, event.class.name);
//!     }
//! }
//! for warning in trace.warnings().iter().chain(events.warnings()) {
//!     eprintln!("warning: {warning}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Trace::par_map_windows`] does the same with several threads, and [`crate::text`] prints.

mod bits;
mod clock;
mod cursor;
mod error;
mod event;
mod head;
mod index;
mod loss;
mod merge;
pub mod metadata;
mod open;
mod parallel;
mod piece;
mod place;
mod plan;
mod program;
mod scan;
mod stream;
mod value;
mod walk;
mod warning;
mod window;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use clock::ns_since_epoch;
pub use error::{MetadataError, OpenError};
pub use event::{Event, EventClassNumber};
pub use merge::Events;
pub use parallel::{ParWindows, WindowEvents};
pub use stream::{Packet, Stream};
pub use value::{Elements, Field, Fields, Nested, Text, Value};
pub use warning::{FieldProblem, Loss, Lost, Warning, WarningReason};

pub(crate) use bits::{Layout, ones};
pub(crate) use place::{Damage, Place, SlotFile, until_nul};
pub(crate) use value::take_float;
pub(crate) use walk::{aligned, is_present, option_idx, take_bytes, take_string};

use crate::class::TraceClass;
use crate::limits::PIECES_BYTES;
use plan::StreamPlan;
use window::Window;

/// All traces in and below some folders, on one line of time. A clone is the same trace, not a copy.
#[derive(Clone, Debug)]
pub struct Trace {
    data: Arc<TraceData>,
    /// Times of the events that are read.
    window: Window,
}

#[derive(Debug)]
struct TraceData {
    folders: Vec<TraceFolder>,
    warnings: Vec<Warning>,
    losses: Vec<Loss>,
}

impl Trace {
    /// Opens every trace in `path` and the folders below it, and finds all packets.
    ///
    /// It reads the metadata and the headers of the packets, not the events.
    ///
    /// # Errors
    /// - [`OpenError::NoTrace`]: there is no `metadata` file; give another folder.
    /// - [`OpenError::Io`], [`OpenError::Metadata`]: no trace there can be read, and this is why the first
    ///   cannot. If others can, it is a warning.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_all([path])
    }

    /// Opens every trace in `paths` and the folders below them.
    ///
    /// # Errors
    /// Those of [`Trace::open`]; a path that cannot be read at all is one, too.
    pub fn open_all<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, OpenError> {
        let paths: Vec<_> = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
        open::open(&paths)
    }

    /// Returns the events of all streams in the order of time.
    pub fn events(&self) -> Events<'_> {
        let mut events = Events::new(self, PIECES_BYTES);
        events.restart(self.window);
        events
    }

    /// Returns the traces, in the order in which equal times are shown.
    pub fn folders(&self) -> &[TraceFolder] {
        &self.data.folders
    }

    /// Returns what was found damaged when the trace was opened; [`Events::warnings`] has the rest.
    pub fn warnings(&self) -> &[Warning] {
        &self.data.warnings
    }

    /// Returns what the tracer lost, in the order of time.
    pub fn losses(&self) -> &[Loss] {
        let first = self.data.losses.partition_point(|loss| loss.begin_ns <= self.window.after_ns);
        let end = self.data.losses.partition_point(|loss| loss.begin_ns <= self.window.until_ns);
        &self.data.losses[first.min(end)..end]
    }

    /// Returns the same trace without what is before `begin_ns` or after `end_ns`, both nanoseconds since the epoch.
    #[must_use]
    pub fn between(&self, begin_ns: i64, end_ns: i64) -> Self {
        let after_ns = begin_ns.saturating_sub(1).max(self.window.after_ns);
        let window = Window { after_ns, until_ns: end_ns.min(self.window.until_ns) };
        Self { data: Arc::clone(&self.data), window }
    }

    /// Returns the nanoseconds since the epoch at which the first packet begins that says when it does.
    pub fn begin_ns(&self) -> Option<i64> {
        let streams = self.folders().iter().flat_map(|folder| &folder.streams);
        let begins = streams.filter_map(|stream| stream.packets.iter().find(|packet| packet.begin.is_some()));
        begins.map(|packet| packet.begin_ns).min()
    }
}

/// One trace: a folder with metadata and stream files, or several that a rotation made.
#[derive(Debug)]
pub struct TraceFolder {
    paths: Vec<PathBuf>,
    name: String,
    class: TraceClass,
    streams: Vec<Stream>,
    plans: Vec<StreamPlan>,
    /// Multiple of all alignments.
    align_bits: u64,
    /// Number of the first event class of each stream class.
    class_numbers: Vec<u32>,
}

impl TraceFolder {
    /// Returns the folder, or the first of them.
    pub fn path(&self) -> &Path {
        &self.paths[0]
    }

    /// Returns all folders of the trace.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Returns its name: the host, and the folder below the one that was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its classes.
    pub fn class(&self) -> &TraceClass {
        &self.class
    }

    /// Returns its streams, by stream class and instance.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }
}
