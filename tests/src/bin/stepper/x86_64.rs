// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stepping through a child takes on x86-64.
//!
//! # Safety
//! The calls concern a stopped child of this process, and take live locals.

#![allow(unsafe_code)]

/// `int3`.
const BREAKPOINT: i64 = 0xcc;

/// Fails on a machine where a child cannot be stepped through a record.
pub fn check_machine() {}

/// The address of the instruction that the child comes to next.
pub fn address(pid: i32) -> u64 {
    registers(pid).rip
}

/// `text` with a breakpoint for its first instruction.
pub fn with_breakpoint(text: i64) -> i64 {
    text & !0xff | BREAKPOINT
}

/// Makes a child that has met the breakpoint at `address` come to that address next.
pub fn step_back(pid: i32, address: u64) {
    let mut registers = registers(pid);
    // The breakpoint is an instruction that was run.
    assert_eq!(registers.rip, address + 1);
    registers.rip = address;
    // SAFETY: header; an address of the child's own code.
    assert_eq!(unsafe { libc::ptrace(libc::PTRACE_SETREGS, pid, 0, &raw const registers) }, 0);
}

fn registers(pid: i32) -> libc::user_regs_struct {
    // SAFETY: all zero is a valid value.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    // SAFETY: header.
    assert_eq!(unsafe { libc::ptrace(libc::PTRACE_GETREGS, pid, 0, &raw mut registers) }, 0);
    registers
}
