// SPDX-License-Identifier: MIT OR Apache-2.0
//! The roles of CTF 2: in which scopes each has a meaning, and what form it asks for.

use crate::class::Role;
use crate::reader::error::Complaint;
use crate::reader::metadata::Result;
use crate::reader::metadata::draft::{Kind, Scope};
use crate::reader::metadata::tree::Tree;

/// Says for each field of `tree` what a reader uses it for.
///
/// A role in a scope where it means nothing is passed over: an alias can be used in several. The role of an option of
/// a variant is that of the whole variant, since that is the member.
pub(super) fn assign(tree: &mut Tree) -> Result<()> {
    for idx in 0..tree.len() {
        let draft = std::sync::Arc::clone(&tree.node(idx).draft);
        let roles = match &draft.kind {
            Kind::Integer(integer) => &integer.roles,
            Kind::StaticBlob(_, roles) => roles,
            _ => continue,
        };
        let member = tree.member_of(idx);
        if !is_one_value(tree, member, idx) {
            continue;
        }
        let at = tree.at(idx);
        let is_first = member == idx && tree.node(idx).parent == 0 && tree.node(idx).position == 0;
        let scope = tree.scope;
        for role in roles.iter().filter_map(|role| in_scope(*role, scope)) {
            check(role, &draft.kind, is_first).map_err(|message| Complaint::new(at, message))?;
            let slot = &mut tree.node_mut(member).role;
            *slot = match (*slot, role) {
                (None, role) => Some(role),
                (Some(old), role) if old == role => Some(role),
                // A packet without padding: the content is as long as the packet unless something else says so.
                (Some(Role::PacketTotalBits), Role::PacketContentBits)
                | (Some(Role::PacketContentBits), Role::PacketTotalBits) => Some(Role::PacketTotalBits),
                (Some(old), new) => {
                    return Err(Complaint::new(
                        at,
                        format!("one field with the roles of {old:?} and {new:?} is not read"),
                    ));
                }
            };
        }
    }
    Ok(())
}

/// Tells whether there are only options between `member` and `idx`, no elements.
fn is_one_value(tree: &Tree, member: u32, idx: u32) -> bool {
    let mut idx = idx;
    while idx != member {
        idx = tree.node(idx).parent;
        if matches!(tree.node(idx).draft.kind, Kind::Array { .. } | Kind::Sequence { .. }) {
            return false;
        }
    }
    true
}

/// Returns what `role` means in `scope`, if anything.
fn in_scope(role: Role, scope: Scope) -> Option<Role> {
    match (scope, role) {
        (Scope::PacketHeader, Role::PacketMagic | Role::TraceUuid | Role::StreamClassId | Role::StreamId) => Some(role),
        (Scope::PacketContext, Role::Timestamp) => Some(Role::PacketBegin),
        (
            Scope::PacketContext,
            Role::PacketTotalBits
            | Role::PacketContentBits
            | Role::PacketEnd
            | Role::DiscardedEvents
            | Role::PacketSeqNum,
        ) => Some(role),
        (Scope::EventHeader, Role::EventClassId | Role::Timestamp) => Some(role),
        _ => None,
    }
}

fn check(role: Role, kind: &Kind, is_first: bool) -> std::result::Result<(), &'static str> {
    match (role, kind) {
        (Role::TraceUuid, Kind::StaticBlob(blob, _)) if blob.len == 16 => Ok(()),
        (Role::TraceUuid, _) => Err("the role `metadata-stream-uuid` is for a static-length BLOB of 16 bytes"),
        (Role::PacketMagic, Kind::Integer(integer)) if integer.class.bits == 32 && is_first => Ok(()),
        (Role::PacketMagic, _) => {
            Err("the role `packet-magic-number` is for a fixed-length integer of 32 bits that is the first member")
        }
        (_, Kind::Integer(_)) => Ok(()),
        _ => Err("this role is for an unsigned integer"),
    }
}
