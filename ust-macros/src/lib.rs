// SPDX-License-Identifier: MIT OR Apache-2.0
//! The macros that declare tracepoints. Use them through the crate `ust`, which documents them: there the
//! examples can be compiled, and rustdoc would append what stands here to what stands there.
//!
//! One file per concern: `declaration` and `fields` read what the user wrote, `types` and `names` judge
//! it, `tracepoint`, `provider` and `enumeration` write the expansion. All errors of an item are
//! collected in `errors` and reported at once, each at the token that is wrong.

#![allow(missing_docs)]

mod args;
mod declaration;
mod enumeration;
mod errors;
mod fields;
mod names;
mod provider;
mod tracepoint;
mod types;

use proc_macro::TokenStream;

#[proc_macro_attribute]
pub fn tracepoint(args: TokenStream, item: TokenStream) -> TokenStream {
    tracepoint::tracepoint(args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn event_class(args: TokenStream, item: TokenStream) -> TokenStream {
    tracepoint::event_class(args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn provider(args: TokenStream, item: TokenStream) -> TokenStream {
    provider::provider(args.into(), item.into()).into()
}

#[proc_macro_derive(Enumeration, attributes(enumeration))]
pub fn enumeration(item: TokenStream) -> TokenStream {
    enumeration::enumeration(item.into()).into()
}
