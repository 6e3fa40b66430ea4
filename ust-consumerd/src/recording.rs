// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program that records itself: the engine on a thread of its own.
//!
//! A program registers before `main`, in the runtime directory that its environment names, so that is the directory
//! in which its recording must take place. It needs no daemon and no second process. While it lasts, no other
//! recorder can use that directory; other programs of the same user that register there are switched off.
//! To be alone, start the program with `UST_RUNTIME_DIR` set to a directory of its own.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::engine::Engine;
use crate::error::StartError;
use crate::options::EngineOptions;
use crate::runtime_dir::RuntimeDir;
use crate::summary::Summary;

/// A recording of the calling program, by a thread of it.
///
/// Dropping it ends the recording as [`Recording::stop`] does, without the summary.
///
/// The child of a `fork` is not recorded: it is another process.
#[derive(Debug)]
pub struct Recording {
    stop: UnixStream,
    thread: Option<JoinHandle<Summary>>,
}

impl Recording {
    /// Begins to record this program. When it returns, the program's tracepoints that match are on.
    ///
    /// [`EngineOptions::only_pid`] is set to this process.
    ///
    /// # Errors
    /// [`StartError`]; nothing is recorded then.
    pub fn start(mut options: EngineOptions) -> Result<Self, StartError> {
        options.only_pid = i32::try_from(std::process::id()).ok();
        let dir = RuntimeDir::of_environment()?;
        let path = dir.path().to_owned();
        let mut engine = Engine::new(dir, options)?;
        let (stop, stopped) = UnixStream::pair().map_err(StartError::io("make a socket for", &path))?;
        let run = move || {
            loop {
                match engine.run_once(Duration::MAX, &[stopped.as_fd()]) {
                    Ok(ready) if ready == [false] => {}
                    _ => return engine.stop(),
                }
            }
        };
        let thread = thread::Builder::new()
            .name("ust-recording".to_owned())
            .spawn(run)
            .map_err(StartError::io("start a thread for", &path))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Ends the recording and completes the trace. Waits for the thread, which takes what is left in the rings.
    ///
    /// # Panics
    /// If the recording's thread panicked, which is a defect of this crate.
    #[must_use]
    pub fn stop(mut self) -> Summary {
        let summary = self.finish().expect("stopped once only");
        summary.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn finish(&mut self) -> Option<thread::Result<Summary>> {
        let thread = self.thread.take()?;
        // Cannot fail while the other end lives, and needs no answer when it does not.
        let _ = self.stop.write_all(&[0]);
        Some(thread.join())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}
