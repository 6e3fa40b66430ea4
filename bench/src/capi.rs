// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measures programs of C: an event against the same one in Rust and in lttng-ust, start-up, the generator, and what compilers take for what it
//! makes. Prints tables.
//!
//! Needs a release build of the workspace, `cc`, `make`, `pkg-config`, and the packages `lttng-tools` and `liblttng-ust-dev`. Nothing else
//! should run meanwhile: the figures are times.

#[allow(dead_code, reason = "shared with the comparison that `bench` prints")]
mod common;
#[allow(dead_code, reason = "as above")]
mod lttng;
#[allow(dead_code, reason = "as above")]
mod ours;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;

use common::{Mode, ROWS, Runs, median, run, touch_memory_for};

/// Measures programs of C and prints tables.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    runs: Runs,
    /// Only this part: events, start or generator.
    #[arg(long)]
    only: Option<String>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let binaries = std::path::absolute(&options.runs.binaries)?;
    let made = tempfile::tempdir()?;
    let place = Place { prefix: made.path().join("prefix"), folder: made.path().to_owned(), binaries };
    place.install()?;
    let wants = |part: &str| options.only.as_deref().is_none_or(|only| only == part);
    if wants("events") {
        place.measure_events(&options)?;
    }
    if wants("start") {
        place.measure_start(options.runs.rounds)?;
    }
    if wants("generator") {
        place.measure_generator(options.runs.rounds)?;
    }
    Ok(())
}

/// Where libust is installed and programs are made.
struct Place {
    prefix: PathBuf,
    folder: PathBuf,
    binaries: PathBuf,
}

impl Place {
    fn install(&self) -> Result<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut install = Command::new(cargo);
        install.current_dir(workspace()).args(["xtask", "install", "--prefix"]);
        run(install.arg(&self.prefix)).context("cannot install libust")?;
        Ok(())
    }

    /// The example in C, made by `compiler`.
    fn hello_c(&self, compiler: &str) -> Result<PathBuf> {
        let build = self.folder.join(compiler);
        std::fs::create_dir(&build)?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([self.binaries.clone()].into_iter().chain(std::env::split_paths(&path)))?;
        let mut make = Command::new("make");
        make.current_dir(workspace().join("examples/hello-c"));
        make.arg(format!("BUILD={}", build.display())).arg(format!("CC={compiler}"));
        run(make.env("PATH", path).env("PKG_CONFIG_PATH", self.prefix.join("lib/pkgconfig")))?;
        Ok(build.join("hello-c"))
    }

    fn measure_events(&self, options: &Options) -> Result<()> {
        let mut lttng = lttng::Lttng::start(&self.binaries).context("cannot set up the lttng-ust side")?;
        let sides = [
            ours::Ours::new(&self.binaries),
            ours::Ours::of_program(&self.binaries, &self.hello_c("gcc")?),
            ours::Ours::of_program(&self.binaries, &self.hello_c("clang")?),
        ];
        let mut times: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
        for round in 1..=options.runs.rounds {
            for (i, row) in ROWS.iter().enumerate() {
                let events = if row.mode == Mode::Off { options.runs.events * 20 } else { options.runs.events };
                for (side, ours) in sides.iter().enumerate() {
                    touch_memory_for(row, events)?;
                    times.entry((i, side)).or_default().push(ours.measure(row.mode, row.event, events, row.threads)?);
                }
                touch_memory_for(row, events)?;
                let theirs = lttng.measure(row.mode, row.event, events, row.threads)?;
                times.entry((i, sides.len())).or_default().push(theirs);
                eprintln!("round {round}: {}", row.label);
            }
        }
        println!(
            "| | lttng-ust, ns | Rust, ns | C (gcc), ns | C (clang), ns | C (gcc) against Rust | lttng-ust against C |"
        );
        println!("|---|---|---|---|---|---|---|");
        for (i, row) in ROWS.iter().enumerate() {
            let [rust, gcc, clang, theirs] = [0, 1, 2, 3].map(|side| median(&times[&(i, side)]));
            let ratios = if row.mode == Mode::Off {
                format!("{:+.2} ns | {:+.2} ns", gcc - rust, gcc - theirs)
            } else {
                format!("{:.2} | {:.1}", gcc / rust, theirs / gcc)
            };
            println!("| {} | {theirs:.2} | {rust:.2} | {gcc:.2} | {clang:.2} | {ratios} |", row.label);
        }
        Ok(())
    }

    /// A program that does nothing, once without anything and once with a tracepoint.
    fn measure_start(&self, rounds: usize) -> Result<()> {
        const STARTS: usize = 100;
        let write = |name: &str, text: &str| std::fs::write(self.folder.join(name), text);
        write("one.tp", "TRACEPOINT_EVENT(start, one, TP_ARGS(int, n), TP_FIELDS(ctf_integer(int, n, n)))\n")?;
        write("with.c", "#include \"one.h\"\nint main(void) { tracepoint(start, one, 1); return 0; }\n")?;
        write("without.c", "int main(void) { return 0; }\n")?;
        let include = self.prefix.join("include");
        run(Command::new(self.binaries.join("ust-gen-tp"))
            .current_dir(&self.folder)
            .arg("one.tp")
            .env("CFLAGS", format!("-O2 -I{}", include.display())))?;
        let compile = |name: &str, with: bool| {
            let mut cc = Command::new("cc");
            cc.current_dir(&self.folder).args(["-O2", "-o", name, &format!("{name}.c")]);
            if with {
                let lib = self.prefix.join("lib");
                cc.arg("-I").arg(&include).arg("one.o").arg("-L").arg(&lib).arg("-lust");
                cc.arg(format!("-Wl,-rpath,{}", lib.display()));
            }
            run(&mut cc)
        };
        compile("with", true)?;
        compile("without", false)?;
        // The C library of the one that has no libust loads libc alone; libust needs the same, and libgcc_s.
        let start = |name: &str, dir: &Path| -> Result<f64> {
            let mut command = Command::new(self.folder.join(name));
            command.env("UST_RUNTIME_DIR", dir);
            let begin = Instant::now();
            run(&mut command)?;
            Ok(begin.elapsed().as_secs_f64() * 1e6)
        };
        // Where images lie by default: in memory.
        let dir = tempfile::Builder::new().prefix("ust-bench-").tempdir_in("/dev/shm")?;
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..rounds * STARTS {
            with.push(start("with", dir.path())?);
            without.push(start("without", dir.path())?);
        }
        let (with, without) = (median(&with), median(&without));
        println!("\n| start and end of a program that does nothing | us |\n|---|---|");
        println!("| without anything | {without:.0} |\n| with a tracepoint and libust.so | {with:.0} |");
        println!("| difference | {:.0} |", with - without);
        Ok(())
    }

    fn measure_generator(&self, rounds: usize) -> Result<()> {
        const EVENTS: usize = 400;
        let mut text = String::from("#include <stdint.h>\n\n");
        for i in 0..EVENTS {
            writeln!(
                text,
                "TRACEPOINT_EVENT(many, event{i},\n    TP_ARGS(int, id, uint64_t, size, const char *, name, const uint8_t *, bytes, size_t, count, double, ratio),\n    \
                 TP_FIELDS(ctf_integer(int, id, id) ctf_integer_hex(uint64_t, size, size) ctf_string(name, name)\n        \
                 ctf_sequence(uint8_t, bytes, bytes, size_t, count) ctf_float(double, ratio, ratio)))\nTRACEPOINT_LOGLEVEL(many, event{i}, TRACE_INFO)\n"
            )?;
        }
        std::fs::write(self.folder.join("many.tp"), text)?;
        let folder = |name: &str| self.folder.join(name);
        let (ours, theirs) = (folder("ours"), folder("theirs"));
        std::fs::create_dir(&ours)?;
        std::fs::create_dir(&theirs)?;
        let seconds = |command: &mut Command| -> Result<f64> {
            let begin = Instant::now();
            run(command)?;
            Ok(begin.elapsed().as_secs_f64())
        };
        let compile = |at: &Path, level: &str| {
            let mut cc = Command::new("cc");
            cc.current_dir(at).args([level, "-I.", "-c", "many.c"]);
            if at == ours {
                cc.arg("-I").arg(self.prefix.join("include"));
            }
            seconds(&mut cc)
        };
        let mut times: BTreeMap<(&str, bool), Vec<f64>> = BTreeMap::new();
        for _ in 0..rounds {
            // Made anew each time, as after a change of the definitions.
            let _ = std::fs::remove_file(ours.join("many.h"));
            for (at, program) in [(&ours, self.binaries.join("ust-gen-tp")), (&theirs, "lttng-gen-tp".into())] {
                let is_ours = *at == ours;
                let mut generate = Command::new(program);
                generate.current_dir(at).args(["-o", "many.h", "-o", "many.c", "../many.tp"]);
                times.entry((".h and .c from the definitions", is_ours)).or_default().push(seconds(&mut generate)?);
                times.entry(("`cc -O2 -c` of that", is_ours)).or_default().push(compile(at, "-O2")?);
                times.entry(("`cc -O0 -c` of that", is_ours)).or_default().push(compile(at, "-O0")?);
            }
        }
        println!("\n| {EVENTS} events of 5 fields | ust, s | LTTng, s | ratio |\n|---|---|---|---|");
        for ((what, _), ours) in times.iter().filter(|((_, is_ours), _)| *is_ours) {
            let (ours, theirs) = (median(ours), median(&times[&(*what, false)]));
            println!("| {what} | {ours:.3} | {theirs:.3} | {:.2} |", ours / theirs);
        }
        Ok(())
    }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}
