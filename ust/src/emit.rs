// SPDX-License-Identifier: MIT OR Apache-2.0
//! `emit!`: a call of a tracepoint whose arguments wait until they are needed.

/// Calls a tracepoint, and evaluates the arguments only while the event is recorded.
///
/// A plain call `checkout(id, sum())` computes `sum()` even while no one records the event. Arguments
/// with side effects are a mistake here: whether they happen depends on who is tracing.
///
/// ```
/// #[ust::tracepoint]
/// fn checkout(order: u64, total: f64);
///
/// fn sum() -> f64 {
///     panic!("no one is recording")
/// }
///
/// ust::emit!(checkout(17, sum()));
/// ```
#[macro_export]
macro_rules! emit {
    ($($name:ident)::+ ( $($arg:expr),* $(,)? )) => {
        if $($name)::+::enabled() {
            let _ = $($name)::+;
            $($name)::+::Event::emit($($arg),*)
        }
    };
    (:: $($name:ident)::+ ( $($arg:expr),* $(,)? )) => {
        if ::$($name)::+::enabled() {
            let _ = ::$($name)::+;
            ::$($name)::+::Event::emit($($arg),*)
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`emit!` takes one call of a tracepoint: `emit!(checkout(order, total))`, \
             where the tracepoint is a path such as `checkout` or `events::checkout`"
        )
    };
}
