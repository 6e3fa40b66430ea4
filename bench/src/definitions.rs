// SPDX-License-Identifier: MIT OR Apache-2.0
//! A definition file with many events: how long its C takes to be made and to be compiled, against LTTng's.
//!
//! `bench-definitions [EVENTS]`, 400 events if it is not said. Build `ust-gen-tp` in the same profile before.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

/// Rounds, of which the median is shown; the commands take turns.
const ROUND_COUNT: usize = 3;

/// Returns a definition file with that many events, of the kinds of fields that real ones have.
fn definitions(count: usize) -> String {
    let mut text = String::from("#include <stdint.h>\n#define KEY_BYTES 16\n");
    for number in 0..count {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n/* Event {number}. */\n\
             TRACEPOINT_EVENT(many, event_{number},\n\
             \x20   TP_ARGS(int, number, const char *, name, uint64_t, id, void *, at, const uint8_t *, bytes, size_t, count),\n\
             \x20   TP_FIELDS(\n\
             \x20       ctf_integer(int, number, number)\n\
             \x20       ctf_string(name, name)\n\
             \x20       ctf_integer_hex(uint64_t, id, id)\n\
             \x20       ctf_integer_hex(void *, at, at)\n\
             \x20       ctf_array(uint8_t, key, bytes, KEY_BYTES)\n\
             \x20       ctf_sequence(uint8_t, bytes, bytes, size_t, count)))\n\
             TRACEPOINT_LOGLEVEL(many, event_{number}, TRACE_INFO)\n"
        );
    }
    text
}

/// A command that is measured.
struct Measured {
    what: &'static str,
    command: Command,
    ms: Vec<f64>,
}

impl Measured {
    fn new(what: &'static str, folder: &Path, line: &str) -> Self {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).current_dir(folder);
        Self { what, command, ms: Vec::new() }
    }

    fn run(&mut self) -> Result<()> {
        let begin = Instant::now();
        let output = self.command.output().with_context(|| format!("{:?}", self.command))?;
        self.ms.push(begin.elapsed().as_secs_f64() * 1000.0);
        ensure!(output.status.success(), "{:?}: {}", self.command, String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn median(&mut self) -> f64 {
        self.ms.sort_by(f64::total_cmp);
        self.ms[self.ms.len() / 2]
    }
}

fn main() -> Result<()> {
    let count = std::env::args().nth(1).map_or(Ok(400), |word| word.parse()).context("how many events?")?;
    let (ours, theirs) = (tempfile::tempdir()?, tempfile::tempdir()?);
    for folder in [&ours, &theirs] {
        fs::write(folder.path().join("many.tp"), definitions(count))?;
    }
    let generator = std::env::current_exe()?.with_file_name("ust-gen-tp");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("ust-capi").join("include");
    let mut all = [
        Measured::new("ust-gen-tp", ours.path(), &format!("{} many.tp -o many.h -o many.c", generator.display())),
        Measured::new("lttng-gen-tp", theirs.path(), "lttng-gen-tp many.tp -o many.h -o many.c"),
        Measured::new("gcc -O2, ours", ours.path(), &format!("gcc -O2 -I{} -c many.c", include.display())),
        Measured::new("gcc -O2, LTTng's", theirs.path(), "gcc -O2 -I. -c many.c"),
        Measured::new("gcc -O0, ours", ours.path(), &format!("gcc -O0 -I{} -c many.c", include.display())),
        Measured::new("gcc -O0, LTTng's", theirs.path(), "gcc -O0 -I. -c many.c"),
    ];
    for _ in 0..ROUND_COUNT {
        for measured in &mut all {
            measured.run()?;
        }
    }
    println!("{count} events, median of {ROUND_COUNT}, ms:");
    for measured in &mut all {
        let median = measured.median();
        println!("{:18} {median:8.1}", measured.what);
    }
    Ok(())
}
