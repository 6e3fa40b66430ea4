// SPDX-License-Identifier: MIT OR Apache-2.0
//! One recording: a hub with one session and one channel.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::config::{ChannelConfig, RuleConfig, SessionConfig};
use crate::contexts;
use crate::error::StartError;
use crate::hub::Hub;
use crate::lifecycle::prepare_output;
use crate::options::EngineOptions;
use crate::runtime_dir::RuntimeDir;
use crate::session::Session;
use crate::summary::{Progress, Summary};
use crate::sys;

/// Number of the one session.
const SESSION: u64 = 1;

/// Name of the one channel, as it stands in the names of stream files.
const CHANNEL: &str = "ring";

/// Drains the programs of one runtime directory into one trace.
///
/// It works only inside [`Engine::run_once`] and [`Engine::stop`]; it starts no thread.
#[derive(Debug)]
pub struct Engine {
    hub: Hub,
    options: EngineOptions,
}

impl Engine {
    /// Sets up a recording of what registers in `dir`: publishes the rules, and attaches what is there already.
    ///
    /// The output directory is created unless it exists; it must be empty. The soft limit of open files is raised to
    /// the hard one.
    ///
    /// # Errors
    /// [`StartError`]; nothing is recorded then.
    pub fn new(dir: RuntimeDir, options: EngineOptions) -> Result<Self, StartError> {
        let config = session_config(&options);
        contexts::check(&config.channels[0].contexts)?;
        for rule in &config.rules {
            rule.event_rule(0).map_err(|error| StartError::Filter(Box::new(error)))?;
        }
        prepare_output(&options.output)?;
        let mut hub = Hub::new(dir)?;
        hub.leaves_unrecorded = options.only_pid.is_some();
        hub.add(Session::new(SESSION, config));
        hub.start(SESSION, &options.output)?;
        Ok(Self { hub, options })
    }

    /// The directory that programs must find in `UST_RUNTIME_DIR`.
    #[must_use]
    pub fn runtime_dir(&self) -> &RuntimeDir {
        &self.hub.apps.dir
    }

    /// The state of the recording. Reads every event counter, so ask some times per second at most.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.hub.progress(SESSION)
    }

    /// Drains, then waits until something happens, at most until the tick or for `timeout`, and takes that in.
    ///
    /// Returns for each of `extra` whether it is readable (or its other end is gone).
    ///
    /// # Errors
    /// Only where the kernel cannot poll at all.
    pub fn run_once(&mut self, timeout: Duration, extra: &[BorrowedFd<'_>]) -> io::Result<Vec<bool>> {
        let mut fds: Vec<_> = extra.iter().map(|fd| sys::readable(*fd)).collect();
        self.hub.run_once(timeout, &mut fds)?;
        Ok(fds.iter().map(|fd| fd.revents != 0).collect())
    }

    /// Runs until `is_done` says so; it is asked after each pass.
    ///
    /// # Errors
    /// As [`Engine::run_once`].
    pub fn run_until(&mut self, mut is_done: impl FnMut(&Self) -> bool) -> io::Result<()> {
        while !is_done(self) {
            self.run_once(Duration::MAX, &[])?;
        }
        Ok(())
    }

    /// Ends the recording: switches the programs off, takes what they have committed, and completes the trace.
    ///
    /// A private runtime directory is removed. What programs that still run record from now on is not in the trace.
    #[must_use]
    pub fn stop(mut self) -> Summary {
        if let Err(error) = self.hub.stop(SESSION)
            && let Some(session) = self.hub.session_mut(SESSION)
        {
            session.tally.warn(error.to_string());
        }
        let Some(mut session) = self.hub.sessions.pop() else { unreachable!("the session is added at the begin") };
        session.tally.check_filter(&session.config.rules);
        let (packets, bytes) = session.trace.map_or((0, 0), |trace| (trace.packets, trace.bytes));
        session.tally.into_summary(self.options.output, self.options.channel.mode, packets, bytes)
    }
}

fn session_config(options: &EngineOptions) -> SessionConfig {
    let mut config = SessionConfig::new(&options.trace_name, &options.output);
    let block_timeout_us = options.channel.block_timeout_us;
    config.channels.push(ChannelConfig {
        mode: options.channel.mode.into(),
        block_timeout_us: (block_timeout_us != u64::MAX).then_some(block_timeout_us),
        subbuf_bytes: options.channel.subbuf_bytes,
        subbuf_count: options.channel.subbuf_count,
        tick_ms: u64::try_from(options.tick.as_millis()).unwrap_or(u64::MAX),
        contexts: options.contexts.clone(),
        ..ChannelConfig::new(CHANNEL)
    });
    let rule =
        |pattern: &String| RuleConfig { filter: options.filter.clone(), ..RuleConfig::pattern(CHANNEL, pattern) };
    config.rules = options.patterns.iter().map(rule).collect();
    config.tracker.vpid = options.only_pid.map(|pid| BTreeSet::from([pid.into()]));
    config
}
