// SPDX-License-Identifier: MIT OR Apache-2.0
//! `ust enable-event` and `disable-event`.

use ust_consumerd::control::protocol::{AppReport, Request, SessionReport};
use ust_consumerd::{DEFAULT_CHANNEL, LOG_LEVELS, RuleConfig, nearest, pattern_matches};

use crate::connect::Daemon;
use crate::output::{Json, rule_text};

/// Switches events on, in programs that run and in those that will.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ust enable-event 'shop:*' --exclude 'shop:noisy*'\n  ust enable-event -a --loglevel WARNING"
)]
pub struct Enable {
    /// Names `provider:name`, in which `*` matches anything and `\*` is a star; several, or one with commas.
    #[arg(value_name = "EVENT", required_unless_present = "all", conflicts_with = "all", value_parser = parse_names)]
    names: Vec<Names>,
    /// Every event.
    #[arg(short, long)]
    all: bool,
    /// The channel. Default: channel0, which is made if it does not exist.
    #[arg(short, long)]
    channel: Option<String>,
    /// The session. Default: the current one.
    #[arg(short, long)]
    session: Option<String>,
    /// But not these: names with `*`; several with commas.
    #[arg(short = 'x', long, value_name = "EVENT", value_parser = parse_names)]
    exclude: Vec<Names>,
    /// Only events of this level and more severe ones: EMERG to DEBUG, or a number.
    #[arg(long, value_name = "LEVEL", value_parser = parse_level)]
    loglevel: Option<u8>,
    /// Only events of this level.
    #[arg(long, value_name = "LEVEL", value_parser = parse_level, conflicts_with = "loglevel")]
    loglevel_only: Option<u8>,
    /// Only events that the expression is true for, as in 'size > 100 && $ctx.procname == "shop*"'.
    #[arg(short, long, value_name = "EXPR")]
    filter: Option<String>,
    /// Take a filter also if no running program has the fields that it asks for: the program comes later.
    #[arg(long, requires = "filter")]
    allow_unknown_fields: bool,
    #[command(flatten)]
    json: Json,
}

/// Switches events off.
#[derive(clap::Args)]
pub struct Disable {
    /// Event rules as they were given to enable-event; several, or one with commas.
    #[arg(value_name = "EVENT", required_unless_present = "all", conflicts_with = "all", value_parser = parse_names)]
    names: Vec<Names>,
    /// Every event.
    #[arg(short, long)]
    all: bool,
    /// Rules of this channel only.
    #[arg(short, long)]
    channel: Option<String>,
    /// The session. Default: the current one.
    #[arg(short, long)]
    session: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Names, from one argument.
#[derive(Clone, Debug)]
struct Names(Vec<String>);

fn joined(names: &[Names]) -> Vec<String> {
    names.iter().flat_map(|names| names.0.clone()).collect()
}

/// Splits at commas, but not at `\,`.
fn parse_names(text: &str) -> Result<Names, String> {
    let mut names = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, names.last_mut()) {
            (',', _) => names.push(String::new()),
            ('\\', Some(name)) => match chars.next() {
                Some(',') => name.push(','),
                next => name.extend(std::iter::once('\\').chain(next)),
            },
            (c, Some(name)) => name.push(c),
            (_, None) => {}
        }
    }
    names.retain(|name| !name.is_empty());
    if names.is_empty() { Err("it names no event".to_owned()) } else { Ok(Names(names)) }
}

/// A level by its name, in any case and with or without `TRACE_`, or by its number.
fn parse_level(text: &str) -> Result<u8, String> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("TRACE_").unwrap_or(&upper);
    let by_name = LOG_LEVELS.iter().position(|level| *level == name);
    let found = by_name.or_else(|| name.parse().ok().filter(|number| *number < LOG_LEVELS.len()));
    found.and_then(|level| u8::try_from(level).ok()).ok_or_else(|| {
        let close = nearest(name, LOG_LEVELS).join(", ");
        format!("there is no such level; closest: {close}; all: {}", LOG_LEVELS.join(", "))
    })
}

/// Runs `ust enable-event`.
pub fn enable(arguments: &Enable) -> anyhow::Result<u8> {
    let mut daemon = Daemon::reach()?;
    let session = &arguments.session;
    let report: SessionReport = daemon.ask(&Request::Session { session: session.clone() })?;
    let channels = &report.config.channels;
    // One channel is the obvious one.
    let only = if channels.len() == 1 { channels[0].name.as_str() } else { DEFAULT_CHANNEL };
    let channel = arguments.channel.as_deref().unwrap_or(only);
    let (level_min, level_max) = match (arguments.loglevel, arguments.loglevel_only) {
        (Some(most), _) => (0, most),
        (None, Some(level)) => (level, level),
        (None, None) => (0, 14),
    };
    let names = if arguments.all { vec!["*".to_owned()] } else { joined(&arguments.names) };
    let exclusions = joined(&arguments.exclude);
    let rule = |pattern: &String| RuleConfig {
        exclusions: exclusions.clone(),
        level_min,
        level_max,
        filter: arguments.filter.clone(),
        ..RuleConfig::pattern(channel, pattern)
    };
    let rules: Vec<RuleConfig> = names.iter().map(rule).collect();
    let allow_unknown_fields = arguments.allow_unknown_fields;
    let request = Request::EnableEvent { session: session.clone(), rules: rules.clone(), allow_unknown_fields };
    let report: SessionReport = daemon.ask(&request)?;
    let apps: Vec<AppReport> = daemon.ask(&Request::Apps { fields: false })?;
    arguments.json.print(&report, || {
        for rule in &rules {
            println!("ust event {} created in channel {channel}", rule_text(rule));
        }
    })?;
    rules.iter().for_each(|rule| note_unmatched(rule, &apps));
    Ok(0)
}

/// Says that no running program has an event that a rule wants: it may come later, or the name may be wrong.
fn note_unmatched(rule: &RuleConfig, apps: &[AppReport]) {
    let all = || apps.iter().flat_map(|app| &app.tracepoints);
    let named =
        |name: &str| pattern_matches(&rule.pattern, name) && !rule.exclusions.iter().any(|x| pattern_matches(x, name));
    if all().any(|t| named(&t.name) && (rule.level_min..=rule.level_max).contains(&t.loglevel)) || apps.is_empty() {
        return;
    }
    if let Some(tracepoint) = all().find(|tracepoint| named(&tracepoint.name)) {
        let level = crate::output::level_text(tracepoint.loglevel);
        eprintln!("note:  {} has level {level}, which the rule leaves out", tracepoint.name);
        return;
    }
    let close = nearest(&rule.pattern, all().map(|tracepoint| tracepoint.name.as_str()));
    eprintln!("note:  none of the {} running processes has an event `{}` now", apps.len(), rule.pattern);
    if !close.is_empty() {
        eprintln!("       closest: {}", close.join(", "));
    }
}

/// Runs `ust disable-event`.
pub fn disable(arguments: &Disable) -> anyhow::Result<u8> {
    let patterns = joined(&arguments.names);
    let (session, channel, all) = (arguments.session.clone(), arguments.channel.clone(), arguments.all);
    let mut daemon = Daemon::reach()?;
    let report: SessionReport =
        daemon.ask(&Request::DisableEvent { session, channel, patterns: patterns.clone(), all })?;
    arguments.json.print(&report, || {
        if all {
            println!("all events disabled in session {}", report.config.name);
        }
        patterns.iter().for_each(|pattern| println!("ust event {pattern} disabled"));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_commas_that_are_not_escaped() {
        assert_eq!(parse_names(r"a:b,c:\,\*,").expect("names").0, ["a:b", r"c:,\*"]);
        assert!(parse_names(",").is_err());
    }

    #[test]
    fn levels_have_names_and_numbers() {
        assert_eq!((parse_level("trace_warning"), parse_level("ERR"), parse_level("14")), (Ok(4), Ok(3), Ok(14)));
        assert!(parse_level("WARN").expect_err("no level").contains("closest: WARNING"));
        assert!(parse_level("15").is_err());
    }
}
