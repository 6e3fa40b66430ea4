// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our text against that of babeltrace2, byte for byte, over the same traces.

use std::fs;
use std::path::Path;

use ust_ctf::Job;
use ust_ctf::model::{EnvValue, StreamClass, TraceClass};
use ust_ctf::reader::Trace;
use ust_ctf::text::{self, Names, Options, Printer, Shown};

use crate::{sample, tool};

/// Returns our lines, and our warnings about losses.
fn ours(folder: &Path, options: Options) -> (String, String) {
    let trace = Trace::open(folder).expect("a trace");
    let mut printer = Printer::new(options);
    let mut lines = Vec::new();
    let mut events = trace.events();
    while let Some(event) = events.next() {
        printer.print(&mut lines, &event).expect("memory");
    }
    let warnings: Vec<_> = trace.warnings().iter().chain(events.warnings()).map(ToString::to_string).collect();
    assert_eq!(warnings, Vec::<String>::new());
    let losses = trace.losses().iter().map(|loss| printer.loss_text(loss) + "\n").collect();
    (String::from_utf8_lossy(&lines).into_owned(), losses)
}

/// Compares our text, printed event by event and with one thread and with two, and our warnings about losses, with those
/// of babeltrace2.
pub fn check_form(folder: &Path, flags: &[&str], options: Options) {
    // What is not said otherwise has no colours.
    let color = if options.color { "--color=always" } else { "--color=never" };
    let Some(theirs) = tool::babeltrace2(&[flags, &[color]].concat(), folder) else {
        return;
    };
    let their_lines = String::from_utf8_lossy(&theirs.stdout);
    // It may end with a switch to no colour.
    let their_lines = their_lines.trim_end_matches("\u{1b}[0m");
    assert!(!their_lines.is_empty(), "babeltrace2 sees events");
    let trace = Trace::open(folder).expect("a trace");
    let mut outputs = vec![ours(folder, options)];
    for threads in [1, 2] {
        let mut lines = Vec::new();
        let mut job = Job { threads, ..Job::all() };
        let warnings = text::write(&trace, options, &mut job, &mut lines).expect("memory");
        assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
        outputs.push((String::from_utf8_lossy(&lines).into_owned(), outputs[0].1.clone()));
    }
    for (lines, losses) in outputs {
        // The first difference says more than two whole texts.
        for (line, their_line) in lines.lines().zip(their_lines.lines()) {
            assert_eq!(line, their_line, "{flags:?}");
        }
        assert!(lines == their_lines, "{flags:?}: one output is longer");
        // It also complains about an index that does not fit, which we pass over.
        let their_losses: Vec<_> = theirs.stderr.lines().filter(|line| line.starts_with("WARNING: Tracer")).collect();
        assert!(options.color || losses.lines().eq(their_losses), "{flags:?}: {losses}\n{}", theirs.stderr);
    }
}

/// Compares all forms of output about the trace in `folder`.
fn check(folder: &Path) {
    let plain = Options::default();
    let names = |list| Options { names: Names::parse(list).expect("names"), ..plain };
    let fields = |list| Options { fields: Shown::parse(list).expect("fields"), ..plain };
    let colored = Options { color: true, ..plain };
    let forms: [(&[&str], Options); 17] = [
        (&[], plain),
        (&["--clock-gmt", "--no-delta"], Options { clock_gmt: true, no_delta: true, ..plain }),
        (&["--clock-date"], Options { clock_date: true, ..plain }),
        (&["--clock-seconds"], Options { clock_seconds: true, ..plain }),
        (&["--clock-seconds", "--clock-date"], Options { clock_seconds: true, clock_date: true, ..plain }),
        (&["--clock-cycles"], Options { clock_cycles: true, ..plain }),
        (&["--names=none"], names("none")),
        (&["--names=scope"], names("scope")),
        (&["--names=header,payload"], names("header,payload")),
        (&["--names=context"], names("context")),
        (&["--names=all", "--fields=all"], Options { names: Names::ALL, fields: Shown::ALL, ..plain }),
        (&["--fields=all"], fields("all")),
        (&["--fields=trace,loglevel"], fields("trace,loglevel")),
        (&["--fields=trace:domain,trace:vpid,emf"], fields("trace:domain,trace:vpid,emf")),
        (&["--fields=callsite"], fields("callsite")),
        (&[], colored),
        (&["--names=all", "--fields=all"], Options { names: Names::ALL, fields: Shown::ALL, ..colored }),
    ];
    for (flags, options) in forms {
        check_form(folder, flags, options);
    }
}

fn class() -> TraceClass {
    let events = vec![sample::hello(), sample::every_kind(), sample::bare()];
    sample::trace_class(vec![
        StreamClass { id: 0, context: vec![], events },
        StreamClass { id: 7, context: vec![], events: vec![sample::bare(), sample::hello()] },
    ])
}

/// Returns a packet of bare events at these times; the first and the last bound it.
fn bare_packet(stream_id: u32, instance: u64, seq: u64, discarded: u64, times: &[u64]) -> Vec<u8> {
    let mut body = Vec::new();
    for time in &times[1..times.len() - 1] {
        sample::put_event(&mut body, 65_535, *time, &[]);
    }
    let (begin, end) = (times[0], times[times.len() - 1]);
    let mut header = sample::packet_header(stream_id, seq, begin, end, &body);
    header.stream_instance_id = instance;
    header.events_discarded = discarded;
    header.cpu_id = instance as u32;
    sample::packet(&header, &body)
}

#[test]
fn every_kind_of_field_in_two_streams_is_shown_alike_and_without_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut body = Vec::new();
    sample::put_event(&mut body, 1, 2000, &sample::hello_payload(1676));
    sample::put_event(&mut body, 2, 2_600_002_000, &sample::every_kind_payload_some());
    sample::put_event(&mut body, 2, 2_600_002_001, &sample::every_kind_payload_none());
    let mut first = sample::packet(&sample::packet_header(0, 0, 1000, 2_600_003_000, &body), &body);
    first.extend(bare_packet(0, 0, 1, 0, &[2_600_003_000, 2_600_003_000]));
    first.extend(bare_packet(0, 0, 2, 0, &[2_600_003_000, 2_600_003_000, 2_600_003_500]));
    let mut body = Vec::new();
    sample::put_event(&mut body, 65_535, 2000, &[]);
    sample::put_event(&mut body, 1, 5_000_000_000, &sample::hello_payload(-1));
    let second = sample::packet(&sample::packet_header(7, 0, 1500, 6_000_000_000, &body), &body);
    sample::write_trace(folder.path(), &class(), &[("chan_1", &first), ("chan_0", &second)]);
    check(folder.path());
}

#[test]
fn every_byte_of_a_string_is_shown_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut event = sample::bare();
    event.fields = vec![ust_ctf::model::Field::new("text", ust_ctf::model::Scalar::String)];
    let class = sample::trace_class(vec![StreamClass { id: 0, context: vec![], events: vec![event] }]);
    let text: String = (1..=0x250_u32).filter_map(char::from_u32).collect();
    let mut body = Vec::new();
    sample::put_event(&mut body, 65_535, 1, &[text.as_bytes(), b"\0"].concat());
    let bytes = sample::packet(&sample::packet_header(0, 0, 1, 1, &body), &body);
    sample::write_trace(folder.path(), &class, &[("chan", &bytes)]);
    check(folder.path());
}

#[test]
fn discarded_events_and_missing_packets_are_reported_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let second = 2_600_000_000;
    let of_first = [
        bare_packet(0, 0, 4, 3, &[second, second, 2 * second]),
        bare_packet(0, 0, 5, 3, &[2 * second, 3 * second, 3 * second]),
        bare_packet(0, 0, 6, 4, &[4 * second, 5 * second]),
        bare_packet(0, 0, 9, 4, &[6 * second, 6 * second, 7 * second]),
        bare_packet(0, 0, 11, 14, &[8 * second, 8 * second, 9 * second]),
    ];
    let of_second = [
        bare_packet(7, 3, 0, 0, &[second, second, 2 * second]),
        bare_packet(7, 3, 1, 70, &[second * 5 / 2, second * 7 / 2, second * 9 / 2]),
    ];
    sample::write_trace(folder.path(), &class(), &[("a", &of_first.concat()), ("b", &of_second.concat())]);
    check(folder.path());
}

#[test]
fn equal_times_are_ordered_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let streams: Vec<_> = [(0, 2), (7, 0), (0, 0), (7, 1), (0, 1)]
        .iter()
        .map(|(class, instance)| {
            [
                bare_packet(*class, *instance, 0, 0, &[100, 100, 500, 500, 1000, 1000]),
                bare_packet(*class, *instance, 1, 0, &[1000, 1000, 1500, 2000]),
            ]
            .concat()
        })
        .collect();
    let names = ["e", "d", "c", "b", "a"];
    let files: Vec<_> = names.into_iter().zip(streams.iter().map(Vec::as_slice)).collect();
    sample::write_trace(folder.path(), &class(), &files);
    check(folder.path());
}

#[test]
fn cycles_become_the_same_nanoseconds_however_many_they_are() {
    for (freq, offset_s, offset_cycles) in [
        (2_599_999_987, 1_795_396_844, 596_544_206),
        (1_000_000_000, 0, 1_795_396_844_596_544_206),
        (24_000_000, 0, 7),
        (3_417_601_123, 1_700_000_000, 99_999_999_999_999),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut class = class();
        class.clock.freq = freq;
        class.clock.offset_s = offset_s;
        class.clock.offset_cycles = offset_cycles;
        // Steps that grow reach from the first nanosecond to some eight years.
        let mut times = vec![0, 1];
        while times.last().is_some_and(|last| *last / freq < 250_000_000) {
            let last = times[times.len() - 1];
            times.push(last + last / 57 + 1 + last % 13);
        }
        times.push(times[times.len() - 1]);
        // A reader of 48 bits needs a packet whenever they have gone round.
        let packets: Vec<_> = times
            .chunks(2)
            .enumerate()
            .map(|(seq, pair)| bare_packet(0, 0, seq as u64, 0, &[pair[0], pair[0], pair[pair.len() - 1]]))
            .collect();
        sample::write_trace(folder.path(), &class, &[("chan", &packets.concat())]);
        check(folder.path());
    }
}

#[test]
fn files_that_continue_a_stream_and_traces_in_subfolders_are_shown_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = bare_packet(0, 0, 0, 0, &[100, 110, 200]);
    let continued = bare_packet(0, 0, 2, 5, &[200, 250, 300]);
    sample::write_trace(&folder.path().join("ust/uid/0"), &class(), &[("chan_0_1", &continued), ("chan_0_0", &first)]);
    let mut other = class();
    other.uuid = *b"abcdef0123456789";
    other.env.push(("procname".into(), EnvValue::String("app".into())));
    other.env.push(("vpid".into(), EnvValue::Integer(42)));
    let mut bytes = bare_packet(7, 0, 0, 9, &[100, 110, 300]);
    bytes[4..20].copy_from_slice(&other.uuid);
    sample::write_trace(&folder.path().join("ust/uid/1"), &other, &[("chan_0", &bytes), ("empty", b"")]);
    fs::create_dir(folder.path().join("ust/uid/1/index")).expect("a folder");
    fs::write(folder.path().join("ust/uid/1/.hidden"), b"x").expect("a file");
    check(folder.path());
}
