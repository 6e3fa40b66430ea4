// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `key = value` lists of all attributes: `#[tracepoint(..)]`, `#[field(..)]` and so on.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, ExprPath, Lit, LitStr, Path, Token};

use crate::errors::Errors;
use crate::names::closest;

/// One entry of a list.
pub struct Arg {
    /// Its key.
    pub key: Ident,
    /// What stands after `=`, if anything does.
    pub value: Option<Expr>,
}

/// Parses a list. Unknown and repeated keys are reported and left out; after text that is not a list the
/// entries before it are returned. Keys that begin with `__` are ours: the last one wins.
pub fn parse(tokens: TokenStream, attribute: &str, allowed: &[&str], errors: &mut Errors) -> Vec<Arg> {
    let mut args: Vec<Arg> = Vec::new();
    let result = Parser::parse2(|input: ParseStream| parse_list(input, &mut args), tokens);
    if let Err(error) = result {
        errors.add(error);
    }
    let mut known: Vec<Arg> = Vec::new();
    for arg in args {
        let key = arg.key.to_string();
        let repeated = known.iter().position(|other| other.key == arg.key);
        if let Some(ours) = repeated.filter(|_| key.starts_with("__")) {
            known[ours] = arg;
        } else if repeated.is_some() {
            errors.push(&arg.key, format!("`{key}` is given twice: keep one"));
        } else if allowed.contains(&key.as_str()) || key.starts_with("__") {
            known.push(arg);
        } else {
            errors.push(&arg.key, unknown_key(attribute, &key, allowed));
        }
    }
    known
}

fn parse_list(input: ParseStream, args: &mut Vec<Arg>) -> syn::Result<()> {
    while !input.is_empty() {
        let key = input
            .call(Ident::parse_any)
            .map_err(|error| syn::Error::new(error.span(), "expected a key: write `key = value`, or `key`"))?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(ungrouped(input.parse()?)),
            None => None,
        };
        args.push(Arg { key, value });
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// Takes off the invisible parentheses of what a `macro_rules` macro passed on.
fn ungrouped(mut expr: Expr) -> Expr {
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    expr
}

fn unknown_key(attribute: &str, key: &str, allowed: &[&str]) -> String {
    if allowed.is_empty() {
        return format!("`#[{attribute}]` takes no keys: the tracepoints of the class have them");
    }
    let list = allowed.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let hint = match closest(key, allowed) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    format!("`#[{attribute}]` has no key `{key}`: the keys are {list}{hint}")
}

impl Arg {
    /// Returns the value if it is a string literal.
    pub fn string(&self, errors: &mut Errors) -> Option<LitStr> {
        match &self.value {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text.clone()),
            Some(other) => {
                errors.push(other, format!("`{0}` is a string literal: write `{0} = \"..\"`", self.key));
                None
            }
            None => {
                errors.push(&self.key, format!("`{0}` needs a value: write `{0} = \"..\"`", self.key));
                None
            }
        }
    }

    /// Returns the value if it is a path.
    pub fn path(&self, example: &str, errors: &mut Errors) -> Option<Path> {
        match &self.value {
            Some(Expr::Path(ExprPath { path, qself: None, .. })) => Some(path.clone()),
            Some(other) => {
                errors.push(other, format!("`{0}` is a name: write `{0} = {example}`", self.key));
                None
            }
            None => {
                errors.push(&self.key, format!("`{0}` needs a value: write `{0} = {example}`", self.key));
                None
            }
        }
    }

    /// Returns the value, which can be any expression.
    pub fn expr(&self, example: &str, errors: &mut Errors) -> Option<Expr> {
        if self.value.is_none() {
            errors.push(&self.key, format!("`{0}` needs a value: write `{0} = {example}`", self.key));
        }
        self.value.clone()
    }

    /// Reports a value where there is to be none.
    pub fn flag(&self, errors: &mut Errors) {
        if let Some(value) = &self.value {
            errors.push(value, format!("`{0}` takes no value: write only `{0}`", self.key));
        }
    }
}
