// SPDX-License-Identifier: MIT OR Apache-2.0
//! Resolves types: the declared names of a scope, and the class of each type.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Attribute, Item, Label, Length, Member, Type, TypeKind, Value};
use super::class::{Class, ClassKind, FloatClass, IntegerClass, MemberClass};
use super::resolve::{Result, byte_order, number};
use crate::limits::TYPE_DEPTH_MAX;
use crate::model::{Base, Mapping};
use crate::reader::error::Complaint;

/// The names that are declared so far, in a block and in the text around it.
#[derive(Default)]
pub(super) struct Scope<'outer> {
    outer: Option<&'outer Scope<'outer>>,
    /// By `struct NAME`, `variant NAME`, `enum NAME`, or the words of an alias.
    names: HashMap<String, Arc<Class>>,
}

impl Scope<'_> {
    /// Returns an empty scope inside this one.
    pub(super) fn inner(&self) -> Scope<'_> {
        Scope { outer: Some(self), names: HashMap::new() }
    }

    /// Declares what `item` declares, if anything.
    pub(super) fn declare(&mut self, item: &Item) -> Result<()> {
        match item {
            Item::Alias { at, ty, name } => self.alias(*at, ty, name),
            Item::Declare(ty) => self.class(ty).map(drop),
            _ => Ok(()),
        }
    }

    /// Declares `name` to mean `ty`.
    pub(super) fn alias(&mut self, at: usize, ty: &Type, name: &str) -> Result<()> {
        let class = self.class(ty)?;
        self.insert(at, name.to_owned(), class)
    }

    fn insert(&mut self, at: usize, name: String, class: Arc<Class>) -> Result<()> {
        if self.names.contains_key(&name) {
            return Err(Complaint::new(at, format!("`{name}` is declared twice")));
        }
        self.names.insert(name, class);
        Ok(())
    }

    fn find(&self, at: usize, name: &str) -> Result<Arc<Class>> {
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
    pub(super) fn class(&mut self, ty: &Type) -> Result<Arc<Class>> {
        let at = ty.at;
        let (keyword, name, kind) = match &ty.kind {
            TypeKind::Integer(attributes) => ("", &None, ClassKind::Integer(integer(at, attributes)?)),
            TypeKind::Float(attributes) => ("", &None, ClassKind::Float(float(at, attributes)?)),
            TypeKind::String(_) => ("", &None, ClassKind::String),
            TypeKind::Named(name) => return self.find(at, name),
            TypeKind::Struct { name, body: None, .. } => return self.find_tagged(at, "struct", name),
            TypeKind::Enum { name, body: None, .. } => return self.find_tagged(at, "enum", name),
            TypeKind::Variant { name, body: None, tag } => {
                let class = self.find_tagged(at, "variant", name)?;
                return self.with_tag(at, &class, tag);
            }
            TypeKind::Struct { name, body: Some(body), align } => {
                let members = self.inner().members(body)?;
                ("struct", name, ClassKind::Struct { members, align: align.unwrap_or(1) })
            }
            TypeKind::Variant { name, tag, body: Some(body) } => {
                let options = self.inner().members(body)?;
                ("variant", name, ClassKind::Variant { tag: tag.clone(), options })
            }
            TypeKind::Enum { name, container, body: Some(body) } => {
                let container = self.container(at, container.as_deref())?;
                ("enum", name, ClassKind::Enum { mappings: mappings(body)?, container })
            }
        };
        let class = new_class(at, kind)?;
        if let Some(name) = name {
            self.insert(at, format!("{keyword} {name}"), Arc::clone(&class))?;
        }
        Ok(class)
    }

    fn find_tagged(&self, at: usize, keyword: &str, name: &Option<String>) -> Result<Arc<Class>> {
        self.find(at, &format!("{keyword} {}", name.as_deref().unwrap_or_default()))
    }

    fn with_tag(&self, at: usize, class: &Class, tag: &Option<String>) -> Result<Arc<Class>> {
        match &class.kind {
            ClassKind::Variant { options, .. } => {
                new_class(at, ClassKind::Variant { tag: tag.clone(), options: options.clone() })
            }
            _ => Err(Complaint::new(at, "this name is not that of a variant")),
        }
    }

    fn container(&mut self, at: usize, ty: Option<&Type>) -> Result<IntegerClass> {
        // Without a container an enumeration has that of C.
        let class = match ty {
            Some(ty) => self.class(ty)?,
            None => self.find(at, "int")?,
        };
        match &class.kind {
            ClassKind::Integer(integer) => Ok(integer.clone()),
            _ => Err(Complaint::new(at, "the container of an enumeration must be an integer")),
        }
    }

    fn members(&mut self, body: &[Member]) -> Result<Vec<MemberClass>> {
        let mut members: Vec<MemberClass> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for member in body {
            let (at, ty, name, lengths) = match member {
                Member::Item(item) => {
                    self.declare(item)?;
                    continue;
                }
                Member::Field { at, ty, name, lengths } => (*at, ty, name, lengths),
            };
            if !seen.insert(name) {
                return Err(Complaint::new(at, format!("there are two members `{name}`")));
            }
            let mut class = self.class(ty)?;
            // `x[2][3]` is an array of 2 arrays of 3.
            for length in lengths.iter().rev() {
                let kind = match length {
                    Length::Count(len) => ClassKind::Array { element: class, len: *len },
                    Length::Field(length) => ClassKind::Sequence { element: class, length: length.clone() },
                };
                class = new_class(at, kind)?;
            }
            members.push(MemberClass { name: name.clone(), class });
        }
        Ok(members)
    }
}

fn new_class(at: usize, kind: ClassKind) -> Result<Arc<Class>> {
    let inner = match &kind {
        ClassKind::Struct { members, .. } | ClassKind::Variant { options: members, .. } => {
            members.iter().map(|member| member.class.depth).max().unwrap_or(0)
        }
        ClassKind::Array { element, .. } | ClassKind::Sequence { element, .. } => element.depth,
        _ => 0,
    };
    let depth = inner + 1;
    if depth > TYPE_DEPTH_MAX {
        return Err(Complaint::new(at, format!("types nest deeper than {TYPE_DEPTH_MAX} levels")));
    }
    Ok(Arc::new(Class { at, depth, kind }))
}

fn integer(at: usize, attributes: &[Attribute]) -> Result<IntegerClass> {
    let mut bits = None;
    let mut align = None;
    let mut class = IntegerClass {
        bits: 0,
        align: 0,
        signed: false,
        base: Base::Decimal,
        byte_order: None,
        text: false,
        clock: None,
    };
    for Attribute { at, name, value } in attributes {
        match name.as_str() {
            "size" => bits = Some(number::<u64>(*at, name, value)?),
            "align" => align = Some(alignment(*at, value)?),
            "signed" => class.signed = boolean(*at, name, value)?,
            "base" => class.base = base(*at, value)?,
            "byte_order" if *value != native() => class.byte_order = Some(byte_order(*at, value)?),
            "encoding" => class.text = is_text(value),
            "map" => class.clock = Some(clock_name(*at, value)?),
            _ => {}
        }
    }
    class.bits = match bits {
        Some(bits @ 1..=64) => bits,
        Some(bits) => {
            return Err(Complaint::new(at, format!("an integer of {bits} bits: it must have 1 to 64")));
        }
        None => return Err(Complaint::new(at, "this integer has no `size`")),
    };
    class.align = align.unwrap_or(if class.bits.is_multiple_of(8) { 8 } else { 1 });
    Ok(class)
}

fn float(at: usize, attributes: &[Attribute]) -> Result<FloatClass> {
    let mut class = FloatClass { exponent_bits: 0, mantissa_bits: 0, align: 8, byte_order: None };
    for Attribute { at, name, value } in attributes {
        match name.as_str() {
            "exp_dig" => class.exponent_bits = number(*at, name, value)?,
            "mant_dig" => class.mantissa_bits = number(*at, name, value)?,
            "align" => class.align = alignment(*at, value)?,
            "byte_order" if *value != native() => class.byte_order = Some(byte_order(*at, value)?),
            _ => {}
        }
    }
    match (class.exponent_bits, class.mantissa_bits) {
        (8, 24) | (11, 53) => Ok(class),
        (exponent, mantissa) => Err(Complaint::new(
            at,
            format!(
                "a floating point number of {exponent} and {mantissa} digits: only 8 and 24, or 11 and 53, are read"
            ),
        )),
    }
}

fn native() -> Value {
    Value::Words("native".to_owned())
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::Words(word) if word.eq_ignore_ascii_case("utf8") || word.eq_ignore_ascii_case("ascii"))
}

fn alignment(at: usize, value: &Value) -> Result<u64> {
    let align: u64 = number(at, "align", value)?;
    if !align.is_power_of_two() {
        return Err(Complaint::new(at, format!("`align` cannot be {align}: it must be a power of two")));
    }
    Ok(align)
}

fn boolean(at: usize, name: &str, value: &Value) -> Result<bool> {
    match value {
        Value::Number(0) => Ok(false),
        Value::Number(1) => Ok(true),
        Value::Words(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Value::Words(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(Complaint::new(at, format!("`{name}` must be `true` or `false`"))),
    }
}

fn base(at: usize, value: &Value) -> Result<Base> {
    let radix = match value {
        Value::Number(number) => u64::try_from(*number).ok(),
        Value::Words(word) => match word.as_str() {
            "decimal" | "dec" | "d" | "i" | "u" => Some(10),
            "hexadecimal" | "hex" | "x" | "X" | "p" => Some(16),
            "octal" | "oct" | "o" => Some(8),
            "binary" | "b" => Some(2),
            _ => None,
        },
        Value::String(_) => None,
    };
    radix.and_then(Base::from_radix).ok_or_else(|| Complaint::new(at, "`base` must be 2, 8, 10 or 16"))
}

fn clock_name(at: usize, value: &Value) -> Result<String> {
    let Value::Words(words) = value else {
        return Err(Complaint::new(at, "`map` must name the value of a clock"));
    };
    let name = words.strip_prefix("clock.").and_then(|rest| rest.strip_suffix(".value"));
    name.map(str::to_owned).ok_or_else(|| Complaint::new(at, "`map` must have the form `clock.NAME.value`"))
}

fn mappings(labels: &[Label]) -> Result<Vec<Mapping>> {
    let mut mappings = Vec::with_capacity(labels.len());
    let mut next = 0;
    for Label { at, name, range } in labels {
        let (low, high) = range.unwrap_or((next, next));
        if low > high {
            return Err(Complaint::new(*at, format!("label `{name}` has the empty range {low} ... {high}")));
        }
        mappings.push(Mapping { label: name.clone(), low, high });
        next = high + 1;
    }
    Ok(mappings)
}
