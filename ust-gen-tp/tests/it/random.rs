// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whatever a file holds, it is read or refused.

use std::path::Path;

use proptest::prelude::*;
use ust_gen_tp::{Options, json, read_text, rust};

fn check(text: String) {
    let found = read_text(Path::new("random.tp"), text, &Options::default());
    let shown = found.problems.render(&found.sources);
    assert_eq!(shown.is_empty(), found.problems.iter().next().is_none());
    assert!(!json(&found.model, &found.sources, "random.tp").is_empty());
    assert!(!rust(&found.model, &found.sources, None).text.is_empty());
}

#[test]
fn what_nests_deeply_is_read_or_refused() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    for value in [deep("(", ")"), deep("(int)", ""), deep("-", ""), deep("1?", ":1"), deep("f(", ")"), deep("g(", ")")]
    {
        let event = format!("TRACEPOINT_EVENT(p, e, TP_ARGS(void), TP_FIELDS(ctf_integer(int, a, {value})))");
        check(format!("#define g(x) x\n{event}\n#if {value}\n#endif\n"));
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        check(text);
    }

    #[test]
    fn lines_of_any_characters_are_read_or_refused(lines in prop::collection::vec("[ -~]{0,30}", 0..8)) {
        check(lines.join("\n"));
    }

    #[test]
    fn pieces_of_definitions_in_any_order_are_read_or_refused(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60),
    ) {
        check(pieces.concat());
    }

    #[test]
    fn a_good_file_with_a_piece_missing_is_read_or_refused(start in 0_usize..4000, length in 0_usize..200) {
        let text = std::fs::read_to_string("tests/fixtures/pass/own_macros.tp").expect("a fixture");
        let at = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (start, end) = (at(start % text.len()), at(start % text.len() + length));
        check(format!("{}{}", &text[..start], &text[end..]));
    }
}

const PIECES: [&str; 52] = [
    "TRACEPOINT_EVENT(",
    "LTTNG_UST_TRACEPOINT_EVENT_CLASS(",
    "TRACEPOINT_EVENT_INSTANCE(",
    "LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(",
    "TRACEPOINT_ENUM(",
    "TRACEPOINT_LOGLEVEL(",
    "TRACEPOINT_MODEL_EMF_URI(",
    "TP_ARGS(",
    "TP_FIELDS(",
    "TP_ENUM_VALUES(",
    "ctf_integer(int, a, a)",
    "ctf_array(",
    "ctf_sequence(int, s, p, int, n)",
    "ctf_enum(p, e, int, f, a)",
    "ctf_enum_value(\"a\", 1)",
    "ctf_enum_range(\"b\", 1, 2)",
    "ctf_enum_auto(\"c\")",
    "provider",
    "name",
    "int",
    "const char *",
    ", ",
    ", ",
    ")",
    ")",
    "(",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "\n",
    "\n#define M(a, ...) a ## __VA_ARGS__ #a M(\n",
    "\n#define M TP_ARGS(int, a)\n",
    "\n#define N M N(M)\n",
    "\n#define D(x) x x D(x)\n",
    "M(",
    "N",
    "D(",
    "##",
    "#",
    "\n#if A > (B\n",
    "\n#ifdef A\n",
    "\n#elif 1 / 0\n",
    "\n#else\n",
    "\n#endif\n",
    "\n#undef M\n",
    "\\\n",
    "/*",
    "*/",
    "\"",
    "'",
];
