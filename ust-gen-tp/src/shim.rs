// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles, in a build script, the functions of C that a module of Rust calls.

use std::path::{Path, PathBuf};

use crate::c::Dialect;
use crate::compiler;
use crate::options::Options;

/// What the crate `cc` looks at.
const VARIABLES: [&str; 7] = ["CC", "CFLAGS", "CXX", "CXXFLAGS", "CXXSTDLIB", "AR", "ARFLAGS"];

/// The names under which `cc` looks for a variable of the target, the first that is set being the one.
fn forms(name: &str) -> [String; 4] {
    let target = std::env::var("TARGET").unwrap_or_default();
    [
        format!("{name}_{target}"),
        format!("{name}_{}", target.replace(['-', '.'], "_")),
        format!("TARGET_{name}"),
        name.to_owned(),
    ]
}

/// A variable, as `cc` looks for it.
pub(crate) fn variable(name: &str) -> Option<String> {
    forms(name).iter().find_map(|form| std::env::var(form).ok())
}

/// A static library of one source file.
pub(crate) struct Library<'a> {
    pub(crate) source: &'a Path,
    pub(crate) dialect: Dialect,
    pub(crate) name: &'a str,
    /// Where the headers of libust are.
    pub(crate) headers: &'a Path,
    /// Where includes with quotes are looked for first.
    pub(crate) beside: &'a Path,
    pub(crate) options: &'a Options,
}

impl Library<'_> {
    /// Makes the library in `dir`, and tells cargo where it is and when to run the build script again: also when an included file has
    /// changed, because Rust passes what that describes. That it is linked is said by the module: what a build script says would only
    /// be heard for the library of a package that has one.
    ///
    /// # Errors
    /// There is no compiler, or it failed; what it said was shown as warnings of the build.
    pub(crate) fn make(&self, dir: &Path, say: &mut dyn FnMut(String)) -> Result<(), cc::Error> {
        let rule = self.source.with_extension("d");
        let mut build = cc::Build::new();
        build.cargo_metadata(false).cpp(self.dialect == Dialect::Cpp).out_dir(dir);
        build.flag("-iquote").flag(self.beside).includes(&self.options.include_dirs).include(self.headers);
        for define in &self.options.defines {
            let (name, value) = define.split_once('=').unwrap_or((define, "1"));
            build.define(name, value);
        }
        // Functions of the file may be left that only events use which Rust records.
        build.flag("-Wno-unused-function");
        if self.dialect == Dialect::C {
            // Else the linker would say it, and not where.
            build.flag("-Werror=implicit-function-declaration");
        }
        build.flags(compiler::variable("CPPFLAGS")).flag("-MMD").flag("-MF").flag(&rule);
        build.file(self.source).try_compile(self.name)?;
        for file in dependencies(&std::fs::read_to_string(&rule).unwrap_or_default()) {
            if file != self.source {
                say(format!("cargo::rerun-if-changed={}", file.display()));
            }
        }
        for form in VARIABLES.iter().flat_map(|name| forms(name)) {
            say(format!("cargo::rerun-if-env-changed={form}"));
        }
        say(format!("cargo::rustc-link-search=native={}", dir.display()));
        Ok(())
    }
}

/// Returns the files that the target of a rule of make depends on.
fn dependencies(rule: &str) -> Vec<PathBuf> {
    let (mut files, mut word) = (Vec::new(), String::new());
    let list = rule.split_once(": ").map_or("", |(_, list)| list);
    let mut signs = list.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, signs.peek()) {
            ('\\', Some('\n')) => {}
            ('\\', Some(' ' | '#')) | ('$', Some('$')) => word.extend(signs.next()),
            (sign, _) if sign.is_whitespace() => files.extend(take(&mut word)),
            (sign, _) => word.push(sign),
        }
    }
    files.extend(take(&mut word));
    files
}

fn take(word: &mut String) -> Option<PathBuf> {
    (!word.is_empty()).then(|| PathBuf::from(std::mem::take(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_make_is_taken_apart() {
        let rule = "out/x.o: x.c a\\ b/c.h \\\n  /d$$e.h \\\n f\\#.h\n";
        assert_eq!(dependencies(rule), ["x.c", "a b/c.h", "/d$e.h", "f#.h"].map(PathBuf::from));
        assert_eq!(dependencies("x.o: x.c"), ["x.c"].map(PathBuf::from));
        assert_eq!(dependencies(""), Vec::<PathBuf>::new());
    }
}
