// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks for what is wrong with a filter before it is used: kinds that cannot be compared, fields that no event has.
//!
//! In LTTng a misspelt field makes a filter that never says yes and nobody the wiser. Here it is an error that names the fields
//! that come closest.

use crate::ast::{Binary, Expr, Filter, Node, Reference, Root, Span, Step, Text, Unary};
use crate::error::{Complaint, FilterError};
use crate::limits::SUGGESTION_COUNT_MAX;

/// What a filter can do with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An integer, a boolean, or an enumeration.
    Integer,
    /// A float.
    Float,
    /// A text.
    Text,
    /// Nothing: a structure, an array, bytes.
    Other,
}

/// The fields that one kind of event has.
pub trait Schema {
    /// Returns the kind of what `reference` names, if this kind of event has it.
    fn kind(&self, reference: &Reference) -> Option<Kind>;

    /// Returns the names that a reference with this root can begin with.
    fn names(&self, root: Root) -> Vec<String>;
}

impl Filter {
    /// Checks the filter against all kinds of events that it may be asked about.
    ///
    /// # Errors
    /// - A reference that none of them has.
    /// - Kinds that do not go together in any of them that has the fields.
    pub fn check<S: Schema>(&self, schemas: &[S]) -> Result<(), FilterError> {
        for reference in &self.references {
            if !schemas.iter().any(|schema| schema.kind(reference).is_some()) {
                return Err(unknown(reference, schemas).about(&self.text));
            }
        }
        let mut first = None;
        for schema in schemas {
            let kinds = self.references.iter().map(|reference| schema.kind(reference)).collect();
            let checker = Checker { filter: self, kinds };
            // An event that has none of the fields says nothing about their kinds.
            if !self.references.is_empty() && checker.kinds.iter().all(Option::is_none) {
                continue;
            }
            match checker.condition(&self.root) {
                Ok(()) => return Ok(()),
                Err(complaint) => first = first.or(Some(complaint)),
            }
        }
        first.map_or(Ok(()), |complaint| Err(complaint.about(&self.text)))
    }
}

/// Checks what can be seen without knowing any field.
pub(crate) fn without_schema(filter: &Filter) -> Result<(), Complaint> {
    Checker { filter, kinds: vec![None; filter.references.len()] }.condition(&filter.root)
}

fn unknown<S: Schema>(reference: &Reference, schemas: &[S]) -> Complaint {
    let [Step::Member(name), ..] = reference.steps.as_slice() else {
        return Complaint::new(reference.span.clone(), "this names nothing");
    };
    let names = schemas.iter().flat_map(|schema| schema.names(reference.root)).collect();
    unknown_name(reference, name, names)
}

/// Complains that `reference`, which begins with `name`, is nothing that there is.
pub(crate) fn unknown_name(reference: &Reference, name: &String, mut names: Vec<String>) -> Complaint {
    names.sort_unstable();
    names.dedup();
    let (what, dollar) = match reference.root {
        Root::Payload => ("field", ""),
        Root::Context => ("context", "$ctx."),
        Root::Application => ("application context", "$app."),
    };
    if names.contains(name) {
        let message = format!("no event has `{reference}`, though some have `{dollar}{name}`");
        return Complaint::new(reference.span.clone(), message);
    }
    let complaint = Complaint::new(reference.span.clone(), format!("no event has the {what} `{dollar}{name}`"));
    let near = closest(name, &names);
    match (near.as_slice(), names.as_slice()) {
        ([], []) => complaint.help(format!("there is no {what} at all; leave the condition out")),
        ([], all) if all.len() <= 8 => complaint.help(format!("the {what}s are {}", list(all, dollar))),
        ([], _) => complaint,
        (near, _) => complaint.help(list(near, dollar)),
    }
}

fn list(names: &[impl AsRef<str>], dollar: &str) -> String {
    names.iter().map(|name| format!("`{dollar}{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// Returns the names that a person may have meant, the best first.
fn closest<'a>(name: &str, names: &'a [String]) -> Vec<&'a str> {
    let allowed = (name.len() / 3).max(1);
    let lower = name.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> = names
        .iter()
        .map(|known| (strsim::levenshtein(&lower, &known.to_ascii_lowercase()), known.as_str()))
        .filter(|(distance, known)| *distance <= allowed || known.contains(name))
        .collect();
    near.sort_unstable();
    near.into_iter().take(SUGGESTION_COUNT_MAX).map(|(_, known)| known).collect()
}

/// What an expression is; a reference whose kind is not known can be any of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Integer,
    Float,
    Text,
    Pattern,
    Unknown,
}

struct Checker<'f> {
    filter: &'f Filter,
    /// By index of the reference; `None` where it is not known.
    kinds: Vec<Option<Kind>>,
}

impl Checker<'_> {
    /// The whole filter must be something that is true or false.
    fn condition(&self, node: &Node) -> Result<(), Complaint> {
        match self.ty(node)? {
            Type::Integer | Type::Unknown => Ok(()),
            Type::Float => {
                Err(Complaint::new(node.span.clone(), "a float alone is no condition").help("compare it: > 0.0"))
            }
            Type::Text | Type::Pattern => {
                Err(Complaint::new(node.span.clone(), "a text alone is no condition").help("compare it: == \"abc*\""))
            }
        }
    }

    fn ty(&self, node: &Node) -> Result<Type, Complaint> {
        match &node.expr {
            Expr::Integer(_) => Ok(Type::Integer),
            Expr::Float(_) => Ok(Type::Float),
            Expr::Text(Text::Plain(_)) => Ok(Type::Text),
            Expr::Text(Text::Pattern(_)) => Ok(Type::Pattern),
            Expr::Reference(idx) => match self.kinds.get(*idx).copied().flatten() {
                None => Ok(Type::Unknown),
                Some(Kind::Integer) => Ok(Type::Integer),
                Some(Kind::Float) => Ok(Type::Float),
                Some(Kind::Text) => Ok(Type::Text),
                Some(Kind::Other) => Err(self.other(*idx, node.span.clone())),
            },
            Expr::Unary(operator, operand) => self.unary(*operator, operand, &node.span),
            Expr::Binary(operator, left, right) => self.binary(*operator, left, right, &node.span),
        }
    }

    fn other(&self, idx: usize, span: Span) -> Complaint {
        let name = self.filter.references.get(idx).map(ToString::to_string).unwrap_or_default();
        Complaint::new(span, format!("`{name}` is neither a number nor a text"))
            .help(format!("name an element, `{name}[0]`, or a member, `{name}.x`"))
    }

    fn unary(&self, operator: Unary, operand: &Node, span: &Span) -> Result<Type, Complaint> {
        let symbol = operator.symbol();
        match (operator, self.ty(operand)?) {
            (_, Type::Text | Type::Pattern) => {
                Err(Complaint::new(span.clone(), format!("`{symbol}` is for numbers, this is a text")))
            }
            (Unary::Complement, Type::Float) => {
                Err(Complaint::new(span.clone(), "`~` is for integers, this is a float"))
            }
            (Unary::Not, _) | (Unary::Complement, _) => Ok(Type::Integer),
            (_, ty) => Ok(ty),
        }
    }

    fn binary(&self, operator: Binary, left: &Node, right: &Node, span: &Span) -> Result<Type, Complaint> {
        let (a, b) = (self.ty(left)?, self.ty(right)?);
        let symbol = operator.symbol();
        if operator.is_comparison() {
            return self.comparison(operator, a, b, span);
        }
        for (ty, node) in [(a, left), (b, right)] {
            match ty {
                Type::Text | Type::Pattern => {
                    return Err(Complaint::new(
                        node.span.clone(),
                        format!("`{symbol}` is for numbers, this is a text"),
                    ));
                }
                Type::Float if operator.is_bitwise() => {
                    return Err(Complaint::new(
                        node.span.clone(),
                        format!("`{symbol}` is for integers, this is a float"),
                    ));
                }
                _ => {}
            }
        }
        if let (Binary::ShiftLeft | Binary::ShiftRight, Expr::Integer(count)) = (operator, &right.expr)
            && !(0..64).contains(count)
        {
            let message = format!("a shift by {count} is out of range: allowed are 0 to 63");
            return Err(Complaint::new(right.span.clone(), message));
        }
        Ok(Type::Integer)
    }

    fn comparison(&self, operator: Binary, a: Type, b: Type, span: &Span) -> Result<Type, Complaint> {
        let symbol = operator.symbol();
        let is_text = |ty: Type| matches!(ty, Type::Text | Type::Pattern);
        let is_number = |ty: Type| matches!(ty, Type::Integer | Type::Float);
        if (is_text(a) && is_number(b)) || (is_number(a) && is_text(b)) {
            return Err(Complaint::new(span.clone(), format!("`{symbol}` cannot compare a text with a number")));
        }
        match (a, b) {
            (Type::Pattern, Type::Pattern) => {
                Err(Complaint::new(span.clone(), "two patterns cannot be compared")
                    .help("`\\*` is a star that is none"))
            }
            (Type::Pattern, _) | (_, Type::Pattern) if !matches!(operator, Binary::Equal | Binary::NotEqual) => {
                let message = format!("`{symbol}` cannot compare with a pattern: `*` goes with == and != only");
                Err(Complaint::new(span.clone(), message).help("`\\*` is a star that is none"))
            }
            _ => Ok(Type::Integer),
        }
    }
}
