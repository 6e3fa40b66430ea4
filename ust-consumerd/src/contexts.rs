// SPDX-License-Identifier: MIT OR Apache-2.0
//! Contexts of channels by their names.

use ust_shm::context::{Context, ContextList};
use ust_shm::limits::CONTEXT_COUNT_MAX;

use crate::error::StartError;
use crate::sys;

/// The contexts of these names, each once, in order; names that there are not are left out, since whoever gave them was told.
pub(crate) fn list(names: &[String]) -> ContextList {
    let mut found: Vec<Context> = Vec::new();
    for context in names.iter().filter_map(|name| Context::from_name(name)).take(CONTEXT_COUNT_MAX) {
        if !found.contains(&context) {
            found.push(context);
        }
    }
    ContextList::new(&found).unwrap_or_default()
}

/// The names of `contexts`.
pub(crate) fn names(contexts: &ContextList) -> Vec<String> {
    contexts.iter().map(|context| context.name().to_owned()).collect()
}

/// Checks that a channel can have these contexts on this machine.
///
/// # Errors
/// Too many of them, a name that there is not, or a counter that cannot be had.
pub(crate) fn check(names: &[String]) -> Result<(), StartError> {
    if names.len() > CONTEXT_COUNT_MAX {
        return Err(StartError::Rules(format!("{} contexts, allowed are {CONTEXT_COUNT_MAX}", names.len())));
    }
    for name in names {
        let context =
            Context::from_name(name).ok_or_else(|| StartError::Rules(format!("there is no context `{name}`")))?;
        if let Some(counter) = context.perf() {
            let refused = |source| StartError::Counter { name: context.name(), source };
            sys::perf_event(counter.ty, counter.config).map_err(refused)?;
        }
    }
    Ok(())
}
