// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stepping through a child takes on aarch64.
//!
//! # Safety
//! The calls concern a stopped child of this process, and take live locals.

#![allow(unsafe_code)]

/// `brk #0`.
const BREAKPOINT: i64 = 0xd420_0000;

/// Fails on a machine where a child cannot be stepped through a record.
pub fn check_machine() {
    // Without atomic instructions a loop stores what it has loaded exclusively: each step makes it begin again.
    assert!(std::arch::is_aarch64_feature_detected!("lse"), "single steps need a processor with atomic instructions");
}

/// The address of the instruction that the child comes to next.
pub fn address(pid: i32) -> u64 {
    // SAFETY: all zero is a valid value.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    let bytes = size_of_val(&registers);
    let mut area = libc::iovec { iov_base: (&raw mut registers).cast(), iov_len: bytes };
    // The call takes a number of the width of a pointer.
    let general = libc::NT_PRSTATUS as usize;
    // SAFETY: header; `area` describes `registers`.
    assert_eq!(unsafe { libc::ptrace(libc::PTRACE_GETREGSET, pid, general, &raw mut area) }, 0);
    assert_eq!(area.iov_len, bytes, "all registers");
    registers.pc
}

/// `text` with a breakpoint for its first instruction.
pub fn with_breakpoint(text: i64) -> i64 {
    text & !0xffff_ffff | BREAKPOINT
}

/// Makes a child that has met the breakpoint at `address` come to that address next.
pub fn step_back(pid: i32, address: u64) {
    // The breakpoint is an exception before the instruction, so there is nothing to do.
    assert_eq!(self::address(pid), address);
}
