// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said on standard error when a recording has ended.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitStatus;

use serde_json::{Value, json};

use super::Arguments;
use ust_consumerd::{LossMode, Losses, Process, Summary};

use crate::size::{number_text, rounded_bytes_text};

/// Names listed before the rest is only counted.
const LISTED_MAX: usize = 8;

/// Prints the summary.
pub fn print(summary: &Summary) {
    eprint!("{}", text(summary));
}

/// The summary as an object.
pub fn as_json(summary: &Summary, status: ExitStatus) -> Value {
    let process = |process: &Process| json!({ "pid": process.pid, "name": process.name, "events": process.events, "running": process.running });
    let events: Vec<Value> = summary
        .events
        .iter()
        .filter(|event| event.count > 0)
        .map(|event| json!({ "event": format!("{}:{}", event.provider, event.name), "count": event.count }))
        .collect();
    json!({
        "trace": summary.output,
        "exit_status": super::child::exit_code(status),
        "processes": summary.processes.iter().map(process).collect::<Vec<_>>(),
        "event_count": summary.event_count(),
        "events": events,
        "lost": summary.losses.events(),
        "losses": summary.losses,
        "packets": summary.packets,
        "bytes": summary.bytes,
        "warnings": summary.warnings,
    })
}

fn text(summary: &Summary) -> String {
    let mut out = String::new();
    let packets = number_text(summary.packets);
    let bytes = rounded_bytes_text(summary.bytes);
    let _ = writeln!(out, "trace      {} ({bytes} in {packets} packets)", summary.output.display());
    put_processes(&mut out, summary);
    let _ = writeln!(out, "events     {}", number_text(summary.event_count()));
    if summary.mode == LossMode::Overwrite {
        let _ = writeln!(out, "           (of which the trace holds the newest)");
    }
    let mut providers: Vec<_> = summary.events_per_provider().into_iter().collect();
    providers.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    for (provider, count) in providers.iter().take(LISTED_MAX) {
        let _ = writeln!(out, "           {:>14}  {provider}", number_text(*count));
    }
    if providers.len() > LISTED_MAX {
        let _ = writeln!(out, "           and {} more providers", providers.len() - LISTED_MAX);
    }
    put_losses(&mut out, &summary.losses, summary.mode);
    if let Some(problem) = &summary.filter_problem {
        let _ = writeln!(out, "warning    the filter accepts nothing: {problem}");
    }
    for warning in &summary.warnings {
        let _ = writeln!(out, "warning    {warning}");
    }
    let unsaid = summary.warning_count.saturating_sub(summary.warnings.len() as u64);
    if unsaid > 0 {
        let _ = writeln!(out, "warning    and {unsaid} more");
    }
    out
}

fn put_processes(out: &mut String, summary: &Summary) {
    let mut names: BTreeMap<&str, (u64, i32)> = BTreeMap::new();
    for process in &summary.processes {
        names.entry(&process.name).or_insert((0, process.pid)).0 += 1;
    }
    let listed: Vec<String> = names
        .iter()
        .take(LISTED_MAX)
        .map(|(name, (count, pid))| if *count == 1 { format!("{name} ({pid})") } else { format!("{name} x {count}") })
        .collect();
    let more = if names.len() > LISTED_MAX { ", ..." } else { "" };
    let _ = writeln!(out, "processes  {}: {}{more}", summary.processes.len(), listed.join(", "));
    let running = summary.processes.iter().filter(|process| process.running).count();
    if running > 0 {
        let _ = writeln!(out, "           {running} still running; what they record from now on is not in the trace");
    }
}

fn put_losses(out: &mut String, losses: &Losses, mode: LossMode) {
    if losses.is_empty() {
        let _ = writeln!(out, "lost       0");
        return;
    }
    let _ = writeln!(out, "lost       {} events", number_text(losses.events()));
    let more_room =
        if mode == LossMode::Discard { "ring full; try a larger --subbuf-size, or --mode block" } else { "ring full" };
    let causes = [
        (losses.ring_full, more_room),
        (losses.too_big, "larger than a sub-buffer; try a larger --subbuf-size"),
        (losses.wait_timed_out, "gave up waiting for room"),
        (losses.no_ring, "no ring could be had (is the runtime directory's file system full?)"),
        (losses.nested, "signal handlers nested too deeply"),
        (losses.abandoned, "left half-written by a jump out of the event"),
        (losses.corrupt, "met a corrupt word in shared memory"),
        (losses.thread_gone, "emitted by threads that had already ended"),
        (losses.filter, "that a filter could not be asked about"),
        (losses.packets_torn, "packets overwritten while they were copied"),
        (losses.packets_unwritten, "packets that could not be written to the trace"),
        (losses.rings_corrupt, "rings that broke the protocol"),
        (losses.images_refused, "images that were refused or given up"),
    ];
    for (count, cause) in causes.into_iter().filter(|(count, _)| *count > 0) {
        let _ = writeln!(out, "           {:>14}  {cause}", number_text(count));
    }
}

/// Says loudly that nothing was recorded, and the likely reason.
pub fn print_nothing(summary: &Summary, arguments: &Arguments, code: u8) {
    let name = arguments.command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (what, hint) = reason(summary, &name, arguments);
    eprintln!("error: nothing was recorded: {what}");
    eprintln!("try:   {hint}");
    if code != 0 {
        eprintln!("note:  `{name}` ended with status {code}");
    }
}

fn reason(summary: &Summary, name: &str, arguments: &Arguments) -> (String, String) {
    let patterns = arguments.patterns.as_slice();
    if summary.processes.is_empty() {
        let what = format!(
            "no process registered. `{name}` has no tracepoints of ust, or is a setuid program, or ended before its \
             start-up"
        );
        let hint = format!("UST_DEBUG=1 ust record -- {name} ... (a program that cannot be traced says why)");
        return (what, hint);
    }
    if summary.losses.events() > 0 {
        return (format!("all {} events were lost", summary.losses.events()), "the causes above".to_owned());
    }
    let registered = summary.registered.len();
    if summary.filter_problem.is_some() {
        return (
            "no tracepoint has what the filter asks for".to_owned(),
            "the names that the warning tells".to_owned(),
        );
    }
    let filtered = arguments.filter.is_some();
    if filtered
        && (patterns.is_empty() || summary.registered.iter().any(|event| patterns.iter().any(|p| matches(p, event))))
    {
        let what = "no event of the tracepoints that match passed the filter, or none was reached".to_owned();
        return (what, "without --filter, to see which events the program emits".to_owned());
    }
    if patterns.is_empty() {
        let what = format!("no tracepoint was reached ({registered} registered)");
        return (what, "check that the program comes to its tracepoints".to_owned());
    }
    let matched = summary.registered.iter().any(|event| patterns.iter().any(|pattern| matches(pattern, event)));
    if matched {
        let what = "the tracepoints that match were not reached".to_owned();
        return (what, "without -e, to see which events the program emits".to_owned());
    }
    let what = format!("no pattern matches any of the {registered} registered tracepoints: {}", patterns.join(", "));
    let closest = closest(patterns, summary);
    (what, if closest.is_empty() { "without -e".to_owned() } else { format!("-e '{}'", closest.join("' or -e '")) })
}

fn matches(pattern: &str, event: &str) -> bool {
    ust_consumerd::pattern_matches(pattern, event)
}

/// The registered names that differ least from any pattern, at most three, and none that differs far more than the first.
fn closest(patterns: &[String], summary: &Summary) -> Vec<String> {
    let rank = |event: &String| patterns.iter().map(|pattern| strsim::levenshtein(pattern, event)).min().unwrap_or(0);
    let mut events: Vec<(usize, &String)> = summary.registered.iter().map(|event| (rank(event), event)).collect();
    events.sort();
    let farthest = events.first().map_or(0, |(least, _)| 2 * least + 2);
    events.into_iter().take(3).filter(|(rank, _)| *rank <= farthest).map(|(_, event)| event.clone()).collect()
}
