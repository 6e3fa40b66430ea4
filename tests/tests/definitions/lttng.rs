// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same definition files and the same program with LTTng.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::build::{FOR_BOTH, Place, calls, definitions, fixture};
use crate::harness::{is_installed, record_with, skip};
use crate::recorded::{Field, Recorded, is_length, read};

/// Fields that LTTng records otherwise, and that it is on purpose.
const FLOATS: [(&str, &str); 3] =
    [("program:elements", "floats"), ("program:elements", "doubles"), ("kinds:arrays", "f")];

/// An event whose arguments have other names than those of its class: LTTng does not find its recording function.
const NOT_THERE: &str = "web:tock";

/// Fields with an address in the program.
const ADDRESSES: [(&str, &str); 1] = [("program:addresses", "back")];

struct Lttng {
    place: Place,
    daemon: Option<Child>,
    session: String,
}

impl Drop for Lttng {
    fn drop(&mut self) {
        let _ = self.command("lttng").args(["--no-sessiond", "destroy", &self.session]).output();
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn is_there() -> bool {
    let programs = ["lttng", "lttng-sessiond", "lttng-gen-tp", "gcc"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_in_path = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if let Some(missing) = programs.iter().find(|name| !is_in_path(name)) {
        skip(&format!("{missing} is not installed"));
        return false;
    }
    let include = ["-include", "lttng/tracepoint.h", "-E", "-x", "c", "/dev/null"];
    let has_headers = Command::new("gcc").args(include).output().is_ok_and(|output| output.status.success());
    if !has_headers {
        skip("the headers of lttng-ust are not installed");
    }
    has_headers
}

impl Lttng {
    /// Generates and compiles with LTTng's tools.
    fn new() -> Self {
        let place = Place::new();
        let session = format!("ust-definitions-{}", std::process::id());
        let lttng = Self { place, daemon: None, session };
        let mut sources = Vec::new();
        for name in FOR_BOTH {
            let file = format!("{name}.tp");
            fs::copy(definitions().join(&file), lttng.place.path().join(&file)).expect("a copy");
            let (header, source) = (format!("{name}.h"), format!("{name}.c"));
            lttng.run(lttng.command("lttng-gen-tp").args([&file, "-o", &header, "-o", &source]));
            sources.push(source);
        }
        let mut gcc = lttng.command("gcc");
        // Its headers need types that not all of the files include; and what they make is not free of warnings.
        gcc.args(["-std=gnu11", "-w", "-O1", "-I.", "-include", "stdint.h", "-include", "stddef.h", "-I"]);
        gcc.arg(definitions()).arg(fixture("calls.c")).args(sources).args(["-o", "program", "-llttng-ust", "-ldl"]);
        lttng.run(&mut gcc);
        lttng
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LTTNG_HOME", self.place.path()).current_dir(self.place.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, command: &mut Command) {
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn lttng(&self, words: &[&str]) {
        self.run(self.command("lttng").arg("--no-sessiond").args(words));
    }

    /// Records the program.
    fn record(&mut self) -> PathBuf {
        let is_running = |lttng: &Self| {
            let asked = lttng.command("lttng").args(["--no-sessiond", "list"]).output();
            asked.expect("lttng").status.success()
        };
        if !is_running(self) {
            let mut daemon = self.command("lttng-sessiond");
            self.daemon = Some(daemon.arg("--no-kernel").stderr(Stdio::null()).spawn().expect("lttng-sessiond"));
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_running(self) {
            assert!(Instant::now() < deadline, "lttng-sessiond answers");
        }
        let output = self.place.path().join("trace");
        self.lttng(&["create", &self.session, "--output", output.to_str().expect("UTF-8")]);
        self.lttng(&["enable-event", "-u", "-a", "-x", "lttng_ust*"]);
        self.lttng(&["start"]);
        let program = self.place.path().join("program");
        self.run(self.command(program.to_str().expect("UTF-8")).env("LTTNG_UST_REGISTER_TIMEOUT", "-1"));
        self.lttng(&["destroy", &self.session]);
        output
    }
}

#[test]
fn each_field_is_what_lttng_records_of_it() {
    let Some((_place, mut program)) = is_installed("gcc").then(|| calls("gcc")).flatten() else { return };
    let (summary, _, _scratch) = record_with(&mut program, |_| {});
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let mut ours = read(&summary.output);
    if !is_there() {
        return;
    }
    let mut lttng = Lttng::new();
    let theirs = read(&lttng.record());
    assert!(ours.iter().any(|event| event.name == NOT_THERE));
    ours.retain(|event| event.name != NOT_THERE);
    let names = |events: &[Recorded]| events.iter().map(|event| event.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs));
    let mut different = Vec::new();
    for (own, other) in ours.iter().zip(&theirs) {
        compare(own, other, &mut different);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Says in what an event differs from LTTng's.
fn compare(ours: &Recorded, theirs: &Recorded, different: &mut Vec<String>) {
    let Recorded { name, loglevel, emf_uri, fields } = ours;
    if (loglevel, emf_uri) != (&theirs.loglevel, &theirs.emf_uri) {
        different.push(format!("{name}: {loglevel:?} {emf_uri:?}, {:?} {:?}", theirs.loglevel, theirs.emf_uri));
    }
    let names = |fields: &[Field]| fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
    if names(fields) != names(&theirs.fields) {
        different.push(format!("{name}: {:?}, {:?}", names(fields), names(&theirs.fields)));
        return;
    }
    for (own, other) in fields.iter().zip(&theirs.fields) {
        let key = (name.as_str(), own.name.as_str());
        let is_same = if FLOATS.contains(&key) {
            // There they are integers with the bits of the floats.
            other.class.contains("integer") && own.class.contains("float") && bits(own) == other.value
        } else if is_length(own) {
            // Its type is what the file says there, and 32 bits here.
            own.value == other.value
        } else {
            own.class == other.class && (own.value == other.value || ADDRESSES.contains(&key))
        };
        if !is_same {
            different.push(format!("{name}.{}:\n  ours   {}\n         {}", own.name, own.class, own.value));
            different.push(format!("  theirs {}\n         {}", other.class, other.value));
        }
    }
}

/// The floats of a field as integers with the same bits.
fn bits(field: &Field) -> String {
    let elements = field.value.trim_matches(['[', ']']).split(", ");
    let bits = elements.map(|element| {
        let number: f64 = element.parse().expect("a number");
        match field.class.contains("float of 32 bits") {
            true => (number as f32).to_bits().cast_signed().to_string(),
            false => number.to_bits().cast_signed().to_string(),
        }
    });
    format!("[{}]", bits.collect::<Vec<_>>().join(", "))
}
