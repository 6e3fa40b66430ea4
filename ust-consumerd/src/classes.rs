// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stream classes: which processes share one set of event declarations.
//!
//! A class maps event ids to descriptors. A process fits a class when no id means something else there; its
//! own ids are then added. So all runs of one program share a class, and a process that loads a library extends the class
//! it is in, unless another process has given those ids a different meaning: then it moves to another class.

use std::collections::BTreeMap;
use std::sync::Arc;

use ust_ctf::model::{self, Element, EventClass, FloatBits, IntegerBits};
use ust_shm::context::{Context, ContextList, ContextType};
use ust_shm::decode::{Field, FieldType, Tracepoint};
use ust_shm::descriptor::{Base, Integer, Scalar};

/// Event ids and what they mean.
pub(crate) type Table = BTreeMap<u16, Arc<Tracepoint>>;

/// All classes of a trace.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    tables: Vec<(ContextList, Table)>,
    /// What people call raw counters.
    raw_names: BTreeMap<Context, String>,
}

impl Classes {
    /// The class for a process with these descriptors in a channel with these contexts, preferably `current`; and whether the classes
    /// changed.
    pub(crate) fn assign(&mut self, current: Option<usize>, contexts: &ContextList, table: &Table) -> (usize, bool) {
        let found = current.into_iter().chain(0..self.tables.len()).find(|&idx| self.fits(idx, contexts, table));
        let Some(class_idx) = found else {
            self.tables.push((*contexts, table.clone()));
            return (self.tables.len() - 1, true);
        };
        let (_, class) = &mut self.tables[class_idx];
        let before = class.len();
        for (&id, tracepoint) in table {
            class.entry(id).or_insert_with(|| Arc::clone(tracepoint));
        }
        let grew = class.len() != before;
        (class_idx, grew)
    }

    /// Notes what people call a raw counter.
    pub(crate) fn name_raw(&mut self, context: Context, name: &str) {
        self.raw_names.insert(context, name.to_owned());
    }

    fn fits(&self, class_idx: usize, contexts: &ContextList, table: &Table) -> bool {
        let Some((theirs, class)) = self.tables.get(class_idx) else { return false };
        theirs == contexts && table.iter().all(|(id, tracepoint)| class.get(id).is_none_or(|there| there == tracepoint))
    }

    /// The classes as the metadata describes them, numbered from `first` on.
    pub(crate) fn model(&self, first: usize) -> Vec<model::StreamClass> {
        (first as u64..)
            .zip(&self.tables)
            .map(|(id, (contexts, table))| model::StreamClass {
                id,
                context: contexts.iter().map(|of| context(of, self.raw_names.get(&of))).collect(),
                events: table.iter().map(|(&id, tracepoint)| event_class(id, tracepoint)).collect(),
            })
            .collect()
    }
}

/// A context as LTTng describes it.
fn context(context: Context, name: Option<&String>) -> model::Field {
    let ty = match context.ty() {
        ContextType::Integer(i) => model::FieldType::Scalar(model::Scalar::Integer(integer(i))),
        ContextType::Text(len) => {
            let element = Integer { bits: 8, signed: true, base: Base::Decimal, network: false };
            model::FieldType::Array { element: Element::Integer(integer(element)), len, text: true }
        }
    };
    model::Field::new(name.cloned().unwrap_or_else(|| context.to_string()), ty)
}

fn event_class(id: u16, tracepoint: &Tracepoint) -> EventClass {
    let uri = &tracepoint.model_emf_uri;
    EventClass {
        id,
        name: format!("{}:{}", tracepoint.provider, tracepoint.name),
        loglevel: Some(i32::from(tracepoint.loglevel)),
        model_emf_uri: (!uri.is_empty()).then(|| uri.clone()),
        fields: tracepoint.fields.iter().filter(|field| !field.nowrite).map(field).collect(),
        source: (!tracepoint.file.is_empty()).then(|| model::Source {
            file: tracepoint.file.clone(),
            line: tracepoint.line,
            module: tracepoint.module.clone(),
        }),
    }
}

fn field(field: &Field) -> model::Field {
    let ty = match &field.ty {
        FieldType::Scalar(scalar) => model::FieldType::Scalar(number(*scalar)),
        FieldType::String => model::FieldType::Scalar(model::Scalar::String),
        FieldType::Array { element: e, len, text } => {
            model::FieldType::Array { element: element(*e), len: *len, text: *text }
        }
        FieldType::Sequence { element: e, text } => model::FieldType::Sequence { element: element(*e), text: *text },
        FieldType::Enumeration { container, mappings, .. } => {
            let widen = |value: u64| if container.signed { i128::from(value as i64) } else { i128::from(value) };
            let mappings = mappings.iter().map(|mapping| model::Mapping {
                label: mapping.label.clone(),
                low: widen(mapping.low),
                high: widen(mapping.high),
            });
            model::Enumeration { container: integer(*container), mappings: mappings.collect() }.into()
        }
        FieldType::Optional(scalar) => model::FieldType::Optional(number(*scalar)),
    };
    model::Field::new(field.name.clone(), ty)
}

fn number(scalar: Scalar) -> model::Scalar {
    match element(scalar) {
        Element::Integer(integer) => model::Scalar::Integer(integer),
        Element::Float(float) => model::Scalar::Float(float),
    }
}

fn element(scalar: Scalar) -> Element {
    match scalar {
        Scalar::Integer(i) => Element::Integer(integer(i)),
        Scalar::Float { bits } => Element::Float(model::Float {
            bits: if bits == 32 { FloatBits::B32 } else { FloatBits::B64 },
            byte_order: model::ByteOrder::Little,
        }),
    }
}

fn integer(i: Integer) -> model::Integer {
    model::Integer {
        // The decoder lets no other width pass.
        bits: IntegerBits::from_bits(u64::from(i.bits)).unwrap_or(IntegerBits::B64),
        signed: i.signed,
        base: match i.base {
            Base::Binary => model::Base::Binary,
            Base::Octal => model::Base::Octal,
            Base::Decimal => model::Base::Decimal,
            Base::Hexadecimal => model::Base::Hexadecimal,
        },
        byte_order: if i.network { model::ByteOrder::Big } else { model::ByteOrder::Little },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: ContextList = ContextList::NONE;

    fn table(names: &[(u16, &str)]) -> Table {
        let tracepoint = |name: &str| Tracepoint {
            provider: "shop".to_owned(),
            name: name.to_owned(),
            loglevel: 6,
            model_emf_uri: String::new(),
            file: "shop.rs".to_owned(),
            line: 1,
            module: "shop".to_owned(),
            fields: Vec::new(),
        };
        names.iter().map(|&(id, name)| (id, Arc::new(tracepoint(name)))).collect()
    }

    #[test]
    fn runs_of_one_program_share_a_class_and_another_program_gets_its_own() {
        let mut classes = Classes::default();
        assert_eq!(classes.assign(None, &NONE, &table(&[(0, "a"), (1, "b")])), (0, true));
        assert_eq!(classes.assign(None, &NONE, &table(&[(0, "a"), (1, "b")])), (0, false));
        assert_eq!(classes.assign(None, &NONE, &table(&[(0, "x")])), (1, true));
        assert_eq!(classes.model(0).len(), 2);
    }

    #[test]
    fn channels_with_other_contexts_have_classes_of_their_own() {
        let mut classes = Classes::default();
        let some = ContextList::new(&[Context::VTID, Context::from_name("perf:thread:cycles").expect("known")]);
        classes.assign(None, &NONE, &table(&[(0, "a")]));
        assert_eq!(classes.assign(Some(0), &some.expect("short"), &table(&[(0, "a")])), (1, true));
        let names: Vec<_> = classes.model(0)[1].context.iter().map(|field| field.name.clone()).collect();
        assert_eq!(names, ["vtid", "perf:thread:cycles"]);
    }

    #[test]
    fn raw_counters_bear_the_names_that_they_were_given() {
        let mut classes = Classes::default();
        let list = ContextList::new(&[Context::raw(0x1a8), Context::raw(2)]).expect("short");
        classes.name_raw(Context::raw(0x1a8), "perf:thread:raw:r1a8:ld_blocks");
        classes.assign(None, &list, &table(&[(0, "a")]));
        let names: Vec<_> = classes.model(0)[0].context.iter().map(|field| field.name.clone()).collect();
        assert_eq!(names, ["perf:thread:raw:r1a8:ld_blocks", "perf:thread:raw:r2"]);
    }

    #[test]
    fn a_process_that_loads_a_library_extends_its_class_unless_the_ids_mean_something_else_there() {
        let mut classes = Classes::default();
        classes.assign(None, &NONE, &table(&[(0, "a")]));
        assert_eq!(classes.assign(Some(0), &NONE, &table(&[(0, "a"), (1, "plugin")])), (0, true));
        // Its twin loads another library under the same id.
        assert_eq!(classes.assign(Some(0), &NONE, &table(&[(0, "a"), (1, "other")])), (1, true));
        assert_eq!(classes.model(0)[0].events.len(), 2);
    }
}
