// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens to a process of C: threads, forks, handlers, ends; and events of every size.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ust_consumerd::{ChannelOptions, LossMode, Summary};
use ust_ctf::reader::{Trace, Value};

use crate::harness::{Recorder, assert_counts_up, record_with, skip, small_rings};
use crate::library::{Build, CLANG, GCC, shared};

/// One event, as the trace has it.
pub struct Recorded {
    pub name: String,
    pub vpid: i32,
    /// The number fields by name.
    pub numbers: BTreeMap<String, i128>,
    pub text: Option<String>,
    /// All texts, in order.
    pub texts: Vec<String>,
    pub bytes: Option<Vec<u8>>,
}

impl Recorded {
    pub fn number(&self, name: &str) -> u64 {
        *self.numbers.get(name).unwrap_or_else(|| panic!("{} has no {name}", self.name)) as u64
    }
}

/// Reads the events of a trace, which must be undamaged.
pub fn read(summary: &Summary) -> Vec<Recorded> {
    if summary.packets == 0 {
        return Vec::new();
    }
    let trace = Trace::open(&summary.output).expect("the trace is readable");
    let mut events = trace.events();
    let mut found = Vec::new();
    while let Some(event) = events.next() {
        let vpid = event.packet_context().get("vpid").and_then(|value| value.integer()).expect("the process") as i32;
        let (name, numbers) = (event.class.name.clone(), BTreeMap::new());
        let mut recorded = Recorded { name, vpid, numbers, text: None, texts: Vec::new(), bytes: None };
        let fields = event.payload().chain(event.common_context());
        for field in fields {
            let name = field.name.trim_start_matches('_').to_owned();
            match field.value {
                Value::Array(elements) => {
                    recorded.bytes = Some(elements.map(|byte| byte.integer().expect("a byte") as u8).collect());
                }
                Value::Text(text) => {
                    let text = String::from_utf8_lossy(&text.utf8()).into_owned();
                    recorded.texts.push(text.clone());
                    recorded.text = Some(text);
                }
                other => drop(recorded.numbers.insert(name, other.integer().expect("a number"))),
            }
        }
        found.push(recorded);
    }
    assert_eq!(events.warnings().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    found
}

/// The numbers of the events of each source of `steps:step`.
pub fn sources(events: &[Recorded]) -> BTreeMap<u64, Vec<u64>> {
    let mut found = BTreeMap::<_, Vec<u64>>::new();
    for event in events.iter().filter(|event| event.name == "steps:step") {
        found.entry(event.number("source")).or_default().push(event.number("seq"));
    }
    found
}

/// The program with its provider in the same file, linked with libust.so; `None` where there is no compiler.
fn traced() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let make = || {
        let libraries = shared();
        let libraries: Vec<&OsStr> = libraries.iter().map(AsRef::as_ref).collect();
        Build { compiler: GCC, flags: &["-DWITH_PROBES"], sources: &["traced.c"], libraries: &libraries }.make("traced")
    };
    PROGRAM.get_or_init(make).as_deref()
}

/// Records a scenario whole; nothing may be lost.
fn record(scenario: &str) -> Option<(Vec<Recorded>, String)> {
    let (summary, output, _scratch) = record_with(Command::new(traced()?).arg(scenario), |_| {});
    assert!(summary.losses.is_empty(), "{scenario}: {:?}", summary.losses);
    let events = read(&summary);
    assert_eq!(summary.event_count(), events.len() as u64, "{scenario}: the counters agree with the trace");
    Some((events, String::from_utf8_lossy(&output.stdout).into_owned()))
}

#[test]
fn layouts_are_those_of_the_document() {
    for compiler in [GCC, CLANG] {
        let build = Build { compiler, flags: &["-c"], sources: &["layout.c"], libraries: &[] };
        build.make("layout.o");
    }
}

#[test]
fn constructors_and_finalisers_emit() {
    let Some((events, _)) = record("ends") else { return };
    assert_eq!(sources(&events), BTreeMap::from([(80, vec![0]), (81, vec![0]), (82, vec![0])]));
}

#[test]
fn each_thread_has_its_events() {
    let Some((events, _)) = record("threads") else { return };
    let sources = sources(&events);
    for source in 1..=8 {
        assert_counts_up(&sources[&source], 1000);
    }
}

#[test]
fn a_forked_child_records_into_its_own_image() {
    let Some((events, said)) = record("forks") else { return };
    assert!(said.contains("status=0"), "{said}");
    let sources = sources(&events);
    for source in 1..=3 {
        assert_counts_up(&sources[&source], 100);
    }
    let pid_of = |source| events.iter().find(|event| event.number("source") == source).map(|event| event.vpid);
    assert_eq!(pid_of(1), pid_of(3));
    assert_ne!(pid_of(1), pid_of(2));
}

#[test]
fn handlers_that_interrupt_events_emit() {
    let Some((events, said)) = record("signals") else { return };
    check_signals(&events, &said);
}

#[test]
fn handlers_emit_where_a_sanitizer_has_another_stack_or_calls_them_itself() {
    let libraries = shared();
    let libraries: Vec<&OsStr> = libraries.iter().map(AsRef::as_ref).collect();
    for (compiler, flag) in [
        (GCC, "-fsanitize=address"),
        (CLANG, "-fsanitize=address"),
        (CLANG, "-fsanitize=safe-stack"),
        (GCC, "-fsanitize=thread"),
        (CLANG, "-fsanitize=thread"),
    ] {
        let flags = ["-DWITH_PROBES", flag];
        let build = Build { compiler, flags: &flags, sources: &["traced.c"], libraries: &libraries };
        let Some(program) = build.make("signals") else { continue };
        for contexts in [&[][..], &["vtid".to_owned()]] {
            let mut command = Command::new(&program);
            command.env("ASAN_OPTIONS", "detect_stack_use_after_return=1:detect_leaks=0").arg("some_signals");
            let (summary, output, _scratch) = record_with(&mut command, |options| options.contexts = contexts.to_vec());
            assert!(summary.losses.is_empty(), "{flag}: {:?}", summary.losses);
            check_signals(&read(&summary), &String::from_utf8_lossy(&output.stdout));
        }
    }
}

/// Checks the events of the scenario `signals`, and what it has printed.
fn check_signals(events: &[Recorded], said: &str) {
    let said = |key: &str| -> u64 {
        let value = said.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {key} in {said}"))
    };
    let sources = sources(events);
    assert_counts_up(&sources[&1], said("steps"));
    assert_counts_up(&sources[&50], said("handled"));
}

#[test]
fn an_exit_under_threads_that_emit_harms_nobody() {
    let Some(program) = traced() else { return };
    for _ in 0..20 {
        let mut recorder = Recorder::new(small_rings());
        let mut child = recorder.spawn(Command::new(program).arg("end_under_threads"));
        recorder.drain_until_end(&mut child);
        let status = child.wait().expect("our child");
        assert!(status.success(), "{status}");
        let summary = recorder.engine.stop();
        let main = sources(&read(&summary)).remove(&0).unwrap_or_default();
        // The small rings may lose events, but of the main thread none goes missing at the end alone.
        assert!(main.windows(2).all(|pair| pair[0] < pair[1]) && main.len() > 100, "{} events", main.len());
    }
}

#[test]
fn events_of_every_size_are_whole_or_counted() {
    let Some(program) = traced() else { return };
    let (summary, _, _scratch) = record_with(Command::new(program).arg("sizes"), |options| {
        options.patterns = vec!["steps:bytes".to_owned()];
    });
    let events = read(&summary);
    let counts = [0, 1, 7, 15, 16, 31, 33, 100, 511, 513, 3000, 20_000];
    let expected = counts.into_iter().zip(0u64..).chain([(5, 13)]);
    let found: Vec<_> = events.iter().map(|event| (event.bytes.clone(), event.number("seq"))).collect();
    let pattern = |seq: u64, count: u64| (0..count).map(|i| ((seq + i) * 7) as u8).collect::<Vec<_>>();
    let expected: Vec<_> = expected.map(|(count, seq)| (Some(pattern(seq, count)), seq)).collect();
    assert!(found == expected, "{:?}", events.iter().map(|event| event.number("seq")).collect::<Vec<_>>());
    assert_eq!(summary.losses.too_big, 2, "one of 200 MiB, one of 2^63 bytes: {:?}", summary.losses);
    assert_eq!(summary.losses.events(), 2);
}

#[test]
fn strings_of_every_length_at_the_end_of_a_page() {
    let Some((events, _)) = record("strings") else { return };
    let texts: Vec<_> = events.iter().filter(|event| event.number("source") == 1).collect();
    assert_eq!(texts.len(), 101);
    for (event, length) in texts.iter().take(100).zip(0u8..) {
        let expected = String::from(char::from(b'a' + length % 26)).repeat(length.into());
        assert_eq!(event.text.as_deref(), Some(expected.as_str()));
    }
    assert_eq!(texts[100].text.as_deref(), Some("(null)"));
}

/// With this filter, which accepts all, no event is usual.
const FILTER: Option<&str> = Some("seq >= 0");

/// The program made by each compiler with each set of flags.
fn each_build(ways: &'static [&'static [&'static str]]) -> impl Iterator<Item = PathBuf> {
    let compilers = [GCC, CLANG].into_iter();
    compilers.flat_map(|compiler| ways.iter().map(move |flags| (compiler, flags))).filter_map(|(compiler, flags)| {
        let libraries = shared();
        let libraries: Vec<&OsStr> = libraries.iter().map(AsRef::as_ref).collect();
        let flags = [flags, ["-DWITH_PROBES"].as_slice()].concat();
        Build { compiler, flags: &flags, sources: &["traced.c"], libraries: &libraries }.make("traced")
    })
}

/// Checks the events of the scenario `edges`.
fn check_edges(program: &Path, filter: Option<&str>) {
    let (summary, _, _scratch) = record_with(Command::new(program).arg("edges"), |options| {
        options.patterns = vec!["steps:texts".to_owned()];
        options.filter = filter.map(str::to_owned);
    });
    let events = read(&summary);
    let lengths = (0..=40).flat_map(|length| (0..=20).map(move |behind| (length, length * 100 + behind)));
    let expected: Vec<(usize, usize)> = lengths.chain([(0, 9999)]).collect();
    assert_eq!(events.len(), expected.len());
    for (event, (length, seq)) in events.iter().zip(expected) {
        assert_eq!(event.number("seq"), seq as u64);
        let text = |max: usize| String::from(char::from(b'a' + (length % 26) as u8)).repeat(length.min(max));
        assert_eq!(event.texts, [text(40), text(12), text(33), text(40)], "{seq}");
        assert_eq!(event.bytes.as_deref(), Some(vec![length as u8; length].as_slice()), "{seq}");
    }
}

#[test]
fn text_and_bytes_at_the_end_of_what_can_be_read_are_recorded() {
    for program in each_build(&[&[], &["-O0"], &["-fsanitize=address"]]) {
        check_edges(&program, None);
        check_edges(&program, FILTER);
    }
}

#[test]
fn a_string_that_another_thread_changes_leaves_its_event_whole() {
    let programs = each_build(&[&[], &["-fsanitize=address"]]);
    for (program, filter) in programs.flat_map(|program| [(program.clone(), None), (program, FILTER)]) {
        let (summary, _, _scratch) = record_with(Command::new(program).arg("changes"), |options| {
            options.filter = filter.map(str::to_owned);
        });
        assert!(summary.losses.is_empty(), "{:?}", summary.losses);
        let sources = sources(&read(&summary));
        assert_counts_up(&sources[&1], 50_000);
        assert_counts_up(&sources[&2], 50_000);
    }
}

#[test]
fn an_event_at_the_end_of_a_sub_buffer_spoils_nothing_behind_it() {
    let Some(program) = traced() else { return };
    let (summary, _, _scratch) = record_with(Command::new(program).arg("brims"), |options| {
        options.channel = ChannelOptions {
            mode: LossMode::Overwrite,
            subbuf_bytes: 4096,
            subbuf_count: 4,
            ..ChannelOptions::default()
        };
    });
    let sources = sources(&read(&summary));
    for source in 0..40 {
        let last = 5 * 128 + (4096 - 32 - source) / 32;
        // The sub-buffer behind the last event holds the oldest ones.
        let expected: Vec<u64> = (2 * 128..=last).collect();
        assert_eq!(sources[&source], expected, "{source}");
    }
}

#[test]
fn filters_see_fields_that_are_not_written() {
    let Some(program) = traced() else { return };
    let (summary, _, _scratch) = record_with(Command::new(program).arg("hidden"), |options| {
        options.patterns = vec!["steps:hidden".to_owned()];
        options.filter = Some("secret == 3".to_owned());
    });
    let events = read(&summary);
    let found: Vec<_> = events.iter().map(|event| event.number("seq")).collect();
    assert_eq!(found, [3, 8, 13, 18]);
    assert!(!events[0].numbers.contains_key("secret"));
}

#[test]
fn the_context_ip_is_where_the_call_is() {
    let Some(program) = traced() else { return };
    let (summary, _, _scratch) = record_with(Command::new(program).arg("ip"), |options| {
        options.contexts = vec!["ip".to_owned()];
    });
    let events = read(&summary);
    let called = events.iter().find(|event| event.number("source") == 1).expect("the event");
    let (function, ip) = (called.number("seq"), called.number("ip"));
    assert!((function..function + 200).contains(&ip), "{function:#x} called at {ip:#x}");
}

#[test]
fn a_program_that_cannot_be_traced_is_not_disturbed() {
    let Some(program) = traced() else { return };
    // A runtime directory that cannot be made.
    let output = Command::new(program).arg("threads").env("UST_RUNTIME_DIR", "/proc/nowhere").output();
    let Ok(output) = output else { return skip("the program cannot be run") };
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
