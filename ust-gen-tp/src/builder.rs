// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry for build scripts.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::c::{self, Dialect};
use crate::compiler;
use crate::load;
use crate::options::Options;
use crate::output;
use crate::rust::{self, Library, Omitted, Shim};
use crate::shim;

/// Generates Rust from definition files in a build script.
///
/// ```no_run
/// // build.rs
/// fn main() -> Result<(), ust_gen_tp::BuildError> {
///     ust_gen_tp::Builder::new().include("include").generate("src/shop.tp")
/// }
/// ```
///
/// The program includes the result, `shop.rs` in the directory of the build:
///
/// ```ignore
/// include!(concat!(env!("OUT_DIR"), "/shop.rs"));
///
/// shop::checkout(17, 9.99);
/// ```
///
/// It depends on the crate `ust`, under this name. Events whose fields are expressions of C are there if it depends on `ust-capi`, too:
/// functions in C record them, which are compiled with the crate `cc` and linked with the program. They are `unsafe`, because they read
/// what their arguments point to. Without `ust-capi` they are left out.
///
/// Cargo runs the script again when the file, or one that it includes and that was read, has changed. Doubtful places, and events that
/// are left out, are shown as warnings of the build.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    options: Options,
    dialect: Dialect,
}

/// Why a build script cannot go on.
pub struct BuildError(String);

impl Builder {
    /// Returns a builder without includes and definitions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for included files in `dir` too.
    pub fn include(mut self, dir: impl Into<PathBuf>) -> Self {
        self.options.include_dirs.push(dir.into());
        self
    }

    /// Defines a macro: `NAME` or `NAME=VALUE`. It decides the conditions that depend on it.
    pub fn define(mut self, define: impl Into<String>) -> Self {
        self.options.defines.push(define.into());
        self
    }

    /// Allows more than ten arguments, which LTTng cannot compile.
    pub fn many_args(mut self) -> Self {
        self.options.many_args = true;
        self
    }

    /// Says that the file is C++: what a compiler has to understand is compiled as that.
    pub fn cpp(mut self) -> Self {
        self.dialect = Dialect::Cpp;
        self
    }

    /// Writes the tracepoints of the file `path` to a file of the same name, with the suffix `.rs`, in `OUT_DIR`.
    ///
    /// # Errors
    /// The file cannot be read, has errors, or the result cannot be written or compiled. `main` of a build script can return the error,
    /// which is then shown with all places.
    pub fn generate(self, path: impl AsRef<Path>) -> Result<(), BuildError> {
        let dir = std::env::var_os("OUT_DIR").ok_or_else(|| {
            BuildError("OUT_DIR is not set: this is for build scripts; elsewhere use the command ust-gen-tp".to_owned())
        })?;
        // Set by the build script of `ust-capi`, for crates that depend on it.
        let headers = std::env::var_os("DEP_UST_INCLUDE").map(PathBuf::from);
        self.generate_in(path.as_ref(), Path::new(&dir), headers.as_deref(), &mut |line| println!("{line}"))
    }

    /// `headers` is where those of libust are, if C can be linked.
    fn generate_in(
        self,
        path: &Path,
        dir: &Path,
        headers: Option<&Path>,
        say: &mut dyn FnMut(String),
    ) -> Result<(), BuildError> {
        let found = load::read(path, &self.options).map_err(|error| cannot("read", path, &error))?;
        for file in &found.files {
            say(format!("cargo::rerun-if-changed={}", file.display()));
        }
        ["CC", "CPPFLAGS"].iter().for_each(|name| say(format!("cargo::rerun-if-env-changed={name}")));
        if found.problems.has_errors() {
            return Err(BuildError(found.problems.render(&found.sources)));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        // Other packages may have a file of this name.
        let library = format!("{}_{stem}_shim", std::env::var("CARGO_PKG_NAME").unwrap_or_default());
        let mut libraries = vec![Library { name: library.clone(), is_static: true }];
        if self.dialect == Dialect::Cpp {
            let name = shim::variable("CXXSTDLIB").unwrap_or("stdc++".to_owned());
            // Empty: none is to be linked.
            libraries.extend((!name.is_empty()).then_some(Library { name, is_static: false }));
        }
        let shim = Shim { dialect: self.dialect, libraries };
        let made = rust::rust(&found.model, &found.sources, headers.is_some().then_some(&shim));
        let place = |span| format!("{}:{}", found.sources.file(span).path.display(), found.sources.line(span));
        for problem in found.problems.iter() {
            say(format!("cargo::warning={}: {}", place(problem.span), problem.message));
        }
        for Omitted { event, span, reason, needs_shim } in &made.omitted {
            let help = if *needs_shim { "; with the crate `ust-capi` in [dependencies], C records it" } else { "" };
            say(format!("cargo::warning={}: no Rust for the event `{event}`: {reason}{help}", place(*span)));
        }
        let to = dir.join(path.with_extension("rs").file_name().unwrap_or_default());
        output::write(&to, &made.text, false).map_err(|error| cannot("write", &to, &error))?;
        let Some(headers) = headers.filter(|_| !made.in_c.is_empty()) else { return Ok(()) };
        let found = load::read_for_c(path, &self.options).map_err(|error| cannot("read", path, &error))?;
        let source = dir.join(format!("{stem}_shim.{}", self.dialect.suffix()));
        let text = c::c_shim(&found, &made.in_c, self.dialect);
        output::write(&source, &text, false).map_err(|error| cannot("write", &source, &error))?;
        // What the file includes with quotes is beside it.
        let beside = compiler::directory(path);
        let Self { options, dialect } = &self;
        let library = shim::Library { source: &source, dialect: *dialect, name: &library, headers, beside, options };
        library.make(dir, say).map_err(|error| {
            let events = made.in_c.iter().map(|event| event.event.as_str()).collect::<Vec<_>>().join("`, `");
            BuildError(format!("cannot compile {} for the events `{events}`: {error}", source.display()))
        })
    }
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> BuildError {
    BuildError(format!("cannot {what} {}: {error}", path.display()))
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BuildError {
    /// As text: this is what is shown when `main` returns the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for BuildError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn generate(text: &str) -> (Result<(), BuildError>, Vec<String>, Option<String>) {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("shop.tp");
        std::fs::write(&path, text).expect("a file");
        let mut said = Vec::new();
        let result = Builder::new().generate_in(&path, place.path(), None, &mut |line| said.push(line));
        let dir = format!("{}/", place.path().display());
        let said = said.iter().map(|line| line.replace(&dir, "")).collect();
        (result, said, std::fs::read_to_string(place.path().join("shop.rs")).ok())
    }

    #[test]
    fn a_build_script_gets_a_module_and_hears_what_is_not_in_it() {
        let (result, said, text) = generate(
            "TRACEPOINT_EVENT(shop, a, TP_ARGS(void), TP_FIELDS())\n\
             TRACEPOINT_EVENT(shop, b, TP_ARGS(void), TP_FIELDS(ctf_integer(int, n, errno)))\n",
        );
        result.expect("a module");
        assert_eq!(said[0], "cargo::rerun-if-changed=shop.tp");
        let warning = "cargo::warning=shop.tp:2: no Rust for the event `b`: `errno` is neither an argument nor a number; \
             with the crate `ust-capi` in [dependencies], C records it";
        assert_eq!(said.last().map(String::as_str), Some(warning));
        assert!(text.is_some_and(|text| text.contains("pub fn a();")));
    }

    #[test]
    fn a_build_script_fails_with_the_places_of_all_mistakes() {
        let (result, _, text) = generate("TRACEPOINT_EVENT(shop, a, TP_ARGS(int), TP_FEILDS())\n");
        let shown = format!("{:?}", result.expect_err("mistakes"));
        assert!(shown.contains("shop.tp:1:27") && shown.contains("shop.tp:1:41"), "{shown}");
        assert_eq!(text, None);
    }
}
