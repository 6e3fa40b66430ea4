// SPDX-License-Identifier: MIT OR Apache-2.0
//! Formatted text events: `tracef!` and `tracelog!`.
//!
//! The text is written into a buffer on the stack; what does not fit is cut at a character and the cut
//! is marked. Formatting never allocates (unless a `Display` of the caller does), and is not done at
//! all while no one records the event.

use core::fmt::{self, Write};

use crate::LogLevel;

/// The longest text of a formatted event: a line of a log with some room, cheap on any stack.
pub const TEXT_BYTES_MAX: usize = 1024;

/// Ends a text that was cut.
const MARK: &str = "[truncated]";

/// Records a formatted text as the event `ust_tracef:event`.
///
/// The arguments are those of [`format!`]; they are not evaluated while no one records the event. The
/// text is cut at [`TEXT_BYTES_MAX`](crate::format::TEXT_BYTES_MAX) bytes and then ends in
/// `[truncated]`. A tracepoint with typed fields is several times faster and easier to analyse.
///
/// ```
/// let user = "anna";
/// ust::tracef!("login of {user} took {} ms", 12);
/// ```
#[macro_export]
macro_rules! tracef {
    ($($text:tt)+) => {
        if $crate::__private::format::tracef_enabled() {
            $crate::__private::format::tracef(
                &$crate::__private::Place {
                    line: ::core::line!(),
                    file: ::core::file!(),
                    module: ::core::module_path!(),
                },
                ::core::format_args!($($text)+),
            )
        }
    };
    () => {
        ::core::compile_error!("`tracef!` needs a text: `tracef!(\"took {} ms\", ms)`")
    };
}

/// Records a formatted text with a log level, as the event `ust_tracelog:LEVEL`.
///
/// The first argument is one of the levels of [`LogLevel`]; the others are those of
/// [`tracef!`](crate::tracef). Each level is an event of its own, so that each can be enabled alone.
///
/// ```
/// ust::tracelog!(Warning, "queue is {}% full", 90);
/// ```
#[macro_export]
macro_rules! tracelog {
    ($level:ident, $($text:tt)+) => {
        if $crate::__private::format::tracelog_enabled($crate::__private::LogLevel::$level) {
            $crate::__private::format::tracelog(
                $crate::__private::LogLevel::$level,
                &$crate::__private::Place {
                    line: ::core::line!(),
                    file: ::core::file!(),
                    module: ::core::module_path!(),
                },
                ::core::format_args!($($text)+),
            )
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`tracelog!` takes a level and a text: `tracelog!(Info, \"took {} ms\", ms)`"
        )
    };
}

/// Where a text event was written.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Line, counted from 1.
    pub line: u32,
    /// Source file.
    pub file: &'static str,
    /// Module path.
    pub module: &'static str,
}

/// What all text events hold.
#[ust_macros::event_class]
fn formatted(line: u32, file: &str, module: &str, msg: &str);

#[ust_macros::tracepoint(provider = "ust_tracef", name = "event", loglevel = Debug, class = formatted)]
fn tracef_event(line: u32, file: &str, module: &str, msg: &str);

#[doc(hidden)]
#[inline(always)]
pub fn tracef_enabled() -> bool {
    tracef_event::enabled()
}

#[doc(hidden)]
#[inline(never)]
pub fn tracef(place: &Place, text: fmt::Arguments<'_>) {
    with_text(text, |text| tracef_event::Event::emit(place.line, place.file, place.module, text));
}

/// One tracepoint per level, and the choice between them, which folds to one for a constant level.
macro_rules! levels {
    ($($level:ident $event:ident $name:literal;)*) => {
        $(
            #[ust_macros::tracepoint(
                provider = "ust_tracelog", name = $name, loglevel = $level, class = formatted
            )]
            fn $event(line: u32, file: &str, module: &str, msg: &str);
        )*

        #[cfg(test)]
        const LEVELS: [(LogLevel, &crate::__private::TracepointDesc); 15] = [
            $((LogLevel::$level, <$event::Event as crate::__private::Declared>::DESC),)*
        ];

        #[doc(hidden)]
        #[inline(always)]
        pub fn tracelog_enabled(level: LogLevel) -> bool {
            match level {
                $(LogLevel::$level => $event::enabled(),)*
            }
        }

        #[doc(hidden)]
        #[inline(never)]
        pub fn tracelog(level: LogLevel, place: &Place, text: fmt::Arguments<'_>) {
            with_text(text, |text| match level {
                $(LogLevel::$level => $event::Event::emit(place.line, place.file, place.module, text),)*
            });
        }
    };
}

levels! {
    Emerg tracelog_emerg "EMERG";
    Alert tracelog_alert "ALERT";
    Crit tracelog_crit "CRIT";
    Err tracelog_err "ERR";
    Warning tracelog_warning "WARNING";
    Notice tracelog_notice "NOTICE";
    Info tracelog_info "INFO";
    DebugSystem tracelog_debug_system "DEBUG_SYSTEM";
    DebugProgram tracelog_debug_program "DEBUG_PROGRAM";
    DebugProcess tracelog_debug_process "DEBUG_PROCESS";
    DebugModule tracelog_debug_module "DEBUG_MODULE";
    DebugUnit tracelog_debug_unit "DEBUG_UNIT";
    DebugFunction tracelog_debug_function "DEBUG_FUNCTION";
    DebugLine tracelog_debug_line "DEBUG_LINE";
    Debug tracelog_debug "DEBUG";
}

/// Formats `text` on the stack and passes it to `use_text`.
fn with_text(text: fmt::Arguments<'_>, use_text: impl FnOnce(&str)) {
    if let Some(text) = text.as_str().filter(|text| text.len() <= TEXT_BYTES_MAX) {
        return use_text(text);
    }
    let mut line = Line { bytes: [0; TEXT_BYTES_MAX], len: 0, cut: false };
    // `Line` returns no error; one of the caller's own types only ends the text early.
    let _ = line.write_fmt(text);
    use_text(line.finish());
}

/// A text of limited length.
struct Line {
    bytes: [u8; TEXT_BYTES_MAX],
    len: usize,
    cut: bool,
}

impl Write for Line {
    /// Appends what fits. The rest is dropped without an error: a `Display` that unwraps must not panic
    /// because of us.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.cut {
            return Ok(());
        }
        let room = TEXT_BYTES_MAX - self.len;
        let fits = cut_before(text, room);
        self.cut = fits < text.len();
        self.bytes[self.len..self.len + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.len += fits;
        Ok(())
    }
}

impl Line {
    /// Returns the text; a cut one ends in the mark.
    fn finish(&mut self) -> &str {
        if self.cut {
            let room = TEXT_BYTES_MAX - MARK.len();
            let start = cut_before(text_of(&self.bytes[..self.len]), room);
            self.bytes[start..start + MARK.len()].copy_from_slice(MARK.as_bytes());
            self.len = start + MARK.len();
        }
        text_of(&self.bytes[..self.len])
    }
}

/// Returns the end of the last character that ends at or before `limit`.
fn cut_before(text: &str, limit: usize) -> usize {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

/// Only whole characters are ever stored, so nothing is lost here.
fn text_of(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: fmt::Arguments<'_>, expected: &str) {
        let mut called = false;
        with_text(text, |text| {
            called = true;
            assert_eq!(text, expected);
        });
        assert!(called);
    }

    #[test]
    fn text_that_fits_is_not_changed() {
        check(format_args!("a {} {:?}", 1, "b"), "a 1 \"b\"");
        check(format_args!(""), "");
        let full = "x".repeat(TEXT_BYTES_MAX);
        check(format_args!("{full}"), &full);
        check(format_args!("{}{}", &full[1..], "y"), &format!("{}y", &full[1..]));
    }

    #[test]
    fn text_that_is_too_long_is_cut_at_a_character_and_marked() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        check(format_args!("{long}"), &format!("{}{MARK}", &long[..TEXT_BYTES_MAX - MARK.len()]));
        check(format_args!("{}yz", &long[2..]), &format!("{}{MARK}", &long[..TEXT_BYTES_MAX - MARK.len()]));
        for lead in 0..4 {
            let text = format!("{}{}", "x".repeat(lead), "é€😀".repeat(200));
            let ends = text.char_indices().map(|(i, c)| i + c.len_utf8());
            let end = ends.filter(|&end| end <= TEXT_BYTES_MAX - MARK.len()).max().unwrap_or(0);
            check(format_args!("{text}"), &format!("{}{MARK}", &text[..end]));
        }
    }

    #[test]
    fn each_level_is_an_event_of_its_own() {
        for (i, (level, desc)) in LEVELS.into_iter().enumerate() {
            assert_eq!((level as usize, desc.loglevel, desc.provider), (i, level, "ust_tracelog"));
            let name = format!("{level:?}").to_uppercase();
            assert_eq!(desc.name.replace('_', ""), name);
            let fields: Vec<_> = desc.fields.iter().map(|field| field.name).collect();
            assert_eq!(fields, ["line", "file", "module", "msg"]);
        }
        let desc = <tracef_event::Event as crate::__private::Declared>::DESC;
        assert_eq!((desc.provider, desc.name, desc.loglevel), ("ust_tracef", "event", LogLevel::Debug));
    }

    #[test]
    fn display_that_fails_gives_the_text_so_far() {
        struct Fails;
        impl fmt::Display for Fails {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("so far")?;
                Err(fmt::Error)
            }
        }
        check(format_args!("{Fails}, never"), "so far");
    }
}
