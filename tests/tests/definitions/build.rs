// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generates C from the definition files of `ust-gen-tp`, and compiles programs with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ust_gen_tp::{Dialect, Options, c_header, c_source, read_for_c};

use crate::harness::{Scratch, is_installed};
use crate::library::{prefix, shared, workspace};

/// The definition files.
pub fn definitions() -> PathBuf {
    workspace().join("ust-gen-tp/tests/fixtures/pass")
}

/// A program that calls their events.
pub fn fixture(name: &str) -> PathBuf {
    workspace().join("tests/fixtures/definitions").join(name)
}

/// The files of [`fixture`] `calls.c`, all of which LTTng compiles too.
pub const FOR_BOTH: [&str; 12] = [
    "all_fields",
    "all_fields_long",
    "both_spellings",
    "classes",
    "comments",
    "conversions",
    "generated",
    "hello",
    "layout",
    "line_ends",
    "program",
    "reserved_words",
];

/// A directory in which files are generated and compiled.
pub struct Place(Scratch);

impl Place {
    pub fn new() -> Self {
        Self(Scratch::new())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes the header and the source file of a definition file; returns the name of the source file.
    pub fn generate(&self, name: &str, dialect: Dialect) -> String {
        self.generate_from(&definitions().join(name).with_extension("tp"), dialect)
    }

    /// The same of a file that is somewhere else.
    pub fn generate_from(&self, path: &Path, dialect: Dialect) -> String {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let found = read_for_c(path, &Options::default()).expect("a readable file");
        assert_eq!(found.problems.render(&found.sources), "");
        let header = self.path().join(name).with_extension("h");
        fs::write(&header, c_header(&found, &header, dialect)).expect("a file");
        let source = format!("{name}.{}", if dialect == Dialect::C { "c" } else { "cpp" });
        fs::write(self.path().join(&source), c_source(&found, &format!("{name}.h"))).expect("a file");
        source
    }

    /// Runs a compiler in the directory. A warning is an error.
    #[track_caller]
    pub fn compile(&self, compiler: &str, words: &[&str]) {
        let mut command = Command::new(compiler);
        command
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-DUST_WITH_WARNINGS", "-I."])
            .arg("-I")
            .arg(prefix().join("include"));
        command
            .arg("-I")
            .arg(prefix().join("include/ust-compat"))
            .arg("-I")
            .arg(definitions())
            .args(words)
            .current_dir(self.path());
        let output = command.output().expect("the compiler runs");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Links a program with libust.so.
    #[track_caller]
    pub fn link(&self, compiler: &str, words: &[&str]) -> Command {
        let libraries = shared();
        let libraries: Vec<&str> = libraries.iter().map(|word| word.to_str().expect("UTF-8")).collect();
        self.compile(compiler, &[words, &libraries, &["-o", "program"]].concat());
        self.program("program")
    }

    pub fn program(&self, name: &str) -> Command {
        Command::new(self.path().join(name))
    }
}

/// Makes the program of all files that LTTng compiles, with one compiler; `None` where that is missing.
pub fn calls(compiler: &str) -> Option<(Place, Command)> {
    if !is_installed(compiler) {
        return None;
    }
    let place = Place::new();
    let calls = fixture("calls.c");
    let mut words = vec!["-std=gnu11", calls.to_str().expect("UTF-8")];
    let sources = FOR_BOTH.map(|name| place.generate(name, Dialect::C));
    words.extend(sources.iter().map(String::as_str));
    let program = place.link(compiler, &words);
    Some((place, program))
}
