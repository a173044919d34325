//! What a store is at.

use std::fmt;

use serde::Serialize;

use crate::metrics::names::names;

names! {
    /// The state of the circuit breaker.
    pub enum BreakerState {
        /// The store has not been used yet: the next call connects.
        Idle = "idle",
        /// The first attempt to connect is in progress; calls wait for it within their budget.
        Connecting = "connecting",
        /// Calls use the store.
        Closed = "closed",
        /// The server is being probed; calls bypass the cache meanwhile.
        HalfOpen = "half_open",
        /// Calls bypass the cache; the server is probed from time to time.
        Open = "open",
    }
}

/// What the embedded store of one process holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EmbeddedStats {
    /// Entries, be they values or what keeps a value out.
    pub entries: usize,
    /// How many bytes of memory they take, more or less.
    pub bytes: usize,
}
