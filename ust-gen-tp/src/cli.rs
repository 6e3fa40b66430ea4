// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command `ust-gen-tp`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::args::{self, Args, Form};
use crate::load::{self, Definitions};
use crate::{json, output, rust};

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
        && let Err(error) = output::write(path, &rules)
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
    if args.check && !(args.outputs.is_empty() && args.forms.is_empty()) {
        return error(status::USAGE, "--check writes nothing: leave out -o, --rust and --json, or --check");
    }
    if args.inputs.len() > 1 && !args.outputs.is_empty() {
        return error(status::SEVERAL_INPUTS, "Cannot process more than one input if you specify an output");
    }
    let forms: Vec<_> = args.outputs.iter().map(|path| form(args, path)).collect();
    if let Some(at) = forms.iter().position(Option::is_none) {
        let path = args.outputs[at].display();
        let problem = format!("output file type unsupported: {path}; the suffixes are .rs and .json");
        return Err((status::OUTPUT_TYPE, problem));
    }
    let is_c = args.forms.is_empty() && !args.check;
    if forms.contains(&Some(Form::C)) || (is_c && args.outputs.is_empty()) {
        let problem = "there is no output of C (.h, .c, .o) yet: ask for --rust, --json or --check";
        return error(status::OUTPUT_TYPE, problem);
    }
    Ok(())
}

/// What goes to an output file: its suffix says it, or the only option for it.
fn form(args: &Args, path: &Path) -> Option<Form> {
    Form::of_suffix(path).or(match args.forms.as_slice() {
        [form] => Some(*form),
        _ => None,
    })
}

/// Processes one input.
fn one(args: &Args, input: &Path, rules: &mut String) -> u8 {
    let is_known = input.extension().is_some_and(|suffix| ["tp", "h", "hpp"].iter().any(|known| suffix == *known));
    if !is_known {
        eprintln!("{} does not end in .tp. Skipping.", input.display());
        return status::GOOD;
    }
    let definitions = match load::read(input, &args.options) {
        Ok(definitions) => definitions,
        Err(error) => return fail(status::FILES, &format!("Cannot read input file {}: {error}", input.display())),
    };
    if args.verbose {
        definitions.notes.iter().for_each(|note| eprintln!("{note}"));
    }
    eprint!("{}", definitions.problems.render(&definitions.sources));
    let errors = definitions.problems.error_count();
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        return fail(status::ERRORS, &format!("{errors} error{plural} in {}", input.display()));
    }
    let outputs = outputs(args, input);
    for (form, path) in &outputs {
        if let Err(status) = write(args, &definitions, input, *form, path) {
            return status;
        }
    }
    add_rule(rules, &outputs, &definitions.files);
    status::GOOD
}

/// The outputs of one input.
fn outputs(args: &Args, input: &Path) -> Vec<(Form, PathBuf)> {
    if args.outputs.is_empty() {
        return args.forms.iter().map(|form| (*form, input.with_extension(form.suffix()))).collect();
    }
    args.outputs.iter().filter_map(|path| Some((form(args, path)?, path.clone()))).collect()
}

fn write(args: &Args, definitions: &Definitions, input: &Path, form: Form, path: &Path) -> Result<(), u8> {
    let text = match form {
        Form::Json => json::json(&definitions.model, &definitions.sources, &input.to_string_lossy()),
        Form::Rust => {
            let made = rust::rust(&definitions.model, &definitions.sources);
            for omitted in &made.omitted {
                eprintln!("{}\n", omitted.render(&definitions.sources));
            }
            made.text
        }
        Form::C => return Ok(()),
    };
    if path.as_os_str() == "-" {
        print!("{text}");
        return Ok(());
    }
    if args.verbose {
        eprintln!("Writing {}", path.display());
    }
    output::write(path, &text)
        .map_err(|error| fail(status::FILES, &format!("Cannot write output file {}: {error}", path.display())))
}

/// Adds a rule as make reads it: the outputs depend on the files that were read.
fn add_rule(rules: &mut String, outputs: &[(Form, PathBuf)], files: &[PathBuf]) {
    let escape = |path: &Path| path.to_string_lossy().replace('$', "$$").replace('#', "\\#").replace(' ', "\\ ");
    let targets: Vec<String> = outputs.iter().map(|(_, path)| escape(path)).filter(|path| path != "-").collect();
    if targets.is_empty() {
        return;
    }
    let files: BTreeSet<String> = files.iter().map(|path| escape(path)).collect();
    let files: Vec<String> = files.into_iter().collect();
    rules.push_str(&format!("{}: {}\n", targets.join(" "), files.join(" ")));
}
