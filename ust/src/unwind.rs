// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a tracepoint was called, for the context `ip`: the return address in the frame of its recording function.
//!
//! Passing the address along would cost each event an argument (hello: 1 ns of 14). The unwind tables, which the compiler writes for every
//! function, say how large the frame is. They are looked up once for each recording function and thread; see `context`. Where they do not say it,
//! the address is that of the recording function itself.
//!
//! The header of the tables is found by the constructor: the C library's list of objects is not to be asked in a signal handler.
//!
//! # Safety
//! The tables are those of this linked object, written by its linker, mapped as long as its code. They are read as bytes, each record within the
//! length that it states.

#![allow(unsafe_code)]

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::sys::LinkedObject;

/// The object's `.eh_frame_hdr`; null where it has none.
static TABLES: AtomicPtr<u8> = AtomicPtr::new(null_mut());

/// Finds the tables of the linked object that this copy of the runtime belongs to. Constructor only.
pub fn set_up() {
    // SAFETY: the function takes what `dl_iterate_phdr` gives and keeps nothing.
    unsafe { libc::dl_iterate_phdr(Some(look_at_object), null_mut()) };
}

unsafe extern "C" fn look_at_object(info: *mut libc::dl_phdr_info, _: usize, _: *mut c_void) -> c_int {
    // SAFETY: what the C library gave.
    let Some(object) = (unsafe { LinkedObject::new(info) }) else { return 0 };
    if !object.holds((&raw const TABLES) as usize) {
        return 0;
    }
    if let Some(tables) = object.part(libc::PT_GNU_EH_FRAME) {
        TABLES.store(tables as *mut u8, Ordering::Relaxed);
    }
    1
}

/// How far above the stack pointer at `pc`, a place in a function of this object, its return address lies.
#[cold]
#[inline(never)]
pub fn return_address_offset(pc: usize) -> Option<usize> {
    let tables = TABLES.load(Ordering::Relaxed);
    if tables.is_null() {
        return None;
    }
    let description = find(tables, pc)?;
    let mut rows = Rows::of(description, pc)?;
    rows.run()?;
    let above = rows.row.cfa_offset.checked_add(rows.row.return_at?)?;
    (rows.row.cfa_register == STACK_POINTER).then(|| usize::try_from(above).ok()).flatten()
}

/// DWARF's number of the stack pointer.
#[cfg(target_arch = "x86_64")]
const STACK_POINTER: u64 = 7;
#[cfg(target_arch = "aarch64")]
const STACK_POINTER: u64 = 31;

/// Pointers relative to their own place, 32 bits: the only ones that linkers write into these tables.
const RELATIVE_32: u8 = 0x1b;

/// The description of the function that holds `pc`: a search in the sorted table of the header.
fn find(tables: *const u8, pc: usize) -> Option<*const u8> {
    const HEADER: [u8; 4] = [1, RELATIVE_32, 0x03, 0x3b];
    const TABLE_AT: usize = 12;
    // SAFETY: the header, then as many pairs as it says (module header).
    let word = |at: usize| unsafe { tables.add(at).cast::<i32>().read_unaligned() };
    if word(0).to_le_bytes() != HEADER {
        return None;
    }
    let at = |offset: i32| (tables as usize).wrapping_add_signed(offset as isize);
    let (mut low, mut high) = (0, word(8) as u32 as usize);
    while low < high {
        let middle = low + (high - low) / 2;
        if at(word(TABLE_AT + 8 * middle)) <= pc { low = middle + 1 } else { high = middle }
    }
    Some(at(word(TABLE_AT + 8 * low.checked_sub(1)? + 4)) as *const u8)
}

/// Bytes of a record of the tables.
#[derive(Clone, Copy)]
struct Bytes {
    at: *const u8,
    left: usize,
}

impl Bytes {
    /// The record at `at`, behind its length.
    fn of_record(at: *const u8) -> Option<Self> {
        // SAFETY: a record of the tables begins with its length (module header).
        let left = unsafe { at.cast::<u32>().read_unaligned() };
        // The mark of a longer form, or an end.
        (left != u32::MAX && left != 0).then(|| Self { at: at.wrapping_add(4), left: left as usize })
    }

    fn skip(&mut self, bytes: usize) -> Option<*const u8> {
        let at = self.at;
        self.left = self.left.checked_sub(bytes)?;
        self.at = at.wrapping_add(bytes);
        Some(at)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        // SAFETY: `skip` checked that the record has so many bytes.
        self.skip(N).map(|at| unsafe { at.cast::<[u8; N]>().read_unaligned() })
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    /// LEB128; `signed` extends the last sign bit.
    fn leb(&mut self, signed: bool) -> Option<i64> {
        let (mut value, mut shift) = (0i64, 0);
        loop {
            let byte = self.u8()?;
            if shift < 64 {
                value |= i64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte & 0x80 == 0 {
                let extends = signed && shift < 64 && byte & 0x40 != 0;
                return Some(if extends { value | -1 << shift } else { value });
            }
        }
    }
}

/// Where the frame and its return address are, from some instruction on.
#[derive(Clone, Copy)]
struct Row {
    cfa_register: u64,
    cfa_offset: i64,
    /// From the CFA; `None` while it is in a register.
    return_at: Option<i64>,
}

/// The program of a description, and what it has said so far.
struct Rows {
    initial: Bytes,
    code: Bytes,
    code_align: i64,
    data_align: i64,
    return_register: i64,
    /// The function's begin, then the instruction that has been come to.
    place: usize,
    pc: usize,
    row: Row,
    kept: [Option<Row>; 4],
}

impl Rows {
    /// Reads a description and what it shares with others.
    fn of(description: *const u8, pc: usize) -> Option<Self> {
        let mut fde = Bytes::of_record(description)?;
        let shared_at = fde.at as usize;
        let back = u32::from_le_bytes(fde.take()?) as usize;
        let mut cie = Bytes::of_record(shared_at.wrapping_sub(back) as *const u8)?;
        if cie.take::<4>()? != [0; 4] {
            return None;
        }
        let version = cie.u8()?;
        let mut kinds = cie;
        while cie.u8()? != 0 {}
        let (code_align, data_align) = (cie.leb(false)?, cie.leb(true)?);
        let return_register = if version == 1 { i64::from(cie.u8()?) } else { cie.leb(false)? };
        if kinds.u8()? != b'z' {
            return None;
        }
        let bytes = usize::try_from(cie.leb(false)?).ok()?;
        let mut more = Bytes { left: bytes, ..cie };
        cie.skip(bytes)?;
        loop {
            match kinds.u8()? {
                0 => break,
                b'R' if more.u8()? == RELATIVE_32 => {}
                b'P' => {
                    // 32 bits relative, direct or not.
                    let encoding = more.u8()?;
                    more.skip(if encoding & 0x7f == RELATIVE_32 { 4 } else { return None })?;
                }
                b'L' => drop(more.u8()?),
                _ => return None,
            }
        }
        let begin_at = fde.at as usize;
        let place = begin_at.wrapping_add_signed(i32::from_le_bytes(fde.take()?) as isize);
        let length = u32::from_le_bytes(fde.take()?) as usize;
        let bytes = usize::try_from(fde.leb(false)?).ok()?;
        fde.skip(bytes)?;
        let row = Row { cfa_register: u64::MAX, cfa_offset: 0, return_at: None };
        let rows =
            Self { initial: cie, code: fde, code_align, data_align, return_register, place, pc, row, kept: [None; 4] };
        (pc.wrapping_sub(place) < length).then_some(rows)
    }

    /// Goes on to the row of `pc`.
    fn run(&mut self) -> Option<()> {
        let begin = self.place;
        let mut initial = self.initial;
        while initial.left > 0 {
            self.step(&mut initial)?;
        }
        self.place = begin;
        let mut code = self.code;
        while code.left > 0 && self.place <= self.pc {
            let before = self.row;
            self.step(&mut code)?;
            if self.place > self.pc {
                self.row = before;
            }
        }
        Some(())
    }

    fn step(&mut self, code: &mut Bytes) -> Option<()> {
        let op = code.u8()?;
        let low = i64::from(op & 0x3f);
        let mut advance = |by: i64| self.place = self.place.wrapping_add_signed((by * self.code_align) as isize);
        match (op >> 6, op & 0x3f) {
            (1, _) => advance(low),
            (2, _) => {
                let offset = code.leb(false)? * self.data_align;
                self.note(low, Some(offset));
            }
            (3, _) => {}
            // DW_CFA_advance_loc1, 2, 4
            (_, 0x02) => advance(i64::from(code.u8()?)),
            (_, 0x03) => advance(i64::from(u16::from_le_bytes(code.take()?))),
            (_, 0x04) => advance(i64::from(u32::from_le_bytes(code.take()?))),
            (_, 0x00) => {}
            // DW_CFA_offset_extended and its signed form
            (_, 0x05 | 0x11) => {
                let register = code.leb(false)?;
                let offset = code.leb(op == 0x11)? * self.data_align;
                self.note(register, Some(offset));
            }
            // DW_CFA_restore_extended, undefined, same_value
            (_, 0x06) => drop(code.leb(false)?),
            (_, 0x07 | 0x08) => {
                let register = code.leb(false)?;
                self.note(register, None);
            }
            // DW_CFA_remember_state, restore_state
            (_, 0x0a) => *self.kept.iter_mut().find(|place| place.is_none())? = Some(self.row),
            (_, 0x0b) => self.row = self.kept.iter_mut().rev().find_map(Option::take)?,
            // DW_CFA_def_cfa, def_cfa_register, def_cfa_offset
            (_, 0x0c) => {
                self.row.cfa_register = code.leb(false)? as u64;
                self.row.cfa_offset = code.leb(false)?;
            }
            (_, 0x0d) => self.row.cfa_register = code.leb(false)? as u64,
            (_, 0x0e) => self.row.cfa_offset = code.leb(false)?,
            // DW_CFA_GNU_args_size
            (_, 0x2e) => drop(code.leb(false)?),
            _ => return None,
        }
        Some(())
    }

    fn note(&mut self, register: i64, at: Option<i64>) {
        if register == self.return_register {
            self.row.return_at = at;
        }
    }
}
