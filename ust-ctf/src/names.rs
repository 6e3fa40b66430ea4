// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gives the members of a payload the names they have in TSDL.
//!
//! A name gets one leading underscore, which keeps names and keywords apart and which readers take off
//! again. A sequence and an optional field come with a companion member that holds their count or tag.
//! Names that differ only in characters that TSDL cannot express still become different.
//!
//! The writer and the text printer both call [`member_names`]; applied to what was read back, it gives the
//! names that were written, because a companion is named after the final name of its field.

use std::collections::HashSet;

use crate::escape::identifier_tail;
use crate::model::{Field, FieldType};

/// The names of one field, with the underscore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberNames {
    /// Name of the member that precedes it and holds its count or its tag.
    pub(crate) companion: Option<String>,
    /// Name of the member itself.
    pub(crate) name: String,
}

/// Returns the names of `fields`, in order, all of them different.
pub(crate) fn member_names(fields: &[Field]) -> Vec<MemberNames> {
    let mut names = Names::default();
    let mut members = Vec::with_capacity(fields.len());
    for field in fields {
        let name = names.unique(format!("_{}", identifier_tail(&field.name)));
        let companion = match &field.ty {
            FieldType::Sequence { .. } => Some(names.unique(format!("_{name}_length"))),
            FieldType::Optional(_) => Some(names.unique(format!("_{name}_tag"))),
            FieldType::Scalar(_) | FieldType::Array { .. } => None,
        };
        members.push(MemberNames { companion, name });
    }
    members
}

/// The names of one scope.
#[derive(Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// Returns `wanted`, or `wanted` with a number behind it if the scope has it already.
    pub(crate) fn unique(&mut self, wanted: String) -> String {
        let mut name = wanted.clone();
        let mut count = 1_u32;
        while !self.0.insert(name.clone()) {
            count += 1;
            name = format!("{wanted}_{count}");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Element, Integer, IntegerBits};

    #[test]
    fn names_that_were_read_back_give_the_names_that_were_written() {
        let byte = Integer::unsigned(IntegerBits::B8);
        let sequence = FieldType::Sequence { element: Element::Integer(byte), text: false };
        let fields: Vec<_> = ["x", "x", "x-", "_x_length", "_x_2_length", "", "_"]
            .iter()
            .flat_map(|name| [Field::new(*name, sequence.clone()), Field::new(*name, byte)])
            .collect();
        let written = member_names(&fields);
        let read_back: Vec<_> =
            fields.iter().zip(&written).map(|(field, names)| Field::new(&names.name[1..], field.ty.clone())).collect();
        assert_eq!(member_names(&read_back), written);
    }
}
