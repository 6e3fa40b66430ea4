// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a filter says of an event.

use std::borrow::Cow;

use ust_filter::{Filter, Reference, Value, Values};

/// An event with a field of each kind.
pub struct Event;

impl Values for Event {
    fn value(&self, reference: &Reference) -> Option<Value<'_>> {
        Some(match reference.to_string().as_str() {
            "zero" => Value::Integer(0),
            "five" | "list[0]" | "point.x" => Value::Integer(5),
            "minus" => Value::Integer(-1),
            "huge" => Value::Integer(u64::MAX as i64),
            "half" => Value::Float(0.5),
            "nan" => Value::Float(f64::NAN),
            "word" => Value::Text(Cow::Borrowed(b"hello")),
            "star" => Value::Text(Cow::Borrowed(b"a*b")),
            "$ctx.vpid" => Value::Integer(4711),
            "$ctx.procname" => Value::Text(Cow::Borrowed(b"lttng-relayd")),
            _ => return None,
        })
    }
}

#[track_caller]
fn check(text: &str, expected: bool) {
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(filter.accepts(&Event), expected, "{text}");
}

#[test]
fn numbers_are_compared_as_64_bits_of_twos_complement() {
    for yes in ["five == 5", "five != 6", "five < 6", "five <= 5", "five > -1", "five >= 5", "minus < zero", "huge < 0"]
    {
        check(yes, true);
    }
    for no in ["five == 6", "five != 5", "five < 5", "five > 5", "huge > 0", "zero", "five >= 6"] {
        check(no, false);
    }
    check("minus == 0xffffffffffffffff", true);
    check("five == '\x05'", true);
    check("five == 1 == 0", true);
    check("1 == 1 == 1", true);
}

#[test]
fn a_number_that_meets_a_float_becomes_one() {
    check("half == 0.5", true);
    check("half < five", true);
    check("five > half", true);
    check("five == 5.0", true);
    check("-half == -.5", true);
    for nothing in ["nan == nan", "nan < 1", "nan >= 1"] {
        check(nothing, false);
    }
    check("nan != nan", true);
    // Without its fraction, a half is nothing.
    check("half && 1", false);
    check("!half", true);
}

#[test]
fn texts_are_compared_whole_or_by_pattern() {
    check(r#"word == "hello""#, true);
    check(r#"word == "hell""#, false);
    check(r#"word == "h*o""#, true);
    check(r#""h*o" == word"#, true);
    check(r#"word != "*x*""#, true);
    check(r#"word < "help""#, true);
    check(r#"word > "abc" && word <= "hello" && word >= "hello""#, true);
    check(r#"star == "a\*b""#, true);
    check(r#"word == "hel\*""#, false);
    check(r#"star == "a\**""#, true);
    check(r#"word == "a\**""#, false);
    check(r#"$ctx.procname == "lttng*" && $ctx.vpid == 4711"#, true);
}

#[test]
fn bits_bind_tighter_than_comparisons() {
    check("five & 4 == 4", true);
    check("five & (4 == 4)", true);
    check("five & 2 == 4", false);
    check("five | 2 == 7", true);
    check("five ^ 1 == 4", true);
    check("1 << 4 == 16 && 16 >> 2 == 4", true);
    check("minus >> 63 == 1", true);
    check("~zero == minus", true);
    // `&` before `^` before `|`, shifts before all.
    check("1 | 2 ^ 3 & 1 << 1 == 1", true);
}

#[test]
fn and_binds_tighter_than_or() {
    check("1 || 0 && 0", true);
    check("(1 || 0) && 0", false);
    check("0 && 0 || 1", true);
}

#[test]
fn a_missing_field_refuses_the_event_unless_it_was_settled_before() {
    for no in ["absent", "!absent", "absent == 1 || five == 5", "five == 5 && absent != 1", "list[9] == 5", "!list[9]"]
    {
        check(no, false);
    }
    check("five == 5 || absent == 1", true);
    check("!(five == 6 && absent == 1)", true);
}

#[test]
fn fields_of_the_wrong_kind_and_shifts_out_of_range_refuse_the_event() {
    for no in [
        r#"five == "x""#,
        "word == 1",
        "!(word == 1)",
        "word",
        "!word",
        "word & 1",
        "half & 1",
        "1 << minus || 1",
        "1 >> $ctx.vpid || 1",
    ] {
        check(no, false);
    }
}

#[test]
fn parts_of_fields_are_fields() {
    check("list[0] == 5 && point.x == 5 && point->x == 5", true);
    check("list[1] == 5", false);
}
