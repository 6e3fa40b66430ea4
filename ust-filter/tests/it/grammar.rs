// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is a filter and what is none. Where LTTng 2.13's command line was asked, it says the same; the few differences are
//! listed in the crate's documentation.

use ust_filter::Filter;

#[test]
fn what_lttng_takes_is_a_filter() {
    let filters = [
        r"foo->bar == 1",
        r"a.b.c[3].d == 1",
        r"a & 1 == 1",
        r"-a == +3",
        r"~a",
        r"((a))",
        r"1",
        r"a == b == c",
        r#"a < "b""#,
        r"a == 1.5",
        r#"msg == "*a*""#,
        r#""abc" == "a*""#,
        r"$ctx.vpid == 1",
        r"$ctx.perf:thread:cycles > 3",
        r"$app.foo:bar == 1",
        r"a == 'x'",
        r"true",
        r#"a == "x\\y""#,
        r#""a" == "b""#,
        r"a && 1.5",
        r"0x1.8p3 == a",
        r"a[0x1] == 1",
        r"a.b[1][2] == 1",
        r"a == 0777",
        r"a ^ 1 | 2 & 3 << 4",
        "a == 1 /* c */ && b // x",
        r"a->b->c",
        r#"a == b && "x" == "y""#,
        r"a.b:c == 1",
        r"a == --1",
        r#"a == "a\*""#,
        r#"a != "a*b*c""#,
        r"!a == 1",
        r#"a == L"x""#,
        r#"msg_id == 23 && size >= 2048"#,
        r#"$ctx.procname == "lttng*" && (!flag || poel < 34)"#,
        r"eax_reg & 0xff7 == 0x240 && x[4] >> 12 <= 0x1234",
    ];
    for filter in filters {
        if let Err(error) = Filter::parse(filter) {
            panic!("{error}");
        }
    }
}

/// The message, and what the caret is under.
#[track_caller]
fn check(text: &str, at: &str, message: &str) {
    let error = Filter::parse(text).expect_err(text);
    assert_eq!(error.message, message, "{text}");
    assert_eq!(text.get(error.span.clone()), Some(at), "{text}: {error}");
}

#[test]
fn what_is_no_filter_is_refused_at_its_place() {
    check("", "", "a filter cannot be empty");
    check("size + 1 > 2", "+", "a filter does not calculate: `+` between two operands is not supported");
    check("a % 2", "%", "a filter does not calculate: `%` between two operands is not supported");
    check("a-1 == 1", "-", "a filter does not calculate: `-` between two operands is not supported");
    check(r#"a == "x\n""#, r"\n", r"`\n` is not supported in a text");
    check("a[b] == 1", "b", "an index is a number, from 0 on");
    check("a[-1] == 1", "-", "an index is a number, from 0 on");
    check("a[1+1] == 1", "+", "`+` cannot stand here, expected is `]`");
    check("a = 1", "=", "`=` means nothing here");
    check("a === 1", "=", "`=` means nothing here");
    check(r#"a && "x""#, r#""x""#, "`&&` is for numbers, this is a text");
    check(r#"a == 1 || "x""#, r#""x""#, "`||` is for numbers, this is a text");
    check(r#""a*" == "b*""#, r#""a*" == "b*""#, "two patterns cannot be compared");
    check(r#"a < "b*""#, r#"a < "b*""#, "`<` cannot compare with a pattern: `*` goes with == and != only");
    check("1.5", "1.5", "a float alone is no condition");
    check(r#""abc""#, r#""abc""#, "a text alone is no condition");
    check("~1.5", "~1.5", "`~` is for integers, this is a float");
    check(r#"-"x""#, r#"-"x""#, "`-` is for numbers, this is a text");
    check("a & 1.5", "1.5", "`&` is for integers, this is a float");
    check(r#"a == 1 == "x""#, r#"a == 1 == "x""#, "`==` cannot compare a text with a number");
    check("$foo.bar == 1", "$foo", "there is no `$foo`");
    check("a == $ctx", "", "here the filter ends, expected is a point and a name");
    check("$ctx.1", ".1", "this cannot stand here, expected is a point and a name");
    check("a == 089", "089", "this is no number: after a 0 come digits from 0 to 7");
    check("a == 99999999999999999999", "99999999999999999999", "this number does not fit 64 bits");
    check("a == 'xy'", "'xy'", "between single quotes stands one ASCII character");
    check(r#"a == "open"#, r#""open"#, "this has no closing \"");
    check("a == 1 /* open", "/*", "this comment has no end");
    check("a == (1, 2)", ",", "`,` cannot stand here, expected is an operator or `)`");
    check("a ? b", "?", "`?` cannot stand here, expected is an operator or the end");
    check("a ! b", "!", "`!` cannot stand here, expected is an operator or the end");
    check("a ==", "", "here the filter ends, expected is a field, a context, a number or a text");
    check("a == é", "é", "`é` means nothing here");
    check("a << 64", "64", "a shift by 64 is out of range: allowed are 0 to 63");
    check("a.", "", "here the filter ends, expected is the name of a member");
}

#[test]
fn an_error_shows_the_text_a_caret_and_what_to_try() {
    let error = Filter::parse("size > 10 && name = \"x\"").expect_err("one equal sign");
    let expected = "\
`=` means nothing here
  |
1 | size > 10 && name = \"x\"
  |                   ^
  |
  = try: equality is `==`";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn too_long_and_too_deep_filters_are_refused() {
    let long = format!("a == \"{}\"", "x".repeat(64 << 10));
    assert!(Filter::parse(&long).expect_err("long").message.contains("too long: allowed are 65536"));
    for deep in ["(".repeat(4000), "-".repeat(4000), "!(".repeat(4000)] {
        let error = Filter::parse(&format!("{deep}a")).expect_err("deep");
        assert_eq!(error.message, "this is nested deeper than 128 levels");
    }
    let wide = |count| "a || ".repeat(count) + "a";
    assert!(Filter::parse(&wide(1000)).is_ok());
    let error = Filter::parse(&wide(1001)).expect_err("wide");
    assert_eq!(error.message, "this filter has more than 1000 operators");
}

#[test]
fn each_field_is_one_reference_however_often_it_is_named() {
    let filter = Filter::parse("a > 1 && b->c[3] < 2 || a == $ctx.a && b . c [ 3 ] == 1").expect("a filter");
    let names: Vec<String> = filter.references().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a", "b.c[3]", "$ctx.a"]);
    assert!(filter.references().iter().enumerate().all(|(idx, reference)| reference.idx == idx));
}
