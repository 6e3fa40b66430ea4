// SPDX-License-Identifier: MIT OR Apache-2.0
//! The macros of a file, and which definition of one holds where.
//!
//! Conditionals are kept, not decided, as far as possible: a macro may have a definition in each branch. Where a macro is used,
//! those of the branches that the use is in count; else those of the branches that a compiler without `-D` would take.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::expand;
use crate::problem::{Problem, Problems};
use crate::source::Span;
use crate::token::{Kind, Token};
use crate::words;

/// One definition.
#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) name: Rc<str>,
    /// The parameters of a macro that is called; `None` for a plain one.
    pub(crate) params: Option<Vec<Rc<str>>>,
    /// The last parameter takes all further arguments.
    pub(crate) is_variadic: bool,
    pub(crate) body: Vec<Token>,
    pub(crate) span: Span,
}

/// A branch of a conditional: the number of the conditional in the file, and of the branch in it.
pub(crate) type Branch = (usize, usize);

#[derive(Debug)]
struct Entry {
    /// `None` from an `#undef` on.
    definition: Option<Rc<Macro>>,
    branches: Vec<Branch>,
}

/// What is known of the macros at one place of a file.
#[derive(Debug, Default)]
pub(crate) struct Table {
    entries: HashMap<Rc<str>, Vec<Entry>>,
    /// The branches that a compiler without `-D` takes.
    pub(crate) usual: Vec<Branch>,
    /// Macros that an `#undef` of the file names: they may be gone where a definition is compiled.
    pub(crate) undefined: BTreeSet<Rc<str>>,
    /// What [`Table::shapes_definitions`] has found.
    shaping: RefCell<HashMap<Rc<str>, bool>>,
}

/// What a name stands for.
pub(crate) enum Lookup {
    /// Certainly this, or certainly no macro.
    Known(Option<Rc<Macro>>),
    /// It depends on a condition that is not decided; this is what a compiler without `-D` would take.
    Depends(Option<Rc<Macro>>),
}

impl Lookup {
    pub(crate) fn into_macro(self) -> Option<Rc<Macro>> {
        match self {
            Lookup::Known(found) | Lookup::Depends(found) => found,
        }
    }
}

impl Table {
    pub(crate) fn define(&mut self, definition: Macro, branches: &[Branch]) {
        let name = definition.name.clone();
        self.add(name, Some(Rc::new(definition)), branches);
    }

    pub(crate) fn undefine(&mut self, name: &Rc<str>, branches: &[Branch]) {
        self.add(name.clone(), None, branches);
    }

    fn add(&mut self, name: Rc<str>, definition: Option<Rc<Macro>>, branches: &[Branch]) {
        self.shaping.borrow_mut().clear();
        let entries = self.entries.entry(name).or_default();
        if branches.is_empty() {
            entries.clear();
        }
        entries.push(Entry { definition, branches: branches.to_vec() });
    }

    /// Tells whether a definition cannot be taken apart, or not be compiled, before the macro `name` is replaced: because it
    /// stands for a word of definition files, a name, a text, several parts or nothing at all, or because it is undefined later.
    pub(crate) fn shapes_definitions(&self, name: &Rc<str>) -> bool {
        let Some(entries) = self.entries.get(name) else { return false };
        if let Some(known) = self.shaping.borrow().get(name) {
            return *known;
        }
        self.shaping.borrow_mut().insert(name.clone(), false);
        let shapes = |definition: &Rc<Macro>| {
            let is_part = match definition.body.as_slice() {
                [] => true,
                [one] => one.is_ident() || one.kind == Kind::Text,
                body => expand::has_outer_comma(body) || body.iter().any(|token| token.is("#") || token.is("##")),
            };
            let mut names = definition.body.iter().filter(|token| token.is_ident());
            is_part || names.any(|inner| words::is_known(&inner.text) || self.shapes_definitions(&inner.text))
        };
        let found =
            self.undefined.contains(name) || entries.iter().filter_map(|entry| entry.definition.as_ref()).any(shapes);
        self.shaping.borrow_mut().insert(name.clone(), found);
        found
    }

    /// Returns what `name` stands for within `branches`.
    pub(crate) fn lookup(&self, name: &str, branches: &[Branch]) -> Lookup {
        let Some(entries) = self.entries.get(name) else { return Lookup::Known(None) };
        let mut depends = false;
        for entry in entries.iter().rev() {
            let excluded = |own: &Branch| branches.iter().any(|other| own.0 == other.0 && own.1 != other.1);
            if entry.branches.iter().any(excluded) {
                continue;
            }
            let outside = entry.branches.iter().filter(|own| !branches.contains(own));
            let mut outside = outside.peekable();
            let is_certain = outside.peek().is_none();
            depends |= !is_certain;
            if is_certain || outside.all(|own| self.usual.contains(own)) {
                let found = entry.definition.clone();
                return if depends { Lookup::Depends(found) } else { Lookup::Known(found) };
            }
        }
        if depends { Lookup::Depends(None) } else { Lookup::Known(None) }
    }
}

/// Reads what stands after `#define`.
pub(crate) fn parse_define(tokens: &[Token], directive: Span, problems: &mut Problems) -> Option<Macro> {
    let Some((name, rest)) = tokens.split_first().filter(|(name, _)| name.is_ident()) else {
        let at = tokens.first().map_or(directive, |token| token.span);
        problems.push(Problem::error(at, "`#define` needs the name of a macro"));
        return None;
    };
    let plain = Macro { name: name.text.clone(), params: None, is_variadic: false, body: Vec::new(), span: name.span };
    // Only a parenthesis right behind the name makes it a macro that is called.
    if !rest.first().is_some_and(|open| open.is("(") && !open.space) {
        return Some(Macro { body: rest.to_vec(), ..plain });
    }
    let Some(close) = rest.iter().position(|token| token.is(")")) else {
        problems.push(Problem::error(rest[0].span, format!("the parameters of `{}` have no end", name.text)));
        return None;
    };
    let (mut params, mut is_variadic) = (Vec::new(), false);
    for token in rest[1..close].iter().filter(|token| !token.is(",")) {
        if token.is("...") {
            // `args...` of GNU C names what C calls `__VA_ARGS__`.
            is_variadic = true;
            let named = rest[1..close].iter().rev().nth(1).is_some_and(Token::is_ident);
            if !named {
                params.push(Rc::from("__VA_ARGS__"));
            }
        } else if token.kind == Kind::Ident {
            params.push(token.text.clone());
        } else {
            problems.push(Problem::error(token.span, format!("`{}` is no parameter of a macro", token.text)));
        }
    }
    Some(Macro { params: Some(params), is_variadic, body: rest[close + 1..].to_vec(), ..plain })
}
