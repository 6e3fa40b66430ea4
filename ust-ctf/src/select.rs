// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chooses events by name and by what is in them, with the language of [`ust_filter`].
//!
//! A field of a filter is one of the payload; `$ctx.NAME` is a context of the event, of its stream or of its packet,
//! where a colon in the name is an underscore (`$ctx.perf:thread:cycles` is the field `perf_thread_cycles`); `$app.P:T` is the
//! context `app_P_T`. References are looked up once per event class and thread, not for every event.

use std::sync::Arc;

use ust_filter::{Filter, FilterError, Kind, Reference, Root, Schema, Step, Value as Operand, Values};
use ust_shm::glob;

use crate::class::{Class, ClassKind, EventClass, StreamClass, StructClass};
use crate::reader::{Event, Fields, Trace, Value};

/// Which events are wanted: all, until something is said.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    patterns: Vec<String>,
    filter: Option<Filter>,
}

/// Why a selection chooses nothing in a trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No event class has such a name.
    #[error("no event of the trace is called `{pattern}`; {}", names(.known))]
    Pattern {
        /// What was asked for.
        pattern: String,
        /// Names of events, some.
        known: Vec<String>,
    },
    /// The filter cannot be right.
    #[error(transparent)]
    Filter(#[from] FilterError),
}

fn names(known: &[String]) -> String {
    match known {
        [] => "it has no events".to_owned(),
        known => format!("it has `{}`", known.join("`, `")),
    }
}

/// Names of events that an error lists.
const NAME_COUNT_MAX: usize = 8;

impl Selection {
    /// Returns a selection of all events.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Adds the events whose name matches `pattern`: `*` matches anything, `\` takes the next character literally.
    #[must_use]
    pub fn with_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Wants only events that `filter` accepts.
    #[must_use]
    pub fn with_filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Tells whether nothing is left out.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.patterns.is_empty() && self.filter.is_none()
    }

    fn names(&self, class: &EventClass) -> bool {
        let matches = |pattern: &String| glob::matches(pattern.as_bytes(), class.name.as_bytes());
        self.patterns.is_empty() || self.patterns.iter().any(matches)
    }

    /// Checks that the selection can choose something in `trace`.
    ///
    /// # Errors
    /// A pattern that no event class matches; what [`Filter::check`] finds in the classes that the patterns match.
    pub fn check(&self, trace: &Trace) -> Result<(), SelectError> {
        let classes: Vec<EventFields<'_>> = trace
            .folders()
            .iter()
            .flat_map(|folder| &folder.class().streams)
            .flat_map(|stream| stream.events.iter().map(move |class| EventFields { stream, class }))
            .collect();
        for pattern in &self.patterns {
            let matches = |fields: &EventFields<'_>| glob::matches(pattern.as_bytes(), fields.class.name.as_bytes());
            if !classes.iter().any(matches) {
                let mut known: Vec<String> = classes.iter().map(|fields| fields.class.name.clone()).collect();
                known.sort_unstable();
                known.dedup();
                known.truncate(NAME_COUNT_MAX);
                return Err(SelectError::Pattern { pattern: pattern.clone(), known });
            }
        }
        if let Some(filter) = &self.filter {
            let wanted: Vec<_> = classes.into_iter().filter(|fields| self.names(fields.class)).collect();
            filter.check(&wanted)?;
        }
        Ok(())
    }

    /// Returns what asks the selection about events of one trace, for one thread.
    #[must_use]
    pub fn selector(self: &Arc<Self>) -> Selector {
        Selector { selection: Arc::clone(self), classes: Vec::new() }
    }
}

/// Asks a selection about the events of one [`Trace`].
#[derive(Debug)]
pub struct Selector {
    selection: Arc<Selection>,
    /// By number of the event class.
    classes: Vec<Option<ClassChoice>>,
}

/// What is known of the events of one class.
#[derive(Clone, Debug)]
enum ClassChoice {
    /// All are wanted, or none.
    Settled(bool),
    /// The filter decides; where its references lead, by their index.
    Asks(Arc<[Option<Found>]>),
}

impl Selector {
    /// Tells whether the event is wanted.
    #[inline]
    pub fn wants(&mut self, event: &Event<'_>) -> bool {
        if self.selection.is_all() {
            return true;
        }
        let number = event.class_number().0 as usize;
        if self.classes.get(number).is_none_or(Option::is_none) {
            self.look_up(number, event);
        }
        match self.classes.get(number) {
            Some(Some(ClassChoice::Settled(wanted))) => *wanted,
            Some(Some(ClassChoice::Asks(found))) => {
                let filter = self.selection.filter.as_ref();
                filter.is_none_or(|filter| filter.accepts(&EventValues { event, found }))
            }
            _ => false,
        }
    }

    #[cold]
    fn look_up(&mut self, number: usize, event: &Event<'_>) {
        let fields = EventFields { stream: event.stream_class(), class: event.class };
        let choice = match &self.selection.filter {
            _ if !self.selection.names(event.class) => ClassChoice::Settled(false),
            None => ClassChoice::Settled(true),
            Some(filter) => {
                ClassChoice::Asks(filter.references().iter().map(|reference| fields.find(reference)).collect())
            }
        };
        if self.classes.len() <= number {
            self.classes.resize(number + 1, None);
        }
        self.classes[number] = Some(choice);
    }
}

/// Which structure of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Payload,
    Specific,
    Common,
    Packet,
}

/// Where a reference leads in the events of one class.
#[derive(Clone, Copy, Debug)]
struct Found {
    scope: Scope,
    /// Index of the member in the scope.
    member: usize,
}

/// The fields that events of one class have.
struct EventFields<'c> {
    stream: &'c StreamClass,
    class: &'c EventClass,
}

impl<'c> EventFields<'c> {
    fn scopes(&self, root: Root) -> impl Iterator<Item = (Scope, &'c StructClass)> {
        let payload = (Scope::Payload, self.class.payload.as_ref());
        let specific = (Scope::Specific, self.class.context.as_ref());
        let common = (Scope::Common, self.stream.event_context.as_ref());
        let packet = (Scope::Packet, self.stream.packet_context.as_ref());
        let scopes = match root {
            Root::Payload => vec![payload],
            Root::Context | Root::Application => vec![specific, common, packet],
        };
        scopes.into_iter().filter_map(|(scope, class)| Some((scope, class?)))
    }

    fn find(&self, reference: &Reference) -> Option<Found> {
        let name = first_name(reference)?;
        self.scopes(reference.root).find_map(|(scope, class)| {
            let member = class.members.iter().position(|member| member.name == name)?;
            Some(Found { scope, member })
        })
    }

    fn class_of(&self, found: Found) -> Option<&'c Class> {
        let class = match found.scope {
            Scope::Payload => self.class.payload.as_ref(),
            Scope::Specific => self.class.context.as_ref(),
            Scope::Common => self.stream.event_context.as_ref(),
            Scope::Packet => self.stream.packet_context.as_ref(),
        };
        class?.members.get(found.member).map(|member| &*member.class)
    }
}

/// The name of the field in a trace.
fn first_name(reference: &Reference) -> Option<String> {
    let [Step::Member(name), ..] = reference.steps.as_slice() else { return None };
    Some(match reference.root {
        Root::Payload => name.clone(),
        Root::Context => name.replace(':', "_"),
        Root::Application => format!("app_{}", name.replace(':', "_")),
    })
}

impl Schema for EventFields<'_> {
    fn kind(&self, reference: &Reference) -> Option<Kind> {
        let mut class = self.class_of(self.find(reference)?)?;
        for step in reference.steps.get(1..)? {
            class = match (step, &inner(class).kind) {
                (Step::Element(idx), ClassKind::Array(array)) if *idx < array.len => &array.element,
                (Step::Element(_), ClassKind::Sequence(array)) => &array.element,
                (Step::Member(name), ClassKind::Struct(members)) => {
                    &members.members.iter().find(|member| member.name == *name)?.class
                }
                _ => return None,
            };
        }
        Some(kind(class))
    }

    fn names(&self, root: Root) -> Vec<String> {
        let names = self.scopes(root).flat_map(|(_, class)| class.members.iter().map(|member| member.name.as_str()));
        match root {
            Root::Payload | Root::Context => names.map(str::to_owned).collect(),
            Root::Application => names.filter_map(|name| name.strip_prefix("app_").map(str::to_owned)).collect(),
        }
    }
}

/// What a field is once it is there: an optional's value, a variant's only option that is more than an empty structure.
fn inner(class: &Class) -> &Class {
    match &class.kind {
        ClassKind::Optional(optional) => inner(&optional.class),
        ClassKind::Variant(variant) => {
            let is_empty = |class: &Class| matches!(&class.kind, ClassKind::Struct(class) if class.members.is_empty());
            let mut options = variant.options.iter().map(|option| &*option.class).filter(|class| !is_empty(class));
            match (options.next(), options.next()) {
                (Some(only), None) => inner(only),
                _ => class,
            }
        }
        _ => class,
    }
}

fn kind(class: &Class) -> Kind {
    match &inner(class).kind {
        ClassKind::Integer(_) | ClassKind::Bool { .. } | ClassKind::BitArray { .. } => Kind::Integer,
        ClassKind::Float(_) => Kind::Float,
        ClassKind::String(_) | ClassKind::StaticText(_) | ClassKind::DynamicText(_) => Kind::Text,
        _ => Kind::Other,
    }
}

/// The values of one event.
struct EventValues<'e> {
    event: &'e Event<'e>,
    found: &'e [Option<Found>],
}

impl Values for EventValues<'_> {
    fn value(&self, reference: &Reference) -> Option<Operand<'_>> {
        let Found { scope, member } = (*self.found.get(reference.idx)?)?;
        let fields: Fields<'_> = match scope {
            Scope::Payload => self.event.payload(),
            Scope::Specific => self.event.specific_context(),
            Scope::Common => self.event.common_context(),
            Scope::Packet => self.event.packet_context(),
        };
        let mut value = fields.at(member)?.value;
        for step in reference.steps.get(1..)? {
            value = match (step, there(value)?) {
                (Step::Element(idx), Value::Array(mut elements)) => elements.nth(usize::try_from(*idx).ok()?)?,
                (Step::Member(name), Value::Struct(fields)) => fields.get(name)?,
                _ => return None,
            };
        }
        Some(match there(value)? {
            // Two's complement, as the language has it.
            Value::Unsigned(number) | Value::Bits(number) => Operand::Integer(number as i64),
            Value::Signed(number) => Operand::Integer(number),
            Value::Bool(is_set) => Operand::Integer(is_set.into()),
            Value::Float(number) => Operand::Float(number),
            Value::Text(text) => Operand::Text(text.utf8()),
            _ => return None,
        })
    }
}

/// What is in an optional or a variant.
fn there(value: Value<'_>) -> Option<Value<'_>> {
    match value {
        Value::Optional(nested) => there(nested?.value()?),
        Value::Variant(_, nested) => there(nested.value()?),
        other => Some(other),
    }
}
