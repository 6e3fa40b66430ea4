// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program's tracepoints.
//!
//! # Safety
//! The only unsafe step sets a signal handler that does nothing but emit an event, which is allowed in handlers.

#![allow(unsafe_code)]

/// Emits on SIGUSR1.
pub fn emit_on_sigusr1() {
    extern "C" fn handler(signal: libc::c_int) {
        tptest_sighandler(signal);
    }
    // SAFETY: the handler calls a tracepoint only, which is async-signal-safe.
    unsafe { libc::signal(libc::SIGUSR1, handler as *const () as libc::sighandler_t) };
}

/// One event with every kind of field.
#[ust::tracepoint(provider = "ust_tests_hello", loglevel = DebugLine)]
pub fn tptest(
    intfield: i32,
    #[field(expr = intfield, hex)] intfield2: i32,
    #[field(expr = i64::from(intfield))] longfield: i64,
    #[field(network)] netintfield: i32,
    #[field(expr = netintfield, network, hex)] netintfieldhex: i32,
    arrfield1: &[i64; 3],
    #[field(text)] arrfield2: &[u8; 10],
    #[field(expr = stringfield.as_bytes())] seqfield1: &[u8],
    #[field(expr = stringfield.as_bytes(), text)] seqfield2: &[u8],
    stringfield: &str,
    floatfield: f32,
    doublefield: f64,
);

/// The smallest useful event.
#[ust::tracepoint(provider = "ust_tests_hello", loglevel = DebugLine)]
pub fn one(intfield: i32);

/// From the handler of SIGUSR1.
#[ust::tracepoint(provider = "ust_tests_hello", loglevel = DebugLine)]
pub fn tptest_sighandler(signal: i32);
