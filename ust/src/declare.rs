// SPDX-License-Identifier: MIT OR Apache-2.0
//! The macros that declare tracepoints, with their reference documentation.
//!
//! They are written in `ust-macros`; the documentation is here, where its examples can be compiled. What they generate
//! calls this crate by the name `::ust`, so a program must not rename it.

/// Declares a tracepoint: a function that records its arguments.
///
/// ```
/// use ust::tracepoint;
///
/// /// A customer pays.
/// #[tracepoint(provider = "shop", loglevel = Info)]
/// pub fn checkout(order: u64, total: f64, #[field(text)] sku: &[u8]);
///
/// checkout(17, 9.99, b"A-113");
/// if checkout::enabled() {
///     // Work that is only worth it while someone records the event.
/// }
/// ```
///
/// The declaration is a function without body (`{}` is accepted too). It becomes a function, and a
/// module of the same name with `enabled()`. A call is a load and a branch while no one records the
/// event; its arguments are computed all the same, which [`emit!`](crate::emit) avoids.
///
/// # Keys
///
/// | key             | value                                      | default                   |
/// |-----------------|--------------------------------------------|---------------------------|
/// | `provider`      | the group of the tracepoint                | that of the module, see [`provider`](macro@crate::provider); else the crate |
/// | `name`          | the name in the group                      | the function's name       |
/// | `loglevel`      | one of the levels of [`LogLevel`](crate::LogLevel) | `DebugLine`       |
/// | `model_emf_uri` | a link to a description of the event       | none                      |
/// | `class`         | the [`event_class`](macro@crate::event_class) that has the fields | none |
///
/// Names consist of ASCII letters, digits, `_`, `-` and `.`; `provider:name` has at most 255 bytes.
///
/// # Fields
///
/// The types are listed in [`field`](crate::field). `#[field(..)]` on an argument says more:
///
/// | key            | meaning                                                                      |
/// |----------------|------------------------------------------------------------------------------|
/// | `hex`, `oct`, `bin` | the base in which integers are shown                                    |
/// | `network`      | the argument is in network byte order, as `to_be()` gives it, and shown converted |
/// | `text`         | an array or slice of bytes is text                                           |
/// | `name = ".."`  | the field's name, if it is not the argument's                                |
/// | `expr = ..`    | callers do not pass this argument: it is computed from the others            |
/// | `skip`         | the argument is not a field: it is for `expr` of other fields                |
/// | `nowrite`      | the field is for filters: it is not in the trace                             |
///
/// ```
/// struct Order {
///     id: u64,
///     lines: Vec<String>,
/// }
///
/// #[ust::tracepoint]
/// fn packed(
///     #[field(skip)] order: &Order,
///     #[field(expr = order.id, hex)] id: u64,
///     #[field(expr = order.lines.len())] lines: usize,
/// );
///
/// packed(&Order { id: 17, lines: vec![] });
/// ```
pub use ust_macros::tracepoint;

/// Declares a list of fields that several tracepoints share.
///
/// The tracepoints repeat the arguments; field attributes belong to the class. All of them use one
/// recording function, which keeps a program with many similar events small.
///
/// ```
/// use ust::{event_class, tracepoint};
///
/// #[event_class]
/// fn request(id: u64, #[field(hex)] flags: u32, path: &str);
///
/// #[tracepoint(class = request)]
/// pub fn request_begin(id: u64, flags: u32, path: &str);
///
/// #[tracepoint(class = request, loglevel = Info)]
/// pub fn request_end(id: u64, flags: u32, path: &str);
///
/// request_begin(1, 0, "/index");
/// request_end(1, 0, "/index");
/// ```
pub use ust_macros::event_class;

/// Gives all tracepoints of a module their provider and their default log level.
///
/// The keys are `name` (default: the module's name) and `loglevel`. A tracepoint's own keys win, and so
/// does a provider module inside of this one. `tracepoint`, `event_class` and `Enumeration` need not be
/// imported in the module.
///
/// ```
/// #[ust::provider(loglevel = Info)]
/// mod shop {
///     #[tracepoint]
///     pub fn checkout(order: u64);
///
///     #[tracepoint(loglevel = Err)]
///     pub fn refused(order: u64, reason: &str);
/// }
///
/// shop::checkout(17);
/// shop::refused(18, "card expired");
/// ```
pub use ust_macros::provider;

/// Makes an enum without data a field whose values are shown by name.
///
/// The values are stored as the integer of the enum's `repr`, else as `i32`. On a variant,
/// `#[enumeration(label = "..")]` sets the name shown (default: the variant's), and
/// `#[enumeration(range = 4..=9)]` gives it to a range of values, with the variant's own among them.
///
/// ```
/// #[derive(Clone, Copy, ust::Enumeration)]
/// #[repr(u8)]
/// enum Method {
///     Get = 1,
///     #[enumeration(label = "put or post")]
///     Put,
/// }
///
/// #[ust::tracepoint]
/// fn request(method: Method, before: Option<Method>);
///
/// request(Method::Get, None);
/// request(Method::Put, Some(Method::Get));
/// ```
pub use ust_macros::Enumeration;
