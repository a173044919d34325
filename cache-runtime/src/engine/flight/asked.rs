//! What a call asks for, which is what an error of it is about.

use std::sync::Arc;

use crate::policy::{self, Callsite};
use crate::record::KeyHash;

/// The function that was called, and for which entries.
#[derive(Clone, Debug)]
pub(crate) struct FlightRequest {
    callsite: &'static Callsite,
    /// Those of a batch, sorted. None for a function of one entry, which is that of the flight.
    entries: Option<Arc<[u64]>>,
}

impl FlightRequest {
    /// A call of a function of one entry.
    pub(crate) fn one(callsite: &'static Callsite) -> Self {
        Self { callsite, entries: None }
    }

    /// A load by hand. It takes neither errors nor originals, of which it does not know the type.
    pub(crate) fn by_hand() -> Self {
        Self { callsite: &policy::BY_HAND, entries: None }
    }

    pub(super) fn is_by_hand(&self) -> bool {
        std::ptr::eq(self.callsite, &raw const policy::BY_HAND)
    }

    /// A call of a batch.
    pub(crate) fn many(
        callsite: &'static Callsite,
        entries: impl IntoIterator<Item = KeyHash>,
    ) -> Self {
        let mut entries: Vec<_> = entries.into_iter().map(|entry| entry.0).collect();
        entries.sort_unstable();
        entries.dedup();
        Self { callsite, entries: Some(entries.into()) }
    }
}

impl PartialEq for FlightRequest {
    /// Functions are told apart by their statics: two of the same name and the same types are two.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.callsite, other.callsite) && self.entries == other.entries
    }
}

impl Eq for FlightRequest {}
