// SPDX-License-Identifier: MIT OR Apache-2.0
//! Enumerations as enums of Rust, one for each integer type that an enumeration is recorded as.

use crate::ctype::Scalar;
use crate::model::{Enumeration, Label, Name};
use crate::rust::Refusal;
use crate::rust::names;
use crate::rust::role::rust_type;
use crate::source::Span;

/// An enum.
#[derive(Clone, Debug)]
pub(super) struct Enum {
    pub(super) ident: String,
    pub(super) repr: String,
    pub(super) docs: String,
    pub(super) span: Span,
    pub(super) variants: Vec<Variant>,
    /// The enumeration, and the type it is recorded as.
    key: (String, String, Scalar),
}

/// A name for a value, or for a range of values.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) ident: String,
    pub(super) label: String,
    pub(super) value: i128,
    pub(super) range: Option<(i128, i128)>,
}

/// The enums made so far.
#[derive(Debug)]
pub(super) struct Enums<'a> {
    enumerations: &'a [Enumeration],
    pub(super) made: Vec<Enum>,
    /// Names that no enum can have.
    reserved: Vec<String>,
}

impl<'a> Enums<'a> {
    pub(super) fn new(enumerations: &'a [Enumeration], reserved: Vec<String>) -> Self {
        Self { enumerations, made: Vec::new(), reserved }
    }

    /// Returns the position of the enum that has an enumeration's names for values of the type `container`.
    pub(super) fn get(&mut self, provider: &Name, name: &Name, container: Scalar) -> Result<usize, Refusal> {
        let key = (provider.text.clone(), name.text.clone(), container);
        if let Some(known) = self.find(provider, name, container) {
            return Ok(known);
        }
        let of_name =
            |other: &&Enumeration| other.head.name.text == name.text && other.head.provider.text == provider.text;
        let Some(found) = self.enumerations.iter().filter(of_name).find(|found| found.head.is_usual) else {
            let reason = format!("the enumeration `{}` is not there without -D", name.text);
            return Err(Refusal::new(name.span, reason));
        };
        let Scalar::Integer { .. } = container else {
            return Err(Refusal::new(name.span, "an enumeration is recorded as `char` or `bool`: no enum of Rust is"));
        };
        let variants = variants(found, container)?;
        let repr = rust_type(container).to_owned();
        let base = names::camel_case(&name.text);
        let ident = match self.made.iter().any(|made| made.ident == base) {
            true => format!("{base}{}", names::camel_case(&repr)),
            false => base,
        };
        let ident = names::unique(ident, &mut self.reserved);
        self.made.push(Enum { ident, repr, docs: found.head.docs.clone(), span: found.head.span, variants, key });
        Ok(self.made.len() - 1)
    }

    /// Returns the enum for an enumeration and a type, if it was made.
    pub(super) fn find(&self, provider: &Name, name: &Name, container: Scalar) -> Option<usize> {
        let is_it = |made: &Enum| made.key == (provider.text.clone(), name.text.clone(), container);
        self.made.iter().position(is_it)
    }

    /// Returns the variant of an enum for a value.
    pub(super) fn variant(&self, index: usize, value: i128) -> Option<String> {
        let Enum { ident, variants, .. } = &self.made[index];
        let exact = variants.iter().find(|variant| variant.value == value)?;
        Some(format!("{ident}::{}", exact.ident))
    }
}

fn variants(enumeration: &Enumeration, container: Scalar) -> Result<Vec<Variant>, Refusal> {
    let refuse = |label: &Label, reason: String| Err(Refusal::new(label.span, reason));
    let (mut variants, mut taken): (Vec<Variant>, Vec<String>) = (Vec::new(), Vec::new());
    let single = |label: &Label| label.numbers.filter(|(low, high)| low == high).map(|(low, _)| low);
    for label in &enumeration.labels {
        let Some((low, high)) = label.numbers else {
            return refuse(label, format!("the value of the label \"{}\" is a constant of C", label.text));
        };
        if label.text.is_empty() {
            return refuse(label, "a label is empty".to_owned());
        }
        if !(fits(low, container) && fits(high, container)) {
            let message = format!("the label \"{}\" has values that do not fit `{}`", label.text, rust_type(container));
            return refuse(label, message);
        }
        // A variant of a range has one value in it that no other label has for itself.
        let is_free = |value: &i128| {
            let of_others = enumeration.labels.iter().filter(|other| other.span != label.span).filter_map(single);
            !of_others.into_iter().any(|other| other == *value)
                && !variants.iter().any(|variant| variant.value == *value)
        };
        let count = enumeration.labels.len() as i128;
        let Some(value) = (low..=high.min(low.saturating_add(count))).find(is_free) else {
            return refuse(
                label,
                format!("the label \"{}\" shares its value with another: a variant cannot", label.text),
            );
        };
        let ident = names::unique(names::camel_case(&label.text), &mut taken);
        let range = (low != high).then_some((low, high));
        variants.push(Variant { ident, label: label.text.clone(), value, range });
    }
    Ok(variants)
}

fn fits(value: i128, container: Scalar) -> bool {
    let bits = u32::from(container.bytes()) * 8;
    match container.is_signed() {
        true => -(1 << (bits - 1)) <= value && value < 1 << (bits - 1),
        false => 0 <= value && value < 1 << bits,
    }
}
