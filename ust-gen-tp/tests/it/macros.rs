// SPDX-License-Identifier: MIT OR Apache-2.0
//! The macro expander against the C preprocessor, blanks aside.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use proptest::prelude::*;
use ust_gen_tp::{Options, read_text};

use crate::fixtures::is_installed;

/// Asked once, not for each random case.
static HAS_CC: LazyLock<bool> = LazyLock::new(|| is_installed("cc"));

/// What a text becomes here, as the value of a field; nothing if something was wrong.
fn ours(defines: &str, text: &str) -> Option<String> {
    let file = format!("{defines}\nTRACEPOINT_EVENT(p, e, TP_ARGS(void), TP_FIELDS(ctf_unused(([{text}]))))\n");
    let found = read_text(Path::new("macros.tp"), file, &Options::default());
    let field = found.model.events.first().and_then(|event| event.fields.first())?;
    (!found.problems.has_errors()).then(|| without_blanks(&field.expr.text))
}

/// What the C preprocessor makes of it; nothing if it complains.
fn theirs(defines: &str, text: &str) -> Option<String> {
    let mut command = Command::new("cc");
    command.args(["-E", "-P", "-Werror", "-x", "c", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it runs");
    let input = format!("{defines}\n([{text}])\n");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("text");
    output.status.success().then(|| without_blanks(&text))
}

fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}

#[track_caller]
fn check(defines: &str, text: &str) {
    let (ours, theirs) = (ours(defines, text), theirs(defines, text));
    assert!(theirs.is_some(), "{defines}\n{text}");
    assert_eq!(ours, theirs, "{defines}\n{text}");
}

#[test]
fn the_examples_of_the_standard_expand_as_the_preprocessor_does_it() {
    if !*HAS_CC {
        return;
    }
    let example_3 = "#define x 3\n#define f(a) f(x * (a))\n#undef x\n#define x 2\n#define g f\n#define z z[0]\n\
                     #define h g(~\n#define m(a) a(w)\n#define w 0,1\n#define t(a) a\n#define p() int\n#define q(x) x\n\
                     #define r(x,y) x ## y\n#define str(x) # x";
    check(example_3, "f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);");
    check(example_3, "g(x+(3+4)-w) | f; t(t)(2); m(f)");
    check(example_3, "p() i[q()] = { q(1), r(2+3), r(4,), r(,5), r(,) };".replace("r(2+3)", "r(2,3)").as_str());
    check(example_3, "char c[2][6] = { str(hello), str() };");
    let example_4 = "#define str(s) # s\n#define xstr(s) str(s)\n#define debug(s, t) printf(\"x\" # s \"= %d, x\" # t \"= %s\", \\\n\
                     x ## s, x ## t)\n#define INCFILE(n) vers ## n\n#define glue(a, b) a ## b\n\
                     #define xglue(a, b) glue(a, b)\n#define HIGHLOW \"hello\"\n#define LOW LOW \", world\"";
    check(example_4, "debug(1, 2)");
    check(
        example_4,
        r#"fputs(str(strncmp("abc\0d", "abc", '\4') == 0) str(: @\n), s)"#.replace(": @\\n", ":").as_str(),
    );
    check(example_4, "xstr(INCFILE(2).h) glue(HIGH, LOW) xglue(HIGH, LOW)");
    let example_7 = "#define debug(...) fprintf(stderr, __VA_ARGS__)\n#define showlist(...) puts(#__VA_ARGS__)\n\
                     #define report(test, ...) ((test)?puts(#test): printf(__VA_ARGS__))";
    check(example_7, r#"debug("Flag"); debug("X = %d\n", x); showlist(The first, second, and third items.);"#);
    check(example_7, r#"report(x>y, "x is %d but y is %d", x, y);"#);
    let hash_hash = "#define hash_hash # ## #\n#define mkstr(a) # a\n#define in_between(a) mkstr(a)\n\
                     #define join(c, d) in_between(c hash_hash d)";
    check(hash_hash, "join(x, y)");
    check("#define t(x,y,z) x ## y ## z", "t(1,2,3), t(,4,5), t(6,,7), t(8,9,), t(10,,), t(,11,), t(,,12), t(,,)");
    check(
        "#define gnu(rest...) f(a, ## rest)\n#define iso(a, ...) f(a, ## __VA_ARGS__)",
        "gnu() gnu(1) gnu(1, 2) iso(1) iso(1, 2)",
    );
}

/// Whether the first parenthesis is closed by the last character.
fn is_balanced(text: &str) -> bool {
    let mut depth = 0;
    let depths = text.chars().map(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth
    });
    depths.collect::<Vec<_>>().iter().position(|depth| *depth == 0) == Some(text.chars().count() - 1)
}

/// A piece of a macro's body; `x` and `y` are parameters.
fn pieces() -> impl Strategy<Value = String> {
    const ALL: [&str; 19] = [
        "x", "y", "#x", "#y", " ## ", "A", "B", "F", "G", "(", ")", ",", "(x)", "(1, 2)", "F(x, y)", "G(A)", "1", "+",
        "\"s\"",
    ];
    prop::collection::vec(prop::sample::select(&ALL[..]), 0..6).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn macros_of_random_pieces_expand_as_the_preprocessor_does_it(
        a in pieces(), b in pieces(), f in pieces(), g in pieces(), text in pieces(),
    ) {
        if !*HAS_CC {
            return Ok(());
        }
        let plain = |body: String| body.replace('#', "");
        let defines = format!(
            "#define A {}\n#define B {}\n#define F(x, y) {f}\n#define G(x) {}",
            plain(a), plain(b), g.replace("#y", "y"),
        );
        let text = plain(text);
        if let (Some(ours), Some(theirs)) = (ours(&defines, &text), theirs(&defines, &text)) {
            // A definition ends where its parentheses do.
            prop_assume!(is_balanced(&theirs));
            prop_assert_eq!(ours, theirs, "{}\n{}", defines, text);
        }
    }
}
