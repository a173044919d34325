//! What a search has come to, and how its call will end if nothing else happens.

use crate::engine::flight::Leader;
use crate::metrics::{Ending, OutcomeKind, UncachedReason};
use crate::read::load::mode::LoadMode;
use crate::read::lookup::Refresh;
use crate::record::Value;

/// What a search has come to.
pub(in crate::read) enum LookupOutcome {
    /// A result, which is that of the call by now.
    Found(Ending),
    /// Nothing is to be done about the value that was to be refreshed: it stays, or another process
    /// has replaced it.
    Kept,
    /// Nothing that can be served: run the body.
    Load(LoadMode, Ending),
    /// A value, which is the result of the call by now, and is to be refreshed in the background.
    Refresh(Refresh, Ending),
    /// The same for a value that is served only if the load in the background takes too long.
    Await(Refresh),
}

impl LookupOutcome {
    /// A result was found, or is served by another call.
    pub(super) fn found(outcome: OutcomeKind) -> Self {
        Self::Found(outcome.into())
    }

    /// The same, of a value in the store.
    pub(super) fn served(outcome: OutcomeKind, value: &Value) -> Self {
        Self::Found(Ending::served(outcome, value.cost_ms()))
    }

    /// Run the body as if there were no cache.
    pub(in crate::read) fn alone(ending: impl Into<Ending>) -> Self {
        Self::Load(LoadMode::Alone, ending.into())
    }

    /// Run the body for the waiters as well, but store nothing.
    pub(super) fn shared(leader: Leader, why: UncachedReason) -> Self {
        Self::Load(LoadMode::shared(leader), why.into())
    }

    /// The same if there is a leader, and else as if there were no cache.
    pub(super) fn unstored(leader: Option<Leader>, why: UncachedReason) -> Self {
        match leader {
            Some(leader) => Self::shared(leader, why),
            None => Self::alone(why),
        }
    }

    /// Run the body, whose result may be stored.
    pub(super) fn leased(mode: LoadMode) -> Self {
        Self::Load(mode, OutcomeKind::Loaded.into())
    }
}
