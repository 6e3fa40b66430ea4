// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments are evaluated when someone records the event, and only then.

use ust::__private::Declared;
use ust::{emit, tracef, tracelog, tracepoint};

use crate::payload::recorded;

#[tracepoint]
fn never(value: u32);

#[tracepoint]
fn sometimes(value: u8);

mod shop {
    #[ust::tracepoint]
    pub(crate) fn deep(value: u8);
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
    let events = recorded(&sometimes::TRACEPOINT, || {
        emit!(sometimes({
            calls += 1;
            calls
        }));
    });
    assert_eq!((calls, events), (1, vec![vec![1]]));
    assert_eq!(recorded(&shop::deep::TRACEPOINT, || emit!(shop::deep(4))), [[4]]);
}

#[test]
fn text_events_hold_place_and_text() {
    let tracef_tp = ust::format::tracef_tracepoint();
    let line = line!() + 1;
    let events = recorded(tracef_tp, || tracef!("a {} {b}", 1, b = 2));
    let mut expected = line.to_le_bytes().to_vec();
    for text in [file!(), module_path!(), "a 1 2"] {
        expected.extend_from_slice(text.as_bytes());
        expected.push(0);
    }
    assert_eq!(events, [expected]);
    assert_eq!((tracef_tp.desc.provider, tracef_tp.desc.name), ("ust_tracef", "event"));
    let names: Vec<_> = tracef_tp.desc.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["line", "file", "module", "msg"]);
    tracef!("only text");
    tracelog!(Info, "only text");
    tracelog!(DebugFunction, "{}", 1);
}

#[test]
fn off_event_is_described_all_the_same() {
    assert_eq!(never::Event::DESC.name, "never");
    never(1);
}
