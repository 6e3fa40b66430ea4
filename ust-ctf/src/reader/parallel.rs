// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads windows of time with several threads; what becomes of them comes out in their order.
//!
//! A worker takes the next window, reads it alone, and puts the result into a shared list. It does not run ahead of the
//! receiver by more than [`WINDOWS_AHEAD`] windows per thread, which bounds the memory of results that wait. One lock guards
//! the list; it is taken twice per window of some MiB.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::Trace;
use super::merge::Events;
use super::warning::Warning;
use super::window::{self, Window};
use crate::limits::WINDOW_BYTES;

/// Windows per thread that may be done or being done before they are received.
const WINDOWS_AHEAD: usize = 2;

/// The events of one window of time.
#[derive(Debug)]
pub struct WindowEvents<'w, 't> {
    events: &'w mut Events<'t>,
    number: usize,
}

impl WindowEvents<'_, '_> {
    /// Returns the number of the window, from 0, in the order of time.
    pub fn number(&self) -> usize {
        self.number
    }
}

impl<'t> Deref for WindowEvents<'_, 't> {
    type Target = Events<'t>;

    fn deref(&self) -> &Events<'t> {
        self.events
    }
}

impl<'t> DerefMut for WindowEvents<'_, 't> {
    fn deref_mut(&mut self) -> &mut Events<'t> {
        self.events
    }
}

impl Trace {
    /// Cuts the time of the trace into windows, passes the events of each to `map` on one of `threads` threads, and
    /// returns the results in the order of time.
    ///
    /// `init` makes a state for each thread, for what is costly to make. Not more than two windows per thread are done before
    /// they are received, so the one who receives bounds the memory. Dropping the iterator stops the threads.
    pub fn par_map_windows<S, R: Send + 'static>(
        &self,
        threads: usize,
        init: impl Fn() -> S + Send + Sync + 'static,
        map: impl Fn(&mut S, &mut WindowEvents<'_, '_>) -> R + Send + Sync + 'static,
    ) -> ParWindows<R> {
        let windows = window::cut(self);
        let window_count = windows.len();
        let shared = Arc::new(Shared {
            trace: self.clone(),
            windows,
            threads: threads.max(1),
            state: Mutex::new(State {
                taken: 0,
                received: 0,
                done: BTreeMap::new(),
                is_over: false,
                warnings: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let map = Arc::new((init, map));
        let workers = (0..threads.clamp(1, window_count))
            .map(|_| {
                let (shared, map) = (Arc::clone(&shared), Arc::clone(&map));
                std::thread::spawn(move || work(&shared, &map.0, &map.1))
            })
            .collect();
        ParWindows { shared, workers }
    }
}

/// What became of windows, in the order of time; see [`Trace::par_map_windows`].
pub struct ParWindows<R> {
    shared: Arc<Shared<R>>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared<R> {
    trace: Trace,
    windows: Vec<Window>,
    threads: usize,
    state: Mutex<State<R>>,
    /// A window was done or received.
    changed: Condvar,
}

struct State<R> {
    /// Number of windows that workers took.
    taken: usize,
    /// Number of windows that the receiver took.
    received: usize,
    done: BTreeMap<usize, R>,
    /// Nobody wants more, or a worker panicked.
    is_over: bool,
    warnings: Vec<Warning>,
}

impl<R> Shared<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, guard: MutexGuard<'g, State<R>>) -> MutexGuard<'g, State<R>> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next window to read, as soon as the receiver is near enough.
    fn take(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.is_over || state.taken == self.windows.len() {
                return None;
            }
            if state.taken < state.received + self.threads * WINDOWS_AHEAD {
                state.taken += 1;
                return Some(state.taken - 1);
            }
            state = self.wait(state);
        }
    }
}

fn work<S, R>(shared: &Shared<R>, init: &impl Fn() -> S, map: &impl Fn(&mut S, &mut WindowEvents<'_, '_>) -> R) {
    /// Wakes the receiver also if `map` panics.
    struct Over<'s, R>(&'s Shared<R>);
    impl<R> Drop for Over<'_, R> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                self.0.lock().is_over = true;
            }
            self.0.changed.notify_all();
        }
    }
    let _over = Over(shared);
    let mut state = init();
    // Of a packet that reaches beyond the window, only what is in the window needs to be read.
    let mut events = Events::new(&shared.trace, WINDOW_BYTES);
    while let Some(number) = shared.take() {
        events.restart(shared.windows[number]);
        let result = map(&mut state, &mut WindowEvents { events: &mut events, number });
        let mut warnings = events.take_warnings();
        let mut state = shared.lock();
        state.warnings.append(&mut warnings);
        state.done.insert(number, result);
        drop(state);
        shared.changed.notify_all();
    }
}

impl<R> Iterator for ParWindows<R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        let mut state = self.shared.lock();
        loop {
            let wanted = state.received;
            if wanted == self.shared.windows.len() {
                return None;
            }
            if let Some(result) = state.done.remove(&wanted) {
                state.received += 1;
                drop(state);
                self.shared.changed.notify_all();
                return Some(result);
            }
            if state.is_over {
                drop(state);
                self.rethrow();
                return None;
            }
            state = self.shared.wait(state);
        }
    }
}

impl<R> ParWindows<R> {
    /// Returns the number of windows.
    pub fn window_count(&self) -> usize {
        self.shared.windows.len()
    }

    /// Returns the warnings about what was read so far, without those that several windows have in common.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = std::mem::take(&mut self.shared.lock().warnings);
        warnings.sort_by(|a, b| (&a.file, a.offset).cmp(&(&b.file, b.offset)));
        warnings.dedup_by_key(|warning| (warning.file.clone(), warning.offset, warning.reason.to_string()));
        warnings
    }

    /// Goes on with the panic of a worker.
    fn rethrow(&mut self) {
        for worker in self.workers.drain(..) {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl<R> Drop for ParWindows<R> {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            // A panic was shown when it happened; this one must not abort.
            let _ = worker.join();
        }
    }
}

impl<R> fmt::Debug for ParWindows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParWindows").field("windows", &self.shared.windows.len()).finish_non_exhaustive()
    }
}
