// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a declaration says of itself.

use ust::__private::{Base, Declared, FieldType, Integer, LogLevel, Scalar};
use ust::tracepoint;

/// A documented tracepoint.
#[tracepoint(provider = "shop", name = "check-out", loglevel = Info, model_emf_uri = "http://example.org/1")]
pub(crate) fn checkout(order: u64, #[field(hex)] flags: u32, #[field(text)] sku: &[u8]);

#[tracepoint]
fn r#type(r#match: &str) {}

#[test]
fn description_holds_what_the_attribute_says() {
    let desc = checkout::Event::DESC;
    assert_eq!((desc.provider, desc.name), ("shop", "check-out"));
    assert_eq!(desc.loglevel, LogLevel::Info);
    assert_eq!(desc.model_emf_uri, "http://example.org/1");
    assert_eq!(desc.module, module_path!());
    assert_eq!(desc.file, file!());
    let line = include_str!("declare.rs").lines().position(|line| line.contains("fn checkout("));
    assert_eq!(desc.line as usize, line.map_or(0, |line| line + 1));
    let names: Vec<&str> = desc.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["order", "flags", "sku"]);
    let hex = Integer { bits: 32, signed: false, base: Base::Hexadecimal, network: false };
    assert_eq!(desc.fields[1].ty, FieldType::Scalar(Scalar::Integer(hex)));
    checkout(1, 2, b"x");
}

#[test]
fn defaults_are_the_crate_and_function_names_without_raw_prefix() {
    let desc = r#type::Event::DESC;
    assert_eq!((desc.provider, desc.name, desc.fields[0].name), ("it", "type", "match"));
    assert_eq!(desc.loglevel, LogLevel::DebugLine);
    r#type("x");
}

#[test]
fn declaration_in_a_function_sees_the_types_of_that_function() {
    #[derive(ust::Enumeration)]
    enum Local {
        A,
    }
    #[tracepoint]
    fn local(value: Local);
    local(Local::A);
    assert!(!local::enabled());
    assert_eq!(local::Event::DESC.fields.len(), 1);
}

#[cfg(any())]
#[tracepoint]
fn configured_out(value: NoSuchType);

#[tracepoint]
#[cfg(any())]
fn configured_out_below(value: NoSuchType);

#[tracepoint]
#[cfg(not(any()))]
#[deprecated]
#[allow(dead_code)]
fn configured_in(value: u8);

#[test]
fn items_that_are_configured_out_leave_nothing_behind() {
    assert_eq!(configured_in::Event::DESC.name, "configured_in");
}

/// Docs of a public item.
#[allow(unreachable_pub)]
pub mod public {
    #[ust::tracepoint]
    pub fn without_docs(
        /// What it costs.
        price: u64,
        #[allow(unused)] text: &'static str,
    );

    /// A private type of this module in a tracepoint of this module.
    #[derive(ust::Enumeration)]
    enum Private {
        A,
    }

    #[ust::tracepoint]
    #[allow(non_snake_case)]
    fn private(value: Private, Odd: u8);

    pub(super) fn call() {
        without_docs(1, "");
        private(Private::A, 1);
    }
}

macro_rules! declare {
    ($name:ident, $ty:ty, $text:literal, $level:ident) => {
        #[tracepoint(name = $text, loglevel = $level)]
        fn $name(value: $ty, slice: &[$ty], text: &str);
    };
}

declare!(by_macro, u32, "by.macro", Info);

#[test]
fn declarations_work_in_macros_and_modules() {
    public::call();
    by_macro(1, &[2], "");
    assert_eq!(by_macro::Event::DESC.name, "by.macro");
}
