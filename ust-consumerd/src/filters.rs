// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters against the tracepoints that there are.

use std::sync::Arc;

use ust_filter::{Filter, FilterError, Kind, Reference, Root, Schema, Step};
use ust_shm::context::{Context, ContextType};
use ust_shm::decode::{FieldType, Tracepoint};
use ust_shm::descriptor::Scalar;

use crate::config::RuleConfig;

/// What is wrong with the filter of a rule.
#[derive(Debug)]
pub(crate) enum FilterProblem {
    /// It is none, or asks for fields that no event of the rule has.
    Wrong(Box<FilterError>),
    /// No running program has such an event, so that nobody knows its fields.
    Unknown,
}

/// Checks that `rule` has no filter, or one that can be right for one of `tracepoints`. With `allows_unknown` it need not be one of those.
///
/// # Errors
/// [`FilterProblem`].
pub(crate) fn check<'t>(
    rule: &RuleConfig,
    tracepoints: impl Iterator<Item = &'t Arc<Tracepoint>>,
    allows_unknown: bool,
) -> Result<(), FilterProblem> {
    let Some(text) = &rule.filter else { return Ok(()) };
    let wrong = |error| FilterProblem::Wrong(Box::new(error));
    let filter = Filter::parse(text).map_err(wrong)?;
    filter.compile().map_err(wrong)?;
    if allows_unknown {
        return Ok(());
    }
    let is_wanted = |t: &&Arc<Tracepoint>| {
        let name = format!("{}:{}", t.provider, t.name);
        crate::pattern_matches(&rule.pattern, &name)
            && !rule.exclusions.iter().any(|x| crate::pattern_matches(x, &name))
    };
    let schemas: Vec<Fields> = tracepoints.filter(is_wanted).map(|t| Fields(Arc::clone(t))).collect();
    if schemas.is_empty() {
        return Err(FilterProblem::Unknown);
    }
    filter.check(&schemas).map_err(wrong)
}

/// What a filter can ask of the events of a tracepoint.
pub(crate) struct Fields(pub(crate) Arc<Tracepoint>);

impl Schema for Fields {
    fn kind(&self, reference: &Reference) -> Option<Kind> {
        let [Step::Member(name), rest @ ..] = reference.steps.as_slice() else { return None };
        if reference.root == Root::Context {
            let context = Context::from_name(name).filter(|_| rest.is_empty())?;
            return Some(match context.ty() {
                ContextType::Integer(_) => Kind::Integer,
                ContextType::Text(_) => Kind::Text,
            });
        }
        let field = self.0.fields.iter().find(|field| reference.root == Root::Payload && field.name == *name)?;
        Some(match (&field.ty, rest) {
            (FieldType::Scalar(scalar) | FieldType::Optional(scalar), []) => kind_of(*scalar),
            (FieldType::Enumeration { .. }, []) => Kind::Integer,
            (FieldType::String | FieldType::Array { text: true, .. } | FieldType::Sequence { text: true, .. }, []) => {
                Kind::Text
            }
            (FieldType::Array { .. } | FieldType::Sequence { .. }, []) => Kind::Other,
            (FieldType::Array { element, len, .. }, [Step::Element(idx)]) if *idx < u64::from(*len) => {
                kind_of(*element)
            }
            (FieldType::Sequence { element, .. }, [Step::Element(_)]) => kind_of(*element),
            _ => return None,
        })
    }

    fn names(&self, root: Root) -> Vec<String> {
        match root {
            Root::Payload => self.0.fields.iter().map(|field| field.name.clone()).collect(),
            Root::Context => Context::all().map(|context| context.name().to_owned()).collect(),
            Root::Application => Vec::new(),
        }
    }
}

fn kind_of(scalar: Scalar) -> Kind {
    match scalar {
        Scalar::Integer(_) => Kind::Integer,
        Scalar::Float { .. } => Kind::Float,
    }
}
