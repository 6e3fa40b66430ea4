// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: that of `lttng-gen-tp`, and more.

use std::path::PathBuf;

use crate::options::Options;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Checks tracepoint definition files and generates code from them.

Usage: ust-gen-tp [OPTION]... FILE...

A FILE is a .tp file as for lttng-gen-tp, or a header that includes itself.
Options may stand anywhere.

Outputs (without -o, each beside its input, with another suffix):
      (none of these)  C: a header, a source file and its object (.h .c .o)
      --cpp            C++: the same (.h .cpp .o)
      --rust           Rust: a module of tracepoints for the crate ust (.rs),
                       and, where fields are expressions of C, functions in C
                       that record these events for it (_shim.c)
      --json           what the file says (.json); docs/tp-json.md describes it
      --check          none: only say what is wrong
  -o, --output FILE    write to FILE, whose suffix says what: .h .hpp .hh .c
                       .cpp .cc .cxx .o .rs .json, and beside .rs also
                       _shim.c _shim.cpp; - is the standard output; may be
                       repeated, if there is one input
      --keep           leave a file whose text would not change as it is (for
                       build tools that look again, such as ninja with restat;
                       make would run this again and again)

Reading:
  -I DIR               where included files are looked for
  -D NAME[=VALUE]      defines a macro; decides conditions that depend on it
      --many-args      allow more than 10 arguments, which LTTng cannot compile
  CC, CPPFLAGS         the C compiler, and flags for its preprocessor; it is
                       asked where a macro of an included file is needed, and
                       makes the object file
  CFLAGS               further flags for the object file
  CXX, CXXFLAGS        the same for C++

Other:
      --depfile FILE   write a make rule with the files that were read
  -v, --verbose        say what is done
  -a                   accepted, without effect
  -h, --help           print this
  -V, --version        print the version

Exit status: 0 all is well, warnings included; 1 errors in a file; 2 wrong
usage; 3 several inputs with -o; 4 an output of an unknown suffix; 255 a file
that cannot be read or written. A compiler that fails is an error (1).
";

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Rust,
    Json,
    Header,
    Source,
    Object,
    /// C or C++ for Rust.
    Shim,
}

impl Form {
    /// Returns the form that a file name's end stands for.
    pub(crate) fn of_suffix(path: &std::path::Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "rs" => Some(Form::Rust),
            "json" => Some(Form::Json),
            "h" | "hpp" | "hh" => Some(Form::Header),
            "c" | "cpp" | "cc" | "cxx" => Some(Form::Source),
            "o" => Some(Form::Object),
            _ => None,
        }
    }

    /// Tells whether a file name stands for a shim, where there is Rust.
    pub(crate) fn is_shim(path: &std::path::Path) -> bool {
        let is_named = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_shim"));
        is_named && Self::of_suffix(path) == Some(Form::Source)
    }

    /// Tells whether a file name stands for C++.
    pub(crate) fn is_cpp(path: &std::path::Path) -> bool {
        path.extension().is_some_and(|suffix| ["hpp", "hh", "cpp", "cc", "cxx"].iter().any(|known| suffix == *known))
    }
}

/// A command line taken apart.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) help: bool,
    pub(crate) version: bool,
    pub(crate) verbose: bool,
    pub(crate) check: bool,
    pub(crate) cpp: bool,
    pub(crate) keep: bool,
    /// Outputs named by `--rust` and `--json`.
    pub(crate) forms: Vec<Form>,
    pub(crate) outputs: Vec<PathBuf>,
    pub(crate) depfile: Option<PathBuf>,
    pub(crate) options: Options,
    pub(crate) inputs: Vec<PathBuf>,
}

/// Options that take a value: the letter, if there is one, and the word.
const VALUED: [(&str, &str); 4] = [("-o", "--output"), ("-I", ""), ("-D", ""), ("", "--depfile")];

/// Takes a command line apart, without the program's name.
///
/// # Errors
/// A sentence that says what is wrong.
pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut args = Args::default();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            args.inputs.extend(words.by_ref().map(PathBuf::from));
        } else if let Some((option, value)) = valued(&word) {
            let value = match value {
                Some(value) => value.to_owned(),
                None => words.next().ok_or_else(|| format!("option {option} needs a value"))?,
            };
            args.set(option, value);
        } else if word.starts_with("--") {
            args.flag(&word)?;
        } else if word.len() > 1 && word.starts_with('-') {
            // Letters without value may stand together: -av
            for letter in word[1..].chars() {
                args.flag(&format!("-{letter}"))?;
            }
        } else {
            args.inputs.push(PathBuf::from(word));
        }
    }
    Ok(args)
}

/// The option with a value that a word is, and the value if it stands in the same word.
fn valued(word: &str) -> Option<(&'static str, Option<&str>)> {
    for (short, long) in VALUED {
        let name = if short.is_empty() { long } else { short };
        if !long.is_empty() && word == long {
            return Some((name, None));
        }
        let value = (!long.is_empty()).then(|| word.strip_prefix(long)?.strip_prefix('=')).flatten();
        if value.is_some() {
            return Some((name, value));
        }
        if let Some(value) = word.strip_prefix(short).filter(|_| !short.is_empty()) {
            return Some((name, (!value.is_empty()).then_some(value)));
        }
    }
    None
}

impl Args {
    fn set(&mut self, option: &str, value: String) {
        match option {
            "-o" => self.outputs.push(PathBuf::from(value)),
            "-I" => self.options.include_dirs.push(PathBuf::from(value)),
            "-D" => self.options.defines.push(value),
            _ => self.depfile = Some(PathBuf::from(value)),
        }
    }

    fn flag(&mut self, word: &str) -> Result<(), String> {
        match word {
            "-h" | "--help" => self.help = true,
            "-V" | "--version" => self.version = true,
            "-v" | "--verbose" => self.verbose = true,
            "-a" => {}
            "--check" => self.check = true,
            "--cpp" => self.cpp = true,
            "--keep" => self.keep = true,
            "--rust" => self.forms.push(Form::Rust),
            "--json" => self.forms.push(Form::Json),
            "--many-args" => self.options.many_args = true,
            other => return Err(format!("option {other} not recognized; try --help")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Args {
        parse(line.split(' ').map(str::to_owned)).expect("a command line")
    }

    #[test]
    fn options_stand_anywhere_and_with_their_values_in_every_way() {
        let args = parsed("x.tp -o a.rs -ob.json --output c.rs --output=d.json -I inc -Iinc2 -D A -DB=1 -av --rust");
        assert_eq!(args.inputs, [PathBuf::from("x.tp")]);
        assert_eq!(args.outputs, ["a.rs", "b.json", "c.rs", "d.json"].map(PathBuf::from));
        assert_eq!(args.options.include_dirs, ["inc", "inc2"].map(PathBuf::from));
        assert_eq!(args.options.defines, ["A", "B=1"]);
        assert!(args.verbose && args.forms == [Form::Rust]);
    }

    #[test]
    fn what_is_no_option_is_refused_and_two_dashes_end_them() {
        assert_eq!(parse(["--nope".to_owned()].into_iter()).unwrap_err(), "option --nope not recognized; try --help");
        assert_eq!(parse(["-o".to_owned()].into_iter()).unwrap_err(), "option -o needs a value");
        assert_eq!(parsed("-- -x.tp").inputs, [PathBuf::from("-x.tp")]);
    }
}
