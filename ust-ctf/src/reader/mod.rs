// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens traces and yields their events in the order of time.
//!
//! The way of an event: a stream file is mapped and its packets are found when the trace is opened; the body
//! of a packet is cut into borrowed raw events when the merge comes to it; fields are read when somebody asks.
//!
//! Everything in a stream file is untrusted. Damage never ends the reading of the rest: it becomes a
//! [`Warning`], what a tracer says it lost becomes a [`Loss`]. Only metadata that cannot be understood is an
//! error, because nothing can be read without it.
//!
//! ```no_run
//! use ust_ctf::{reader::Trace, text};
//!
//! let trace = Trace::open("trace")?;
//! let mut printer = text::Printer::new(text::Options::default());
//! let mut out = std::io::stdout().lock();
//! let mut events = trace.events();
//! for event in &mut events {
//!     printer.print(&mut out, &event)?;
//! }
//! for warning in trace.warnings().iter().chain(events.warnings()) {
//!     eprintln!("warning: {warning}");
//! }
//! for loss in trace.losses() {
//!     eprintln!("{}", printer.loss_text(loss));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! So far it reads traces as this crate writes them; others are refused with the reason.

mod clock;
mod error;
mod event;
mod map;
mod merge;
pub mod metadata;
mod open;
mod stream;
mod tsdl;
mod value;
mod warning;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub use clock::ns_since_epoch;
pub use error::{MetadataError, OpenError};
pub use event::RawEvent;
pub use merge::{Event, Events};
pub use stream::Stream;
pub use value::{Elements, Fields, IntegerValue, ScalarValue, Value};
pub use warning::{Loss, Lost, Warning, WarningReason};

use crate::model::TraceClass;
use event::EventTable;

/// Returns the classes in `text`, the content of the metadata file `file`.
///
/// # Errors
/// The first place that cannot be understood, with its line and column.
pub fn read_metadata(file: &Path, text: &str) -> Result<TraceClass, MetadataError> {
    tsdl::read(file, text)
}

/// All traces in and below one folder.
#[derive(Debug)]
pub struct Trace {
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
        open::open(path.as_ref())
    }

    /// Returns the events of all streams in the order of time.
    pub fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// Returns the traces, in the order in which equal times are shown.
    pub fn folders(&self) -> &[TraceFolder] {
        &self.folders
    }

    /// Returns what was found damaged when the trace was opened; [`Events::warnings`] has the rest.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns what the tracer lost, in the order of time.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }
}

/// One trace: a folder with metadata and stream files.
#[derive(Debug)]
pub struct TraceFolder {
    path: PathBuf,
    name: String,
    class: TraceClass,
    streams: Vec<Stream>,
    tables: HashMap<u64, EventTable>,
}

impl TraceFolder {
    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
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
