// SPDX-License-Identifier: MIT OR Apache-2.0
//! Installs libust once for all tests, and compiles programs with it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::harness::is_installed;

/// The root of the sources.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    let this = std::env::current_exe().expect("this test");
    this.ancestors().nth(3).expect("the target folder").to_owned()
}

/// Where libust is installed, as a user installs it.
pub fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let prefix = target().join("capi-prefix");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(workspace()).args(["run", "--locked", "--quiet", "-p", "xtask", "--", "install", "--prefix"]);
        cargo.arg(&prefix).env("CARGO_TARGET_DIR", target());
        check(&cargo.output().expect("cargo runs"), "cargo xtask install");
        prefix
    })
}

/// A program of another package of the workspace, built once more if need be.
pub fn cargo_build(package: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace()).args(["build", "--locked", "--quiet", "-p", package]);
    check(&cargo.env("CARGO_TARGET_DIR", target()).output().expect("cargo runs"), package);
    target().join("debug").join(package)
}

#[track_caller]
fn check(output: &Output, what: &str) {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The sources of the traced programs.
pub fn fixture(name: &str) -> PathBuf {
    workspace().join("tests/fixtures/capi").join(name)
}

/// A compiler and the language that it is to take a source for.
#[derive(Clone, Copy)]
pub struct Compiler {
    program: &'static str,
    language: &'static [&'static str],
}

pub const GCC: Compiler = Compiler { program: "gcc", language: &["-std=c11", "-D_GNU_SOURCE"] };
pub const CLANG: Compiler = Compiler { program: "clang", language: &["-std=c11", "-D_GNU_SOURCE"] };
pub const COMPILERS: [Compiler; 4] = [
    GCC,
    CLANG,
    Compiler { program: "g++", language: &["-std=c++11", "-x", "c++"] },
    Compiler { program: "clang++", language: &["-std=c++17", "-x", "c++"] },
];

/// How a program or library is made: sources of the fixtures, and words for the compiler behind them.
pub struct Build<'a> {
    pub compiler: Compiler,
    /// Words before the sources.
    pub flags: &'a [&'a str],
    pub sources: &'a [&'a str],
    /// Words behind them.
    pub libraries: &'a [&'a OsStr],
}

impl Build<'_> {
    /// Makes it; `None` where the compiler is missing. A warning is an error.
    pub fn make(&self, name: &str) -> Option<PathBuf> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !is_installed(self.compiler.program) {
            return None;
        }
        let folder = target().join("capi-programs");
        std::fs::create_dir_all(&folder).expect("a folder");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let made = folder.join(format!("{name}-{}-{number}", std::process::id()));
        let mut command = Command::new(self.compiler.program);
        command.args(["-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-DUST_WITH_WARNINGS", "-pthread", "-I"]);
        command.arg(prefix().join("include")).args(self.compiler.language).args(self.flags);
        command.args(self.sources.iter().map(|source| fixture(source)));
        command.args(["-x", "none"]).args(self.libraries).arg("-o").arg(&made);
        check(&command.output().expect("the compiler runs"), &format!("{command:?}"));
        Some(made)
    }
}

/// Words that link with libust.so where it is installed.
pub fn shared() -> Vec<std::ffi::OsString> {
    let lib = prefix().join("lib");
    let rpath = format!("-Wl,-rpath,{}", lib.display());
    vec!["-L".into(), lib.into(), "-lust".into(), rpath.into(), "-ldl".into()]
}

/// The archive.
pub fn archive() -> PathBuf {
    prefix().join("lib/libust.a")
}
