// SPDX-License-Identifier: MIT OR Apache-2.0
//! Contexts in the trace, read by babeltrace2 and compared with what the program says of itself.

use std::collections::BTreeMap;
use std::process::Command;

use crate::harness::{is_installed, record_with};

fn contexts(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Names and values.
type Members = BTreeMap<String, String>;

/// Members of a structure in babeltrace2's text, with plain values.
fn members(text: &str) -> Members {
    text.split(", ")
        .filter_map(|member| member.split_once(" = "))
        .map(|(name, value)| (name.trim().to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

/// Name, event context and fields of each event.
fn events(trace: &std::path::Path) -> Vec<(String, Members, Members)> {
    let output = Command::new("babeltrace2").arg(trace).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("text");
    let parse = |line: &str| {
        let (head, tail) = line.split_once(": {").expect("a packet context");
        let name = head.rsplit(' ').next().expect("a name").to_owned();
        let parts: Vec<&str> = tail.trim_end_matches(" }").splitn(3, " }, {").collect();
        assert_eq!(parts.len(), 3, "{line}");
        (name, members(parts[1]), members(parts[2]))
    };
    text.lines().map(parse).collect()
}

const ALL: [&str; 20] = [
    "vpid",
    "vtid",
    "procname",
    "pthread_id",
    "cpu_id",
    "ip",
    "vuid",
    "veuid",
    "vsuid",
    "vgid",
    "vegid",
    "vsgid",
    "cgroup_ns",
    "ipc_ns",
    "mnt_ns",
    "net_ns",
    "pid_ns",
    "time_ns",
    "user_ns",
    "uts_ns",
];

#[test]
fn each_context_is_what_the_program_says_of_itself() {
    if !is_installed("babeltrace2") {
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_filtered"));
    let (summary, output, _scratch) = record_with(command.arg("contexts"), |options| {
        options.contexts = contexts(&ALL);
    });
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let said: BTreeMap<&str, &str> = stdout.split_whitespace().filter_map(|word| word.split_once('=')).collect();
    let mut events = events(&summary.output);
    assert_eq!(events.len(), 16);
    let address = |value: &str| u64::from_str_radix(value.trim_start_matches("0x"), 16).expect("a hexadecimal number");
    // Recording functions with frames, one of them of a class: the sites differ, but not from one call to the next.
    let emit: u64 = said["emit"].parse().expect("a number");
    let sites: Vec<u64> = events.split_off(10).iter().map(|(_, context, _)| address(&context["ip"])).collect();
    assert!(sites.iter().all(|ip| (emit..emit + 4096).contains(ip)), "{sites:x?} are not in the function at {emit:#x}");
    assert!(sites[0] < sites[1] && sites[1] < sites[2] && sites[..3] == sites[3..], "{sites:x?}");
    let call: u64 = said["call"].parse().expect("a number");
    for (idx, (name, context, fields)) in events.iter().enumerate() {
        assert_eq!((name.as_str(), fields["n"].clone()), ("other:plain", idx.to_string()));
        assert_eq!(context.len(), ALL.len(), "{context:?}");
        let second = idx >= 5;
        for (key, value) in context {
            let expected = match (key.as_str(), second) {
                ("procname", false) => "filtered",
                ("procname", true) => "second",
                ("vsuid", _) => said["veuid"],
                ("vsgid", _) => said["vegid"],
                ("ip", _) => {
                    let ip = address(value);
                    assert!((call..call + 256).contains(&ip), "{ip:#x} is not in the function at {call:#x}");
                    continue;
                }
                ("cpu_id", _) => {
                    assert!(value.parse::<usize>().is_ok_and(|cpu| cpu < 4096), "{value}");
                    continue;
                }
                ("vtid" | "pthread_id", true) => {
                    assert_ne!(value, said[key.as_str()], "{key} of another thread");
                    continue;
                }
                (key, _) => said[key],
            };
            assert_eq!(value, expected, "{key} of event {idx}");
        }
    }
}

#[test]
fn contexts_lie_in_the_order_of_the_list_and_go_with_every_event_of_the_channel() {
    if !is_installed("babeltrace2") {
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_filtered"));
    let (summary, _, _scratch) = record_with(command.arg("every"), |options| {
        options.contexts = contexts(&["procname", "vtid", "procname"]);
        options.filter = Some("n > 17".to_owned());
    });
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let metadata = std::fs::read_to_string(summary.output.join("metadata")).expect("metadata");
    let procname = "integer { size = 8; align = 8; signed = true; encoding = UTF8; base = 10; } _procname[17];";
    let vtid = "integer { size = 32; align = 8; signed = true; encoding = none; base = 10; } _vtid;";
    assert!(metadata.contains(&format!("event.context := struct {{\n\t\t{procname}\n\t\t{vtid}\n\t}};")), "{metadata}");
    let output = Command::new("babeltrace2").arg(&summary.output).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(text.lines().all(|line| line.contains("{ procname = \"filtered\", vtid = ")), "{text}");
}

#[test]
fn a_child_has_contexts_of_its_own() {
    if !is_installed("babeltrace2") {
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_filtered"));
    let (summary, output, _scratch) = record_with(command.arg("fork"), |options| {
        options.patterns = vec!["other:*".to_owned()];
        options.contexts = contexts(&["vpid", "vtid"]);
    });
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let children: Vec<&str> = stdout.lines().filter_map(|line| Some(line.split_once('=')?.1)).collect();
    let events = events(&summary.output);
    assert_eq!(events.len(), 50);
    for (_, context, fields) in events {
        let n: usize = fields["n"].parse().expect("a number");
        assert_eq!(context["vpid"], context["vtid"], "single threads");
        match n / 10 {
            0 => assert!(!children.contains(&context["vpid"].as_str())),
            child => assert_eq!(context["vpid"], children[child - 1], "event {n}"),
        }
    }
}

#[test]
fn counters_count_for_each_thread_and_read_no_file_of_the_program() {
    if !is_installed("babeltrace2") {
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_filtered"));
    let (summary, _, _scratch) = record_with(command.arg("counters"), |options| {
        options.contexts = contexts(&["perf:thread:faults", "perf:thread:task-clock"]);
    });
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let metadata = std::fs::read_to_string(summary.output.join("metadata")).expect("metadata");
    assert!(metadata.contains("_perf_thread_faults;") && metadata.contains("_perf_thread_task_clock;"), "{metadata}");
    let events = events(&summary.output);
    let of = |name: &str| -> Vec<u64> { events.iter().map(|(_, c, _)| c[name].parse().expect("a number")).collect() };
    let (faults, clock) = (of("perf_thread_faults"), of("perf_thread_task_clock"));
    // Behind event 2 the counters are new ones.
    for n in [1, 2, 4] {
        assert!((50..80).contains(&(faults[n] - faults[n - 1])), "{faults:?}");
        let ns = clock[n] - clock[n - 1];
        assert!((200_000..50_000_000).contains(&ns), "{clock:?}");
    }
}
