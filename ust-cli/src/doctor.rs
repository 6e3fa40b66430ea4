// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust doctor`: says why nothing would be recorded.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use ust_consumerd::control::protocol::{AppReport, DaemonReport, Request, SessionReport};
use ust_consumerd::{RuleConfig, RuntimeDir, nearest, pattern_matches};

use crate::connect::Daemon;
use crate::output::{Json, level_text, rule_text};

/// Says why nothing would be recorded, and what to do about it.
///
/// The exit status is 0 if nothing is wrong.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    json: Json,
}

/// Something that was looked at.
#[derive(Serialize)]
struct Finding {
    ok: bool,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

fn good(what: impl Into<String>) -> Finding {
    Finding { ok: true, what: what.into(), hint: None }
}

fn bad(what: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding { ok: false, what: what.into(), hint: Some(hint.into()) }
}

/// Runs `ust doctor`.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let dir = RuntimeDir::path_of_environment();
    let mut findings = vec![look_at_dir(&dir)];
    findings.extend(registered_elsewhere(&dir));
    match Daemon::if_there()? {
        None => {
            let left = images(&dir);
            findings.push(bad("no daemon runs, so no session does", "ust daemon --background, or ust create"));
            if left > 0 {
                let what = format!("{left} images of programs lie in `{}`", dir.display());
                findings.push(bad(what, "ust recover, if the programs have crashed"));
            }
        }
        Some(mut daemon) => {
            let state: DaemonReport = daemon.ask(&Request::Status {})?;
            let apps: Vec<AppReport> = daemon.ask(&Request::Apps { fields: false })?;
            let sessions: Vec<SessionReport> = daemon.ask(&Request::Sessions {})?;
            findings.push(good(format!("daemon {} runs", state.pid)));
            findings
                .extend(state.notes.iter().map(|note| bad(note.clone(), "ust daemon --stop, once this is put right")));
            findings.push(look_at_apps(&apps));
            findings.extend(look_at_sessions(&sessions, &apps));
        }
    }
    let healthy = findings.iter().all(|finding| finding.ok);
    arguments.json.print(&findings, || {
        for finding in &findings {
            println!("{} {}", if finding.ok { "ok:   " } else { "error:" }, finding.what);
            finding.hint.iter().for_each(|hint| println!("try:   {hint}"));
        }
    })?;
    Ok(u8::from(!healthy))
}

fn look_at_dir(dir: &Path) -> Finding {
    let shown = dir.display();
    let user = fs::metadata("/proc/self").map_or(0, |found| found.uid());
    match fs::symlink_metadata(dir) {
        Err(error) => bad(
            format!("runtime directory `{shown}` cannot be examined: {error}"),
            "a program that is started now makes it; for programs elsewhere set UST_RUNTIME_DIR to theirs",
        ),
        Ok(found) if !found.is_dir() => bad(format!("`{shown}` is no directory"), "another UST_RUNTIME_DIR"),
        Ok(found) if found.uid() != user => bad(
            format!("runtime directory `{shown}` belongs to user {}, and you are user {user}", found.uid()),
            "the same user as the programs, or another UST_RUNTIME_DIR",
        ),
        Ok(found) if found.mode() & 0o077 != 0 => bad(
            format!("runtime directory `{shown}` has mode {:04o}; programs refuse it", found.mode() & 0o7777),
            format!("chmod 700 '{shown}'"),
        ),
        Ok(_) => good(format!("runtime directory `{shown}`")),
    }
}

fn images(dir: &Path) -> usize {
    let entries = fs::read_dir(dir.join("apps")).into_iter().flatten().flatten();
    entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count()
}

/// Programs that run and have their image in another directory, as far as their maps may be read.
fn registered_elsewhere(dir: &Path) -> Vec<Finding> {
    let mut elsewhere: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let here = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let maps = fs::read_to_string(process.path().join("maps")).unwrap_or_default();
        let image = maps.lines().find_map(|line| {
            let path = Path::new(line.get(line.find('/')?..)?);
            let name = path.file_name()?.to_str()?;
            let apps = path.parent().filter(|parent| parent.ends_with("apps"))?;
            name.starts_with(&format!("{pid}-")).then(|| apps.parent().map(Path::to_owned))?
        });
        if let Some(other) = image.filter(|other| *other != here) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            elsewhere.entry(other).or_default().push(format!("{} ({pid})", name.trim_end()));
        }
    }
    let finding = |(other, names): (PathBuf, Vec<String>)| {
        let what = format!("{} registered in another runtime directory, `{}`", names.join(", "), other.display());
        Finding { hint: Some(format!("UST_RUNTIME_DIR='{}' ust ...", other.display())), ..good(what) }
    };
    elsewhere.into_iter().map(finding).collect()
}

fn look_at_apps(apps: &[AppReport]) -> Finding {
    if apps.is_empty() {
        return bad(
            "no program is registered here",
            "UST_DEBUG=1 PROGRAM (one that cannot be traced says why); setuid programs are not traced",
        );
    }
    let tracepoints: usize = apps.iter().map(|app| app.tracepoints.len()).sum();
    good(format!("{} processes with {tracepoints} tracepoints", apps.len()))
}

fn look_at_sessions(sessions: &[SessionReport], apps: &[AppReport]) -> Vec<Finding> {
    if sessions.is_empty() {
        return vec![bad("there is no session", "ust create, ust enable-event -a, ust start")];
    }
    sessions.iter().flat_map(|session| look_at_session(session, apps)).collect()
}

fn look_at_session(session: &SessionReport, apps: &[AppReport]) -> Vec<Finding> {
    let config = &session.config;
    let name = &config.name;
    let mut findings = Vec::new();
    if !session.active {
        findings.push(bad(format!("session `{name}` is not started"), format!("ust start {name}")));
    }
    if config.rules.iter().all(|rule| !rule.enabled) {
        findings.push(bad(format!("session `{name}` has no event rule"), format!("ust enable-event -s {name} -a")));
    }
    let tracks = |app: &&AppReport| {
        let is_in =
            |set: &Option<std::collections::BTreeSet<i64>>, id: i64| set.as_ref().is_none_or(|s| s.contains(&id));
        let tracker = &config.tracker;
        is_in(&tracker.vpid, app.pid.into())
            && is_in(&tracker.vuid, app.uid.into())
            && is_in(&tracker.vgid, app.gid.into())
    };
    if !apps.is_empty() && !apps.iter().any(|app| tracks(&app)) {
        let what = format!("session `{name}` tracks none of the {} processes", apps.len());
        findings.push(bad(what, format!("ust track -s {name} --vpid --vuid --vgid, to track all")));
    }
    for rule in config.rules.iter().filter(|rule| rule.enabled) {
        if config.channel(&rule.channel).is_some_and(|channel| !channel.enabled) {
            let what = format!("event {}: channel `{}` is disabled", rule_text(rule), rule.channel);
            findings.push(bad(what, format!("ust enable-channel -s {name} {}", rule.channel)));
        }
        findings.extend(look_at_rule(rule, apps));
    }
    for (rule, why) in &session.filter_problems {
        let what = format!("event {}: {why}", rule_text(rule));
        findings.push(bad(what, "ust list --userspace --fields, and a filter with those names"));
    }
    findings.extend(session.warnings.iter().map(|warning| bad(format!("session `{name}`: {warning}"), "ust status")));
    if findings.is_empty() {
        findings.push(good(format!("session `{name}` records; {} events so far", session.progress.events)));
    }
    findings
}

fn look_at_rule(rule: &RuleConfig, apps: &[AppReport]) -> Option<Finding> {
    let all = || apps.iter().flat_map(|app| &app.tracepoints);
    let excluded = |name: &str| rule.exclusions.iter().any(|exclusion| pattern_matches(exclusion, name));
    let mut named = all().filter(|t| pattern_matches(&rule.pattern, &t.name) && !excluded(&t.name)).peekable();
    if apps.is_empty() {
        return None;
    }
    let Some(first) = named.peek().copied() else {
        let close = nearest(&rule.pattern, all().map(|tracepoint| tracepoint.name.as_str())).join("', '");
        let provider = rule.pattern.split(':').next().unwrap_or_default();
        let known = all().any(|t| t.name.split(':').next().is_some_and(|there| pattern_matches(provider, there)));
        let what = if known { "no running process has such an event" } else { "no running process has this provider" };
        return Some(bad(format!("event `{}`: {what}", rule.pattern), format!("closest: '{close}'")));
    };
    let wanted = rule.level_min..=rule.level_max;
    if named.any(|tracepoint| wanted.contains(&tracepoint.loglevel)) {
        return None;
    }
    let level = level_text(first.loglevel);
    let what = format!("event {}: `{}` has level {level}, which the rule leaves out", rule_text(rule), first.name);
    Some(bad(what, format!("ust enable-event '{}' without --loglevel", rule.pattern)))
}
