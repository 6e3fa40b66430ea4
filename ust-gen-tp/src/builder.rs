// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry for build scripts.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::load;
use crate::options::Options;
use crate::output;
use crate::rust;

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
/// It depends on the crate `ust`, under this name. Cargo runs the script again when the file, or one that it includes and that was
/// read, has changed. Doubtful places, and events that are left out, are shown as warnings of the build.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    options: Options,
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

    /// Writes the tracepoints of the file `path` to a file of the same name, with the suffix `.rs`, in `OUT_DIR`.
    ///
    /// # Errors
    /// The file cannot be read, has errors, or the result cannot be written. `main` of a build script can return the error, which is
    /// then shown with all places.
    pub fn generate(self, path: impl AsRef<Path>) -> Result<(), BuildError> {
        let dir = std::env::var_os("OUT_DIR").ok_or_else(|| {
            BuildError("OUT_DIR is not set: this is for build scripts; elsewhere use the command ust-gen-tp".to_owned())
        })?;
        self.generate_in(path.as_ref(), Path::new(&dir), &mut |line| println!("{line}"))
    }

    fn generate_in(self, path: &Path, dir: &Path, say: &mut dyn FnMut(String)) -> Result<(), BuildError> {
        let cannot = |what: &str, path: &Path, error| BuildError(format!("cannot {what} {}: {error}", path.display()));
        let found = load::read(path, &self.options).map_err(|error| cannot("read", path, error))?;
        for file in &found.files {
            say(format!("cargo::rerun-if-changed={}", file.display()));
        }
        ["CC", "CPPFLAGS"].iter().for_each(|name| say(format!("cargo::rerun-if-env-changed={name}")));
        if found.problems.has_errors() {
            return Err(BuildError(found.problems.render(&found.sources)));
        }
        let made = rust::rust(&found.model, &found.sources);
        let place = |span| format!("{}:{}", found.sources.file(span).path.display(), found.sources.line(span));
        for problem in found.problems.iter() {
            say(format!("cargo::warning={}: {}", place(problem.span), problem.message));
        }
        for omitted in &made.omitted {
            let reason = &omitted.reason;
            say(format!("cargo::warning={}: no Rust for the event `{}`: {reason}", place(omitted.span), omitted.event));
        }
        let to = dir.join(path.with_extension("rs").file_name().unwrap_or_default());
        output::write(&to, &made.text, false).map_err(|error| cannot("write", &to, error))
    }
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
        let result = Builder::new().generate_in(&path, place.path(), &mut |line| said.push(line));
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
        let warning =
            "cargo::warning=shop.tp:2: no Rust for the event `b`: `errno` is neither an argument nor a number";
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
