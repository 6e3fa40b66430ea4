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

/// What is in a file.
#[derive(Debug, Default)]
pub(crate) struct Content {
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
    conditions: Conditions,
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
        (table, constants): (Table, &'a Table),
        problems: &'a mut Problems,
    ) -> Self {
        Self {
            sources,
            lexed,
            file,
            table,
            constants,
            problems,
            content: Content::default(),
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
        let mut at = 0;
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
        let docs = |span: Span| docs(self.sources, self.lexed, span);
        let mut items =
            Items { found: &mut self.content.found, problems: self.problems, head, docs: &docs, value: &value };
        items.read(&expanded);
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
                    self.table.undefine(&name.text, &self.conditions.branches());
                }
            }
            _ => {}
        }
    }

    fn include(&mut self, rest: &[Token], span: Span) {
        let text = token::text(rest);
        if !is_of_tracer(&text) {
            self.content.includes.push(Include { text, span });
        }
    }

    fn define(&mut self, rest: &[Token], span: Span, guard: Option<String>) {
        let Some(definition) = macros::parse_define(rest, span, self.problems) else { return };
        if guard.is_some_and(|guard| *guard == *definition.name) {
            // A guard against reading the file twice: it is read once.
            self.conditions.end();
            self.conditions.begin(Verdict::Decided(true), &mut self.table);
        }
        let is_provider = ["TRACEPOINT_PROVIDER", "LTTNG_UST_TRACEPOINT_PROVIDER"].contains(&&*definition.name);
        if let (true, [value]) = (is_provider, definition.body.as_slice()) {
            self.content.provider = Some(Name { text: value.text.to_string(), span: value.span });
        }
        self.table.define(definition, &self.conditions.branches());
    }

    fn conditional(&mut self, name: &Token, rest: &[Token], span: Span) {
        let known = match &*name.text {
            "endif" => self.conditions.end(),
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
                None => Verdict::Open { text, usual: negate },
            };
        }
        // The frame of a header that includes itself: read once, it holds.
        if rest.iter().any(|token| token.text.ends_with("HEADER_MULTI_READ")) {
            return Verdict::Decided(true);
        }
        let (replaced, is_open) = self.replace_defined(rest);
        let expanded = Expander::new(&self.table, &self.conditions.branches(), self.problems).expand(&replaced);
        let names: BTreeSet<&str> = crate::expand::names(&expanded).collect();
        let is_open = is_open || names.iter().any(|name| !["true", "false"].contains(name));
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
                    let digit = if known == Some(true) { "1" } else { "0" };
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
        let branches = self.conditions.branches();
        match self.table.lookup(name, &branches) {
            macros::Lookup::Known(Some(_)) => Some(true),
            _ => None,
        }
    }
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

/// The comment right before a place, without its slashes and stars.
fn docs(sources: &Sources, lexed: &Lexed, span: Span) -> String {
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
    lines[first..last].join("\n")
}

fn plain_lines(comment: &str) -> Vec<String> {
    let inside = match comment.strip_prefix("/*") {
        Some(inside) => inside.strip_suffix("*/").unwrap_or(inside).trim_start_matches('*'),
        None => comment.trim_start_matches('/'),
    };
    let star = |line: &str| line.trim().strip_prefix('*').map_or(line.trim().to_owned(), |rest| rest.trim().to_owned());
    inside.lines().map(|line| star(&line.replace('\r', " "))).collect()
}
