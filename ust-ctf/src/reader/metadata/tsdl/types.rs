// SPDX-License-Identifier: MIT OR Apache-2.0
//! Resolves types: the declared names of a scope, and the class of each type.
//!
//! A name must be declared before it is used, so there are no cycles; a block can use what is declared outside
//! blocks anywhere. A name that is declared in an inner scope
//! hides that of an outer one from there to the end of the inner scope.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Declarator, Item, Label, Length, Member, Path, Type, TypeKind};
use super::attributes::{alignment, float, integer, string};
use super::parser::Result;
use crate::class::{ClassKind, Encoding, EnvValue, Mapping, Range, TextClass};
use crate::reader::error::Complaint;
use crate::reader::metadata::draft::{Choice, Draft, Integer, Kind, Members, Origin, Reference, Scope, Step};

/// The environment by name; lengths of arrays can refer to it.
pub(super) type Env = HashMap<String, EnvValue>;

/// The names that are declared so far, in a block and in the text around it.
pub(super) struct Names<'outer> {
    env: &'outer Env,
    outer: Option<&'outer Names<'outer>>,
    /// By `struct NAME`, `variant NAME`, `enum NAME`, or the words of an alias.
    names: HashMap<String, Arc<Draft>>,
}

impl<'outer> Names<'outer> {
    /// Returns the scope of the whole text.
    pub(super) fn new(env: &'outer Env) -> Self {
        Self { env, outer: None, names: HashMap::new() }
    }

    /// Returns an empty scope inside this one.
    pub(super) fn inner(&self) -> Names<'_> {
        Names { env: self.env, outer: Some(self), names: HashMap::new() }
    }

    /// Declares what `item` declares, if anything.
    pub(super) fn declare(&mut self, item: &Item) -> Result<()> {
        match item {
            Item::Alias { at, ty, name } => {
                let class = self.class(ty)?;
                self.insert(*at, name.clone(), class)
            }
            Item::Typedef { ty, declarators } => {
                let class = self.pointee(ty, declarators)?;
                for declarator in declarators {
                    let class = self.declared(ty, class.as_ref(), declarator)?;
                    self.insert(declarator.at, declarator.name.clone(), class)?;
                }
                Ok(())
            }
            Item::Declare(ty) => self.class(ty).map(drop),
            _ => Ok(()),
        }
    }

    fn insert(&mut self, at: usize, name: String, class: Arc<Draft>) -> Result<()> {
        if self.names.contains_key(&name) {
            return Err(Complaint::new(at, format!("`{name}` is declared twice")));
        }
        self.names.insert(name, class);
        Ok(())
    }

    fn find(&self, at: usize, name: &str) -> Result<Arc<Draft>> {
        let mut scope = Some(self);
        while let Some(inner) = scope {
            if let Some(class) = inner.names.get(name) {
                return Ok(Arc::clone(class));
            }
            scope = inner.outer;
        }
        Err(Complaint::new(at, format!("`{name}` is not declared above")))
    }

    /// Returns the class of `ty`, and declares its name if it has a name and a body.
    pub(super) fn class(&mut self, ty: &Type) -> Result<Arc<Draft>> {
        let at = ty.at;
        match &ty.kind {
            TypeKind::Integer(attributes) => {
                integer(at, attributes).and_then(|(align, kind)| Draft::new(at, align, kind))
            }
            TypeKind::Float(attributes) => float(at, attributes).and_then(|(align, kind)| Draft::new(at, align, kind)),
            TypeKind::String(attributes) => string(attributes).and_then(|(align, kind)| Draft::new(at, align, kind)),
            TypeKind::Named(name) => self.find(at, name),
            TypeKind::Struct { name, body: None, align: None } => self.find_tagged(at, "struct", name),
            TypeKind::Struct { body: None, align: Some((at, _)), .. } => {
                Err(Complaint::new(*at, "an alignment belongs to the body of a structure"))
            }
            TypeKind::Enum { name, body: None, .. } => self.find_tagged(at, "enum", name),
            TypeKind::Variant { name, body: None, tag } => {
                let class = self.find_tagged(at, "variant", name)?;
                self.with_tag(at, &class, tag.as_ref())
            }
            TypeKind::Struct { name, body: Some(body), align } => {
                let members = self.inner().members(body)?;
                let explicit = align.map_or(Ok(1), |(at, align)| alignment(at, align))?;
                let align = members.list().iter().map(|member| member.draft.align_bits).fold(explicit, u64::max);
                let class = Draft::new(at, align, Kind::Struct(members))?;
                self.name(at, "struct", name.as_deref(), class)
            }
            TypeKind::Variant { name, tag, body: Some(body) } => {
                let options = self.inner().members(body)?;
                let options = options.list().iter().map(|option| Choice {
                    at: option.at,
                    name: Some(Arc::clone(&option.name)),
                    ranges: None,
                    draft: Arc::clone(&option.draft),
                });
                let kind = Kind::Variant { selector: tag.as_ref().map(reference), options: options.collect() };
                let class = Draft::new(at, 1, kind)?;
                self.name(at, "variant", name.as_deref(), class)
            }
            TypeKind::Enum { name, container, body: Some(body) } => {
                let (align, mut integer) = self.container(at, container.as_deref())?;
                integer.class.mappings = mappings(body)?.into();
                integer.class.is_enumeration = true;
                let class = Draft::new(at, align, Kind::Integer(integer))?;
                self.name(at, "enum", name.as_deref(), class)
            }
        }
    }

    fn name(&mut self, at: usize, keyword: &str, name: Option<&str>, class: Arc<Draft>) -> Result<Arc<Draft>> {
        if let Some(name) = name {
            self.insert(at, format!("{keyword} {name}"), Arc::clone(&class))?;
        }
        Ok(class)
    }

    fn find_tagged(&self, at: usize, keyword: &str, name: &Option<String>) -> Result<Arc<Draft>> {
        self.find(at, &format!("{keyword} {}", name.as_deref().unwrap_or_default()))
    }

    /// Returns the variant `class` with this tag, in a time that does not depend on its size.
    fn with_tag(&self, at: usize, class: &Arc<Draft>, tag: Option<&Path>) -> Result<Arc<Draft>> {
        match (&class.kind, tag) {
            (Kind::Variant { options, .. }, Some(tag)) => {
                let kind = Kind::Variant { selector: Some(reference(tag)), options: Arc::clone(options) };
                Ok(Arc::new(Draft { at, align_bits: 1, depth: class.depth, cost: class.cost, kind }))
            }
            _ => Ok(Arc::clone(class)),
        }
    }

    fn container(&mut self, at: usize, ty: Option<&Type>) -> Result<(u64, Integer)> {
        // Without a container an enumeration has that of C.
        let class = match ty {
            Some(ty) => self.class(ty)?,
            None => self.find(at, "int")?,
        };
        match &class.kind {
            Kind::Integer(integer) if !integer.class.is_enumeration => Ok((class.align_bits, integer.clone())),
            _ => Err(Complaint::new(at, "the container of an enumeration must be an integer")),
        }
    }

    fn members(&mut self, body: &[Member]) -> Result<Members> {
        let mut members = Members::default();
        for member in body {
            let (ty, declarators) = match member {
                Member::Item(item) => {
                    self.declare(item)?;
                    continue;
                }
                Member::Fields { ty, declarators } => (ty, declarators),
            };
            let class = self.pointee(ty, declarators)?;
            for declarator in declarators {
                let class = self.declared(ty, class.as_ref(), declarator)?;
                if !members.push(declarator.at, &declarator.name, class) {
                    let message = format!("there are two members `{}`", declarator.name);
                    return Err(Complaint::new(declarator.at, message));
                }
            }
        }
        Ok(members)
    }

    /// Returns the class of `ty`, unless all `declarators` are pointers to it: then it may have none.
    fn pointee(&mut self, ty: &Type, declarators: &[Declarator]) -> Result<Option<Arc<Draft>>> {
        let is_needed = declarators.iter().any(|declarator| declarator.pointer.is_empty());
        if is_needed { self.class(ty).map(Some) } else { Ok(None) }
    }

    /// Returns what `declarator` makes of `class`, the class of `ty`: a pointer, an array, or just that.
    fn declared(&self, ty: &Type, class: Option<&Arc<Draft>>, declarator: &Declarator) -> Result<Arc<Draft>> {
        let at = declarator.at;
        let class = class.filter(|_| declarator.pointer.is_empty()).cloned();
        let mut class = if let Some(class) = class {
            class
        } else {
            // A pointer is what an alias of that form says; there is no other meaning of one.
            let pointee = match &ty.kind {
                TypeKind::Named(name) => name.clone(),
                TypeKind::Struct { name: Some(name), .. } => format!("struct {name}"),
                TypeKind::Variant { name: Some(name), .. } => format!("variant {name}"),
                TypeKind::Enum { name: Some(name), .. } => format!("enum {name}"),
                _ => String::new(),
            };
            self.find(at, &format!("{pointee}{}", declarator.pointer))?
        };
        // `x[2][3]` is an array of 2 arrays of 3.
        for length in declarator.lengths.iter().rev() {
            class = self.array(at, class, length)?;
        }
        Ok(class)
    }

    /// Returns the class of `length` elements; bytes with an encoding are text.
    fn array(&self, at: usize, element: Arc<Draft>, length: &Length) -> Result<Arc<Draft>> {
        let align = element.align_bits;
        let is_text = match &element.kind {
            Kind::Integer(integer) => integer.is_text && integer.class.bits == 8 && align == 8,
            _ => false,
        };
        let length = match length {
            Length::Field(Path { at, words }) if words.len() == 2 && words[0] == "env" => {
                Length::Count(self.env_length(*at, &words[1])?)
            }
            other => other.clone(),
        };
        let encoding = Encoding::Utf8;
        let kind = match &length {
            Length::Count(len) if is_text => Kind::Plain(ClassKind::StaticText(TextClass { len: *len, encoding })),
            Length::Count(len) => Kind::Array { len: *len, element },
            Length::Field(path) if is_text => Kind::DynamicText { length: reference(path), encoding },
            Length::Field(path) => Kind::Sequence { length: reference(path), element },
        };
        Draft::new(at, align, kind)
    }

    /// Returns the value of the environment entry `name`, which is the length of an array.
    fn env_length(&self, at: usize, name: &str) -> Result<u64> {
        match self.env.get(name) {
            Some(EnvValue::Integer(number)) => u64::try_from(*number).map_err(|_| {
                Complaint::new(at, format!("the length of an array cannot be {number}, as `env.{name}` is"))
            }),
            Some(EnvValue::String(_)) => Err(Complaint::new(at, format!("`env.{name}` is not a number"))),
            None => Err(Complaint::new(at, format!("there is no `{name}` in `env`"))),
        }
    }
}

/// The words that begin a path that is not relative.
const SCOPES: [(&[&str], Scope); 6] = [
    (&["trace", "packet", "header"], Scope::PacketHeader),
    (&["stream", "packet", "context"], Scope::PacketContext),
    (&["stream", "event", "header"], Scope::EventHeader),
    (&["stream", "event", "context"], Scope::EventContext),
    (&["event", "context"], Scope::SpecificContext),
    (&["event", "fields"], Scope::Payload),
];

/// Returns to what `path` refers.
fn reference(path: &Path) -> Reference {
    let words: Vec<&str> = path.words.iter().map(String::as_str).collect();
    let scope = SCOPES.iter().find(|(prefix, _)| words.len() > prefix.len() && words.starts_with(prefix));
    let (origin, skip) = scope.map_or((Origin::Outwards, 0), |(prefix, scope)| (Origin::Scope(*scope), prefix.len()));
    let steps = path.words[skip..].iter().map(|word| Step::Member(word.clone()));
    Reference { at: path.at, origin, path: steps.collect() }
}

/// Returns the labels with their values; values of one label come together where it is first.
fn mappings(labels: &[Label]) -> Result<Vec<Mapping>> {
    let mut mappings: Vec<Mapping> = Vec::with_capacity(labels.len());
    let mut idx_by_label: HashMap<&str, usize> = HashMap::new();
    let mut next = 0;
    for Label { at, name, range } in labels {
        let (low, high) = range.unwrap_or((next, next));
        if low > high {
            return Err(Complaint::new(*at, format!("label `{name}` has the empty range {low} ... {high}")));
        }
        next = high + 1;
        let range = Range { low, high };
        match idx_by_label.get(name.as_str()) {
            Some(idx) => mappings[*idx].ranges.push(range),
            None => {
                idx_by_label.insert(name, mappings.len());
                mappings.push(Mapping { label: name.clone(), ranges: vec![range] });
            }
        }
    }
    Ok(mappings)
}
