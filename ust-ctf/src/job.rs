// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is asked of a whole trace, whatever is made of its events.

use std::fmt;
use std::sync::Arc;

use crate::select::Selection;

/// Which events of a trace are wanted, how many, and with how many threads.
pub struct Job<'p> {
    /// The events.
    pub selection: Arc<Selection>,
    /// Not more than this many, the first ones.
    pub limit: Option<u64>,
    /// Threads that read and print, at least one.
    pub threads: usize,
    /// Called with the number of windows of time that are done, and their number.
    pub progress: Box<dyn FnMut(usize, usize) + 'p>,
}

impl Job<'_> {
    /// Asks for all events, with a thread per processor.
    #[must_use]
    pub fn all() -> Self {
        Self {
            selection: Arc::new(Selection::all()),
            limit: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            progress: Box::new(|_, _| ()),
        }
    }
}

impl fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { selection, limit, threads, .. } = self;
        f.debug_struct("Job").field("selection", selection).field("limit", limit).field("threads", threads).finish()
    }
}
