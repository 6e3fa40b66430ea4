// SPDX-License-Identifier: MIT OR Apache-2.0
//! Carries out what clients of the daemon ask for.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use ust_shm::layout::geometry_is_valid;
use ust_shm::limits::EVENT_NAME_BYTES_MAX;

use crate::config::{ChannelConfig, Mode, RotationSchedule, RuleConfig, SessionConfig, SnapshotOutput, Tracker};
use crate::contexts;
use crate::control::protocol::{DaemonReport, Kind, Refused, Request, Tracked};
use crate::daemon::Daemon;
use crate::error::StartError;
use crate::filters::{self, FilterProblem};
use crate::limits::WARNING_COUNT_MAX;
use crate::nearest::nearest;
use crate::session::Session;
use crate::sys;
use crate::trace::utc_datetime;

type Result<T> = std::result::Result<T, Refused>;

/// Name of the channel that `enable-event` makes where there is none, as in LTTng.
pub const DEFAULT_CHANNEL: &str = "channel0";

fn io_refused(error: &StartError) -> Refused {
    Refused::new(Kind::Io, error.to_string(), error.hint())
}

fn json(value: impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Refused::new(Kind::Io, error.to_string(), "report this"))
}

impl Daemon {
    /// Carries out a request of connection `connection`.
    pub(crate) fn carry_out(&mut self, request: Request, connection: usize) -> Result<Value> {
        match request {
            Request::Status {} => json(self.report()),
            Request::Sessions {} => {
                let current = self.current.as_deref();
                json(self.hub.sessions.iter().map(|s| self.hub.session_report(s, current)).collect::<Vec<_>>())
            }
            Request::Session { session } => self.find(session).and_then(|id| self.told(id)),
            Request::Apps { fields } => json(self.hub.app_reports(fields)),
            Request::Create { config, ephemeral } => self.create(*config, ephemeral.then_some(connection)),
            Request::Destroy { session } => self.destroy(session),
            Request::Start { session } => self.start(session),
            Request::Stop { session } => self.stop(session),
            Request::Clear { session } => self.clear(session),
            Request::Rotate { session } => self.rotate(session),
            Request::SetSession { session } => {
                let id = self.find(Some(session.clone()))?;
                self.current = Some(session);
                self.save_daemon()?;
                self.told(id)
            }
            Request::EnableChannel { session, channel } => self.enable_channel(session, channel),
            Request::DisableChannel { session, channel } => self.change(session, |config| {
                channel_mut(config, &channel)?.enabled = false;
                Ok(())
            }),
            Request::EnableEvent { session, rules, allow_unknown_fields } => {
                self.enable_event(session, rules, allow_unknown_fields)
            }
            Request::AddContext { session, channel, contexts } => self.add_context(session, channel, contexts),
            Request::DisableEvent { session, channel, patterns, all } => {
                self.change(session, |config| disable_rules(config, channel.as_deref(), &patterns, all))
            }
            Request::Track { session, what, ids } => self.change(session, |config| {
                track(&mut config.tracker, what, ids);
                Ok(())
            }),
            Request::Untrack { session, what, ids } => self.change(session, |config| untrack(config, what, ids)),
            Request::SetRotation { session, schedule } => self.set_rotation(session, schedule),
            Request::Snapshot { session, name, output, max_bytes } => self.snapshot(session, name, output, max_bytes),
            Request::AddOutput { session, output } => self.change(session, |config| add_output(config, output)),
            Request::DelOutput { session, name } => self.change(session, |config| {
                let before = config.snapshot_outputs.len();
                config.snapshot_outputs.retain(|output| output.name != name && output.id.to_string() != name);
                if config.snapshot_outputs.len() == before {
                    let names: Vec<_> = config.snapshot_outputs.iter().map(|output| output.name.as_str()).collect();
                    return Err(unknown(Kind::Invalid, "snapshot output", &name, &names, "ust snapshot list-output"));
                }
                Ok(())
            }),
            Request::Shutdown {} => {
                self.ends = true;
                Ok(Value::Null)
            }
        }
    }

    fn report(&self) -> DaemonReport {
        let images = &self.hub.apps.images;
        DaemonReport {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            runtime_dir: self.hub.apps.dir.path().to_owned(),
            sessions: self.hub.sessions.len() as u64,
            processes: images.iter().filter(|image| !image.kept).count() as u64,
            current: self.current.clone(),
            left_behind: images.iter().filter(|image| image.kept).count() as u64,
            unclaimed: self.hub.apps.unclaimed() as u64,
            unclaimed_images: self.hub.apps.left(),
            notes: self.notes().iter().take(WARNING_COUNT_MAX).cloned().collect(),
        }
    }

    /// The number of the session of that name, or of the current one.
    fn find(&self, name: Option<String>) -> Result<u64> {
        let Some(name) = name.or_else(|| self.current.clone()) else {
            return Err(Refused::new(
                Kind::NoSession,
                "there is no current session",
                "ust create, or ust set-session NAME",
            ));
        };
        let names: Vec<_> = self.hub.sessions.iter().map(|session| session.config.name.as_str()).collect();
        let found = self.hub.sessions.iter().find(|session| session.config.name == name).map(|session| session.id);
        found.ok_or_else(|| unknown(Kind::NoSession, "session", &name, &names, "ust list"))
    }

    fn told(&self, id: u64) -> Result<Value> {
        let session = self.hub.sessions.iter().find(|session| session.id == id);
        json(session.map(|session| self.hub.session_report(session, self.current.as_deref())))
    }

    fn create(&mut self, mut config: SessionConfig, connection: Option<usize>) -> Result<Value> {
        check_name("session", &config.name)?;
        if self.hub.sessions.iter().any(|session| session.config.name == config.name) {
            let message = format!("session `{}` exists", config.name);
            return Err(Refused::new(Kind::Exists, message, format!("another name, or ust destroy {}", config.name)));
        }
        if !config.output.is_absolute() {
            let message = format!("output `{}` is no absolute path", config.output.display());
            return Err(Refused::new(Kind::Invalid, message, "an absolute path"));
        }
        for channel in &config.channels {
            check_channel(channel)?;
        }
        one_name_each(&config)?;
        for rule in &config.rules {
            check_rule(rule)?;
            self.check_filter(rule, true)?;
            if config.channel(&rule.channel).is_none() {
                let message = format!("a rule names channel `{}`, which the session does not have", rule.channel);
                return Err(Refused::new(Kind::Invalid, message, "a channel of that name"));
            }
        }
        if config.snapshot && config.snapshot_outputs.is_empty() {
            let path = config.output.clone();
            config.snapshot_outputs.push(SnapshotOutput {
                id: 1,
                name: "snapshot-1".to_owned(),
                path,
                max_bytes: None,
            });
        }
        self.next_session += 1;
        let id = self.next_session;
        let name = config.name.clone();
        let mut session = Session::new(id, config);
        session.ephemeral = connection.is_some();
        self.hub.add(session);
        match connection {
            Some(connection) => self.server.tie(connection, id),
            None => self.current = Some(name),
        }
        self.save_daemon()?;
        self.save(id)?;
        self.told(id)
    }

    fn destroy(&mut self, session: Option<String>) -> Result<Value> {
        let id = self.find(session)?;
        let stopped = self.hub.stop(id);
        let told = self.told(id);
        self.forget(id)?;
        stopped.map_err(|error| io_refused(&error))?;
        told
    }

    fn start(&mut self, session: Option<String>) -> Result<Value> {
        let id = self.find(session)?;
        let Some(session) = self.hub.session_mut(id) else { return self.told(id) };
        if session.started {
            let message = format!("session `{}` is started already", session.config.name);
            return Err(Refused::new(Kind::State, message, "ust status, to see what it records"));
        }
        if session.config.channels.is_empty() {
            let message = format!("session `{}` has no channel and no event rule", session.config.name);
            return Err(Refused::new(Kind::State, message, "ust enable-event 'PROVIDER:*', or ust enable-event -a"));
        }
        let dir = session.trace_dir();
        if session.trace.is_none() && session.chunk.id == 0 && holds_more_than_metadata(&dir) {
            return Err(io_refused(&StartError::OutputNotEmpty(dir)));
        }
        if !session.config.snapshot {
            fs::create_dir_all(&dir).map_err(|error| io_refused(&StartError::io("create directory", &dir)(error)))?;
        }
        let timer = session.config.rotation.timer_ms;
        session.next_rotation = timer.map(|ms| Instant::now() + Duration::from_millis(ms));
        self.hub.start(id, &dir).map_err(|error| io_refused(&error))?;
        self.save(id)?;
        self.told(id)
    }

    fn stop(&mut self, session: Option<String>) -> Result<Value> {
        let id = self.find(session)?;
        if let Some(session) = self.hub.session_mut(id).filter(|session| !session.started) {
            let message = format!("session `{}` is not started", session.config.name);
            return Err(Refused::new(Kind::State, message, "ust start"));
        }
        let stopped = self.hub.stop(id);
        self.save(id)?;
        stopped.map_err(|error| io_refused(&error))?;
        self.told(id)
    }

    fn clear(&mut self, session: Option<String>) -> Result<Value> {
        let id = self.find(session)?;
        self.hub.clear(id).map_err(|error| io_refused(&error))?;
        self.save(id)?;
        self.told(id)
    }

    fn rotate(&mut self, session: Option<String>) -> Result<Value> {
        let id = self.find(session)?;
        let chunk = self.hub.rotate(id).map_err(|error| io_refused(&error))?;
        if chunk.is_none() {
            let hint = "ust start; a flight recorder has ust snapshot record instead";
            return Err(Refused::new(Kind::State, "the session is writing no trace that could be rotated", hint));
        }
        self.save(id)?;
        self.told(id)
    }

    /// Changes a session's description, and brings the programs up to it.
    fn change(
        &mut self,
        session: Option<String>,
        change: impl FnOnce(&mut SessionConfig) -> Result<()>,
    ) -> Result<Value> {
        let id = self.find(session)?;
        let (images, channels) = (&self.hub.apps.images, &mut self.hub.channels);
        let Some(session) = self.hub.sessions.iter_mut().find(|session| session.id == id) else { return self.told(id) };
        let before = session.config.clone();
        change(&mut session.config)?;
        if session.started {
            let slots = session.take_slots(channels, images);
            let mut trace = session.trace.take();
            trace.iter_mut().for_each(|trace| session.describe_files(trace));
            session.trace = trace;
            let published = slots.ok_or(StartError::NoSlot).and_then(|()| self.hub.publish());
            if let Err(error) = published {
                self.hub.session_mut(id).into_iter().for_each(|session| session.config = before.clone());
                return Err(io_refused(&error));
            }
        }
        self.save(id)?;
        self.told(id)
    }

    fn set_rotation(&mut self, session: Option<String>, schedule: RotationSchedule) -> Result<Value> {
        let id = self.find(session.clone())?;
        if let Some(session) = self.hub.session_mut(id) {
            if session.config.snapshot {
                return Err(Refused::new(Kind::State, "a flight recorder has no chunks", "ust snapshot record"));
            }
            session.next_rotation = schedule.timer_ms.map(|ms| Instant::now() + Duration::from_millis(ms));
        }
        self.change(session, |config| {
            config.rotation = schedule;
            Ok(())
        })
    }

    fn enable_channel(&mut self, session: Option<String>, channel: ChannelConfig) -> Result<Value> {
        check_channel(&channel)?;
        self.change(session, |config| {
            if config.snapshot && channel.mode != Mode::Overwrite {
                let message = "a flight recorder has overwrite channels only";
                return Err(Refused::new(Kind::Invalid, message, "--overwrite"));
            }
            match config.channels.iter_mut().find(|there| there.name == channel.name) {
                None => config.channels.push(channel),
                Some(there) if *there == ChannelConfig { enabled: there.enabled, ..channel.clone() } => {
                    there.enabled = true;
                }
                Some(there) => {
                    let message =
                        format!("channel `{}` exists with other settings, which cannot be changed", there.name);
                    return Err(Refused::new(Kind::Exists, message, "another name, or the same settings"));
                }
            }
            Ok(())
        })
    }

    fn enable_event(&mut self, session: Option<String>, rules: Vec<RuleConfig>, allows_unknown: bool) -> Result<Value> {
        rules.iter().try_for_each(check_rule)?;
        rules.iter().try_for_each(|rule| self.check_filter(rule, allows_unknown))?;
        for rule in &rules {
            check_name("channel", &rule.channel)?;
        }
        self.change(session, |config| {
            for rule in rules {
                if config.channel(&rule.channel).is_none() {
                    let names: Vec<_> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
                    if rule.channel != DEFAULT_CHANNEL && !names.is_empty() {
                        let hint = format!("ust enable-channel {}", rule.channel);
                        return Err(unknown(Kind::Invalid, "channel", &rule.channel, &names, &hint));
                    }
                    let mode = if config.snapshot { Mode::Overwrite } else { Mode::Discard };
                    config.channels.push(ChannelConfig { mode, ..ChannelConfig::new(&rule.channel) });
                }
                match config.rules.iter_mut().find(|there| there.is_same(&rule)) {
                    Some(there) => there.enabled = true,
                    None => config.rules.push(rule),
                }
            }
            Ok(())
        })
    }

    fn check_filter(&self, rule: &RuleConfig, allows_unknown: bool) -> Result<()> {
        let tracepoints = self.hub.apps.images.iter().flat_map(|image| image.table.values());
        filters::check(rule, tracepoints, allows_unknown).map_err(|problem| match problem {
            FilterProblem::Wrong(error) => {
                Refused::new(Kind::Invalid, error.to_string(), "ust list --userspace --fields")
            }
            FilterProblem::Unknown => {
                let message =
                    format!("no running program has an event `{}`, whose fields a filter could ask for", rule.pattern);
                Refused::new(Kind::Invalid, message, "--allow-unknown-fields, if the program comes later")
            }
        })
    }

    /// Adds contexts to a channel, or to all of the session.
    fn add_context(
        &mut self,
        session: Option<String>,
        channel: Option<String>,
        contexts: Vec<String>,
    ) -> Result<Value> {
        contexts::check(&contexts).map_err(|error| Refused::new(Kind::Invalid, error.to_string(), error.hint()))?;
        let id = self.find(session.clone())?;
        if let Some(busy) = self.hub.session_mut(id).and_then(|session| busy_channel(session, channel.as_deref())) {
            let message = format!("channel `{busy}` is in use: its events have the contexts that they have");
            return Err(Refused::new(Kind::State, message, "contexts before the first start, or another channel"));
        }
        self.change(session, |config| {
            if let Some(name) = &channel {
                channel_mut(config, name)?;
            } else if config.channels.is_empty() {
                let mode = if config.snapshot { Mode::Overwrite } else { Mode::Discard };
                config.channels.push(ChannelConfig { mode, ..ChannelConfig::new(DEFAULT_CHANNEL) });
            }
            let is_meant = |there: &&mut ChannelConfig| channel.as_ref().is_none_or(|name| there.name == *name);
            for there in config.channels.iter_mut().filter(is_meant) {
                let more: Vec<String> =
                    contexts.iter().filter(|name| !there.contexts.contains(name)).cloned().collect();
                there.contexts.extend(more);
                contexts::check(&there.contexts)
                    .map_err(|error| Refused::new(Kind::Invalid, error.to_string(), error.hint()))?;
            }
            one_name_each(config)
        })
    }

    fn snapshot(
        &mut self,
        session: Option<String>,
        name: Option<String>,
        output: Option<PathBuf>,
        max_bytes: Option<u64>,
    ) -> Result<Value> {
        let id = self.find(session)?;
        let Some(session) = self.hub.session_mut(id) else { return self.told(id) };
        if let Some(name) = &name {
            check_name("snapshot", name)?;
        }
        if !session.config.snapshot && !session.config.channels.iter().any(|channel| channel.mode == Mode::Overwrite) {
            let message = format!("session `{}` has no overwrite channel", session.config.name);
            return Err(Refused::new(
                Kind::State,
                message,
                "ust create --snapshot, or ust enable-channel --overwrite NAME",
            ));
        }
        let outputs = match output {
            Some(path) => vec![("snapshot".to_owned(), path, None)],
            None => {
                let of = |output: &SnapshotOutput| (output.name.clone(), output.path.clone(), output.max_bytes);
                session.config.snapshot_outputs.iter().map(of).collect()
            }
        };
        if outputs.is_empty() {
            let message = "the session has no snapshot output";
            return Err(Refused::new(
                Kind::State,
                message,
                "ust snapshot add-output DIR, or ust snapshot record --output DIR",
            ));
        }
        let number = session.snapshot_count;
        session.snapshot_count += 1;
        let stamp = utc_datetime(sys::clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000);
        let mut reports = Vec::new();
        for (output, path, output_max) in outputs {
            let name = name.as_ref().unwrap_or(&output);
            let dir = path.join(format!("{name}-{stamp}-{number}"));
            let report = self.hub.snapshot(id, &dir, max_bytes.or(output_max)).map_err(|error| io_refused(&error))?;
            reports.push(report);
        }
        self.save(id)?;
        json(reports)
    }
}

/// Whether a directory holds a trace already; metadata alone is what a start leaves that did not succeed.
fn holds_more_than_metadata(dir: &Path) -> bool {
    fs::read_dir(dir).into_iter().flatten().flatten().any(|entry| entry.file_name() != "metadata")
}

fn unknown(kind: Kind, what: &str, name: &str, names: &[&str], hint: &str) -> Refused {
    let close = nearest(name, names.iter().copied());
    let mut refused = Refused::new(kind, format!("there is no {what} `{name}`"), hint);
    if !close.is_empty() {
        refused.notes.push(format!("closest: {}", close.join(", ")));
    }
    refused
}

/// Names are parts of file names.
fn check_name(what: &str, name: &str) -> Result<()> {
    let plain = |c: char| c.is_alphanumeric() || "-_.+@".contains(c);
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.chars().all(plain) {
        let message = format!("`{name}` is no name for a {what}: letters, digits and - _ . + @, at most 200 bytes");
        return Err(Refused::new(Kind::Invalid, message, "another name"));
    }
    Ok(())
}

fn check_channel(channel: &ChannelConfig) -> Result<()> {
    check_name("channel", &channel.name)?;
    contexts::check(&channel.contexts).map_err(|error| Refused::new(Kind::Invalid, error.to_string(), error.hint()))?;
    if !geometry_is_valid(channel.subbuf_bytes, channel.subbuf_count) {
        let ChannelConfig { subbuf_bytes, subbuf_count, .. } = channel;
        let message = format!("{subbuf_count} sub-buffers of {subbuf_bytes} bytes are not possible");
        return Err(Refused::new(Kind::Invalid, message, "powers of two: 2 to 64 sub-buffers of 4K to 64M"));
    }
    if channel.tick_ms == 0 {
        return Err(Refused::new(Kind::Invalid, "a drain tick of 0 ms would never rest", "--tick 1ms or more"));
    }
    let packet = u64::from(channel.subbuf_bytes);
    if channel.tracefile_bytes.is_some_and(|bytes| bytes < packet) {
        let message = format!("a stream file must have room for a sub-buffer of {packet} bytes");
        return Err(Refused::new(Kind::Invalid, message, "a larger --tracefile-size"));
    }
    if channel.tracefile_count.is_some() && channel.tracefile_bytes.is_none() {
        let message = "a number of stream files needs a size for them";
        return Err(Refused::new(Kind::Invalid, message, "--tracefile-size SIZE --tracefile-count COUNT"));
    }
    Ok(())
}

fn one_name_each(config: &SessionConfig) -> Result<()> {
    contexts::check_raw_names(&config.channels)
        .map_err(|message| Refused::new(Kind::Invalid, message, "the same name, or another session"))
}

/// A channel of that name, or any, that has been recorded to.
fn busy_channel(session: &Session, channel: Option<&str>) -> Option<String> {
    let mut used = session.slots.iter().map(|slot| &slot.name);
    used.find(|name| channel.is_none_or(|channel| channel == name.as_str())).cloned()
}

fn check_rule(rule: &RuleConfig) -> Result<()> {
    let pattern = &rule.pattern;
    if pattern.is_empty() || pattern.len() > EVENT_NAME_BYTES_MAX || !pattern.contains([':', '*']) {
        let message = format!("event pattern `{pattern}` matches nothing: events are called provider:name");
        return Err(Refused::new(Kind::Invalid, message, format!("'{pattern}:*' or '*:{pattern}'")));
    }
    if !rule.exclusions.is_empty() && !pattern.contains('*') {
        let message = format!("event {pattern}: exclusions can only be used with a globbing pattern");
        return Err(Refused::new(Kind::Invalid, message, "a pattern with `*`"));
    }
    Ok(())
}

fn channel_mut<'a>(config: &'a mut SessionConfig, name: &str) -> Result<&'a mut ChannelConfig> {
    let names: Vec<String> = config.channels.iter().map(|channel| channel.name.clone()).collect();
    config.channels.iter_mut().find(|channel| channel.name == name).ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        unknown(Kind::Invalid, "channel", name, &names, "ust status")
    })
}

fn disable_rules(config: &mut SessionConfig, channel: Option<&str>, patterns: &[String], all: bool) -> Result<()> {
    let of_channel = |rule: &RuleConfig| channel.is_none_or(|channel| rule.channel == channel);
    if all {
        config.rules.iter_mut().filter(|rule| of_channel(rule)).for_each(|rule| rule.enabled = false);
        return Ok(());
    }
    for pattern in patterns {
        let mut found = false;
        for rule in config.rules.iter_mut().filter(|rule| of_channel(rule) && rule.pattern == *pattern) {
            rule.enabled = false;
            found = true;
        }
        if !found {
            let names: Vec<_> = config.rules.iter().map(|rule| rule.pattern.as_str()).collect();
            return Err(unknown(Kind::Invalid, "event rule", pattern, &names, "ust status"));
        }
    }
    Ok(())
}

fn track(tracker: &mut Tracker, what: Tracked, ids: Option<std::collections::BTreeSet<i64>>) {
    let set = tracked(tracker, what);
    match ids {
        Some(ids) => set.get_or_insert_default().extend(ids),
        None => *set = None,
    }
}

fn tracked(tracker: &mut Tracker, what: Tracked) -> &mut Option<std::collections::BTreeSet<i64>> {
    match what {
        Tracked::Vpid => &mut tracker.vpid,
        Tracked::Vuid => &mut tracker.vuid,
        Tracked::Vgid => &mut tracker.vgid,
    }
}

fn untrack(config: &mut SessionConfig, what: Tracked, ids: Option<std::collections::BTreeSet<i64>>) -> Result<()> {
    let set = tracked(&mut config.tracker, what);
    match (ids, set) {
        (None, set) => *set = Some(std::collections::BTreeSet::new()),
        (Some(ids), Some(set)) => {
            if let Some(id) = ids.iter().find(|id| !set.contains(id)) {
                let message = format!("{id} is not tracked");
                return Err(Refused::new(Kind::Invalid, message, "ust status, to see what is tracked"));
            }
            set.retain(|id| !ids.contains(id));
        }
        (Some(_), None) => {
            let message = "everything is tracked, from which single ids cannot be taken";
            return Err(Refused::new(Kind::Invalid, message, "ust untrack with no ids first, and then ust track"));
        }
    }
    Ok(())
}

fn add_output(config: &mut SessionConfig, mut output: SnapshotOutput) -> Result<()> {
    let last = config.snapshot_outputs.iter().map(|output| output.id).max().unwrap_or(0);
    output.id = last + 1;
    if output.name.is_empty() {
        output.name = format!("snapshot-{}", output.id);
    }
    check_name("snapshot output", &output.name)?;
    if config.snapshot_outputs.iter().any(|there| there.name == output.name) {
        let message = format!("snapshot output `{}` exists", output.name);
        return Err(Refused::new(Kind::Exists, message, "another --name"));
    }
    if !Path::new(&output.path).is_absolute() {
        let message = format!("output `{}` is no absolute path", output.path.display());
        return Err(Refused::new(Kind::Invalid, message, "an absolute path"));
    }
    config.snapshot_outputs.push(output);
    Ok(())
}
