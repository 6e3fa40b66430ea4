// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is shown and how, as babeltrace2's options say it.

use super::out::Literal;

/// How lines are printed; the default is that of babeltrace2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Print the date too.
    pub clock_date: bool,
    /// Print UTC instead of local time.
    pub clock_gmt: bool,
    /// Print seconds since the epoch instead of the time of day; goes before the other two.
    pub clock_seconds: bool,
    /// Print cycles instead of time; goes before all others.
    pub clock_cycles: bool,
    /// Leave out the time since the line before.
    pub no_delta: bool,
    /// Which names are printed.
    pub names: Names,
    /// What is printed before the name of the event.
    pub fields: Shown,
    /// Use colours.
    pub color: bool,
    /// Print file and line of the tracepoint behind the name of the event, which babeltrace2 cannot.
    pub source: bool,
}

/// Which names are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// Those of the fields of payloads.
    pub payload: bool,
    /// Those of the fields of contexts.
    pub context: bool,
    /// Those of scopes, as `event.fields`.
    pub scope: bool,
    /// Those of what is before the fields, as `timestamp`.
    pub header: bool,
}

impl Default for Names {
    fn default() -> Self {
        Self { payload: true, context: true, scope: false, header: false }
    }
}

impl Names {
    /// All names.
    pub const ALL: Self = Self { payload: true, context: true, scope: true, header: true };
    /// No names.
    pub const NONE: Self = Self { payload: false, context: false, scope: false, header: false };

    /// Reads a list of `none`, `all`, `scope`, `header`, `context` (`ctx`) and `payload`, separated by commas.
    ///
    /// `all` and `none` hold whatever else is in the list; the last of them decides.
    ///
    /// # Errors
    /// The word that is none of them.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut names = Self::NONE;
        let mut whole = None;
        for word in list.split(',').map(str::trim) {
            match word {
                "all" => whole = Some(Self::ALL),
                "none" => (names, whole) = (Self::NONE, None),
                "scope" => names.scope = true,
                "header" => names.header = true,
                "context" | "ctx" => names.context = true,
                "payload" => names.payload = true,
                _ => return Err(format!("`{word}` is none of all, none, scope, header, context, payload")),
            }
        }
        Ok(whole.unwrap_or(names))
    }
}

/// What is printed before the name of the event, where the trace has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Name of the trace.
    pub trace: bool,
    /// Host of the trace.
    pub hostname: bool,
    /// Domain of the tracer.
    pub domain: bool,
    /// Name of the traced process, if the trace is of one only.
    pub procname: bool,
    /// Number of the traced process, if the trace is of one only.
    pub vpid: bool,
    /// Log level of the event.
    pub loglevel: bool,
    /// Where the model of the event is documented.
    pub emf: bool,
    /// Where the event is emitted; babeltrace2 has this option and prints nothing for it.
    pub callsite: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self { hostname: true, procname: true, vpid: true, ..Self::NONE }
    }
}

impl Shown {
    /// All of them.
    pub const ALL: Self = Self {
        trace: true,
        hostname: true,
        domain: true,
        procname: true,
        vpid: true,
        loglevel: true,
        emf: true,
        callsite: true,
    };
    /// None of them.
    pub const NONE: Self = Self {
        trace: false,
        hostname: false,
        domain: false,
        procname: false,
        vpid: false,
        loglevel: false,
        emf: false,
        callsite: false,
    };

    /// Reads a list of `none`, `all`, `trace`, `trace:hostname`, `trace:domain`, `trace:procname`, `trace:vpid`, `loglevel`,
    /// `emf` and `callsite`, separated by commas.
    ///
    /// # Errors
    /// The word that is none of them.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut shown = Self::NONE;
        for word in list.split(',').map(str::trim) {
            match word {
                "all" => shown = Self::ALL,
                "none" => shown = Self::NONE,
                "trace" => shown.trace = true,
                "trace:hostname" => shown.hostname = true,
                "trace:domain" => shown.domain = true,
                "trace:procname" => shown.procname = true,
                "trace:vpid" => shown.vpid = true,
                "loglevel" => shown.loglevel = true,
                "emf" => shown.emf = true,
                "callsite" => shown.callsite = true,
                _ => {
                    return Err(format!(
                        "`{word}` is none of all, none, trace, trace:hostname, trace:domain, trace:procname, trace:vpid, \
                         loglevel, emf, callsite"
                    ));
                }
            }
        }
        Ok(shown)
    }
}

/// What switches colours; nothing if there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Colors {
    pub(super) time: &'static str,
    pub(super) name: &'static str,
    pub(super) field: &'static str,
    pub(super) header: &'static str,
    pub(super) value: Literal,
    pub(super) unknown: Literal,
    pub(super) off: Literal,
    pub(super) reset: &'static str,
    pub(super) is_on: bool,
}

impl Colors {
    pub(super) fn new(is_on: bool) -> Self {
        if !is_on {
            return Self::default();
        }
        Self {
            time: "\x1b[1m\x1b[1m\x1b[33m",
            name: "\x1b[1m\x1b[1m\x1b[35m",
            field: "\x1b[36m",
            header: "\x1b[1m",
            value: Literal::new(b"\x1b[1m"),
            unknown: Literal::new(b"\x1b[1m\x1b[1m\x1b[31m"),
            off: Literal::new(b"\x1b[0m"),
            reset: "\x1b[0m",
            is_on,
        }
    }
}
