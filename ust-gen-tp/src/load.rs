// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a file to its checked model, in passes:
//!
//! 1. The file alone is read ([`crate::reader`]), with its own macros.
//! 2. Only if names are left that should be macros, and it includes other files, the C preprocessor is asked for these
//!    ([`crate::headers`]), and the file is read again.
//! 3. What was found is put together and checked ([`crate::check`]).

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::check;
use crate::headers::{self, Headers};
use crate::items::{Found, Items, Unresolved};
use crate::lexer::{self, Lexed};
use crate::limits::FILE_BYTES_MAX;
use crate::macros::{self, Table};
use crate::model::{Field, Head, Model, Name, Shape};
use crate::options::Options;
use crate::problem::{Problem, Problems, Severity};
use crate::reader::{self, Content, Layout, Purpose, Reader};
use crate::source::{Sources, Span};
use crate::words;

/// A file's definitions, and what is wrong with them.
#[derive(Debug)]
pub struct Definitions {
    /// The file (the first one), and those that places in it lead to.
    pub sources: Sources,
    /// What it says.
    pub model: Model,
    /// What is wrong with it. If there are errors, the model has gaps.
    pub problems: Problems,
    /// What was done that is worth a line in a verbose report.
    pub notes: Vec<String>,
    /// The files that it was read from: the file itself, and those that the preprocessor included, if it was asked.
    pub files: Vec<PathBuf>,
    /// What else is in the text of the file.
    pub(crate) layout: Layout,
}

/// Reads the definition file `path`.
///
/// # Errors
/// The file cannot be read, is no UTF-8, or is larger than 64 MiB. What is wrong inside of it is in
/// [`Definitions::problems`].
pub fn read(path: &Path, options: &Options) -> io::Result<Definitions> {
    Ok(read_as(path, text_of(path)?, options, Purpose::Model))
}

/// Reads the definition file `path`, to make C of it: conditions that depend on the build stay open, also those that `-D` or a
/// default value in the file decides, and macros that stand for values stay names.
///
/// # Errors
/// As [`read`].
pub fn read_for_c(path: &Path, options: &Options) -> io::Result<Definitions> {
    let name = |define: &String| define.split(['=', '(']).next().unwrap_or_default().to_owned();
    let given = options.defines.iter().map(name).collect();
    Ok(read_as(path, text_of(path)?, options, Purpose::Compiler(given)))
}

fn text_of(path: &Path) -> io::Result<String> {
    let bytes = std::fs::read(path)?;
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        invalid(format!("line {line} is no UTF-8: save the file in that encoding"))
    })?;
    if text.len() > FILE_BYTES_MAX {
        return Err(invalid(format!("it has {} bytes, more than {FILE_BYTES_MAX}", text.len())));
    }
    Ok(text)
}

/// Reads a definition file whose text is given. `path` is what it is called in problems, and where includes are looked for.
pub fn read_text(path: &Path, text: String, options: &Options) -> Definitions {
    read_as(path, text, options, Purpose::Model)
}

fn read_as(path: &Path, text: String, options: &Options, purpose: Purpose) -> Definitions {
    let mut sources = Sources::default();
    let file = sources.add(path, text);
    let lexed = lexer::lex(file, &sources.file(Span { file, start: 0, end: 0 }).text);
    let mut problems = Problems::default();
    let mut notes = Vec::new();
    let mut files = vec![path.to_owned()];
    let none = Table::default();
    let table = given(options);
    let mut content = Reader::new(&sources, (file, &lexed), (table, &none), purpose.clone(), &mut problems).run();
    let wanted = wanted(&content);
    // Where a compiler does not look by itself, it need not be there.
    let is_error = |name: &Unresolved| name.problem.severity == Severity::Error;
    let is_needed = content.found.unresolved.iter().any(is_error) || !unknown_names(&content).is_empty();
    if (is_needed || !wanted.is_empty() || lacks_constants(&content)) && !content.includes.is_empty() {
        let text = sources.file(Span { file, start: 0, end: 0 }).text.clone();
        match headers::read(path, &text, &lexed, options) {
            Ok(headers) => {
                notes.push(format!("Preprocessor command: {}", headers.command));
                files.extend(headers.files.iter().cloned());
                problems = Problems::default();
                let pass = Pass { file, lexed: &lexed, options, wanted: &wanted, purpose: &purpose };
                content = pass.read_again(&headers, &mut sources, &mut problems, &mut notes);
            }
            Err(said) if is_needed => complain(&content, &said, &mut problems),
            Err(said) => notes.push(said),
        }
    }
    // A macro that could not be replaced was reported already.
    let reported: HashSet<Span> = problems.iter().map(|problem| problem.span).collect();
    for unresolved in std::mem::take(&mut content.found.unresolved) {
        if !reported.contains(&unresolved.problem.span) {
            problems.push(unresolved.problem);
        }
    }
    complain_about_comments(path, &lexed, &mut problems);
    let layout = std::mem::take(&mut content.layout);
    let model = check::check(content, &sources, options, &mut problems);
    problems.sort();
    Definitions { sources, model, problems, notes, files, layout }
}

/// The macros of the command line.
fn given(options: &Options) -> Table {
    let mut table = Table::default();
    let nowhere = Span { file: 0, start: 0, end: 0 };
    for define in &options.defines {
        let (name, value) = define.split_once('=').unwrap_or((define, "1"));
        let tokens = lexer::lex(0, &format!("{name} {value}")).tokens;
        if let Some(mut definition) = macros::parse_define(&tokens, nowhere, &mut Problems::default()) {
            definition.body.iter_mut().for_each(|token| token.span = nowhere);
            table.define(definition, &[]);
        }
    }
    table
}

/// The names that a header may have as a macro.
fn wanted(content: &Content) -> BTreeSet<String> {
    let mut wanted: BTreeSet<String> = content.found.unresolved.iter().map(|name| name.name.clone()).collect();
    let events = content.found.events.iter().map(|event| &event.head);
    let heads = events.chain(content.found.classes.iter().map(|class| &class.head));
    for head in heads.chain(content.found.enumerations.iter().map(|found| &found.head)) {
        let names = [&head.provider.text, &head.name.text].into_iter().filter(|name| looks_like_macro(name));
        wanted.extend(names.cloned());
    }
    wanted
}

/// Whether numbers are missing that may be macros of headers.
fn lacks_constants(content: &Content) -> bool {
    let Found { events, classes, enumerations, .. } = &content.found;
    let fields = events.iter().map(|event| &event.fields).chain(classes.iter().map(|class| &class.fields));
    let lacks_count = |field: &Field| field.shape == Shape::Array && field.count_value.is_none();
    fields.flatten().any(lacks_count)
        || enumerations.iter().any(|found| found.labels.iter().any(|label| label.numbers.is_none()))
}

fn looks_like_macro(name: &str) -> bool {
    name.contains('_') && !name.contains(|c: char| c.is_lowercase())
}

/// Classes and enumerations that the file uses and does not have.
fn unknown_names(content: &Content) -> Vec<String> {
    let found = &content.found;
    let has_class = |name: &Name| found.classes.iter().any(|class| class.head.name.text == name.text);
    let has_enum = |name: &Name| found.enumerations.iter().any(|other| other.head.name.text == name.text);
    let classes = found.events.iter().filter_map(|event| event.class.as_ref());
    let classes = classes.filter(|(_, name)| !has_class(name));
    let fields = found.events.iter().map(|event| &event.fields).chain(found.classes.iter().map(|class| &class.fields));
    let enums = fields.flatten().filter_map(|field| field.enumeration.as_ref());
    classes.chain(enums.filter(|(_, name)| !has_enum(name))).map(|(_, name)| name.text.clone()).collect()
}

/// The second reading of a file, with what its headers have.
struct Pass<'a> {
    file: u32,
    lexed: &'a Lexed,
    options: &'a Options,
    wanted: &'a BTreeSet<String>,
    purpose: &'a Purpose,
}

impl Pass<'_> {
    fn read_again(
        &self,
        headers: &Headers,
        sources: &mut Sources,
        problems: &mut Problems,
        notes: &mut Vec<String>,
    ) -> Content {
        let constants = headers.constants();
        let mut wanted = self.wanted.clone();
        loop {
            let mut table = given(self.options);
            let taken = headers.macros(&wanted, sources, &mut table);
            let mut found = Found::default();
            let mut foreign = BTreeSet::new();
            for tokens in headers.tokens(sources) {
                let words = tokens.iter().filter(|token| words::item(&token.text).is_some());
                foreign.extend(words.map(|word| word.text.to_string()));
                included(&tokens, &constants, &mut found, problems);
            }
            let reader =
                Reader::new(sources, (self.file, self.lexed), (table, &constants), self.purpose.clone(), problems);
            let mut content = reader.run();
            // What a macro of a header makes may need another one.
            let more: BTreeSet<String> =
                self::wanted(&content).into_iter().filter(|name| headers.defines(name)).collect();
            if !more.is_subset(&wanted) {
                wanted.extend(more);
                *problems = Problems::default();
                continue;
            }
            if !taken.is_empty() {
                notes.push(format!("Macros from included files: {}", taken.join(", ")));
            }
            merge(&mut content.found, found);
            content.layout.foreign = foreign;
            content.layout.includes_tracer = headers.includes_tracer;
            return content;
        }
    }
}

/// Reads the definitions in an included file.
fn included(tokens: &[crate::token::Token], constants: &Table, found: &mut Found, problems: &mut Problems) {
    let Some(first) = tokens.first() else { return };
    let nothing = Name { text: String::new(), span: first.span };
    let head = Head {
        provider: nothing.clone(),
        name: nothing,
        span: first.span,
        conditions: Vec::new(),
        is_usual: true,
        docs: String::new(),
        branches: Vec::new(),
    };
    let none = Table::default();
    let value = |tokens: &[crate::token::Token]| reader::value(tokens, &none, constants);
    Items { found, problems, head, docs: &|_| String::new(), value: &value, is_for_compiler: false }.read(tokens);
    // Calls between declarations are of no interest in a header.
    found.unresolved.retain(|name| words::closest_item(&name.name).is_some());
}

fn merge(to: &mut Found, from: Found) {
    to.classes.splice(0..0, from.classes);
    to.events.extend(from.events);
    to.enumerations.splice(0..0, from.enumerations);
    to.levels.extend(from.levels);
    to.uris.extend(from.uris);
    to.unresolved.extend(from.unresolved);
}

/// Says that names may come from included files, which could not be read.
fn complain(content: &Content, said: &str, problems: &mut Problems) {
    let Some(include) = content.includes.first() else { return };
    let mut names: Vec<String> = content.found.unresolved.iter().map(|name| name.name.clone()).collect();
    names.extend(unknown_names(content));
    names.sort();
    names.dedup();
    let message = format!("`{}` may come from included files, which cannot be read", names.join("`, `"));
    problems.push(Problem::warning(include.span, message).help(said));
}

fn complain_about_comments(path: &Path, lexed: &Lexed, problems: &mut Problems) {
    if let Some(span) = lexed.open_comment {
        problems.push(Problem::error(span, "this comment has no end").help("`*/`"));
    }
    if path.extension().is_none_or(|extension| extension != "tp") {
        for span in &lexed.hash_comments {
            let message = "this is no directive of the preprocessor, and a comment only in a .tp file";
            problems.push(Problem::error(*span, message).help("`//` begins a comment of C"));
        }
    }
}
