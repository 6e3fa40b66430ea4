// SPDX-License-Identifier: MIT OR Apache-2.0
//! Traces that the real LTTng records in the test: our text and loss warnings against those of babeltrace2.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use ust_ctf::reader::Trace;
use ust_ctf::select::Selection;
use ust_ctf::text::{Names, Options, Shown};
use ust_filter::Filter;

use crate::oracle::check_form;
use crate::tool;

/// Every field that lttng-ust has. No text of zero length: for that babeltrace2 2.0.4 shows what the event before had there.
const PROGRAM: &str = r#"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "tp.h"
int main(int argc, char **argv) {
    long count = atol(argv[1]);
    long values[] = { 1, -2, 3 };
    char text[10] = "te\"st\n";
    for (long i = 0; i < count; i++) {
        lttng_ust_tracepoint(ours, kinds, i, htonl(i), values, text, i % 4, 2222.5 / (i + 1), i % 12);
        if (i % 5 == 0) lttng_ust_tracepoint(ours, bare);
    }
    return 0;
}"#;

const HEADER: &str = r#"
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER ours
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./tp.h"
#if !defined(TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define TP_H
#include <lttng/tracepoint.h>
LTTNG_UST_TRACEPOINT_ENUM(ours, colours, LTTNG_UST_TP_ENUM_VALUES(
    lttng_ust_field_enum_value("ZERO", 0) lttng_ust_field_enum_range("few", 2, 5)
    lttng_ust_field_enum_range("over", 4, 9) lttng_ust_field_enum_auto("ten")))
LTTNG_UST_TRACEPOINT_EVENT(ours, kinds,
    LTTNG_UST_TP_ARGS(int, n, int, net, long *, values, char *, text, size_t, len, double, real, int, colour),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(int, n, n) lttng_ust_field_integer_hex(int, hex, -n)
        lttng_ust_field_integer(unsigned char, tiny, n) lttng_ust_field_integer_network(int, net, net)
        lttng_ust_field_integer_network_hex(int, nethex, net) lttng_ust_field_array(long, array, values, 3)
        lttng_ust_field_array_hex(long, arrayhex, values, 3) lttng_ust_field_array_text(char, chars, text, 10)
        lttng_ust_field_sequence(char, seq, text, size_t, len) lttng_ust_field_sequence_text(char, seqtext, text, size_t, len + 1)
        lttng_ust_field_sequence_network(int, seqnet, &net, unsigned short, len % 2)
        lttng_ust_field_string(string, text) lttng_ust_field_float(float, single, real)
        lttng_ust_field_float(double, real, real) lttng_ust_field_enum(ours, colours, int, colour, colour)))
LTTNG_UST_TRACEPOINT_LOGLEVEL(ours, kinds, LTTNG_UST_TRACEPOINT_LOGLEVEL_WARNING)
LTTNG_UST_TRACEPOINT_MODEL_EMF_URI(ours, kinds, "http://example.com/kinds")
LTTNG_UST_TRACEPOINT_EVENT(ours, bare, LTTNG_UST_TP_ARGS(), LTTNG_UST_TP_FIELDS())
#endif
#include <lttng/tracepoint-event.h>
"#;

const PROVIDER: &str =
    "#define LTTNG_UST_TRACEPOINT_CREATE_PROBES\n#define LTTNG_UST_TRACEPOINT_DEFINE\n#include \"tp.h\"\n";

/// A session daemon with a home of its own, and a program for it.
struct Lttng {
    home: TempDir,
    daemon: Option<std::process::Child>,
}

impl Lttng {
    /// Returns nothing, and says so, where LTTng or a compiler is missing.
    fn start() -> Option<Self> {
        for name in ["lttng", "lttng-sessiond", "gcc", "babeltrace2"] {
            if !std::env::split_paths(&std::env::var_os("PATH")?).any(|folder| folder.join(name).is_file()) {
                tool::skip(&format!("{name} is not installed"));
                return None;
            }
        }
        let home = tempfile::tempdir().expect("a folder");
        let has_headers =
            Command::new("gcc").args(["-include", "lttng/tracepoint.h", "-E", "-x", "c", "/dev/null"]).output();
        if !has_headers.is_ok_and(|output| output.status.success()) {
            tool::skip("the headers of lttng-ust are not installed");
            return None;
        }
        for (name, text) in [("main.c", PROGRAM), ("tp.h", HEADER), ("tp.c", PROVIDER)] {
            fs::write(home.path().join(name), text).expect("a file");
        }
        let compiled = Command::new("gcc")
            .args(["-O1", "-I.", "-o", "program", "main.c", "tp.c", "-llttng-ust", "-ldl"])
            .current_dir(home.path())
            .output()
            .expect("gcc");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let mut lttng = Self { home, daemon: None };
        let daemon =
            lttng.command("lttng-sessiond").arg("--no-kernel").stderr(Stdio::null()).spawn().expect("lttng-sessiond");
        lttng.daemon = Some(daemon);
        // It cannot be waited for but by asking: as a child that stays one it does not say when it is ready.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !lttng.command("lttng").args(["--no-sessiond", "list"]).output().expect("lttng").status.success() {
            assert!(Instant::now() < deadline, "lttng-sessiond answers");
        }
        Some(lttng)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LTTNG_HOME", self.home.path()).current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    fn lttng(&self, arguments: &[&str]) {
        let output = self.command("lttng").arg("--no-sessiond").args(arguments).output().expect("lttng");
        assert!(output.status.success(), "lttng {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Records the program into a session with a channel of these options.
    fn record(&self, session: &str, channel: &[&str], run: impl FnOnce(&Self)) -> PathBuf {
        let output = self.home.path().join(session);
        // The daemon of the system administrator serves everybody who runs as one, also another run of this test.
        let session = &session_name(session);
        self.lttng(&["create", session, "--output", output.to_str().expect("UTF-8")]);
        self.lttng(&[&["enable-channel", "-u", "c"], channel].concat());
        self.lttng(&["enable-event", "-u", "-c", "c", "ours:*,lttng_ust_statedump:*"]);
        self.lttng(&["add-context", "-u", "-c", "c", "-t", "vpid", "-t", "vtid", "-t", "procname", "-t", "ip"]);
        self.lttng(&["start"]);
        run(self);
        self.lttng(&["destroy", session]);
        output
    }

    fn run(&self, count: u32) {
        let mut program = self.command("./program");
        program.env("LTTNG_UST_ALLOW_BLOCKING", "1").env("LTTNG_UST_REGISTER_TIMEOUT", "-1").arg(count.to_string());
        let status = program.status().expect("the program");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Lttng {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            // The consumer daemon that it started ends with it.
            let _ = Command::new("kill").arg(daemon.id().to_string()).status();
            let _ = daemon.wait();
        }
    }
}

fn session_name(name: &str) -> String {
    format!("ust-{name}-{}", std::process::id())
}

fn check(folder: &Path) {
    let plain = Options::default();
    check_form(folder, &[], plain);
    check_form(folder, &["--names=all", "--fields=all"], Options { names: Names::ALL, fields: Shown::ALL, ..plain });
    check_form(
        folder,
        &["--clock-cycles", "--names=none"],
        Options { clock_cycles: true, names: Names::NONE, ..plain },
    );
}

const ALL: [&str; 3] = ["--subbuf-size=16K", "--num-subbuf=8", "--blocking-timeout=inf"];

#[test]
fn traces_of_lttng_are_shown_alike_however_they_are_recorded() {
    let Some(lttng) = Lttng::start() else {
        return;
    };
    check(&lttng.record("users", &ALL, |lttng| lttng.run(3000)));
    check(&lttng.record("processes", &[&ALL[..], &["--buffers-pid"]].concat(), |lttng| {
        lttng.run(300);
        lttng.run(500);
    }));
    let lossy = lttng.record("lossy", &["--subbuf-size=4K", "--num-subbuf=2"], |lttng| lttng.run(20_000));
    assert!(!Trace::open(&lossy).expect("a trace").losses().is_empty());
    check(&lossy);
    check(
        &lttng.record("overwritten", &["--overwrite", "--subbuf-size=4K", "--num-subbuf=2"], |lttng| lttng.run(5000)),
    );
    check(&lttng.record("files", &[&ALL[..], &["--tracefile-size=32768", "--tracefile-count=3"]].concat(), |lttng| {
        lttng.run(3000);
    }));
    check(&lttng.record("rotated", &ALL, |lttng| {
        for _ in 0..3 {
            lttng.run(200);
            lttng.lttng(&["rotate", &session_name("rotated")]);
        }
    }));
}

/// Filters that LTTng's tracer and we must take alike; 400 events of `ours:kinds` are asked.
///
/// Left out, since lttng-ust 2.13.5 is wrong there: `seq[0] == 't'` (its tracer crashes the program where the sequence is empty),
/// `seq[2] == 34` (it reads behind a shorter sequence), `seqnet[0] == 7` (it compares without turning the bytes round).
/// `n == 1 || nosuch == 1` is ours: there an event that lacks a field is never chosen.
const FILTERS: [&str; 40] = [
    "n == 5",
    "n > 100 && n <= 120",
    "n < 3 || n == 300",
    "tiny & 0x3 == 1",
    "tiny & (0x3 == 1)",
    "n | 1 == 5",
    "n ^ 3 == 1",
    "n >> 3 == 2",
    "n << 2 == 8",
    "n == 1 == 1",
    "n > -1 == 1",
    "!(n & 1)",
    "-n == -7",
    "~n == -8",
    "+n == 010",
    "hex == -3",
    "hex < 0",
    "net == 5",
    "nethex >= 395",
    "colour == 4",
    "colour",
    "array[1] == -2",
    "array[2] == n",
    "array[3] == 3",
    "!seq[0]",
    "string == \"te*\"",
    "string == \"te\"",
    "string != \"x*\"",
    "string < \"tf\"",
    "string > \"tf\"",
    "\"*st*\" == string",
    "seqtext == \"te\"",
    "real > 1000.5",
    "real == 2222.5",
    "single <= 22.225 && n < 105",
    "real && 1",
    "n && 0.5",
    "$ctx.procname == \"prog*\" && n == 3",
    "$ctx.vpid > 0 && n == 3",
    "nosuch == 1 || n == 1",
];

#[test]
fn filters_choose_the_events_that_the_tracer_of_lttng_chooses() {
    let Some(lttng) = Lttng::start() else {
        return;
    };
    let output = lttng.home.path().join("filters");
    let session = &session_name("filters");
    lttng.lttng(&["create", session, "--output", output.to_str().expect("UTF-8")]);
    let channel = |name: &str, filter: &[&str]| {
        lttng.lttng(&[&["enable-channel", "-u", name], &ALL[..]].concat());
        lttng.lttng(&[&["enable-event", "-u", "-c", name, "ours:kinds"], filter].concat());
    };
    channel("all", &[]);
    lttng.lttng(&["add-context", "-u", "-c", "all", "-t", "vpid", "-t", "procname"]);
    for (idx, filter) in FILTERS.iter().enumerate() {
        channel(&format!("f{idx}"), &["--filter", filter]);
    }
    lttng.lttng(&["start"]);
    lttng.run(400);
    lttng.lttng(&["destroy", session]);

    let selections = FILTERS.map(|text| {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{error}"));
        Arc::new(Selection::all().with_filter(filter))
    });
    let mut selectors = selections.each_ref().map(Selection::selector);
    let (mut theirs, mut ours) = ([0; FILTERS.len()], [0; FILTERS.len()]);
    let trace = Trace::open(&output).expect("a trace");
    let (mut events, mut asked) = (trace.events(), 0);
    while let Some(event) = events.next() {
        // One file per channel and CPU.
        let name = event.stream().path().file_name().and_then(|name| name.to_str()).expect("a name");
        let (channel, _) = name.split_once('_').expect("the CPU behind it");
        match channel.strip_prefix('f') {
            Some(idx) => theirs[idx.parse::<usize>().expect("a number")] += 1,
            None => {
                asked += 1;
                for (count, selector) in ours.iter_mut().zip(&mut selectors) {
                    *count += u32::from(selector.wants(&event));
                }
            }
        }
    }
    assert_eq!(asked, 400);
    let differences: Vec<_> =
        FILTERS.iter().zip(theirs.iter().zip(&ours)).filter(|(_, (theirs, ours))| theirs != ours).collect();
    assert!(differences.is_empty(), "LTTng and we: {differences:?}");
    assert!(
        theirs.iter().filter(|count| (1..400).contains(*count)).count() > 20,
        "most filters choose some: {theirs:?}"
    );
}
