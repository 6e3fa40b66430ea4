// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tracepoints that have something in common: a class, a provider.

use ust::__private::{Declared, LogLevel};
use ust::{event_class, tracepoint};

use crate::payload::Collect;

mod classes {
    /// A request.
    #[ust::event_class]
    pub(crate) fn request(id: u64, #[field(hex)] flags: u8, path: &str);
}

#[tracepoint(class = classes::request, loglevel = Info)]
fn request_begin(id: u64, flags: u8, path: &str);

#[tracepoint(class = classes::request, name = "request.end")]
fn request_end(number: u64, flags: u8, path: &str);

#[test]
fn events_of_a_class_share_its_fields_and_keep_their_own_names() {
    let (begin, end) = (request_begin::Event::DESC, request_end::Event::DESC);
    assert!(std::ptr::eq(begin.fields, end.fields) || begin.fields == end.fields);
    assert_eq!((begin.name, begin.loglevel), ("request_begin", LogLevel::Info));
    assert_eq!((end.name, end.loglevel), ("request.end", LogLevel::DebugLine));
    assert_eq!(end.fields[0].name, "id");
    let mut payload = Vec::new();
    classes::request::Class::encode(Collect(&mut payload), 1, 2, "/a");
    assert_eq!(payload, [1, 0, 0, 0, 0, 0, 0, 0, 2, b'/', b'a', 0]);
    request_begin(1, 2, "/a");
    request_end(3, 4, "/b");
}

#[test]
fn class_in_a_function_is_found_there() {
    #[event_class]
    fn local(a: u8);
    #[tracepoint(class = local)]
    fn instance(a: u8);
    instance(5);
    assert_eq!(instance::Event::DESC.fields.len(), 1);
}

#[ust::provider(name = "shop", loglevel = Notice)]
mod shop {
    #[tracepoint]
    pub(crate) fn plain(a: u8);

    #[ust::tracepoint(loglevel = Err)]
    pub(crate) fn level(a: u8);

    #[tracepoint(provider = "other", name = "named")]
    pub(crate) fn provider(a: u8);

    pub(crate) mod inner {
        use ust::tracepoint;

        #[tracepoint()]
        pub(crate) fn nested(a: u8);
    }

    #[ust::provider(loglevel = Alert)]
    pub(crate) mod stock {
        #[tracepoint]
        pub(crate) fn own(a: u8);
    }

    #[event_class]
    fn class(a: u8);

    #[tracepoint(class = class)]
    pub(crate) fn of_class(a: u8);
}

#[test]
fn provider_module_gives_defaults_that_the_tracepoint_overrides() {
    let summary = |desc: &'static ust::__private::TracepointDesc| (desc.provider, desc.name, desc.loglevel);
    assert_eq!(summary(shop::plain::Event::DESC), ("shop", "plain", LogLevel::Notice));
    assert_eq!(summary(shop::level::Event::DESC), ("shop", "level", LogLevel::Err));
    assert_eq!(summary(shop::provider::Event::DESC), ("other", "named", LogLevel::Notice));
    assert_eq!(summary(shop::inner::nested::Event::DESC), ("shop", "nested", LogLevel::Notice));
    assert_eq!(summary(shop::stock::own::Event::DESC), ("stock", "own", LogLevel::Alert));
    assert_eq!(summary(shop::of_class::Event::DESC), ("shop", "of_class", LogLevel::Notice));
    shop::plain(1);
    shop::level(1);
    shop::provider(1);
    shop::inner::nested(1);
    shop::stock::own(1);
    shop::of_class(1);
}

#[test]
fn tracepoints_of_a_provider_module_have_lines_of_their_own() {
    let line = |text: &str| {
        let index = include_str!("groups.rs").lines().position(|line| line.contains(text));
        index.map(|index| index as u32 + 1)
    };
    assert_eq!(Some(shop::plain::Event::DESC.line), line("fn plain("));
    assert_eq!(Some(shop::stock::own::Event::DESC.line), line("fn own("));
}
