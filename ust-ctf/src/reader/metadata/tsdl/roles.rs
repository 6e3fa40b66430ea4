// SPDX-License-Identifier: MIT OR Apache-2.0
//! The names that have a meaning in CTF 1.8, and where they have it.

use super::parser::Result;
use crate::class::{ClassKind, IntegerClass, Role, TextClass};
use crate::reader::error::Complaint;
use crate::reader::metadata::draft::{Draft, Kind, NamedDraft, Scope};
use crate::reader::metadata::tree::Tree;

const PACKET_HEADER: [(&str, Role); 4] = [
    ("magic", Role::PacketMagic),
    ("uuid", Role::TraceUuid),
    ("stream_id", Role::StreamClassId),
    ("stream_instance_id", Role::StreamId),
];

const PACKET_CONTEXT: [(&str, Role); 6] = [
    ("timestamp_begin", Role::PacketBegin),
    ("timestamp_end", Role::PacketEnd),
    ("content_size", Role::PacketContentBits),
    ("packet_size", Role::PacketTotalBits),
    ("events_discarded", Role::DiscardedEvents),
    ("packet_seq_num", Role::PacketSeqNum),
];

/// Also in the options of variants, in which LTTng has them.
const EVENT_HEADER: [(&str, Role); 2] = [("id", Role::EventClassId), ("timestamp", Role::Timestamp)];

/// Says for each field of `tree` what a reader uses it for.
pub(super) fn assign(tree: &mut Tree) -> Result<()> {
    for parent in 0..tree.len() {
        let draft = std::sync::Arc::clone(&tree.node(parent).draft);
        let Kind::Struct(members) = &draft.kind else { continue };
        for (member, child) in members.list().iter().zip(tree.children(parent)) {
            let named = match tree.scope {
                Scope::PacketHeader if parent == 0 => find(&PACKET_HEADER, &member.name),
                Scope::PacketContext if parent == 0 => find(&PACKET_CONTEXT, &member.name),
                Scope::EventHeader => find(&EVENT_HEADER, &member.name),
                _ => None,
            };
            let position = tree.node(child).position;
            let role = match named {
                Some(role) => check(role, member, position, parent == 0)?,
                None => None,
            };
            tree.node_mut(child).role = match (tree.scope, role.or_else(|| timestamp(&member.draft))) {
                (Scope::PacketHeader, Some(Role::Timestamp)) => {
                    return Err(Complaint::new(member.at, "a clock cannot map a field of the packet header"));
                }
                (_, role) => role,
            };
        }
    }
    Ok(())
}

fn find(names: &[(&str, Role)], name: &str) -> Option<Role> {
    names.iter().find_map(|(known, role)| (*known == name).then_some(*role))
}

fn integer(draft: &Draft) -> Option<&IntegerClass> {
    match &draft.kind {
        Kind::Integer(integer) => Some(&integer.class),
        _ => None,
    }
}

/// An unsigned integer that a clock maps tells the time, in whatever scope.
fn timestamp(draft: &Draft) -> Option<Role> {
    match &draft.kind {
        Kind::Integer(integer) if integer.clock.is_some() && !integer.class.is_signed => Some(Role::Timestamp),
        _ => None,
    }
}

/// Returns `role` if the member has the form that goes with it, none if it is an ordinary member.
fn check(role: Role, member: &NamedDraft, position: u32, is_direct: bool) -> Result<Option<Role>> {
    let NamedDraft { at, name, draft } = member;
    let wrong = |what: &str| Err(Complaint::new(*at, format!("`{name}` of a packet header {what}")));
    let class = integer(draft);
    match role {
        Role::PacketMagic if position > 0 => wrong("must be its first member"),
        Role::PacketMagic => match class {
            Some(class) if class.bits == 32 && !class.is_signed => Ok(Some(role)),
            _ => wrong("must be an unsigned integer of 32 bits"),
        },
        Role::TraceUuid => match &draft.kind {
            Kind::Array { len: 16, element }
                if integer(element).is_some_and(|class| class.bits == 8 && !class.is_signed) =>
            {
                Ok(Some(role))
            }
            Kind::Plain(ClassKind::StaticText(TextClass { len: 16, .. })) => Ok(Some(role)),
            _ => wrong("must be an array of 16 unsigned integers of 8 bits"),
        },
        _ => match class {
            Some(class) if !class.is_signed => Ok(Some(role)),
            _ if role == Role::Timestamp || !is_direct => Ok(None),
            _ => Err(Complaint::new(*at, format!("`{name}` must be an unsigned integer here"))),
        },
    }
}
