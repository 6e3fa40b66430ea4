// SPDX-License-Identifier: MIT OR Apache-2.0
//! Goes past the fields of an event as fast as it can be: a flat list of operations per event class.
//!
//! Fields of fixed size that nobody refers to are one addition, whatever they are, and so is the padding between
//! them, because the compiler knows at which bit of a greater alignment it is. A length and the elements behind it are one
//! operation. What has no such shape (variants, optionals, elements of different sizes) goes through [`super::walk`].

use std::sync::Arc;

use super::bits::Layout;
use super::place::{Damage, Place, SlotFile};
use super::walk::{self, RoleSink, aligned, fixed_bits, skip_member, stride, take_string};
use crate::class::{Class, ClassKind, Encoding, Member, Role, Slot, StructClass};

/// A step past some fields. `before` are bits to go first.
#[derive(Clone, Debug)]
enum Op {
    /// Fields of fixed size.
    Skip { bits: u64 },
    /// Padding that depends on the place.
    Align { bits: u64 },
    /// A number that later fields refer to.
    Save { before: u64, layout: Layout, slot: Slot },
    /// A number of elements, and behind it the elements, of `unit` bits each, which need no padding.
    Counted { before: u64, layout: Layout, slot: Slot, unit: u64 },
    /// Elements of `unit` bits.
    Run { slot: Slot, unit: u64 },
    /// Text up to a NUL.
    Text(Encoding),
    /// Anything else.
    General(Arc<Member>),
}

/// What is known about a place before there is one: that it is `residue` bits behind a multiple of `modulus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    pub(crate) modulus: u64,
    pub(crate) residue: u64,
}

impl Phase {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self { modulus: 1, residue: 0 };

    /// Returns it after `bits` more.
    pub(crate) fn after(self, bits: u64) -> Self {
        Self { residue: self.residue.wrapping_add(bits) & (self.modulus - 1), ..self }
    }

    /// Returns the padding up to a multiple of `align`, if it is known.
    pub(crate) fn padding(self, align: u64) -> Option<u64> {
        (align <= self.modulus).then(|| self.residue.wrapping_neg() & (align - 1))
    }
}

/// The operations of an event class.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    ops: Vec<Op>,
}

impl Program {
    /// Returns the program that goes past these structures, the first of which begins at `phase`.
    pub(crate) fn compile<'c>(structs: impl IntoIterator<Item = &'c StructClass>, phase: Phase) -> Self {
        let mut compiler = Compiler { ops: Vec::new(), phase, pending: 0 };
        for class in structs {
            compiler.structure(class);
        }
        compiler.flush();
        Self { ops: compiler.ops }
    }

    /// Moves `place` behind the fields.
    #[inline]
    pub(crate) fn run(
        &self,
        place: &mut Place<'_>,
        slots: &mut [u64],
        roles: &mut impl RoleSink,
    ) -> Result<(), Damage> {
        for op in &self.ops {
            match op {
                Op::Skip { bits } => place.skip(*bits)?,
                Op::Align { bits } => place.align(*bits),
                Op::Save { before, layout, slot } => {
                    let at = place.pos + before;
                    place.skip(before + layout.bits())?;
                    slots.set_slot(*slot, layout.read(place.bytes, at));
                }
                Op::Counted { before, layout, slot, unit } => {
                    let at = place.pos + before;
                    place.skip(before + layout.bits())?;
                    let count = layout.read(place.bytes, at);
                    slots.set_slot(*slot, count);
                    place.skip(count.checked_mul(*unit).ok_or(Damage::Cut)?)?;
                }
                Op::Run { slot, unit } => place.skip(slots.slot(*slot).checked_mul(*unit).ok_or(Damage::Cut)?)?,
                Op::Text(encoding) => take_string(place, *encoding).map(|_| ())?,
                Op::General(member) => skip_member(member, place, slots, roles)?,
            }
        }
        Ok(())
    }
}

/// Sums of sizes stay far below what 64 bits hold.
const FIXED_BITS_MAX: u64 = 1 << 40;

struct Compiler {
    ops: Vec<Op>,
    phase: Phase,
    /// Bits to go before the next operation.
    pending: u64,
}

impl Compiler {
    fn structure(&mut self, class: &StructClass) {
        self.align(class.align_bits.max(1));
        for member in &class.members {
            self.member(member);
        }
    }

    fn member(&mut self, member: &Member) {
        let class = &*member.class;
        if is_role(member) {
            self.general(member);
        } else if let Some(slot) = member.save {
            match Layout::of_integer_kind(&class.kind) {
                Some(layout) => self.save(class, layout, slot),
                None => self.general(member),
            }
        } else {
            self.field(member, class);
        }
    }

    fn field(&mut self, member: &Member, class: &Class) {
        if let Some(bits) = fixed_bits(class).filter(|bits| *bits <= FIXED_BITS_MAX) {
            self.align(aligned(class));
            self.skip(bits);
            return;
        }
        match &class.kind {
            ClassKind::Struct(inner) => {
                self.align(class.align_bits.max(1));
                self.structure(inner);
            }
            ClassKind::String(encoding) => {
                self.align(aligned(class));
                self.flush();
                self.ops.push(Op::Text(*encoding));
                self.moved(8);
            }
            ClassKind::DynamicText(text) => self.run(aligned(class), text.len.slot, 8),
            ClassKind::DynamicBlob(blob) => self.run(aligned(class), blob.len.slot, 8),
            ClassKind::Sequence(array) => match stride(&array.element) {
                // An empty sequence aligns as its class says, but not as an element would.
                Some(unit @ 1..) if array.element.align_bits <= class.align_bits => {
                    self.run(class.align_bits.max(1), array.len.slot, unit);
                }
                _ => self.general(member),
            },
            _ => self.general(member),
        }
    }

    fn save(&mut self, class: &Class, layout: Layout, slot: Slot) {
        self.align(class.align_bits.max(1));
        let before = std::mem::take(&mut self.pending);
        self.phase = self.phase.after(layout.bits());
        self.ops.push(Op::Save { before, layout, slot });
    }

    fn run(&mut self, align: u64, slot: Slot, unit: u64) {
        self.align(align);
        match self.ops.last() {
            Some(Op::Save { before, layout, slot: saved }) if *saved == slot && self.pending == 0 => {
                let counted = Op::Counted { before: *before, layout: *layout, slot, unit };
                self.ops.pop();
                self.ops.push(counted);
            }
            _ => {
                self.flush();
                self.ops.push(Op::Run { slot, unit });
            }
        }
        self.moved(unit);
    }

    /// Some multiple of `unit` bits was passed.
    fn moved(&mut self, unit: u64) {
        let modulus = (1 << unit.trailing_zeros()).min(self.phase.modulus);
        self.phase = Phase { modulus, residue: self.phase.residue & (modulus - 1) };
    }

    fn align(&mut self, align: u64) {
        match self.phase.padding(align) {
            Some(bits) => self.skip(bits),
            None => {
                self.flush();
                self.ops.push(Op::Align { bits: align });
                self.phase = Phase { modulus: align, residue: 0 };
            }
        }
    }

    fn skip(&mut self, bits: u64) {
        if self.pending > FIXED_BITS_MAX {
            self.flush();
        }
        self.pending += bits;
        self.phase = self.phase.after(bits);
    }

    fn general(&mut self, member: &Member) {
        self.flush();
        self.ops.push(Op::General(Arc::new(member.clone())));
        self.phase = Phase::UNKNOWN;
    }

    fn flush(&mut self) {
        if self.pending > 0 {
            self.ops.push(Op::Skip { bits: std::mem::take(&mut self.pending) });
        }
    }
}

impl Layout {
    /// Only of what is kept as it is read.
    fn of_integer_kind(kind: &ClassKind) -> Option<Self> {
        if let ClassKind::Integer(class) = kind { Self::of_integer(class) } else { None }
    }
}

/// Tells whether a member behind the event header moves the clock.
fn is_role(member: &Member) -> bool {
    member.role == Some(Role::Timestamp)
}

/// Returns the greatest alignment of what is in `class`.
pub(crate) fn align_max(class: &StructClass) -> u64 {
    let members = class.members.iter().map(|member| align_max_of(&member.class));
    members.fold(class.align_bits.max(8), u64::max)
}

fn align_max_of(class: &Class) -> u64 {
    let inner = match &class.kind {
        ClassKind::Struct(inner) => align_max(inner),
        ClassKind::Array(array) => align_max_of(&array.element),
        ClassKind::Sequence(array) => align_max_of(&array.element),
        ClassKind::Optional(inner) => align_max_of(&inner.class),
        ClassKind::Variant(variant) => {
            variant.options.iter().map(|option| align_max_of(&option.class)).max().unwrap_or(1)
        }
        _ => 1,
    };
    class.align_bits.max(inner)
}

/// Nobody asks for roles.
impl RoleSink for () {
    fn number(&mut self, _role: Role, _value: u64, _bits: u32) {}
}

/// Goes past `class` where roles were seen before.
pub(crate) fn skip_unseen<S: SlotFile + ?Sized>(
    class: &StructClass,
    place: &mut Place<'_>,
    slots: &mut S,
) -> Result<(), Damage> {
    walk::skip_struct(class, place, slots, &mut ())
}
