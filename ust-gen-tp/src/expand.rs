// SPDX-License-Identifier: MIT OR Apache-2.0
//! Replaces macros as the preprocessor of C does, with `#`, `##`, variable arguments, and no macro inside itself.
//!
//! The algorithm is that of Dave Prosser, which the standard puts into words: each token carries the macros that it came out of,
//! and those are not replaced in it again. Here each token also keeps where it was written.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::limits::{DEPTH_MAX, EXPANSION_TOKEN_COUNT_MAX};
use crate::macros::{Branch, Lookup, Macro, Table};
use crate::problem::{Problem, Problems};
use crate::source::Span;
use crate::token::{self, Hidden, Kind, Token};
use crate::words;

/// Replaces macros at one place of a file.
pub(crate) struct Expander<'a> {
    pub(crate) table: &'a Table,
    /// The branches that the place is in.
    pub(crate) branches: &'a [Branch],
    pub(crate) problems: &'a mut Problems,
    /// Tokens made so far, arguments on their way included.
    pub(crate) made: usize,
    /// Something was wrong, of which more would only be an echo.
    is_stopped: bool,
    /// Macros used whose definition depends on a condition, and where they were used.
    pub(crate) depends: Vec<(Rc<Macro>, Span)>,
    /// Inside of parentheses, leaves the macros that only stand for values or types: a compiler replaces them.
    pub(crate) leaves_values: bool,
}

impl<'a> Expander<'a> {
    pub(crate) fn new(table: &'a Table, branches: &'a [Branch], problems: &'a mut Problems) -> Self {
        Self { table, branches, problems, made: 0, is_stopped: false, depends: Vec::new(), leaves_values: false }
    }

    /// Returns `tokens` with all macros replaced.
    pub(crate) fn expand(&mut self, tokens: &[Token]) -> Vec<Token> {
        self.expand_at(tokens, 0)
    }

    fn expand_at(&mut self, tokens: &[Token], depth: usize) -> Vec<Token> {
        if depth > 0 {
            self.made += tokens.len();
        }
        let mut rest: Vec<Token> = tokens.iter().rev().cloned().collect();
        let mut done = Vec::with_capacity(tokens.len());
        let mut open = 0_i32;
        while let Some(token) = rest.pop() {
            if self.made > EXPANSION_TOKEN_COUNT_MAX {
                let message = format!("the macros of this file make more than {EXPANSION_TOKEN_COUNT_MAX} tokens");
                self.problems.push(Problem::error(token.place(), message));
                return done;
            }
            open += i32::from(token.is("(")) - i32::from(token.is(")"));
            match self.find(&token, (depth > 0 || open > 0).then_some(&rest)) {
                Some(found) if depth > DEPTH_MAX => {
                    let message = format!("`{}` is more than {DEPTH_MAX} macro calls deep in others", found.name);
                    self.problems.push(Problem::error(token.place(), message));
                    self.is_stopped = true;
                    done.push(token);
                }
                Some(found) => {
                    if !self.replace(&found, &token, &mut rest, depth) {
                        done.push(token);
                    }
                }
                None => done.push(token),
            }
        }
        done
    }

    /// Returns the macro that a token calls. Inside of parentheses, `inside` is what follows it, in reverse.
    fn find(&mut self, token: &Token, inside: Option<&Vec<Token>>) -> Option<Rc<Macro>> {
        let hidden = token.hidden.as_ref().is_some_and(|hidden| hidden.contains(&token.text));
        if !token.is_ident() || hidden || self.is_stopped {
            return None;
        }
        if let Some(rest) = inside.filter(|_| self.leaves_values)
            && !self.table.shapes_definitions(&token.text)
            && !call_args(rest).any(|arg| words::is_known(&arg.text) || self.table.shapes_definitions(&arg.text))
        {
            return None;
        }
        match self.table.lookup(&token.text, self.branches) {
            Lookup::Known(found) => found,
            Lookup::Depends(found) => {
                let found = found?;
                self.depends.push((found.clone(), token.place()));
                Some(found)
            }
        }
    }

    /// Puts the macro's replacement before `rest` (which is in reverse). Does nothing if the macro is not called here.
    fn replace(&mut self, found: &Rc<Macro>, name: &Token, rest: &mut Vec<Token>, depth: usize) -> bool {
        let (args, mut hidden) = match &found.params {
            None => (Vec::new(), with(&name.hidden, None)),
            Some(params) => {
                let Some((args, close)) = take_args(rest) else { return false };
                let Some(args) = self.fit_args(found, params.len(), args, name) else { return false };
                (args, with(&name.hidden, Some(&close.hidden)))
            }
        };
        hidden.insert(found.name.clone());
        let made = self.substitute(found, &args, name, depth);
        self.made += made.len() + 1;
        let hidden = Rc::new(hidden);
        for (at, mut token) in made.into_iter().enumerate().rev() {
            let mut own: BTreeSet<Rc<str>> = token.hidden.as_deref().cloned().unwrap_or_default();
            token.hidden = if own.is_empty() {
                Some(hidden.clone())
            } else {
                own.extend(hidden.iter().cloned());
                Some(Rc::new(own))
            };
            if at == 0 {
                (token.space, token.line_start) = (name.space, name.line_start);
            }
            rest.push(token);
        }
        true
    }

    /// Gives a macro as many arguments as it has parameters; reports it if it cannot be done.
    fn fit_args(
        &mut self,
        found: &Macro,
        count: usize,
        mut args: Vec<Vec<Token>>,
        name: &Token,
    ) -> Option<Vec<Vec<Token>>> {
        if count == 0 && args.len() == 1 && args[0].is_empty() {
            args.clear();
        }
        if found.is_variadic && args.len() + 1 == count {
            args.push(Vec::new());
        }
        if found.is_variadic && args.len() > count && count > 0 {
            let comma = |from: &Token| Token { kind: Kind::Punct, text: Rc::from(","), space: false, ..from.clone() };
            for more in args.split_off(count) {
                args[count - 1].push(comma(name));
                args[count - 1].extend(more);
            }
        }
        if args.len() != count {
            let problem = Problem::error(
                name.place(),
                format!("the macro `{}` has {count} parameters, and is given {}", found.name, args.len()),
            );
            self.problems.push(problem.related(found.span, "it is defined here"));
            return None;
        }
        Some(args)
    }

    /// Returns the body of a macro with its parameters replaced.
    fn substitute(&mut self, found: &Macro, args: &[Vec<Token>], name: &Token, depth: usize) -> Vec<Token> {
        let params = found.params.as_deref().unwrap_or_default();
        let arg = |token: &Token| {
            let at = params.iter().position(|param| token.is_ident() && **param == *token.text)?;
            Some((&args[at], found.is_variadic && at + 1 == params.len()))
        };
        let site = Some(name.place());
        let mut made: Vec<Token> = Vec::new();
        let mut at = 0;
        while let Some(token) = found.body.get(at) {
            let next = found.body.get(at + 1);
            if token.is("#")
                && found.params.is_some()
                && let Some((arg, _)) = next.and_then(arg)
            {
                made.push(stringify(arg, token, site));
                at += 2;
                continue;
            }
            if token.is("##") && at > 0 && next.is_some() {
                let right = next.unwrap_or(token);
                let is_comma = made.last().is_some_and(|last| last.is(","));
                match arg(right) {
                    // `, ## __VA_ARGS__`: without arguments the comma goes too.
                    Some((arg, true)) if is_comma => {
                        if arg.is_empty() {
                            made.pop();
                        } else {
                            made.extend(self.expand_at(arg, depth + 1));
                        }
                    }
                    Some((arg, _)) => paste(&mut made, arg),
                    None => paste(&mut made, &[Token { site, ..right.clone() }]),
                }
                at += 2;
                continue;
            }
            match arg(token) {
                Some((arg, _)) if next.is_some_and(|next| next.is("##")) => push_arg(&mut made, arg.clone(), token),
                Some((arg, _)) => {
                    let whole = self.expand_at(arg, depth + 1);
                    push_arg(&mut made, whole, token);
                }
                None => made.push(Token { site, ..token.clone() }),
            }
            at += 1;
        }
        made
    }
}

fn push_arg(made: &mut Vec<Token>, mut arg: Vec<Token>, param: &Token) {
    if let Some(first) = arg.first_mut() {
        (first.space, first.line_start) = (param.space, false);
    }
    made.extend(arg);
}

/// The tokens in the parentheses that follow, in `rest` (which is in reverse).
fn call_args(rest: &[Token]) -> impl Iterator<Item = &Token> {
    let mut depth = 0_usize;
    let inside = rest.iter().rev().take_while(move |token| {
        depth += usize::from(token.is("("));
        let is_inside = depth > 0;
        depth -= usize::from(token.is(")")).min(depth);
        is_inside
    });
    inside.filter(|token| token.is_ident())
}

/// Takes the arguments of a call, and the parenthesis that closes it, from `rest` (which is in reverse).
fn take_args(rest: &mut Vec<Token>) -> Option<(Vec<Vec<Token>>, Token)> {
    if !rest.last()?.is("(") {
        return None;
    }
    let (mut depth, mut args) = (0_usize, vec![Vec::new()]);
    for (count, token) in rest.iter().rev().enumerate() {
        let is_outer = depth == 1;
        if token.is("(") {
            depth += 1;
            if depth == 1 {
                continue;
            }
        } else if token.is(")") {
            depth -= 1;
            if depth == 0 {
                let close = token.clone();
                rest.truncate(rest.len() - count - 1);
                return Some((args, close));
            }
        } else if token.is(",") && is_outer {
            args.push(Vec::new());
            continue;
        }
        args.last_mut()?.push(token.clone());
    }
    None
}

/// The macros hidden in a call: those of its name, as far as they also are those of its closing parenthesis.
fn with(name: &Hidden, close: Option<&Hidden>) -> BTreeSet<Rc<str>> {
    let own = name.as_deref().cloned().unwrap_or_default();
    match close {
        None => own,
        Some(None) => BTreeSet::new(),
        Some(Some(close)) => own.intersection(close).cloned().collect(),
    }
}

/// `#arg`: the argument as a string.
fn stringify(arg: &[Token], hash: &Token, site: Option<Span>) -> Token {
    let mut text = String::from("\"");
    for (at, token) in arg.iter().enumerate() {
        if at > 0 && token.space {
            text.push(' ');
        }
        let is_quoted = matches!(token.kind, Kind::Text | Kind::Char);
        for c in token.text.chars() {
            if is_quoted && (c == '"' || c == '\\') {
                text.push('\\');
            }
            text.push(c);
        }
    }
    text.push('"');
    Token { kind: Kind::Text, text: Rc::from(text), site, line_start: false, hidden: None, ..hash.clone() }
}

/// `##`: makes one token of the last one of `made` and the first one of `right`.
fn paste(made: &mut Vec<Token>, right: &[Token]) {
    let Some((first, more)) = right.split_first() else { return };
    match made.pop() {
        None => made.push(first.clone()),
        Some(left) => {
            let text = format!("{}{}", left.text, first.text);
            let kind = match left.kind {
                Kind::Ident | Kind::Number => left.kind,
                _ => first.kind,
            };
            made.push(Token { kind, text: Rc::from(text), hidden: None, ..left });
        }
    }
    made.extend(more.iter().cloned());
}

/// Returns the names that `tokens` call, or stand for, with the depth of macros: used to find what a header must give.
pub(crate) fn names(tokens: &[Token]) -> impl Iterator<Item = &str> {
    tokens.iter().filter(|token| token.is_ident()).map(|token| &*token.text)
}

/// Tells whether the tokens have a comma outside of parentheses.
pub(crate) fn has_outer_comma(tokens: &[Token]) -> bool {
    token::split(tokens).len() > 1
}
