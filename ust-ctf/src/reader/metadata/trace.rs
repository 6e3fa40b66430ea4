// SPDX-License-Identifier: MIT OR Apache-2.0
//! Joins drafts to a trace: ids, clocks, references between scopes, and at last the classes.
//!
//! All references of all events are resolved before the first class is built, because a reference can
//! make two slots of a header one.

use std::collections::HashMap;
use std::sync::Arc;

use super::Result;
use super::build::Builder;
use super::draft::{Draft, Kind, Scope, name_cost, too_large};
use super::resolve::{Scopes, Slots, resolve};
use super::tree::Tree;
use crate::class::{
    ByteOrder, ClockClass, EnvValue, EventClass, Identity, Role, Source, StreamClass, StructClass, TraceClass,
};
use crate::limits::CLASSES_MAX;
use crate::reader::error::Complaint;

/// A trace whose references are names.
pub(super) struct TraceDraft {
    /// CTF major version.
    pub(super) version: u8,
    pub(super) uuid: Option<[u8; 16]>,
    pub(super) identity: Identity,
    pub(super) env: Vec<(String, EnvValue)>,
    pub(super) clocks: Vec<ClockClass>,
    /// Indices of `clocks` by id.
    pub(super) clock_idx: HashMap<String, usize>,
    /// Byte order of what names none.
    pub(super) native: ByteOrder,
    pub(super) packet_header: Option<Arc<Draft>>,
    pub(super) streams: Vec<StreamDraft>,
    pub(super) events: Vec<EventDraft>,
    /// Says for each field of a scope what it is used for.
    pub(super) assign_roles: fn(&mut Tree) -> Result<()>,
}

#[derive(Default)]
pub(super) struct StreamDraft {
    pub(super) at: usize,
    /// None is 0.
    pub(super) id: Option<u64>,
    pub(super) identity: Identity,
    /// CTF 2: index of the clock. That of CTF 1.8 is found by the fields that it maps.
    pub(super) clock: Option<usize>,
    pub(super) packet_context: Option<Arc<Draft>>,
    pub(super) event_header: Option<Arc<Draft>>,
    pub(super) event_context: Option<Arc<Draft>>,
}

#[derive(Default)]
pub(super) struct EventDraft {
    pub(super) at: usize,
    /// None is 0.
    pub(super) id: Option<u64>,
    /// None is 0.
    pub(super) stream_id: Option<u64>,
    pub(super) identity: Identity,
    pub(super) name: String,
    pub(super) loglevel: Option<i64>,
    pub(super) emf_uri: Option<String>,
    pub(super) context: Option<Arc<Draft>>,
    pub(super) payload: Option<Arc<Draft>>,
    pub(super) source: Option<Source>,
}

/// A stream class on the way from drafts to classes.
struct Stream {
    draft: StreamDraft,
    /// Its own scopes; those of the packet header and of events are empty.
    scopes: Scopes,
    events: Vec<(EventDraft, Scopes)>,
    clock: Option<usize>,
}

impl TraceDraft {
    fn is_ctf1(&self) -> bool {
        self.version == 1
    }

    /// Returns the classes.
    pub(super) fn finish(mut self) -> Result<TraceClass> {
        self.check_size()?;
        let mut streams = self.streams()?;
        let mut slots = Slots::default();
        let mut header: Scopes = Default::default();
        header[Scope::PacketHeader as usize] = self.tree(Scope::PacketHeader, self.packet_header.as_ref())?;
        resolve(&mut header, Scope::PacketHeader, &mut slots, self.is_ctf1())?;
        for stream in &mut streams {
            self.resolve_stream(stream, &mut header, &mut slots)?;
        }
        if self.is_ctf1() {
            implicit_ids(&header, &mut streams)?;
        }
        let builder = Builder { native: self.native, slots: &slots, strips_names: self.is_ctf1() };
        let packet_header = take(&builder, &mut header, Scope::PacketHeader);
        let mut classes: Vec<StreamClass> = streams.into_iter().map(|stream| build_stream(&builder, stream)).collect();
        classes.sort_by_key(|stream| stream.id);
        Ok(TraceClass {
            version: self.version,
            uuid: self.uuid,
            identity: self.identity,
            env: self.env,
            clocks: self.clocks,
            packet_header,
            streams: classes,
            slot_count: slots.count(),
        })
    }

    /// Refuses more classes than fit in memory.
    fn check_size(&self) -> Result<()> {
        let mut cost = self.packet_header.as_ref().map_or(0, |draft| draft.cost);
        let mut add = |at, drafts: &[&Option<Arc<Draft>>], name: usize| {
            let classes = drafts.iter().filter_map(|draft| draft.as_ref()).map(|draft| draft.cost).sum::<u64>();
            cost = cost.saturating_add(classes).saturating_add(name_cost(name));
            if cost > CLASSES_MAX { Err(too_large(at)) } else { Ok(()) }
        };
        for stream in &self.streams {
            add(stream.at, &[&stream.packet_context, &stream.event_header, &stream.event_context], 0)?;
        }
        for event in &self.events {
            add(event.at, &[&event.context, &event.payload], event.name.len())?;
        }
        Ok(())
    }

    /// Takes the streams and gives each its events.
    fn streams(&mut self) -> Result<Vec<Stream>> {
        let mut idx_by_id = HashMap::new();
        let mut streams = Vec::new();
        for draft in std::mem::take(&mut self.streams) {
            let id = draft.id.unwrap_or(0);
            if idx_by_id.insert(id, streams.len()).is_some() {
                return Err(Complaint::new(draft.at, format!("there are two streams with the id {id}")));
            }
            let clock = draft.clock;
            streams.push(Stream { draft, scopes: Scopes::default(), events: Vec::new(), clock });
        }
        let mut seen = std::collections::HashSet::new();
        for event in std::mem::take(&mut self.events) {
            let (id, stream_id) = (event.id.unwrap_or(0), event.stream_id.unwrap_or(0));
            let Some(idx) = idx_by_id.get(&stream_id) else {
                return Err(Complaint::new(event.at, format!("there is no stream with the id {stream_id}")));
            };
            if !seen.insert((stream_id, id)) {
                let message = format!("there are two events with the id {id} in stream {stream_id}");
                return Err(Complaint::new(event.at, message));
            }
            streams[*idx].events.push((event, Scopes::default()));
        }
        Ok(streams)
    }

    fn tree(&self, scope: Scope, draft: Option<&Arc<Draft>>) -> Result<Option<Tree>> {
        let Some(draft) = draft else { return Ok(None) };
        let mut tree = Tree::new(scope, draft);
        (self.assign_roles)(&mut tree)?;
        Ok(Some(tree))
    }

    fn resolve_stream(&mut self, stream: &mut Stream, header: &mut Scopes, slots: &mut Slots) -> Result<()> {
        let Stream { draft, scopes, events, clock } = stream;
        let header_idx = Scope::PacketHeader as usize;
        scopes[header_idx] = header[header_idx].take();
        let own = [
            (Scope::PacketContext, &draft.packet_context),
            (Scope::EventHeader, &draft.event_header),
            (Scope::EventContext, &draft.event_context),
        ];
        for (scope, draft) in own {
            scopes[scope as usize] = self.tree(scope, draft.as_ref())?;
            resolve(scopes, scope, slots, self.is_ctf1())?;
            self.find_clock(scopes[scope as usize].as_ref(), clock)?;
        }
        for (event, event_scopes) in events {
            for (scope, draft) in [(Scope::SpecificContext, &event.context), (Scope::Payload, &event.payload)] {
                scopes[scope as usize] = self.tree(scope, draft.as_ref())?;
                resolve(scopes, scope, slots, self.is_ctf1())?;
                self.find_clock(scopes[scope as usize].as_ref(), clock)?;
            }
            for scope in [Scope::SpecificContext, Scope::Payload] {
                event_scopes[scope as usize] = scopes[scope as usize].take();
            }
        }
        header[header_idx] = scopes[header_idx].take();
        Ok(())
    }

    /// CTF 1.8: sets `clock` to the one that maps a field of `tree`; a stream can have only one.
    ///
    /// CTF 2 says it elsewhere, and then it must be there.
    fn find_clock(&mut self, tree: Option<&Tree>, clock: &mut Option<usize>) -> Result<()> {
        if !self.is_ctf1() {
            let is_time = |role| matches!(role, Some(Role::PacketBegin | Role::PacketEnd | Role::Timestamp));
            let timestamp = tree.and_then(|tree| {
                let idx = (0..tree.len()).find(|idx| is_time(tree.node(*idx).role));
                idx.map(|idx| tree.at(idx))
            });
            return match (timestamp, clock) {
                (Some(at), None) => {
                    let message = "this is a time stamp, but its data stream class has no `default-clock-class-id`";
                    Err(Complaint::new(at, message))
                }
                _ => Ok(()),
            };
        }
        let Some(tree) = tree else { return Ok(()) };
        for field in 0..tree.len() {
            let node = tree.node(field);
            let Kind::Integer(integer) = &node.draft.kind else { continue };
            let at = tree.at(field);
            let idx = match (&integer.clock, node.role) {
                (Some((at, name)), _) => match self.clock_idx.get(&**name) {
                    Some(idx) => *idx,
                    None => return Err(Complaint::new(*at, format!("there is no clock `{name}`"))),
                },
                (None, Some(Role::PacketBegin | Role::PacketEnd | Role::Timestamp)) => self.only_clock(at)?,
                _ => continue,
            };
            if clock.is_some_and(|other| other != idx) {
                let name = |idx: usize| self.clocks.get(idx).map_or("", |clock| &clock.id);
                let message = format!(
                    "the clock `{}` is the second one of a stream, after `{}`; it can have one",
                    name(idx),
                    clock.map_or("", name)
                );
                return Err(Complaint::new(at, message));
            }
            *clock = Some(idx);
        }
        Ok(())
    }

    /// Returns the clock of a time stamp that names none: the only one, which has cycles of a nanosecond if there is none.
    fn only_clock(&mut self, at: usize) -> Result<usize> {
        match self.clocks.len() {
            0 => self.clocks.push(ClockClass {
                id: "default".to_owned(),
                description: String::new(),
                uuid: None,
                identity: Identity::default(),
                freq: 1_000_000_000,
                precision: 0,
                offset_s: 0,
                offset_cycles: 0,
                is_unix_epoch: true,
            }),
            1 => {}
            count => {
                let message = format!("this time stamp has no `map`, and there are {count} clocks: say which it is");
                return Err(Complaint::new(at, message));
            }
        }
        Ok(0)
    }
}

/// CTF 1.8: gives the id 0 to the only event of a stream whose header has no id, and to the only stream likewise.
fn implicit_ids(header: &Scopes, streams: &mut [Stream]) -> Result<()> {
    let has = |scopes: &Scopes, scope: Scope, role: Role| {
        let nodes = scopes[scope as usize].as_ref().map_or(&[][..], |tree| &tree.nodes);
        nodes.iter().any(|node| node.role == Some(role))
    };
    if !has(header, Scope::PacketHeader, Role::StreamClassId) {
        if let [_, second, ..] = streams {
            let message = "there are several streams, so the packet header must have an unsigned integer `stream_id`";
            return Err(Complaint::new(second.draft.at, message));
        }
        streams.iter_mut().for_each(|stream| stream.draft.id = None);
    }
    for stream in streams {
        if !has(&stream.scopes, Scope::EventHeader, Role::EventClassId) {
            if let [_, (second, _), ..] = &stream.events[..] {
                let message = "this stream has several events, so its event header must have an unsigned integer `id`";
                return Err(Complaint::new(second.at, message));
            }
            stream.events.iter_mut().for_each(|(event, _)| event.id = None);
        }
    }
    Ok(())
}

fn take(builder: &Builder<'_>, scopes: &mut Scopes, scope: Scope) -> Option<StructClass> {
    scopes[scope as usize].take().map(|tree| builder.scope(&tree))
}

fn build_stream(builder: &Builder<'_>, stream: Stream) -> StreamClass {
    let Stream { draft, mut scopes, events, clock } = stream;
    let mut events: Vec<EventClass> = events
        .into_iter()
        .map(|(event, mut scopes)| EventClass {
            id: event.id.unwrap_or(0),
            identity: event.identity,
            name: event.name,
            loglevel: event.loglevel,
            emf_uri: event.emf_uri,
            context: take(builder, &mut scopes, Scope::SpecificContext),
            payload: take(builder, &mut scopes, Scope::Payload),
            source: event.source,
        })
        .collect();
    events.sort_by_key(|event| event.id);
    StreamClass {
        id: draft.id.unwrap_or(0),
        identity: draft.identity,
        clock,
        packet_context: take(builder, &mut scopes, Scope::PacketContext),
        event_header: take(builder, &mut scopes, Scope::EventHeader),
        event_context: take(builder, &mut scopes, Scope::EventContext),
        events,
    }
}
