// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tracepoints that C has, called from Rust.
//!
//! # Safety
//! The macro declares two symbols: `ust_tracepoint_P___N` is a tracepoint as `docs/c-abi.md` lays it out, of which a [`Tracepoint`](crate::tracepoint::Tracepoint) is the begin;
//! `ust_call_P___N` records its event. Whoever names them says that they are there, with these arguments.

/// Declares a tracepoint of C as a function of Rust: what `ust-gen-tp --rust` makes of events whose fields are expressions of C.
///
/// The function is called like that of a [`tracepoint`](crate::tracepoint), and the module of its name has `enabled()`. While
/// no one records the event, it costs what any other tracepoint costs. It is unsafe, because C reads what its arguments point to.
///
/// `provider` and `name` say which symbols C has for it: `ust_tracepoint_P___N` and `ust_call_P___N`, as in the source file `_shim.c`
/// that `ust-gen-tp` makes of the same definition file. The program depends on the crate `ust-capi`, which C records with.
///
/// ```ignore
/// ust::extern_tracepoint! {
///     provider = "shop", name = "checkout";
///     /// A customer pays.
///     ///
///     /// # Safety
///     /// `order` is an order of C.
///     pub unsafe fn checkout(order: *const c_void, total: f64);
/// }
///
/// if checkout::enabled() {
///     unsafe { checkout(order, total(order)) };
/// }
/// ```
#[macro_export]
macro_rules! extern_tracepoint {
    (
        provider = $provider:literal, name = $name:literal;
        $(#[$attribute:meta])*
        $vis:vis unsafe fn $ident:ident($($arg:ident: $ty:ty),* $(,)?);
    ) => {
        $(#[$attribute])*
        #[inline(always)]
        #[allow(unsafe_code, clippy::too_many_arguments)]
        $vis unsafe fn $ident($($arg: $ty),*) {
            unsafe extern "C" {
                #[link_name = ::core::concat!("ust_call_", $provider, "___", $name)]
                fn call($($arg: $ty),*);
            }
            if $ident::enabled() {
                // SAFETY: the function of C has these parameters (macro's contract), the arguments are good (this function's).
                unsafe { call($($arg),*) }
            }
        }

        #[doc = ::core::concat!("The state of the tracepoint `", $provider, ":", $name, "`.")]
        $vis mod $ident {
            #[allow(unsafe_code)]
            unsafe extern "C" {
                #[link_name = ::core::concat!("ust_tracepoint_", $provider, "___", $name)]
                static TRACEPOINT: $crate::__private::Tracepoint;
            }

            /// The linker takes the object of C out of its archive also where no one calls the tracepoint.
            #[used]
            #[allow(unsafe_code)]
            // SAFETY: only its address is taken; it is a tracepoint for as long as the program runs (macro's contract).
            static KEPT: &$crate::__private::Tracepoint = unsafe { &TRACEPOINT };

            /// Tells whether anyone records the event right now.
            #[inline(always)]
            pub fn enabled() -> bool {
                KEPT.is_enabled()
            }
        }
    };
}
