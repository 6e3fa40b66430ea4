// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes any text safe inside TSDL: as an identifier, as a string literal, inside a comment.

use std::fmt::Write as _;

/// Words of the TSDL grammar, which cannot be identifiers.
const KEYWORDS: [&str; 29] = [
    "align",
    "callsite",
    "const",
    "char",
    "clock",
    "double",
    "enum",
    "env",
    "event",
    "floating_point",
    "float",
    "integer",
    "int",
    "long",
    "short",
    "signed",
    "stream",
    "string",
    "struct",
    "trace",
    "typealias",
    "typedef",
    "unsigned",
    "variant",
    "void",
    "_Bool",
    "_Complex",
    "_Imaginary",
    "byte_order",
];

/// Returns `name` with every character that an identifier cannot hold replaced by an underscore.
///
/// It is meant to stand behind a prefix: the first character may be a digit.
pub(crate) fn identifier_tail(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Returns `name` as an identifier that can stand alone.
pub(crate) fn identifier(name: &str) -> String {
    let tail = identifier_tail(name);
    let starts_badly = !tail.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_badly || KEYWORDS.contains(&tail.as_str()) { format!("_{tail}") } else { tail }
}

/// Returns `text` as a string literal with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    quote(text, |_| false)
}

/// Returns `text` as a string literal that can stand in a comment: it holds no asterisk.
pub(crate) fn quoted_in_comment(text: &str) -> String {
    quote(text, |c| c == '*')
}

fn quote(text: &str, also_escaped: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Readers keep strings NUL-terminated and would lose the rest.
            '\0' => out.push(char::REPLACEMENT_CHARACTER),
            c if c.is_ascii_control() || also_escaped(c) => {
                // Three octal digits end the escape whatever follows.
                let _ = write!(out, "\\{:03o}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_hides_quotes_backslashes_controls_and_nul_but_not_letters() {
        assert_eq!(quoted("a\"b\\c\nd\u{1b}2é\0"), "\"a\\\"b\\\\c\\nd\\0332é\u{fffd}\"");
    }

    #[test]
    fn a_literal_in_a_comment_cannot_end_the_comment() {
        assert_eq!(quoted_in_comment("a*/b"), "\"a\\052/b\"");
    }

    #[test]
    fn an_identifier_is_never_a_keyword_a_number_or_empty() {
        assert_eq!(identifier("event"), "_event");
        assert_eq!(identifier("9a-é"), "_9a__");
        assert_eq!(identifier(""), "_");
        assert_eq!(identifier("host_name"), "host_name");
    }
}
