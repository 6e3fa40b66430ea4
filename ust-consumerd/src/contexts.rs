// SPDX-License-Identifier: MIT OR Apache-2.0
//! Contexts of channels by their names.

use std::io;

use ust_shm::context::{Context, ContextList};
use ust_shm::limits::CONTEXT_COUNT_MAX;

use crate::config::ChannelConfig;
use crate::error::StartError;
use crate::nearest::nearest;
use crate::sys;

/// Each context once, in order; names that there are not are left out.
fn each_once(names: &[String]) -> Vec<Context> {
    let mut found: Vec<Context> = Vec::new();
    for (context, _) in names.iter().filter_map(|name| Context::parse(name)) {
        if !found.contains(&context) {
            found.push(context);
        }
    }
    found
}

/// The contexts of these names; what they are not is left out, since whoever gave them was told.
pub(crate) fn list(names: &[String]) -> ContextList {
    ContextList::new(&each_once(names)).unwrap_or_default()
}

/// The names of `contexts`.
pub(crate) fn names(contexts: &ContextList) -> Vec<String> {
    contexts.iter().map(|context| context.to_string()).collect()
}

/// What people have called the raw counters of these channels.
pub(crate) fn raw_names(channels: &[ChannelConfig]) -> impl Iterator<Item = (Context, &str)> {
    let named = channels.iter().flat_map(|channel| &channel.contexts).filter_map(|name| Context::parse(name));
    named.filter(|(context, name)| *context == Context::raw(context.config()) && *name != context.to_string())
}

/// Checks the name of a context.
///
/// # Errors
/// What is wrong with it, for people.
pub fn check_context_name(name: &str) -> Result<(), String> {
    if Context::parse(name).is_some() {
        return Ok(());
    }
    if name.starts_with("perf:thread:raw") {
        return Err(format!(
            "`{name}` is no raw counter: those are perf:thread:raw:rN:NAME, where N is what the processor's manual says, in hexadecimal, and \
             NAME has letters, digits, _ and -"
        ));
    }
    let counters = Context::all().map(Context::name).filter(|known| known.contains(':'));
    let close = nearest(name, counters);
    if name.starts_with("perf:") && !close.is_empty() {
        return Err(format!("there is no counter `{name}`; closest: {}", close.join(", ")));
    }
    let names: Vec<_> = Context::all().map(Context::name).filter(|known| !known.contains(':')).collect();
    Err(format!("contexts are {}, perf:thread:COUNTER, and perf:thread:raw:rN:NAME", names.join(", ")))
}

/// Checks that a channel can have these contexts on this machine.
///
/// # Errors
/// Too many of them, a name that there is not, or a counter that cannot be had.
pub(crate) fn check(names: &[String]) -> Result<(), StartError> {
    for name in names {
        check_context_name(name).map_err(StartError::Rules)?;
        let counter = Context::parse(name).and_then(|(context, _)| context.perf());
        if let Some(counter) = counter
            && let Err(source) = sys::perf_event(counter.ty, counter.config)
        {
            return Err(refusal(name, source, counter.ty == SOFTWARE, sys::perf_event(HARDWARE, CYCLES).is_ok()));
        }
    }
    if ContextList::new(&each_once(names)).is_none() {
        let message = format!(
            "{} contexts are too many: allowed are {CONTEXT_COUNT_MAX}, of which each raw counter counts for 9",
            names.len()
        );
        return Err(StartError::Rules(message));
    }
    Ok(())
}

/// `PERF_TYPE_HARDWARE`, and its counter that every processor with counters has.
const HARDWARE: u32 = 0;
const CYCLES: u64 = 0;
/// `PERF_TYPE_SOFTWARE`.
const SOFTWARE: u32 = 1;

/// Why a counter cannot be had: since there is none of the hardware at all, or since it is not one of this processor's.
fn refusal(name: &str, source: io::Error, software: bool, hardware_counts: bool) -> StartError {
    let missing = matches!(source.raw_os_error(), Some(libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP | libc::EINVAL));
    let name = name.to_owned();
    if missing && !software && !hardware_counts {
        StartError::NoHardwareCounters { name }
    } else {
        StartError::Counter { name, source }
    }
}

/// Checks that no raw counter has two names in one session: its events are described by one.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn check_raw_names(channels: &[ChannelConfig]) -> Result<(), String> {
    let mut known: Vec<(Context, &str)> = Vec::new();
    for (context, name) in raw_names(channels) {
        match known.iter().find(|(other, _)| *other == context) {
            Some((_, other)) if *other != name => {
                return Err(format!("`{name}` and `{other}` are one counter with two names"));
            }
            Some(_) => {}
            None => known.push((context, name)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(contexts: &[&str]) -> ChannelConfig {
        ChannelConfig { contexts: contexts.iter().map(ToString::to_string).collect(), ..ChannelConfig::new("c") }
    }

    #[test]
    fn a_raw_counter_is_refused_with_the_reason_that_applies() {
        let name = "perf:thread:raw:r1a8:x";
        let says = |errno, hardware| refusal(name, io::Error::from_raw_os_error(errno), false, hardware);
        let none = says(libc::ENOENT, false);
        assert_eq!(
            none.to_string(),
            "the context `perf:thread:raw:r1a8:x` cannot be had here: this machine gives programs no counters of the hardware"
        );
        assert!(none.hint().contains("perf:thread:task-clock"), "{}", none.hint());
        let other = says(libc::ENOENT, true);
        assert!(other.to_string().contains("No such file"), "{other}");
        assert!(other.hint().contains("perf list"), "{}", other.hint());
        let forbidden = says(libc::EACCES, false);
        assert!(forbidden.hint().contains("perf_event_paranoid"), "{}", forbidden.hint());
        let software = refusal("perf:thread:faults", io::Error::from_raw_os_error(libc::ENOENT), true, false);
        assert!(matches!(software, StartError::Counter { .. }));
    }

    #[test]
    fn wrong_names_are_answered_with_the_right_ones() {
        assert!(check_context_name("perf:thread:raw:1a8:x").expect_err("no r").contains("perf:thread:raw:rN:NAME"));
        assert!(check_context_name("perf:thread:cycels").expect_err("typo").contains("closest: perf:thread:cycles"));
        assert!(check_context_name("vtidd").expect_err("typo").starts_with("contexts are vpid, vtid"));
        assert_eq!(check_context_name("perf:thread:raw:r1:a"), Ok(()));
    }

    #[test]
    fn one_raw_counter_has_one_name_in_a_session() {
        let (a, b) = ("perf:thread:raw:r1:a", "perf:thread:raw:r01:b");
        assert_eq!(check_raw_names(&[channel(&[a, "vtid"]), channel(&[a])]), Ok(()));
        let twice = check_raw_names(&[channel(&[a]), channel(&["vtid", b])]).expect_err("two names");
        assert_eq!(twice, format!("`{b}` and `{a}` are one counter with two names"));
        assert_eq!(raw_names(&[channel(&["perf:thread:raw:r1", "vtid"])]).count(), 0, "none was given");
    }
}
