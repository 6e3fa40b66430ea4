// SPDX-License-Identifier: MIT OR Apache-2.0
//! The compilers of C and C++: which one is asked, with which flags, and what it says.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::c::Dialect;
use crate::options::Options;
use crate::output::Beside;

/// The variables that name the compiler and its flags, and the usual names of compilers.
struct Names {
    compiler: &'static str,
    flags: &'static str,
    usual: [&'static str; 3],
}

fn names(dialect: Dialect) -> Names {
    match dialect {
        Dialect::C => Names { compiler: "CC", flags: "CFLAGS", usual: ["cc", "gcc", "clang"] },
        Dialect::Cpp => Names { compiler: "CXX", flags: "CXXFLAGS", usual: ["c++", "g++", "clang++"] },
    }
}

fn words(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(OsString::from).collect()
}

/// Returns the words of a variable of the environment.
pub(crate) fn variable(name: &str) -> Vec<OsString> {
    words(&std::env::var(name).unwrap_or_default())
}

/// Returns the compilers to try, each with its first arguments: what the variable says, else the usual names.
pub(crate) fn compilers(dialect: Dialect) -> Vec<Vec<OsString>> {
    let names = names(dialect);
    match variable(names.compiler) {
        given if !given.is_empty() => vec![given],
        _ => names.usual.map(words).to_vec(),
    }
}

/// Says that none of the compilers is there.
pub(crate) fn none_found(dialect: Dialect) -> String {
    let tried: Vec<String> = compilers(dialect).iter().map(|words| words[0].to_string_lossy().into_owned()).collect();
    let (language, variable) = match dialect {
        Dialect::C => ("C", "CC"),
        Dialect::Cpp => ("C++", "CXX"),
    };
    format!("no {language} compiler was found (tried {}); set {variable} to one", tried.join(", "))
}

/// An object file to be made.
pub(crate) struct Object<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) source: &'a Path,
    pub(crate) object: &'a Path,
    /// Where the definition file lies: its includes are looked for there too.
    pub(crate) dir: &'a Path,
    pub(crate) options: &'a Options,
}

impl Object<'_> {
    fn arguments(&self, object: &Path) -> Vec<OsString> {
        let mut args = vec![OsString::from("-c")];
        args.extend(variable("CPPFLAGS"));
        args.extend(variable(names(self.dialect).flags));
        for dir in &self.options.include_dirs {
            args.extend([OsString::from("-I"), dir.into()]);
        }
        args.extend(self.options.defines.iter().map(|define| OsString::from(format!("-D{define}"))));
        args.extend([OsString::from("-I."), OsString::from("-iquote"), self.dir.into()]);
        args.extend([OsString::from("-o"), object.into(), self.source.into()]);
        args
    }

    /// Compiles the source file. The object file is replaced as a whole, or stays as it was.
    ///
    /// # Errors
    /// What there is to say: no compiler, or what it said.
    pub(crate) fn make(&self, say: &dyn Fn(String)) -> Result<(), String> {
        let cannot = |error: io::Error| format!("Cannot write output file {}: {error}", self.object.display());
        let place = Beside::new(self.object).map_err(cannot)?;
        for compiler in compilers(self.dialect) {
            let command = |object: &Path| {
                let mut command = Command::new(&compiler[0]);
                command.args(&compiler[1..]).args(self.arguments(object));
                command
            };
            say(format!("Compile command: {}", shown(&command(self.object))));
            match command(&place.path).output() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{} cannot be run: {error}", compiler[0].to_string_lossy())),
                Ok(output) => {
                    eprint!("{}", String::from_utf8_lossy(&output.stdout));
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    eprint!("{said}");
                    if !output.status.success() {
                        return Err(self.failure(&shown(&command(self.object)), output.status, &said));
                    }
                    return place.replace(self.object).map_err(cannot);
                }
            }
        }
        Err(none_found(self.dialect))
    }

    fn failure(&self, command: &str, status: std::process::ExitStatus, said: &str) -> String {
        let is_missing = said.lines().any(|line| line.contains("ust/") && line.contains("No such file"));
        let hint = match is_missing {
            true => "\n  try: CPPFLAGS=-I and the directory that has ust/tracepoint.h of libust",
            false => "",
        };
        format!("cannot make {}: the compiler failed ({status}): {command}{hint}", self.object.display())
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Returns the directory that a file is in.
pub(crate) fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns how a file in the directory of `from` names the file `to` in an `#include`.
pub(crate) fn include_path(from: &Path, to: &Path) -> PathBuf {
    let directory = |path: &Path| {
        let dir = self::directory(path);
        std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned())
    };
    let name = to.file_name().unwrap_or_default();
    let (from, to) = (directory(from), directory(to));
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[same..].iter().map(|_| Path::new(".."));
    up.chain(to[same..].iter().map(|part| Path::new(part.as_os_str()))).collect::<PathBuf>().join(name)
}
