// SPDX-License-Identifier: MIT OR Apache-2.0
//! Merges the events of all streams by time.
//!
//! Equal times keep a fixed order: by trace, stream class and stream, as babeltrace2 has it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Trace;
use super::cursor::Cursor;
use super::event::Event;
use super::warning::Warning;
use super::window::Window;
use crate::limits::{PIECE_BYTES_MAX, PIECE_BYTES_MIN};

/// The events of a [`Trace`], or of a part of its time, in the order of time.
///
/// It lends each event until the next is asked for: its bytes lie in a buffer that is used again.
#[derive(Debug)]
pub struct Events<'t> {
    cursors: Vec<Cursor<'t>>,
    /// Time of the next event of each other cursor, and its index.
    heap: BinaryHeap<Reverse<(i64, usize)>>,
    /// The cursor whose event was lent last.
    current: Option<usize>,
}

impl<'t> Events<'t> {
    /// Returns no events yet; `bytes` is what pieces of packets may take together.
    pub(crate) fn new(trace: &'t Trace, bytes: u64) -> Self {
        let streams =
            || trace.folders().iter().flat_map(|folder| folder.streams.iter().map(move |stream| (folder, stream)));
        let count = streams().count().max(1) as u64;
        let piece_bytes = (bytes / count).clamp(PIECE_BYTES_MIN, PIECE_BYTES_MAX);
        let cursors = streams().map(|(folder, stream)| Cursor::new(folder, stream, piece_bytes)).collect();
        Self { cursors, heap: BinaryHeap::new(), current: None }
    }

    /// Begins anew with the events of `window`.
    pub(crate) fn restart(&mut self, window: Window) {
        self.heap.clear();
        self.current = None;
        for (idx, cursor) in self.cursors.iter_mut().enumerate() {
            cursor.restart(window);
            if cursor.advance() {
                self.heap.push(Reverse((cursor.key_ns, idx)));
            }
        }
    }

    /// Returns the next event.
    #[allow(clippy::should_implement_trait, reason = "it lends, which an iterator cannot")]
    #[inline]
    pub fn next(&mut self) -> Option<Event<'_>> {
        let idx = self.step()?;
        self.current = Some(idx);
        Some(self.cursors[idx].event())
    }

    /// Returns the index of the cursor with the next event.
    #[inline]
    fn step(&mut self) -> Option<usize> {
        let Some(current) = self.current.take() else {
            return self.heap.pop().map(|top| top.0.1);
        };
        let cursor = &mut self.cursors[current];
        if !cursor.advance() {
            return self.heap.pop().map(|top| top.0.1);
        }
        let next = (cursor.key_ns, current);
        match self.heap.peek_mut() {
            Some(mut top) if top.0 < next => {
                let first = top.0.1;
                *top = Reverse(next);
                Some(first)
            }
            _ => Some(current),
        }
    }

    /// Passes all events that are left to `each`.
    pub fn for_each(&mut self, mut each: impl FnMut(Event<'_>)) {
        while let Some(event) = self.next() {
            each(event);
        }
    }

    /// Counts the events that are left.
    pub fn count(&mut self) -> u64 {
        let mut count = 0;
        while let Some(idx) = self.step() {
            self.current = Some(idx);
            count += 1;
        }
        count
    }

    /// Returns the warnings about what was read so far; all of them once the events have ended.
    pub fn warnings(&self) -> impl Iterator<Item = &Warning> {
        self.cursors.iter().flat_map(|cursor| &cursor.warnings.0)
    }

    /// Takes the warnings out.
    pub(crate) fn take_warnings(&mut self) -> Vec<Warning> {
        self.cursors.iter_mut().flat_map(|cursor| std::mem::take(&mut cursor.warnings.0)).collect()
    }
}
