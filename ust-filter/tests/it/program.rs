// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiled, linked and run, a filter says what it says of the tree; and no program, however damaged, upsets anything.
//!
//! # Safety
//! The memory of linked programs is a live vector of words.

#![allow(unsafe_code)]

use std::borrow::Cow;
use std::ptr::NonNull;

use proptest::collection::vec;
use proptest::prelude::*;
use ust_filter::{Filter, Reference, Root, Step, Value, Values};
use ust_shm::context::Context;
use ust_shm::decode::{Field, FieldType};
use ust_shm::descriptor::{Base, Integer, Scalar};
use ust_shm::filter::Program;
use ust_shm::filter::link::link;
use ust_shm::filter::run::{ContextSource, ContextValue, Corrupt, SoleComparison, run};
use ust_shm::region::{Region, Words};

/// A field with the value that it has.
#[derive(Clone, Debug)]
enum Of {
    Number(Scalar, u64),
    Text(String),
    /// Element, elements, whether they are text, whether the number of them is stored.
    List(Scalar, Vec<u64>, bool, bool),
    Optional(Scalar, Option<u64>),
    Enumeration(Integer, u64),
}

struct Event {
    fields: Vec<(Field, Of)>,
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn bytes_of(scalar: Scalar, value: u64) -> Vec<u8> {
    let (bits, network) = match scalar {
        Scalar::Integer(i) => (i.bits, i.network),
        Scalar::Float { bits } => (bits, false),
    };
    let mut bytes = value.to_le_bytes()[..usize::from(bits / 8)].to_vec();
    if network {
        bytes.reverse();
    }
    bytes
}

fn value_of(scalar: Scalar, value: u64) -> Value<'static> {
    match scalar {
        Scalar::Float { bits: 32 } => Value::Float(f32::from_bits(value as u32).into()),
        Scalar::Float { .. } => Value::Float(f64::from_bits(value)),
        Scalar::Integer(i) => {
            let unused = 64 - u32::from(i.bits);
            Value::Integer(if i.signed {
                (value << unused) as i64 >> unused
            } else {
                (value << unused >> unused) as i64
            })
        }
    }
}

fn text_of(values: &[u64]) -> Vec<u8> {
    values.iter().map(|&value| value as u8).take_while(|&byte| byte != 0).collect()
}

impl Event {
    fn record(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for nowrite in [false, true] {
            for (_, of) in self.fields.iter().filter(|(field, _)| field.nowrite == nowrite) {
                match of {
                    Of::Number(scalar, value) => out.extend(bytes_of(*scalar, *value)),
                    Of::Enumeration(integer, value) => out.extend(bytes_of(Scalar::Integer(*integer), *value)),
                    Of::Text(text) => {
                        out.extend(text.bytes());
                        out.push(0);
                    }
                    Of::List(element, values, _, counted) => {
                        if *counted {
                            out.extend((values.len() as u32).to_le_bytes());
                        }
                        out.extend(values.iter().flat_map(|value| bytes_of(*element, *value)));
                    }
                    Of::Optional(_, None) => out.push(0),
                    Of::Optional(scalar, Some(value)) => {
                        out.push(1);
                        out.extend(bytes_of(*scalar, *value));
                    }
                }
            }
        }
        out
    }
}

impl Values for Event {
    fn value(&self, reference: &Reference) -> Option<Value<'_>> {
        let (Step::Member(name), rest) = reference.steps.split_first()? else { return None };
        if reference.root == Root::Context {
            return match (self.context(Context::from_name(name)?)?, rest) {
                (ContextValue::Integer(value), []) => Some(Value::Integer(value)),
                (ContextValue::Text(text), []) => Some(Value::Text(Cow::Borrowed(&text[..4]))),
                _ => None,
            };
        }
        let of = self.fields.iter().find(|(field, _)| field.name == *name && reference.root == Root::Payload)?;
        Some(match (&of.1, rest) {
            (Of::Number(scalar, value), []) => value_of(*scalar, *value),
            (Of::Enumeration(integer, value), []) => value_of(Scalar::Integer(*integer), *value),
            (Of::Text(text), []) => Value::Text(Cow::Borrowed(text.as_bytes())),
            (Of::List(_, values, true, _), []) => Value::Text(Cow::Owned(text_of(values))),
            (Of::List(element, values, ..), [Step::Element(idx)]) => value_of(*element, *values.get(*idx as usize)?),
            (Of::Optional(scalar, Some(value)), []) => value_of(*scalar, *value),
            _ => return None,
        })
    }
}

impl ContextSource for Event {
    fn context(&self, context: Context) -> Option<ContextValue<'_>> {
        match context {
            Context::VPID => Some(ContextValue::Integer(7)),
            Context::PROCNAME => Some(ContextValue::Text(b"name\0\0")),
            _ => None,
        }
    }
}

fn scalar() -> impl Strategy<Value = Scalar> {
    let bits = prop::sample::select(vec![8u8, 16, 32, 64]);
    let integer = (bits, any::<bool>(), any::<bool>())
        .prop_map(|(bits, signed, network)| Scalar::Integer(Integer { bits, signed, base: Base::Decimal, network }));
    prop_oneof![4 => integer, 1 => Just(Scalar::Float { bits: 32 }), 1 => Just(Scalar::Float { bits: 64 })]
}

/// Often small, so that comparisons are close.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..4, Just(u64::MAX), Just(1.5f64.to_bits()), Just(u64::from(1.5f32.to_bits())), any::<u64>()]
}

const BYTE: Scalar = Scalar::Integer(Integer { bits: 8, signed: false, base: Base::Decimal, network: false });

fn field() -> impl Strategy<Value = (FieldType, Of)> {
    let list = |scalar, counted: bool, text: bool, values: Vec<u64>| {
        let ty = match counted {
            true => FieldType::Sequence { element: scalar, text },
            false => FieldType::Array { element: scalar, len: values.len() as u32, text },
        };
        (ty, Of::List(scalar, values, text, counted))
    };
    let letters = vec(prop::sample::select(b"ab*\\\0".to_vec()).prop_map(u64::from), 0..5);
    prop_oneof![
        3 => (scalar(), number()).prop_map(|(s, n)| (FieldType::Scalar(s), Of::Number(s, n))),
        2 => "[ab*]{0,4}".prop_map(|text| (FieldType::String, Of::Text(text))),
        1 => (scalar(), any::<bool>(), vec(number(), 0..4)).prop_map(move |(s, c, v)| list(s, c, false, v)),
        1 => (any::<bool>(), letters).prop_map(move |(c, v)| list(BYTE, c, true, v)),
        1 => (scalar(), prop::option::of(number())).prop_map(|(s, n)| (FieldType::Optional(s), Of::Optional(s, n))),
        1 => number().prop_map(|n| {
            let container = Integer { bits: 16, signed: true, base: Base::Decimal, network: false };
            let ty = FieldType::Enumeration { container, name: String::new(), mappings: Vec::new() };
            (ty, Of::Enumeration(container, n))
        }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    vec((field(), prop::bool::weighted(0.3)), 0..NAMES.len()).prop_map(|fields| {
        let named = fields
            .into_iter()
            .zip(NAMES)
            .map(|(((ty, of), nowrite), name)| (Field { name: name.to_owned(), nowrite, ty }, of));
        Event { fields: named.collect() }
    })
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.fields).finish()
    }
}

fn filter_text() -> impl Strategy<Value = String> {
    let field = prop::sample::select(&NAMES[..]).prop_map(str::to_owned);
    let leaf = prop_oneof![
        6 => field.clone(),
        2 => (field, 0..4).prop_map(|(name, idx)| format!("{name}[{idx}]")),
        1 => prop::sample::select(vec!["$ctx.vpid", "$ctx.procname", "$ctx.vtid", "$app.x:y", "a.b"]).prop_map(str::to_owned),
        4 => prop::sample::select(vec!["0", "1", "2", "7", "0xffff", "18446744073709551615", "'a'"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["1.5", "0.0", "2.0"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![r#""""#, r#""a""#, r#""ab""#, r#""a*""#, r#""*b*""#, r#""na*""#, r#""\*""#, r#""aaaabbbbaaaa""#])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 24, 2, |inner| {
        let binary =
            prop::sample::select(vec!["||", "&&", "==", "!=", "<", ">", "<=", ">=", "|", "^", "&", "<<", ">>"]);
        prop_oneof![
            4 => (inner.clone(), binary, inner.clone()).prop_map(|(l, op, r)| format!("({l} {op} {r})")),
            1 => (prop::sample::select(vec!["!", "-", "+", "~"]), inner).prop_map(|(op, of)| format!("({op} {of})")),
        ]
    })
}

/// Links to words of this process's memory.
fn linked(bytes: &[u8], fields: &[Field]) -> Vec<u64> {
    let mut words = Vec::new();
    link(&Program::parse(bytes).expect("a program"), fields, &mut |word| words.push(word)).expect("small");
    words
}

fn ask(words: &mut [u64], record: &[u8], event: &Event) -> Result<bool, Corrupt> {
    // A region's base is aligned to 64 bytes, which for words of 8 the accesses do not need.
    let base = NonNull::new(words.as_mut_ptr().cast()).expect("not null");
    // SAFETY: the words live through the call; they are reached through the region alone.
    let region = unsafe { Region::new(base, 8 * words.len() as u64) };
    let words = region.words(0, words.len() as u32).expect("in bounds");
    let answer = run(words, record, event);
    if let (Some(short), Ok(answer)) = (short_answer(words, record), answer) {
        assert_eq!(short, answer, "the short way of one comparison");
    }
    answer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_program_says_what_the_tree_says(text in filter_text(), event in event()) {
        let Ok(filter) = Filter::parse(&text) else { return Ok(()) };
        let program = filter.compile().expect("small");
        let fields: Vec<Field> = event.fields.iter().map(|(field, _)| field.clone()).collect();
        let answer = ask(&mut linked(&program, &fields), &event.record(), &event);
        prop_assert_eq!(answer, Ok(filter.accepts(&event)), "{}", text);
    }

    #[test]
    fn a_damaged_program_or_record_gives_an_answer_or_says_so(
        text in filter_text(),
        event in event(),
        flips in vec((any::<prop::sample::Index>(), 0..64u32), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let Ok(filter) = Filter::parse(&text) else { return Ok(()) };
        let mut program = filter.compile().expect("small");
        let fields: Vec<Field> = event.fields.iter().map(|(field, _)| field.clone()).collect();
        let record = event.record();
        let mut words = linked(&program, &fields);
        let _ = ask(&mut words, &record[..cut.index(record.len() + 1)], &event);
        for (idx, bit) in &flips {
            let idx = idx.index(words.len());
            words[idx] ^= 1 << bit;
            let _ = ask(&mut words, &record, &event);
        }
        let _ = ask(&mut words[..cut.index(program.len() / 8).max(1)], &record, &event);
        for (idx, bit) in &flips {
            let idx = idx.index(program.len());
            program[idx] ^= 1 << (bit % 8);
            if let Some(damaged) = Program::parse(&program) {
                let mut words = Vec::new();
                if link(&damaged, fields.as_slice(), &mut |word| words.push(word)).is_some() {
                    let _ = ask(&mut words, &record, &event);
                }
            }
        }
    }

    #[test]
    fn random_words_give_an_answer_or_say_that_they_are_none(
        mut words in vec(prop_oneof![any::<u64>(), 0u64..16, (0u64..16).prop_map(|op| op | 1 << 32)], 1..40),
        code_words in 0u64..40,
        record in vec(any::<u8>(), 0..40),
    ) {
        let event = Event { fields: Vec::new() };
        let _ = ask(&mut words, &record, &event);
        words[0] = code_words | 4 << 48 | 1 << 56;
        let _ = ask(&mut words, &record, &event);
    }
}

#[test]
fn a_filter_that_is_too_much_for_a_traced_program_is_refused_with_the_reason() {
    let refused = |text: &str| Filter::parse(text).expect("a filter").compile().expect_err(text).to_string();
    let deep = format!("{}1{}", "1 == (".repeat(40), ")".repeat(40));
    assert!(refused(&deep).contains("deeper than 32 levels"), "{}", refused(&deep));
    let fields: Vec<String> = (0..300).map(|i| format!("f{i}")).collect();
    assert!(refused(&fields.join(" || ")).contains("more than 256 fields"));
    assert!(refused(&format!("a == \"{}\"", "x".repeat(20_000))).contains("more than 16384 bytes"));
    assert!(refused("$ctx.vpd == 1").contains("`$ctx.vpid`"));
    let long = fields[..200].iter().map(|f| format!("{f} == 1")).collect::<Vec<_>>().join(" && ");
    assert!(Filter::parse(&long).expect("a filter").compile().is_ok());
}

#[test]
fn a_comparison_with_a_number_is_answered_the_short_way_whatever_its_sign_and_side() {
    let scalar = Scalar::Integer(Integer { bits: 32, signed: true, base: Base::Decimal, network: false });
    let field = Field { name: "a".to_owned(), ty: FieldType::Scalar(scalar), nowrite: false };
    for operator in ["==", "!=", "<", ">", "<=", ">="] {
        for number in ["2", "-2", "+2", "~1", "-(-2)"] {
            for text in [format!("a {operator} {number}"), format!("{number} {operator} a")] {
                let filter = Filter::parse(&text).expect("a filter");
                let program = filter.compile().expect("small");
                for value in -3..=3i64 {
                    let event = Event { fields: vec![(field.clone(), Of::Number(scalar, value as u64))] };
                    let mut words = linked(&program, std::slice::from_ref(&field));
                    let answer = ask(&mut words, &event.record(), &event);
                    assert_eq!(answer, Ok(filter.accepts(&event)), "{text} for {value}");
                    assert!(is_short(&mut words, &event.record()), "{text}");
                }
            }
        }
    }
}

/// What the traced program's short way for one comparison says, where there is one.
fn short_answer(words: Words, record: &[u8]) -> Option<bool> {
    let sole = SoleComparison::load(words)?;
    let answer = [1, 2, 4, 8].into_iter().find_map(|bytes| {
        let mut word = [0; 8];
        word[..bytes].copy_from_slice(record.get(sole.offset()..)?.get(..bytes)?);
        sole.run(u64::from_le_bytes(word), bytes)
    });
    assert_eq!(sole.run_on(record), answer);
    answer
}

/// Whether the program is one comparison, for which the traced program has a short way.
fn is_short(words: &mut [u64], record: &[u8]) -> bool {
    let base = NonNull::new(words.as_mut_ptr().cast()).expect("not null");
    // SAFETY: as in `ask`.
    let region = unsafe { Region::new(base, 8 * words.len() as u64) };
    let words = region.words(0, words.len() as u32).expect("in bounds");
    short_answer(words, record).is_some()
}
