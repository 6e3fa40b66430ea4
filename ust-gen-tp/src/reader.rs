// SPDX-License-Identifier: MIT OR Apache-2.0
//! Goes through a file: follows its directives, and hands stretches without directives to [`crate::items`].
//!
//! Included files are not read here. Directives inside of a definition are decided on the spot, as a compiler without `-D` would.

use std::collections::BTreeSet;

use crate::conditions::{Conditions, Verdict};
use crate::eval;
use crate::expand::Expander;
use crate::items::{Found, Items};
use crate::lexer::Lexed;
use crate::macros::{self, Macro, Table};
use crate::model::{Head, Name};
use crate::problem::{Problem, Problems};
use crate::source::{Sources, Span};
use crate::token::{self, Kind, Token};
use crate::words;

/// An `#include`.
#[derive(Clone, Debug)]
pub(crate) struct Include {
    /// What comes after `#include`, as it is written.
    pub(crate) text: String,
    /// The whole line.
    pub(crate) span: Span,
}

/// Who goes on with what is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Nobody who knows C: whatever the file and `-D` decide is decided, and all macros are replaced.
    Model,
    /// A compiler of C, which sees the file's directives again: conditions that `-D` or a default value decide stay open, and
    /// macros that stand for values stay names. These are the macros of the command line.
    Compiler(BTreeSet<String>),
}

/// How the text of a file is to be cut, to put something else where its definitions stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// Definitions: each is a call of a macro that makes some.
    pub(crate) regions: Vec<Span>,
    /// Directives that are not needed with definitions taken apart: the guard, the frame of a header that includes itself,
    /// includes of the tracer, macros that make definitions.
    pub(crate) frame: Vec<Span>,
    /// Stretches that no compiler sees.
    pub(crate) dead: Vec<Span>,
    /// Names that are defined or undefined in it.
    pub(crate) changed: BTreeSet<String>,
    /// Macros that make definitions in included files.
    pub(crate) foreign: BTreeSet<String>,
    /// These include the tracer.
    pub(crate) includes_tracer: bool,
}

/// What is in a file.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) layout: Layout,
    pub(crate) found: Found,
    pub(crate) includes: Vec<Include>,
    /// The provider that the file defines for its own definitions (`TRACEPOINT_PROVIDER`).
    pub(crate) provider: Option<Name>,
}

/// Goes through one file.
pub(crate) struct Reader<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) lexed: &'a Lexed,
    pub(crate) file: u32,
    /// Macros that are known before the file begins, and those found in it.
    pub(crate) table: Table,
    /// Macros that have a value, but are not replaced in the file: those of headers.
    pub(crate) constants: &'a Table,
    pub(crate) problems: &'a mut Problems,
    pub(crate) content: Content,
    purpose: Purpose,
    conditions: Conditions,
    /// The directives that began the open conditionals, and whether each is of a frame.
    begun: Vec<(Span, bool)>,
    /// Macros that say that the file was read.
    frame_names: BTreeSet<String>,
    /// Macros of which nothing but definitions can be made.
    definition_words: BTreeSet<String>,
    /// Tokens since the last directive.
    pending: Vec<Token>,
    /// Where in `pending` the call begins that is open.
    open: Option<usize>,
    /// Parentheses open in `pending`.
    depth: usize,
    /// The last directive was an `#ifndef` of this name: with a `#define` of it, a guard.
    guard: Option<String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        sources: &'a Sources,
        (file, lexed): (u32, &'a Lexed),
        (mut table, constants): (Table, &'a Table),
        purpose: Purpose,
        problems: &'a mut Problems,
    ) -> Self {
        if purpose != Purpose::Model {
            let name = |tokens: &'a [Token]| tokens[1].is("undef").then(|| tokens[2].text.clone());
            let directives = lexed.tokens.windows(3).filter(|tokens| tokens[0].is("#") && tokens[0].line_start);
            table.undefined = directives.filter_map(name).collect();
        }
        Self {
            sources,
            lexed,
            file,
            table,
            constants,
            problems,
            content: Content::default(),
            purpose,
            begun: Vec::new(),
            frame_names: BTreeSet::new(),
            definition_words: BTreeSet::new(),
            conditions: Conditions::default(),
            pending: Vec::new(),
            open: None,
            depth: 0,
            guard: None,
        }
    }

    /// Reads the whole file.
    pub(crate) fn run(mut self) -> Content {
        let tokens = &self.lexed.tokens;
        let (mut at, mut dead) = (0, None);
        while let Some(token) = tokens.get(at) {
            if !(token.is("#") && token.line_start) {
                if self.conditions.is_reachable() {
                    self.token(token);
                }
                at += 1;
                continue;
            }
            let end = tokens[at + 1..].iter().position(|token| token.line_start).map_or(tokens.len(), |n| at + 1 + n);
            self.directive(token, &tokens[at + 1..end]);
            match (dead, self.conditions.is_reachable()) {
                (None, false) => dead = Some(tokens[end - 1].span.end),
                (Some(start), true) => {
                    self.content.layout.dead.push(Span { file: self.file, start, end: token.span.start });
                    dead = None;
                }
                _ => {}
            }
            at = end;
        }
        self.complain_about_open_call();
        self.flush();
        let end = Span { file: self.file, start: 0, end: 0 };
        if self.conditions.end() {
            let last = tokens.last().map_or(end, |token| token.span);
            self.problems.push(Problem::error(last, "here the file ends, inside of an `#if`").help("add `#endif`"));
        }
        self.content
    }

    fn token(&mut self, token: &Token) {
        self.guard = None;
        if token.kind == Kind::Unclosed {
            self.problems.push(Problem::error(token.span, format!("this has no closing {}", token.text)));
        } else if token.kind == Kind::Other {
            self.problems.push(Problem::error(token.span, format!("`{}` means nothing in C", token.text)));
        }
        if token.line_start && self.depth > 0 && words::item(&token.text).is_some() && self.item_is_open() {
            self.complain_about_open_call();
        }
        if token.is("(") {
            if self.depth == 0 {
                self.open = Some(self.pending.len().saturating_sub(1));
            }
            self.depth += 1;
        } else if token.is(")") {
            if self.depth == 0 {
                let problem = Problem::error(token.span, "this closes a parenthesis that was not opened");
                self.problems.push(problem.help("remove it, or open it before"));
                return;
            }
            self.depth -= 1;
        }
        self.pending.push(token.clone());
    }

    fn item_is_open(&self) -> bool {
        let open = self.open.and_then(|open| self.pending.get(open));
        open.is_some_and(|word| words::item(&word.text).is_some())
    }

    /// Reports and forgets a call that does not end.
    fn complain_about_open_call(&mut self) {
        if self.depth == 0 {
            return;
        }
        let open = self.open.unwrap_or(0);
        if let Some(word) = self.pending.get(open) {
            let message = format!("`{}(` is not closed: {} parentheses are missing", word.text, self.depth);
            let problem = Problem::error(word.span, message.replace("1 parentheses are", "one parenthesis is"));
            self.problems.push(problem.help("close it before the next definition begins"));
        }
        self.pending.truncate(open);
        (self.depth, self.open) = (0, None);
    }

    /// Hands what was collected to the next stage.
    fn flush(&mut self) {
        if self.depth > 0 || self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let branches = self.conditions.branches();
        let mut expander = Expander::new(&self.table, &branches, self.problems);
        expander.leaves_values = self.purpose != Purpose::Model;
        let expanded = expander.expand(&pending);
        let depends = std::mem::take(&mut expander.depends);
        for (found, at) in depends {
            let message = format!("what `{}` is depends on a condition", found.name);
            let problem = Problem::warning(at, message).related(found.span, "this definition is taken");
            self.problems.push(problem.help("decide the condition with -D, if another one is meant"));
        }
        let Some(first) = pending.first() else { return };
        let nothing = Name { text: String::new(), span: first.span };
        let head = Head {
            provider: nothing.clone(),
            name: nothing,
            span: first.span,
            conditions: self.conditions.texts(),
            is_usual: self.conditions.is_usual(),
            docs: String::new(),
            branches,
        };
        let value = |tokens: &[Token]| value(tokens, &self.table, self.constants);
        let docs = |span: Span| docs(self.sources, self.lexed, span).1;
        let known = self.content.found.count();
        let is_for_compiler = self.purpose != Purpose::Model;
        let (found, problems) = (&mut self.content.found, &mut *self.problems);
        Items { found, problems, head, docs: &docs, value: &value, is_for_compiler }.read(&expanded);
        let made = self.content.found.starts_since(known);
        self.content.layout.regions.extend(regions(&pending, &made));
    }

    fn directive(&mut self, hash: &Token, line: &[Token]) {
        if self.depth == 0 {
            self.flush();
        }
        let Some((name, rest)) = line.split_first() else { return };
        let span = hash.span.to(line.last().map_or(hash.span, |token| token.span));
        let guard = self.guard.take();
        match &*name.text {
            "if" | "ifdef" | "ifndef" | "elif" | "elifdef" | "elifndef" | "else" | "endif" => {
                self.conditional(name, rest, span);
            }
            _ if !self.conditions.is_reachable() => {}
            "include" | "include_next" | "import" => self.include(rest, span),
            "define" => self.define(rest, span, guard),
            "undef" => {
                if let Some(name) = rest.first() {
                    self.content.layout.changed.insert(name.text.to_string());
                    if is_frame_word(&name.text) || self.definition_words.contains(&*name.text) {
                        self.content.layout.frame.push(span);
                    }
                    self.table.undefine(&name.text, &self.conditions.branches());
                }
            }
            _ => {}
        }
    }

    fn include(&mut self, rest: &[Token], span: Span) {
        let text = token::text(rest);
        match is_of_tracer(&text) {
            true => self.content.layout.frame.push(span),
            false => self.content.includes.push(Include { text, span }),
        }
    }

    fn define(&mut self, rest: &[Token], span: Span, guard: Option<String>) {
        let Some(definition) = macros::parse_define(rest, span, self.problems) else { return };
        // For a compiler, a name with a value is a default, that its command line may replace.
        let is_guard = self.purpose == Purpose::Model || definition.body.is_empty();
        if is_guard && guard.is_some_and(|guard| *guard == *definition.name) {
            // A guard against reading the file twice: it is read once.
            self.conditions.end();
            self.conditions.begin(Verdict::Decided(true), &mut self.table);
            if let Some(begun) = self.begun.last_mut() {
                begun.1 = true;
            }
            self.frame_names.insert(definition.name.to_string());
        }
        let is_of_frame = definition.body.is_empty() && self.frame_names.contains(&*definition.name);
        let is_for_definitions = |token: &Token| {
            token.is_ident() && (words::is_known(&token.text) || self.definition_words.contains(&*token.text))
        };
        let is_for_definitions = definition.body.iter().any(is_for_definitions);
        if is_for_definitions {
            self.definition_words.insert(definition.name.to_string());
        }
        if is_frame_word(&definition.name) || is_of_frame || is_for_definitions {
            self.content.layout.frame.push(span);
        }
        self.content.layout.changed.insert(definition.name.to_string());
        let is_provider = ["TRACEPOINT_PROVIDER", "LTTNG_UST_TRACEPOINT_PROVIDER"].contains(&&*definition.name);
        if let (true, [value]) = (is_provider, definition.body.as_slice()) {
            self.content.provider = Some(Name { text: value.text.to_string(), span: value.span });
        }
        self.table.define(definition, &self.conditions.branches());
    }

    fn conditional(&mut self, name: &Token, rest: &[Token], span: Span) {
        let known = match &*name.text {
            "endif" => {
                if let Some((begun, true)) = self.begun.pop() {
                    self.content.layout.frame.extend([begun, span]);
                }
                self.conditions.end()
            }
            "else" => self.conditions.next(Verdict::Decided(true), &mut self.table),
            word => {
                let mut verdict = if self.conditions.is_reachable() || word.starts_with("el") {
                    self.verdict(word, rest, span)
                } else {
                    Verdict::Decided(false)
                };
                if let (true, Verdict::Open { text, usual }) = (self.depth > 0, &verdict) {
                    let message = format!("`{text}` is not decided, inside of a definition");
                    let taken = if *usual { "it is taken to hold" } else { "it is taken not to hold" };
                    self.problems.push(Problem::warning(span, message).help(format!("{taken}; decide it with -D")));
                    verdict = Verdict::Decided(*usual);
                }
                match word.starts_with("el") {
                    true => self.conditions.next(verdict, &mut self.table),
                    false => {
                        let is_frame = rest.iter().any(is_multi_read);
                        if is_frame {
                            let names = rest.iter().filter(|token| token.is_ident());
                            self.frame_names.extend(names.map(|name| name.text.to_string()));
                        }
                        self.begun.push((span, is_frame));
                        self.conditions.begin(verdict, &mut self.table);
                        let guard = (word == "ifndef").then(|| rest.first().map(|name| name.text.to_string()));
                        self.guard = guard.flatten();
                        true
                    }
                }
            }
        };
        if !known {
            let message = format!("`#{}` belongs to no `#if`", name.text);
            self.problems.push(Problem::error(span, message).help("remove it, or add the `#if`"));
        }
    }

    /// Decides a condition, if it can be.
    fn verdict(&mut self, word: &str, rest: &[Token], span: Span) -> Verdict {
        let word = word.strip_prefix("el").unwrap_or(word);
        let Some(first) = rest.first() else {
            self.problems.push(Problem::error(span, "a condition is missing"));
            return Verdict::Decided(false);
        };
        if word == "ifdef" || word == "ifndef" {
            let negate = word == "ifndef";
            let text = format!("{}defined({})", if negate { "!" } else { "" }, first.text);
            return match self.is_defined(&first.text) {
                Some(defined) => Verdict::Decided(defined != negate),
                None => Verdict::Open { text, usual: self.is_given(&first.text) != negate },
            };
        }
        // The frame of a header that includes itself: read once, it holds.
        if rest.iter().any(is_multi_read) {
            return Verdict::Decided(true);
        }
        let (replaced, is_open) = self.replace_defined(rest);
        let branches = self.conditions.branches();
        let mut expander = Expander::new(&self.table, &branches, self.problems);
        let expanded = expander.expand(&replaced);
        let depends = self.purpose != Purpose::Model && !expander.depends.is_empty();
        let names: BTreeSet<&str> = crate::expand::names(&expanded).collect();
        let is_given = crate::expand::names(rest).any(|name| self.is_given(name));
        let is_open = is_open || depends || is_given || names.iter().any(|name| !["true", "false"].contains(name));
        match eval::eval(&expanded, &|name| Some(i128::from(name == "true"))) {
            Ok(value) if !is_open => Verdict::Decided(value != 0),
            Ok(value) => Verdict::Open { text: token::text(rest), usual: value != 0 },
            Err(_) => Verdict::Open { text: token::text(rest), usual: false },
        }
    }

    /// Replaces `defined X` by 0 or 1; tells whether one of them is not known.
    fn replace_defined(&self, tokens: &[Token]) -> (Vec<Token>, bool) {
        let (mut replaced, mut is_open, mut at) = (Vec::new(), false, 0);
        while let Some(token) = tokens.get(at) {
            let name = match &tokens[at + 1..] {
                [open, name, close, ..] if open.is("(") && close.is(")") => Some((name, 4)),
                [name, ..] if name.is_ident() => Some((name, 2)),
                _ => None,
            };
            match name.filter(|_| token.is("defined")) {
                Some((name, length)) => {
                    let known = self.is_defined(&name.text);
                    is_open |= known.is_none();
                    let digit = if known == Some(true) || self.is_given(&name.text) { "1" } else { "0" };
                    replaced.push(Token { kind: Kind::Number, text: digit.into(), ..token.clone() });
                    at += length;
                }
                None => {
                    replaced.push(token.clone());
                    at += 1;
                }
            }
        }
        (replaced, is_open)
    }

    /// Whether a macro is defined here, if it is known. One that the file does not mention may come from anywhere.
    fn is_defined(&self, name: &str) -> Option<bool> {
        if self.is_given(name) {
            return None;
        }
        let branches = self.conditions.branches();
        match self.table.lookup(name, &branches) {
            macros::Lookup::Known(Some(_)) => Some(true),
            _ => None,
        }
    }
}

impl Reader<'_> {
    /// Whether a name is a macro of the command line that the compiler is to look at.
    fn is_given(&self, name: &str) -> bool {
        matches!(&self.purpose, Purpose::Compiler(given) if given.contains(name))
    }
}

/// The calls in `tokens` that make definitions, which begin at the places `starts`.
fn regions(tokens: &[Token], starts: &[u32]) -> Vec<Span> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        let is_call = tokens.get(at + 1).is_some_and(|open| open.is("("));
        let close = if is_call { token::closing(tokens, at + 1).unwrap_or(at) } else { at };
        let whole = token.span.start..tokens[close].span.end;
        at = close + 1;
        if !(token.is_ident() && starts.iter().any(|start| whole.contains(start))) {
            continue;
        }
        while tokens.get(at).is_some_and(|token| token.is(";")) {
            at += 1;
        }
        found.push(token.span.to(tokens[at - 1].span));
    }
    found
}

fn is_multi_read(token: &Token) -> bool {
    token.text.ends_with("HEADER_MULTI_READ")
}

/// Whether a macro only says how a header includes itself.
fn is_frame_word(name: &str) -> bool {
    let short = name.strip_prefix("LTTNG_UST_").unwrap_or(name);
    ["TRACEPOINT_PROVIDER", "TRACEPOINT_INCLUDE", "TRACEPOINT_INCLUDE_FILE"].contains(&short)
}

/// Whether an include is of the tracer itself.
pub(crate) fn is_of_tracer(text: &str) -> bool {
    let path = text.trim_matches(['<', '>', '"', ' ']);
    ["lttng/tracepoint", "ust/tracepoint", "lttng/ust-"].iter().any(|known| path.replace(' ', "").starts_with(known))
        || path.contains("TRACEPOINT_INCLUDE")
}

/// The value of a constant expression, with macros of the file and of headers.
pub(crate) fn value(tokens: &[Token], table: &Table, constants: &Table) -> Option<i128> {
    value_at(tokens, table, constants, 0)
}

fn value_at(tokens: &[Token], table: &Table, constants: &Table, depth: usize) -> Option<i128> {
    const CONSTANT_DEPTH_MAX: usize = 16;
    let value_of = |name: &str| {
        let known = |table: &Table| table.lookup(name, &[]).into_macro();
        let found: std::rc::Rc<Macro> = known(constants).or_else(|| known(table))?;
        let plain = found.params.is_none() && depth < CONSTANT_DEPTH_MAX;
        plain.then(|| value_at(&found.body, table, constants, depth + 1)).flatten()
    };
    eval::eval(tokens, &value_of).ok()
}

/// The comment right before a place, without its slashes and stars, and where it begins.
pub(crate) fn docs(sources: &Sources, lexed: &Lexed, span: Span) -> (u32, String) {
    let text = &sources.file(span).text;
    let mut lines: Vec<String> = Vec::new();
    let mut start = span.start;
    let until = lexed.comments.partition_point(|comment| comment.end <= start);
    for comment in lexed.comments[..until].iter().rev() {
        let between = text.get(comment.end as usize..start as usize).unwrap_or_default();
        let before = text[..comment.start as usize].rsplit('\n').next().unwrap_or_default();
        if comment.file != span.file || !between.trim().is_empty() || between.matches('\n').count() > 1 {
            break;
        }
        if !before.trim().is_empty() {
            break;
        }
        let comment_text = &text[comment.start as usize..comment.end as usize];
        let is_line = comment_text.starts_with("//");
        lines.splice(0..0, plain_lines(comment_text));
        start = comment.start;
        if !is_line {
            break;
        }
    }
    let blank = |line: &String| line.is_empty();
    let first = lines.iter().position(|line| !blank(line)).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !blank(line)).map_or(first, |last| last + 1);
    (start, lines[first..last].join("\n"))
}

pub(crate) fn plain_lines(comment: &str) -> Vec<String> {
    let inside = match comment.strip_prefix("/*") {
        Some(inside) => inside.strip_suffix("*/").unwrap_or(inside).trim_start_matches('*'),
        None => comment.trim_start_matches('/'),
    };
    let star = |line: &str| line.trim().strip_prefix('*').map_or(line.trim().to_owned(), |rest| rest.trim().to_owned());
    inside.lines().map(|line| star(&line.replace('\r', " "))).collect()
}
