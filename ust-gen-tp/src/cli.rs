// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command `ust-gen-tp`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::args::{self, Args, Form};
use crate::c::{self, Dialect};
use crate::load::{self, Definitions};
use crate::make::{Failure, Outputs};
use crate::rust::{self, InC, Shim};
use crate::{json, output};

/// What the exit status says.
mod status {
    pub(super) const GOOD: u8 = 0;
    pub(super) const ERRORS: u8 = 1;
    pub(super) const USAGE: u8 = 2;
    pub(super) const SEVERAL_INPUTS: u8 = 3;
    pub(super) const OUTPUT_TYPE: u8 = 4;
    pub(super) const FILES: u8 = 255;
}

/// Runs the command with `words`, the arguments after the program's name, and returns its exit status.
pub fn run(words: impl Iterator<Item = String>) -> u8 {
    let args = match args::parse(words) {
        Ok(args) => args,
        Err(problem) => return fail(status::USAGE, &problem),
    };
    if args.help {
        print!("{}", args::HELP);
        return status::GOOD;
    }
    if args.version {
        println!("ust-gen-tp {}", env!("CARGO_PKG_VERSION"));
        return status::GOOD;
    }
    if let Err((status, problem)) = check_usage(&args) {
        return fail(status, &problem);
    }
    let mut worst = status::GOOD;
    let mut rules = String::new();
    for input in &args.inputs {
        worst = worst.max(one(&args, input, &mut rules));
    }
    if let (Some(path), status::GOOD) = (&args.depfile, worst)
        && let Err(error) = output::write(path, &rules, args.keep)
    {
        return fail(status::FILES, &format!("Cannot write output file {}: {error}", path.display()));
    }
    worst
}

fn fail(status: u8, problem: &str) -> u8 {
    eprintln!("ust-gen-tp: {problem}");
    status
}

fn check_usage(args: &Args) -> Result<(), (u8, String)> {
    let error = |status, problem: &str| Err((status, problem.to_owned()));
    if args.inputs.is_empty() {
        return error(status::USAGE, "No template file given; try --help");
    }
    if args.check && !(args.outputs.is_empty() && args.forms.is_empty() && !args.cpp) {
        return error(status::USAGE, "--check writes nothing: leave out -o, --cpp, --rust and --json, or --check");
    }
    if args.inputs.len() > 1 && !args.outputs.is_empty() {
        return error(status::SEVERAL_INPUTS, "Cannot process more than one input if you specify an output");
    }
    if let Some(path) = args.outputs.iter().find(|path| form(args, path).is_none()) {
        let known = ".h, .hpp, .hh, .c, .cpp, .cc, .cxx, .o, .rs and .json";
        let problem = format!("output file type unsupported: {}; the suffixes are {known}", path.display());
        return Err((status::OUTPUT_TYPE, problem));
    }
    for input in &args.inputs {
        let outputs = outputs(args, input);
        if let Some(path) = outputs.paths().find(|path| is_same_file(path, input)) {
            let problem = format!("{} is the input: name another output with -o", path.display());
            return Err((status::USAGE, problem));
        }
    }
    Ok(())
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    let same = |a, b| std::fs::canonicalize(a).is_ok_and(|a| std::fs::canonicalize(b).is_ok_and(|b| a == b));
    a == b || same(a, b)
}

/// What goes to an output file: its suffix says it, or the only option for it.
fn form(args: &Args, path: &Path) -> Option<Form> {
    let is_rust = |path: &PathBuf| Form::of_suffix(path) == Some(Form::Rust);
    if Form::is_shim(path) && (args.forms.contains(&Form::Rust) || args.outputs.iter().any(is_rust)) {
        return Some(Form::Shim);
    }
    Form::of_suffix(path).or(match args.forms.as_slice() {
        [form] => Some(*form),
        _ => None,
    })
}

/// What is written for one input.
#[derive(Default)]
struct Wanted {
    c: Outputs,
    others: Vec<(Form, PathBuf)>,
    shim: Option<ShimFile>,
}

/// The output of C for Rust.
struct ShimFile {
    path: PathBuf,
    dialect: Dialect,
    /// It is written also where nothing is to be in it.
    is_named: bool,
}

impl ShimFile {
    fn new(path: PathBuf, is_named: bool) -> Self {
        let dialect = if Form::is_cpp(&path) { Dialect::Cpp } else { Dialect::C };
        Self { path, dialect, is_named }
    }

    fn beside(input: &Path, dialect: Dialect) -> Self {
        let stem = input.file_stem().unwrap_or_default().to_string_lossy();
        Self::new(input.with_file_name(format!("{stem}_shim.{}", dialect.suffix())), false)
    }
}

impl Wanted {
    fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        let others = self.others.iter().map(|(_, path)| path);
        self.c.paths().chain(others).chain(self.shim.iter().map(|shim| &shim.path))
    }
}

/// Returns the outputs of one input. Of several of one kind, the last one of C counts.
fn outputs(args: &Args, input: &Path) -> Wanted {
    let mut wanted = Wanted::default();
    if args.check {
        return wanted;
    }
    let is_cpp = |path: &PathBuf| Form::is_cpp(path) && form(args, path) != Some(Form::Shim);
    let is_cpp = args.cpp || args.outputs.iter().any(is_cpp);
    wanted.c.dialect = if is_cpp { Dialect::Cpp } else { Dialect::C };
    if args.outputs.is_empty() {
        let beside = |form: &Form| (*form, input.with_extension(if *form == Form::Rust { "rs" } else { "json" }));
        wanted.others = args.forms.iter().map(beside).collect();
        let is_rust = args.forms.contains(&Form::Rust);
        wanted.shim = is_rust.then(|| ShimFile::beside(input, wanted.c.dialect));
        if args.forms.is_empty() || args.cpp {
            wanted.c = Outputs::beside(input, wanted.c.dialect);
        }
    }
    for path in &args.outputs {
        match form(args, path) {
            Some(Form::Header) => wanted.c.header = Some(path.clone()),
            Some(Form::Source) => wanted.c.source = Some(path.clone()),
            Some(Form::Object) => wanted.c.object = Some(path.clone()),
            Some(Form::Shim) => wanted.shim = Some(ShimFile::new(path.clone(), true)),
            Some(form) => wanted.others.push((form, path.clone())),
            None => {}
        }
    }
    wanted
}

/// Processes one input.
fn one(args: &Args, input: &Path, rules: &mut String) -> u8 {
    let is_known = input.extension().is_some_and(|suffix| ["tp", "h", "hpp"].iter().any(|known| suffix == *known));
    if !is_known {
        eprintln!("{} does not end in .tp. Skipping.", input.display());
        return status::GOOD;
    }
    match process(args, input, rules) {
        Ok(()) => status::GOOD,
        Err(status) => status,
    }
}

fn process(args: &Args, input: &Path, rules: &mut String) -> Result<(), u8> {
    let mut wanted = outputs(args, input);
    let say = |text: String| {
        if args.verbose {
            eprintln!("{text}");
        }
    };
    let (mut files, mut said, mut in_c) = (Vec::new(), String::new(), Vec::new());
    // A compiler gets what it decides better itself; all else is decided here.
    if !wanted.others.is_empty() || wanted.c.is_empty() {
        let definitions = read(args, input, false, &mut said)?;
        for (form, path) in &wanted.others {
            let text = match form {
                Form::Rust => rust_text(&definitions, wanted.shim.as_ref(), &mut in_c),
                _ => json::json(&definitions.model, &definitions.sources, &input.to_string_lossy()),
            };
            write(args, path, &text)?;
        }
        files.extend(definitions.files);
    }
    wanted.shim = wanted.shim.filter(|shim| shim.is_named || !in_c.is_empty());
    if wanted.shim.is_some() || !wanted.c.is_empty() {
        let definitions = read(args, input, true, &mut said)?;
        if let Some(ShimFile { path, dialect, .. }) = &wanted.shim {
            write(args, path, &c::c_shim(&definitions, &in_c, *dialect))?;
        }
        let made = wanted.c.make(&definitions, &args.options, args.keep, &say);
        made.map_err(|failure| match failure {
            Failure::File(path, error) => cannot_write(&path, &error),
            Failure::Compiler(problem) => fail(status::ERRORS, &problem),
        })?;
        files.extend(definitions.files);
    }
    add_rule(rules, wanted.paths(), &files);
    Ok(())
}

/// Reads an input and shows what is wrong with it, unless that was `said` already.
fn read(args: &Args, input: &Path, for_c: bool, said: &mut String) -> Result<Definitions, u8> {
    let found = if for_c { load::read_for_c(input, &args.options) } else { load::read(input, &args.options) };
    let found =
        found.map_err(|error| fail(status::FILES, &format!("Cannot read input file {}: {error}", input.display())))?;
    if args.verbose {
        found.notes.iter().for_each(|note| eprintln!("{note}"));
    }
    let text = found.problems.render(&found.sources);
    if text != *said {
        eprint!("{text}");
        *said = text;
    }
    let errors = found.problems.error_count();
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        return Err(fail(status::ERRORS, &format!("{errors} error{plural} in {}", input.display())));
    }
    Ok(found)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> u8 {
    fail(status::FILES, &format!("Cannot write output file {}: {error}", path.display()))
}

/// Makes the Rust of an input, says what is left out, and names the events that are left to C.
fn rust_text(definitions: &Definitions, shim: Option<&ShimFile>, in_c: &mut Vec<InC>) -> String {
    let shim = shim.map(|shim| Shim { dialect: shim.dialect, libraries: Vec::new() });
    let made = rust::rust(&definitions.model, &definitions.sources, shim.as_ref());
    for omitted in &made.omitted {
        eprintln!("{}\n", omitted.render(&definitions.sources, "one more output, -o NAME_shim.c: C records the event"));
    }
    *in_c = made.in_c;
    made.text
}

fn write(args: &Args, path: &Path, text: &str) -> Result<(), u8> {
    if path.as_os_str() == "-" {
        print!("{text}");
        return Ok(());
    }
    if args.verbose {
        eprintln!("Writing {}", path.display());
    }
    output::write(path, text, args.keep).map_err(|error| cannot_write(path, &error))
}

/// Adds a rule as make reads it: the outputs depend on the files that were read.
fn add_rule<'a>(rules: &mut String, outputs: impl Iterator<Item = &'a PathBuf>, files: &[PathBuf]) {
    let escape = |path: &Path| path.to_string_lossy().replace('$', "$$").replace('#', "\\#").replace(' ', "\\ ");
    let targets: Vec<String> = outputs.map(|path| escape(path)).filter(|path| path != "-").collect();
    if targets.is_empty() {
        return;
    }
    let files: BTreeSet<String> = files.iter().map(|path| escape(path)).collect();
    let files: Vec<String> = files.into_iter().collect();
    rules.push_str(&format!("{}: {}\n", targets.join(" "), files.join(" ")));
}
