// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the programs in `sources/`, for this project and for lttng-ust.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::library::{prefix, shared};
use crate::tool::{self, is_installed};

/// Whose headers and library a program is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tracer {
    Ust,
    Lttng,
}

/// A compiler and the language that it is to take a source for.
#[derive(Clone, Copy, Debug)]
pub struct Compiler {
    program: &'static str,
    language: &'static [&'static str],
}

pub const GCC: Compiler = Compiler { program: "gcc", language: &["-std=c11", "-D_GNU_SOURCE"] };
pub const C_COMPILERS: [Compiler; 4] = [
    GCC,
    Compiler { program: "gcc", language: &["-std=gnu17", "-O3"] },
    Compiler { program: "clang", language: &["-std=c11", "-D_GNU_SOURCE"] },
    Compiler { program: "clang", language: &["-std=gnu17", "-O0"] },
];
pub const CXX: Compiler = Compiler { program: "g++", language: &["-std=c++11", "-x", "c++"] };
pub const CXX_COMPILERS: [Compiler; 4] = [
    CXX,
    Compiler { program: "g++", language: &["-std=c++20", "-O0", "-x", "c++"] },
    Compiler { program: "clang++", language: &["-std=c++11", "-x", "c++"] },
    Compiler { program: "clang++", language: &["-std=c++20", "-O3", "-x", "c++"] },
];

impl Compiler {
    /// The same for another standard of its language.
    pub fn with(self, language: &'static [&'static str]) -> Self {
        Self { language, ..self }
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/sources")
}

/// How a program or library is made.
pub struct Build<'a> {
    pub tracer: Tracer,
    pub compiler: Compiler,
    pub flags: &'a [&'a str],
    pub sources: &'a [&'a str],
    /// Words behind the sources, before those that link with the tracer.
    pub libraries: &'a [OsString],
    pub is_linked_with_tracer: bool,
}

impl<'a> Build<'a> {
    /// A program that is linked with this project's library.
    pub fn new(compiler: Compiler, flags: &'a [&'a str], sources: &'a [&'a str]) -> Self {
        Self { tracer: Tracer::Ust, compiler, flags, sources, libraries: &[], is_linked_with_tracer: true }
    }

    /// The command that makes it, but for the name of what is made; nothing where the compiler is missing. With our headers,
    /// a warning is an error.
    pub fn command(&self) -> Option<Command> {
        if !is_installed(self.compiler.program) {
            return None;
        }
        let mut command = Command::new(self.compiler.program);
        // Sources are named without a path, for they record their names.
        command.current_dir(sources()).args(["-O2", "-I."]).args(self.compiler.language);
        if self.tracer == Tracer::Ust {
            let include = prefix().join("include");
            command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-DUST_WITH_WARNINGS"]);
            command.arg("-I").arg(&include).arg("-I").arg(include.join("ust-compat"));
        }
        command.args(self.flags).args(self.sources).args(["-x", "none"]).args(self.libraries);
        if self.is_linked_with_tracer {
            match self.tracer {
                Tracer::Ust => command.args(shared()),
                Tracer::Lttng => command.arg("-llttng-ust"),
            };
        }
        command.arg("-ldl");
        Some(command)
    }

    /// Makes the file; `false` where the compiler is missing.
    #[track_caller]
    pub fn make(&self, made: &Path) -> bool {
        let command = self.command();
        command.is_some_and(|mut command| {
            tool::output(command.arg("-o").arg(made));
            true
        })
    }
}
