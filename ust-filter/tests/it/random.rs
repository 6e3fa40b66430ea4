// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whatever the text is, it is read or refused.

use proptest::prelude::*;
use ust_filter::Filter;

use crate::accepts::Event;

proptest! {
    #[test]
    fn any_text_is_read_or_refused_at_a_place_inside_it(text in "\\PC{0,60}") {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.text.get(error.span.clone()).is_some());
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn texts_made_of_pieces_of_filters_do_not_upset_anything(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24),
    ) {
        let text = pieces.join(" ");
        match Filter::parse(&text) {
            Ok(filter) => {
                let _ = filter.accepts(&Event);
                let again = Filter::parse(filter.text());
                prop_assert_eq!(again.as_ref(), Ok(&filter));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

const PIECES: [&str; 34] = [
    "five",
    "zero",
    "half",
    "word",
    "absent",
    "list",
    "[",
    "0",
    "]",
    "$ctx.vpid",
    "$app.a:b",
    "(",
    ")",
    "!",
    "~",
    "-",
    "+",
    "==",
    "!=",
    "<",
    ">=",
    "&&",
    "||",
    "|",
    "^",
    "&",
    "<<",
    ">>",
    "\"h*\"",
    "\"hello\"",
    "'x'",
    "0x7f",
    "1.5",
    ".",
];
