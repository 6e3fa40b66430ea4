// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a recording cannot begin. What goes wrong later is contained, counted and told in the summary.

use std::io;
use std::path::{Path, PathBuf};

use ust_filter::FilterError;

/// Why no engine could be set up; nothing was recorded, and nothing is left behind but what existed before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// None of the usual places lets us make a private directory.
    #[error("no place for a private runtime directory: {tried}")]
    NoPlace {
        /// Each place with its error.
        tried: String,
    },
    /// A runtime directory that somebody else could tamper with.
    #[error("runtime directory `{}` is not safe: {reason}", path.display())]
    Unsafe {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another recorder uses the directory.
    #[error("runtime directory `{}` is in use by another recorder", .0.display())]
    Busy(PathBuf),
    /// No program has left anything that could be recovered.
    #[error("{}", nothing_left(path, running, *by_daemon))]
    NothingLeft {
        /// The runtime directory.
        path: PathBuf,
        /// Running programs with a flight recorder of their own.
        running: Vec<String>,
        /// A daemon takes what programs leave.
        by_daemon: bool,
    },
    /// The programs could not send their wakeups.
    #[error("runtime directory `{}` has a path of {bytes} bytes; the longest that programs can reach has {max}", path.display())]
    PathTooLong {
        /// The directory.
        path: PathBuf,
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        max: usize,
    },
    /// The output directory exists and holds something.
    #[error("output directory `{}` is not empty", .0.display())]
    OutputNotEmpty(PathBuf),
    /// The channel or the event rules are outside the limits.
    #[error("the rules cannot be used: {0}")]
    Rules(String),
    /// The filter is none, or refers to a context that there is not.
    #[error("{0}")]
    Filter(Box<FilterError>),
    /// A counter that this machine, or its administrator, does not let programs have.
    #[error("the context `{name}` cannot be had here: {source}")]
    Counter {
        /// Its name.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A counter of the hardware, where there is none.
    #[error("the context `{name}` cannot be had here: this machine gives programs no counters of the hardware")]
    NoHardwareCounters {
        /// Its name.
        name: String,
    },
    /// All slots are taken by channels, or by threads that still hold rings of earlier channels.
    #[error("no channel slot is free: 62 are in use, or held by running threads that recorded for earlier channels")]
    NoSlot,
    /// The kernel refused something.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl StartError {
    /// Returns a closure for `map_err` that says what was tried on what.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Returns one thing to try, as a sentence without a final stop.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoPlace { .. } => "set XDG_RUNTIME_DIR or TMPDIR to a directory that you can write to".to_owned(),
            Self::Unsafe { path, .. } => {
                format!("chmod 700 '{}', or another directory in UST_RUNTIME_DIR", path.display())
            }
            Self::Busy(_) => "end the other recorder, or use another directory (UST_RUNTIME_DIR)".to_owned(),
            Self::NothingLeft { running, .. } if !running.is_empty() => {
                "ust recover --running, to copy what running programs hold".to_owned()
            }
            Self::NothingLeft { by_daemon: true, .. } => {
                "ust list, to see what the daemon there has; ust snapshot record, for its flight recorders".to_owned()
            }
            Self::NothingLeft { .. } => "ust doctor, or look for /dev/shm/ust-*".to_owned(),
            Self::PathTooLong { .. } => "a shorter path in UST_RUNTIME_DIR".to_owned(),
            Self::OutputNotEmpty(_) => "another directory with -o, or remove what is there".to_owned(),
            Self::NoSlot => "destroy a session, or give the channel the sizes of one that was destroyed".to_owned(),
            Self::Rules(_) => "fewer or shorter patterns, and sizes inside the limits".to_owned(),
            Self::Filter(_) => "a filter such as 'size > 100 && name == \"abc*\"'".to_owned(),
            Self::NoHardwareCounters { .. } => {
                "a counter of the kernel's, such as perf:thread:task-clock; of a virtual machine, its host decides"
                    .to_owned()
            }
            Self::Counter { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    "without it; what programs may count says /proc/sys/kernel/perf_event_paranoid".to_owned()
                }
                _ => "`perf list`, which shows what this machine counts".to_owned(),
            },
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => "a directory that you can write to".to_owned(),
                io::ErrorKind::NotFound => "create the parent directory first".to_owned(),
                io::ErrorKind::StorageFull => "free some space, or use another file system".to_owned(),
                _ => "look at the path and its file system".to_owned(),
            },
        }
    }
}

fn nothing_left(path: &Path, running: &[String], by_daemon: bool) -> String {
    let daemon = if by_daemon { ", and the daemon there has taken what others left" } else { "" };
    let programs = match running {
        [] => String::new(),
        [program] => format!("; {program} runs, and has a flight recorder of its own"),
        programs => format!("; {} programs run that have flight recorders of their own", programs.len()),
    };
    format!("no program has left anything in `{}`{daemon}{programs}", path.display())
}
