// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds `fixtures/linked`: offline, with the workspace's lock file, into a folder of its own below the target folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use object::{Object as _, ObjectSection as _};

use crate::harness::is_installed;
use crate::recording::BuildPlace;

/// The target of this test and of all that it builds.
pub const TARGET: &str = env!("UST_TESTS_TARGET");

pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn fixture() -> PathBuf {
    workspace().join("tests/fixtures/linked")
}

/// What to link with, and the compiler's flags for it.
pub struct Linker {
    pub name: &'static str,
    /// The program that must be there; none for the compiler's default.
    program: Option<&'static str>,
    flags: &'static str,
    signature: Signature,
}

/// What a linker leaves of its own in what it makes.
enum Signature {
    /// It is not known which linker that is.
    Any,
    /// Nothing at all.
    Nothing,
    /// This, and what it prints as its version: the compiler has an lld of its own, which must not pass for another.
    VersionBehind(&'static str),
}

pub const DEFAULT: Linker = Linker { name: "default", program: None, flags: "", signature: Signature::Any };
pub const BFD: Linker = Linker {
    name: "bfd",
    program: Some("ld.bfd"),
    flags: "-Clinker-features=-lld -Clink-arg=-fuse-ld=bfd",
    signature: Signature::Nothing,
};
pub const LLD: Linker = Linker {
    name: "lld",
    program: Some("ld.lld"),
    flags: "-Clinker-features=-lld -Clink-arg=-fuse-ld=lld",
    signature: Signature::VersionBehind("Linker: "),
};
pub const MOLD: Linker = Linker {
    name: "mold",
    program: Some("mold"),
    flags: "-Clinker-features=-lld -Clink-arg=-fuse-ld=mold",
    signature: Signature::VersionBehind(""),
};

impl Linker {
    /// Whether it is there; says so if not.
    pub fn is_installed(&self) -> bool {
        self.program.is_none_or(is_installed)
    }

    /// Builds the fixture and returns the folder of its program and plugin.
    pub fn build(&self, profile: &str) -> PathBuf {
        // Once: another cargo may be reading it.
        static LOCKED: Once = Once::new();
        LOCKED.call_once(|| {
            std::fs::copy(workspace().join("Cargo.lock"), fixture().join("Cargo.lock")).expect("a lock file");
        });
        let target = BuildPlace::of_this_test().folder.join("linkers").join(self.name);
        let rustflags = format!("CARGO_TARGET_{}_RUSTFLAGS", TARGET.to_uppercase().replace('-', "_"));
        let output = Command::new(env!("CARGO"))
            .current_dir(fixture())
            .args(["build", "--offline", "--quiet", "--workspace", "--target", TARGET, "--profile", profile])
            .env("CARGO_TARGET_DIR", &target)
            .env(rustflags, self.flags)
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} cannot build the fixture ({profile}): {stderr}", self.name);
        let folder = target.join(TARGET).join(if profile == "dev" { "debug" } else { profile });
        for file in ["linked-program", "liblinked_plugin.so"] {
            self.check_made(&folder.join(file));
        }
        folder
    }

    /// Fails unless this linker made `file`.
    fn check_made(&self, file: &Path) {
        let found = signatures(file);
        let expected = match self.signature {
            Signature::Any => return println!("{}: {} was made by {found:?}", self.name, file.display()),
            Signature::Nothing => vec![],
            Signature::VersionBehind(what) => vec![format!("{what}{}", self.version())],
        };
        assert_eq!(found, expected, "{}: who made {}", self.name, file.display());
    }

    fn version(&self) -> String {
        let program = self.program.expect("a linker that was asked for");
        let output = Command::new(program).arg("--version").output().expect("it runs");
        let stdout = String::from_utf8(output.stdout).expect("text");
        without_claim(stdout.lines().next().expect("a version")).to_owned()
    }
}

/// What linkers left of their own in `file`.
fn signatures(file: &Path) -> Vec<String> {
    let bytes = std::fs::read(file).expect("it was built");
    let elf = object::File::parse(bytes.as_slice()).expect("an ELF file");
    let comment = elf.section_by_name(".comment").expect("a section for comments");
    let comment = String::from_utf8_lossy(comment.data().expect("its content"));
    let comments: Vec<&str> = comment.split('\0').filter(|comment| !comment.is_empty()).collect();
    // Nothing follows from what is missing where comments were removed.
    assert!(comments.iter().any(|c| c.starts_with("rustc version")), "{}: {comments:?}", file.display());
    let signed =
        comments.into_iter().filter(|c| c.starts_with("Linker: ") || c.starts_with("mold ")).map(without_claim);
    let gold = elf.section_by_name(".note.gnu.gold-version").map(|_| "GNU gold");
    signed.chain(gold).map(str::to_owned).collect()
}

/// Linkers claim to be ` (compatible with GNU ld)`, some in one of the two places only.
fn without_claim(version: &str) -> &str {
    version.split_once(" (compatible with").map_or(version, |(version, _)| version)
}

/// Compiles the host that loads the plugin into `folder`; `None` (said) if there is no such compiler.
pub fn compile_host(compiler: &str, folder: &Path) -> Option<PathBuf> {
    // A C library older than 2.34 has dlopen in a library of its own.
    compile(compiler, "host.c", &["-ldl".as_ref()], folder)
}

/// Compiles the host that is linked with the library `plugin`.
pub fn compile_linked_host(compiler: &str, plugin: &Path, folder: &Path) -> Option<PathBuf> {
    let mut rpath = std::ffi::OsString::from("-Wl,-rpath,");
    rpath.push(plugin.parent().expect("the library's folder"));
    compile(compiler, "linked_host.c", &[plugin.as_os_str(), &rpath], folder)
}

fn compile(compiler: &str, source: &str, libraries: &[&OsStr], folder: &Path) -> Option<PathBuf> {
    if !is_installed(compiler) {
        return None;
    }
    let host = folder.join(format!("{source}-{compiler}"));
    let mut command = Command::new(compiler);
    command.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread", "-o"]).arg(&host);
    let output = command.arg(fixture().join(source)).args(libraries).output().expect("it runs");
    assert!(output.status.success(), "{compiler} cannot build the host: {}", String::from_utf8_lossy(&output.stderr));
    Some(host)
}
