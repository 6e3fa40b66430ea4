// SPDX-License-Identifier: MIT OR Apache-2.0
//! How commands tell what they did: in words, or as JSON.

use std::io::{self, Write as _};

use serde::Serialize;
use ust_consumerd::control::protocol::SessionReport;
use ust_consumerd::{ChannelConfig, LOG_LEVELS, Mode, RuleConfig, SessionConfig};

use crate::size::{bytes_text, duration_text, number_text, rounded_bytes_text};

/// Whether a program reads what is printed.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Json {
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

impl Json {
    /// Prints `value`, in its words unless JSON is wanted.
    pub fn print(self, value: &impl Serialize, words: impl FnOnce()) -> anyhow::Result<u8> {
        if !self.json {
            words();
            return Ok(0);
        }
        print_ended(serde_json::to_vec_pretty(value)?)?;
        Ok(0)
    }
}

/// Prints `value` on a line of its own on standard output.
pub fn print_line(value: &impl Serialize) -> anyhow::Result<()> {
    print_ended(serde_json::to_vec(value)?)
}

/// Prints a text with the end of its last line.
fn print_ended(mut line: Vec<u8>) -> anyhow::Result<()> {
    line.push(b'\n');
    print(&line)
}

/// Prints bytes on standard output.
pub fn print(bytes: &[u8]) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(bytes) {
        // That nobody reads on is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A level's name with its number.
pub fn level_text(level: u8) -> String {
    LOG_LEVELS.get(usize::from(level)).map_or_else(|| level.to_string(), |name| format!("{name} ({level})"))
}

/// One line about a session.
pub fn session_line(report: &SessionReport) -> String {
    let state = if report.active { "active" } else { "inactive" };
    let current = if report.current { " (current)" } else { "" };
    let kind = if report.config.snapshot { ", snapshot" } else { "" };
    format!("{}{current} [{state}{kind}] {}", report.config.name, report.config.output.display())
}

/// All about a session.
pub fn print_session(report: &SessionReport) {
    println!("{}", session_line(report));
    let SessionConfig { channels, rules, tracker, rotation, snapshot_outputs, .. } = &report.config;
    for channel in channels {
        println!("  channel {}", channel_text(channel));
        for rule in rules.iter().filter(|rule| rule.channel == channel.name) {
            println!("    event {}", rule_text(rule));
        }
    }
    for (what, set) in [("vpid", &tracker.vpid), ("vuid", &tracker.vuid), ("vgid", &tracker.vgid)] {
        if let Some(set) = set {
            let ids: Vec<String> = set.iter().map(ToString::to_string).collect();
            println!("  tracks {what} {}", if ids.is_empty() { "nobody".to_owned() } else { ids.join(", ") });
        }
    }
    if let Some(ms) = rotation.timer_ms {
        println!("  rotated every {}", duration_text(ms));
    }
    if let Some(bytes) = rotation.size_bytes {
        println!("  rotated at {}", bytes_text(bytes));
    }
    for output in snapshot_outputs {
        println!("  snapshots go to {} ({})", output.path.display(), output.name);
    }
    if let Some(trace) = &report.trace {
        println!("  trace   {} ({})", trace.display(), rounded_bytes_text(report.progress.bytes));
    }
    if let Some(chunk) = &report.last_chunk {
        println!("  newest chunk {}", chunk.display());
    }
    let progress = report.progress;
    println!("  events  {} of {} processes", number_text(progress.events), number_text(progress.processes));
    println!("  lost    {}", number_text(progress.lost));
    for process in &report.left_behind {
        println!("  flight recorder of {process}, which has ended, is in the next `ust snapshot record`");
    }
    report.warnings.iter().for_each(|warning| println!("  warning {warning}"));
}

fn channel_text(channel: &ChannelConfig) -> String {
    let mode = match (channel.mode, channel.block_timeout_us) {
        (Mode::Discard, _) => "discard".to_owned(),
        (Mode::Overwrite, _) => "overwrite".to_owned(),
        (Mode::Block, None) => "block, no limit".to_owned(),
        (Mode::Block, Some(us)) => format!("block up to {us} us"),
    };
    let size = bytes_text(channel.subbuf_bytes.into());
    let state = if channel.enabled { "" } else { " [disabled]" };
    let files = match (channel.tracefile_bytes, channel.tracefile_count) {
        (Some(bytes), Some(count)) => format!(", files {count} x {}", bytes_text(bytes)),
        (Some(bytes), None) => format!(", files of {}", bytes_text(bytes)),
        _ => String::new(),
    };
    let tick = duration_text(channel.tick_ms);
    let contexts = match channel.contexts.as_slice() {
        [] => String::new(),
        contexts => format!(", with {}", contexts.join(", ")),
    };
    format!("{}{state}: {mode}, {} x {size}, tick {tick}{files}{contexts}", channel.name, channel.subbuf_count)
}

/// A rule in one line.
pub fn rule_text(rule: &RuleConfig) -> String {
    let levels = match (rule.level_min, rule.level_max) {
        (0, 14) => String::new(),
        (0, most) => format!(", {} and more severe", level_text(most)),
        (least, most) if least == most => format!(", only {}", level_text(least)),
        (least, most) => format!(", {} to {}", level_text(least), level_text(most)),
    };
    let but = if rule.exclusions.is_empty() { String::new() } else { format!(", not {}", rule.exclusions.join(", ")) };
    let filter = rule.filter.as_ref().map(|text| format!(", filter `{text}`")).unwrap_or_default();
    let state = if rule.enabled { "" } else { " [disabled]" };
    format!("{}{but}{levels}{filter}{state}", rule.pattern)
}
