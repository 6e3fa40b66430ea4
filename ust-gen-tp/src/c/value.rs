// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types and values as they are written in the generated C.
//!
//! LTTng's headers convert values without a cast, and hide the warnings for it: pointers become integers there, and integers pointers. Here
//! a value gets a cast where it may be such a case, and none where it certainly is not: the types of arguments are known, those of other
//! expressions are not.

use std::collections::BTreeMap;

use crate::ctype::{self, Base, CType, Scalar};
use crate::eval;
use crate::model::Arg;
use crate::token::{self, Kind, Token};

/// What the arguments of an event are: their types, and their names in the generated code.
pub(super) struct Args<'a> {
    pub(super) types: BTreeMap<&'a str, &'a [Token]>,
    pub(super) names: BTreeMap<&'a str, String>,
}

impl<'a> Args<'a> {
    pub(super) fn new(args: &'a [Arg]) -> Self {
        Self {
            types: args.iter().map(|arg| (arg.name.text.as_str(), arg.ty.tokens.as_slice())).collect(),
            names: args.iter().map(|arg| (arg.name.text.as_str(), super::names::argument(&arg.name.text))).collect(),
        }
    }

    /// The type of an expression that is the name of an argument.
    fn type_of(&self, expr: &[Token]) -> Option<&'a [Token]> {
        match expr {
            [name] => self.types.get(&*name.text).copied(),
            _ => None,
        }
    }

    /// Returns an expression as text, with the names that the arguments have.
    pub(super) fn text(&self, expr: &[Token]) -> String {
        let renamed = expr.iter().enumerate().map(|(at, token)| {
            let name = self.names.get(&*token.text).filter(|_| token.is_ident() && !is_member(expr, at));
            match name {
                Some(name) => Token { text: name.as_str().into(), ..token.clone() },
                None => token.clone(),
            }
        });
        token::text(&renamed.collect::<Vec<_>>())
    }
}

fn is_member(expr: &[Token], at: usize) -> bool {
    at > 0 && [".", "->", "::"].iter().any(|before| expr[at - 1].is(before))
}

/// Returns the names in an expression, without those of members.
pub(super) fn names(expr: &[Token]) -> impl Iterator<Item = &str> {
    let is_name = |(at, token): &(usize, &Token)| token.is_ident() && !is_member(expr, *at);
    expr.iter().enumerate().filter(is_name).map(|(_, token)| &*token.text)
}

/// Returns a type as text: `const char *`, `ns::T<int> *`.
pub(super) fn type_text(tokens: &[Token]) -> String {
    let mut text = String::new();
    let is_star = |token: &Token| token.is("*") || token.is("&") || token.is("&&");
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let tight = |token: &Token| ["::", "<", "(", "["].iter().any(|tight| token.is(tight));
        let sticks = [",", ">", "::", ")", "<", "]", ">>"].iter().any(|end| token.is(end));
        let joined = match before {
            None => true,
            Some(before) => tight(before) || sticks || (is_star(before) && (is_star(token) || token.is("const"))),
        };
        if !joined {
            text.push(' ');
        }
        text.push_str(&token.text);
    }
    text
}

/// Returns the value of a type, or what a reference refers to, at the address `ident`.
pub(super) fn behind(tokens: &[Token], ident: &str) -> String {
    let is_reference = |token: &&Token| token.is("&") || token.is("&&");
    let end = tokens.len() - tokens.iter().rev().take_while(is_reference).count();
    if end < tokens.len() {
        let bare = type_text(&tokens[..end]);
        let as_rvalue = if tokens[end].is("&&") { format!("({bare} &&)") } else { String::new() };
        return format!("{as_rvalue}*({bare} *){ident}");
    }
    format!("*(const {} *){ident}", type_text(&unqualified(tokens)))
}

/// Returns the declaration of `name` as a `ty`.
pub(super) fn declaration(ty: &str, name: &str) -> String {
    let space = if ty.ends_with(['*', '&']) { "" } else { " " };
    format!("{ty}{space}{name}")
}

/// The tokens of a type behind its last star, and those up to it.
fn outer(tokens: &[Token]) -> (&[Token], &[Token]) {
    let stars = tokens.iter().rposition(|token| token.is("*")).map_or(0, |last| last + 1);
    (&tokens[..stars], &tokens[stars..])
}

fn is_qualifier(token: &Token) -> bool {
    ["const", "volatile", "restrict", "__restrict"].iter().any(|word| token.is(word))
}

/// Returns a type without the qualifiers of the value itself.
pub(super) fn unqualified(tokens: &[Token]) -> Vec<Token> {
    let (pointer, rest) = outer(tokens);
    pointer.iter().chain(rest.iter().filter(|token| !is_qualifier(token))).cloned().collect()
}

/// Returns a type whose values do not change.
pub(super) fn constant(tokens: &[Token]) -> String {
    let plain = unqualified(tokens);
    let text = type_text(&plain);
    if text.ends_with('*') { format!("{text}const") } else { format!("const {text}") }
}

/// Tells whether a value is a number for certain: it needs no cast to become another one.
fn is_number(expr: &[Token], args: &Args) -> bool {
    let is_comparison = |token: &&Token| ["==", "!=", "<=", ">=", "&&", "||"].iter().any(|sign| token.is(sign));
    let outermost = token::split(expr);
    let mut depth = 0_i32;
    let at_top: Vec<&Token> = expr
        .iter()
        .filter(|token| {
            depth -= i32::from(token.is(")"));
            let is_top = depth == 0;
            depth += i32::from(token.is("("));
            is_top
        })
        .collect();
    if outermost.len() == 1 && at_top.iter().any(is_comparison) && !at_top.iter().any(|token| token.is("?")) {
        return true;
    }
    let is_sign =
        |token: &Token| token.kind == Kind::Punct && !["[", "]", "{", "}", ".", "->", "::"].contains(&&*token.text);
    let is_scalar = |name: &Token| {
        args.types.get(&*name.text).is_some_and(|ty| {
            let ty = CType::parse(ty);
            ty.is_scalar() || (ty.base == Base::Enum && ty.pointers == 0)
        })
    };
    let is_of_numbers = |(at, token): (usize, &Token)| match token.kind {
        Kind::Number | Kind::Char => true,
        Kind::Ident => is_scalar(token) && !expr.get(at + 1).is_some_and(|open| open.is("(")),
        _ => is_sign(token),
    };
    expr.iter().enumerate().all(is_of_numbers)
}

/// The type that an expression is cast to, if it is nothing but a cast.
fn cast_of(expr: &[Token]) -> Option<&[Token]> {
    let close = token::closing(expr, 0).filter(|_| expr[0].is("("))?;
    let ty = &expr[1..close];
    let is_type = ty.last().is_some_and(|last| last.is("*") || is_qualifier(last))
        || CType::parse(ty).base != Base::Other
        || matches!(ty, [word, ..] if word.is("struct") || word.is("union"));
    (is_type && is_operand(&expr[close + 1..])).then_some(ty)
}

/// Tells whether a cast before an expression holds for all of it.
fn is_operand(expr: &[Token]) -> bool {
    let mut at = 0;
    let mut is_open = true;
    while let Some(token) = expr.get(at) {
        let closes = |open: &str, close: &str| {
            let mut depth = 0_usize;
            expr[at..].iter().position(|token| {
                depth += usize::from(token.is(open));
                depth -= usize::from(token.is(close)).min(depth);
                depth == 0
            })
        };
        if token.is("(") || token.is("[") {
            let (open, close) = if token.is("(") { ("(", ")") } else { ("[", "]") };
            let Some(length) = closes(open, close) else { return false };
            at += length + 1;
            is_open = false;
        } else if [".", "->", "::"].iter().any(|dot| token.is(dot)) {
            at += 1;
            is_open = true;
        } else if is_open && matches!(token.kind, Kind::Ident | Kind::Number | Kind::Char | Kind::Text) {
            at += 1;
            is_open = false;
        } else {
            return false;
        }
    }
    !is_open
}

/// Returns an expression as something that a cast or an operator can stand before.
pub(super) fn operand(expr: &[Token], args: &Args) -> String {
    let text = args.text(expr);
    let is_enclosed = !expr.is_empty() && expr[0].is("(") && token::closing(expr, 0) == Some(expr.len() - 1);
    // A cast before a cast in parentheses reads as a call.
    if is_enclosed || (is_operand(expr) && !expr[0].is("(")) { text } else { format!("({text})") }
}

fn is_same(a: &[Token], b: &[Token]) -> bool {
    ctype::normalised(&unqualified(a)) == ctype::normalised(&unqualified(b))
}

/// Returns `expr` as the value of a number or an address of the type `ty`.
pub(super) fn number(ty: &[Token], expr: &[Token], args: &Args) -> String {
    let to = CType::parse(ty);
    let plain = args.text(expr);
    let is_cut = eval::eval(expr, &|_| None).is_ok_and(|value| to.cut(value).is_some_and(|cut| cut != value));
    let is_plain = to.is_scalar() && is_number(expr, args) && !is_cut;
    if is_plain || cast_of(expr).is_some_and(|cast| is_same(cast, ty)) {
        return plain;
    }
    let cast = type_text(&unqualified(ty));
    if let Some(given) = args.type_of(expr) {
        if is_same(given, ty) {
            return plain;
        }
        let given = CType::parse(given);
        let narrows = given.pointers > 0 && matches!(to.scalar(), Some(scalar) if scalar.bytes() < 8);
        let widens = to.pointers > 0 && given.scalar().is_some_and(|scalar| scalar.bytes() < 8);
        if (narrows && to.scalar() != Some(Scalar::Bool)) || widens {
            return format!("({cast})(uintptr_t){plain}");
        }
    }
    format!("({cast}){}", operand(expr, args))
}

/// Returns `expr` as a string.
pub(super) fn string(expr: &[Token], args: &Args) -> String {
    let given = args.type_of(expr).map(CType::parse);
    match given {
        // Signed and unsigned bytes, and in C++ whatever `void` points to.
        Some(CType { base: Base::Scalar(scalar), pointers: 1 }) if scalar != Scalar::Char && scalar.bytes() == 1 => {
            format!("(const char *){}", operand(expr, args))
        }
        Some(CType { base: Base::Void, pointers: 1 }) => format!("(const char *){}", operand(expr, args)),
        _ => args.text(expr),
    }
}

/// Returns `expr` as the address of elements.
pub(super) fn address(expr: &[Token], args: &Args) -> String {
    let Some(given) = args.type_of(expr) else { return args.text(expr) };
    let plain = args.text(expr);
    match CType::parse(given) {
        ty if ty.is_scalar() => format!("(const void *)(uintptr_t){plain}"),
        _ if given.iter().any(|token| token.is("volatile")) => format!("(const void *){plain}"),
        _ => plain,
    }
}

/// Returns `expr` as a number of elements that was of the type `ty`.
pub(super) fn count(ty: &[Token], expr: &[Token], args: &Args) -> String {
    let plain = args.text(expr);
    let scalar = |tokens: &[Token]| CType::parse(tokens).scalar();
    let fits = |given: Scalar, to: Scalar| {
        matches!(given, Scalar::Integer { signed: false, .. } | Scalar::Bool) && given.bytes() <= to.bytes()
    };
    let is_kept = match (args.type_of(expr).and_then(scalar), scalar(ty)) {
        (Some(given), Some(to)) => fits(given, to),
        _ => {
            matches!(expr, [literal] if literal.kind == Kind::Number)
                || matches!(expr, [word, ..] if word.is("sizeof")) && is_operand(&expr[1..])
                || cast_of(expr).is_some_and(|cast| is_same(cast, ty))
        }
    };
    if is_kept { plain } else { format!("({}){}", type_text(&unqualified(ty)), operand(expr, args)) }
}
