// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters against the events that there are.

use ust_filter::{Filter, Kind, Reference, Root, Schema};

/// An event with these fields, and the context `vpid`.
struct Fields(&'static [(&'static str, Kind)]);

impl Schema for Fields {
    fn kind(&self, reference: &Reference) -> Option<Kind> {
        let name = reference.to_string();
        if name == "$ctx.vpid" {
            return Some(Kind::Integer);
        }
        self.0.iter().find_map(|(known, kind)| (*known == name).then_some(*kind))
    }

    fn names(&self, root: Root) -> Vec<String> {
        match root {
            Root::Payload => self.0.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Root::Context => vec!["vpid".to_owned()],
            Root::Application => Vec::new(),
        }
    }
}

const EVENTS: [Fields; 3] = [
    Fields(&[("size", Kind::Integer), ("address", Kind::Integer), ("list", Kind::Other)]),
    Fields(&[("size", Kind::Text), ("name", Kind::Text)]),
    Fields(&[("ratio", Kind::Float)]),
];

#[track_caller]
fn accepts(text: &str) {
    let filter = Filter::parse(text).expect("a filter");
    if let Err(error) = filter.check(&EVENTS) {
        panic!("{error}");
    }
}

/// The message and what is advised.
#[track_caller]
fn refuses(text: &str, message: &str, help: Option<&str>) {
    let error = Filter::parse(text).expect("a filter").check(&EVENTS).expect_err(text);
    assert_eq!((error.message.as_str(), error.help.as_deref()), (message, help), "{text}");
}

#[test]
fn what_one_kind_of_event_can_answer_is_a_good_question() {
    accepts("size > 10");
    accepts(r#"size == "big""#);
    accepts(r#"size > 10 || name == "x""#);
    accepts("ratio > 0.5 && $ctx.vpid == 1");
    accepts("1");
}

#[test]
fn a_name_that_no_event_has_is_refused_with_those_that_come_closest() {
    refuses("sise > 10", "no event has the field `sise`", Some("`size`"));
    refuses("addres == 1", "no event has the field `addres`", Some("`address`"));
    refuses("NAME == \"x\"", "no event has the field `NAME`", Some("`name`"));
    let all = "the fields are `address`, `list`, `name`, `ratio`, `size`";
    refuses("xyzzy == 1", "no event has the field `xyzzy`", Some(all));
    refuses("$ctx.vtid == 1", "no event has the context `$ctx.vtid`", Some("`$ctx.vpid`"));
    let none = "there is no application context at all; leave the condition out";
    refuses("$app.a:b == 1", "no event has the application context `$app.a:b`", Some(none));
    refuses("list[9] == 1", "no event has `list[9]`, though some have `list`", None);
}

#[test]
fn kinds_that_go_together_in_no_event_are_refused() {
    refuses("name == 5", "`==` cannot compare a text with a number", None);
    refuses("ratio & 1", "`&` is for integers, this is a float", None);
    refuses("ratio", "a float alone is no condition", Some("compare it: > 0.0"));
    refuses(
        "list == 1",
        "`list` is neither a number nor a text",
        Some("name an element, `list[0]`, or a member, `list.x`"),
    );
    refuses("address == \"x\"", "`==` cannot compare a text with a number", None);
}
