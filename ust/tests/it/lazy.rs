// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments are evaluated when someone records the event, and only then.

use ust::__private::Declared;
use ust::{emit, tracef, tracelog, tracepoint};

#[tracepoint]
fn never(value: u32);

/// Stands for a tracepoint that is on: what `emit!` sees of one.
mod shop {
    pub(crate) mod always {
        pub(crate) struct Event;

        pub(crate) fn enabled() -> bool {
            true
        }

        impl Event {
            pub(crate) fn emit(value: u8) {
                assert_eq!(value, 1);
            }
        }
    }

    pub(crate) fn always(_: u8) {
        panic!("the state was asked twice")
    }
}

fn unwanted<T>() -> T {
    panic!("an argument was evaluated while the event is off")
}

#[test]
fn arguments_wait_while_the_event_is_off() {
    emit!(never(unwanted()));
    emit!(self::never(unwanted(),));
    emit!(crate::lazy::never(unwanted()));
    tracelog!(Alert, "{}", unwanted::<u8>());
    assert!(!never::enabled());
}

#[test]
fn arguments_are_evaluated_once_while_the_event_is_on() {
    let mut calls = 0;
    emit!(shop::always({
        calls += 1;
        calls
    }));
    assert_eq!(calls, 1);
}

#[test]
fn text_macros_take_what_format_takes() {
    let b = 2;
    tracef!("a {} {b} {c}", 1, c = 3);
    tracef!("only text",);
    tracelog!(Info, "only text");
    tracelog!(DebugFunction, "{}", 1,);
}

#[test]
fn off_event_is_described_all_the_same() {
    assert_eq!(never::Event::DESC.name, "never");
    never(1);
}
