//! A snapshot of the counters.

use serde::Serialize;

use super::{Event, Latency};
use crate::callsite::Callsite;
use crate::queue::QueueStats;

/// What a cache has done so far; returned by [`Cache::stats`](crate::Cache::stats).
///
/// Implements `Serialize`, so that a health endpoint can return it as it is.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Every function that was called, and `by hand` for what belongs to no cached function: invalidations, including
    /// those of annotated writes.
    pub functions: Vec<FunctionStats>,
    /// Every queue that was used.
    pub queues: Vec<QueueStats>,
    /// Invalidations that have not been delivered yet. Their keys bypass the cache.
    pub journal_depth: usize,
    /// The state of the connection's circuit breaker; `None` for the embedded store. In a cluster, the worst state of
    /// any primary.
    pub breaker: Option<BreakerState>,
    /// Connections made so far. More than one, or in a cluster more than one per primary, means that a connection was
    /// lost.
    pub connections: u64,
}

/// The state of the circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BreakerState {
    /// The store has not been used yet: the next call connects.
    Idle,
    /// The first attempt to connect is in progress; calls wait for it within their budget.
    Connecting,
    /// Calls use the store.
    Closed,
    /// The server is being probed; calls bypass the cache meanwhile.
    HalfOpen,
    /// Calls bypass the cache; the server is probed from time to time.
    Open,
}

impl Stats {
    /// The counters of one function, by the end of its path: `get_user` or `users::get_user`.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&FunctionStats> {
        let ends = |full: &str| {
            full.strip_suffix(name).is_some_and(|path| path.is_empty() || path.ends_with("::"))
        };
        self.functions.iter().find(|function| ends(function.name))
    }

    /// The counters of one queue.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<&QueueStats> {
        self.queues.iter().find(|queue| queue.queue == name)
    }
}

macro_rules! function_stats {
    ($($(#[$doc:meta])* $field:ident: $event:ident),* $(,)?) => {
        /// The counters of one function. They only grow.
        #[derive(Clone, Debug, Default, Serialize)]
        #[non_exhaustive]
        pub struct FunctionStats {
            /// The function's path. Keys never appear as labels, so the number of labels stays small.
            pub name: &'static str,
            /// Its key template.
            pub template: &'static str,
            $($(#[$doc])* pub $field: u64,)*
            /// How long the bodies took that ran to completion.
            pub load_latency: Latency,
        }

        impl FunctionStats {
            pub(super) fn new(
                callsite: &'static Callsite,
                count: impl Fn(Event) -> u64,
                load_latency: Latency,
            ) -> Self {
                let (name, template) = (callsite.name(), callsite.template());
                Self { name, template, $($field: count(Event::$event),)* load_latency }
            }
        }
    };
}

function_stats! {
    /// Values found in the store.
    hits: Hit,
    /// Lookups that found no value, or none that may be used.
    misses: Miss,
    /// Calls that bypassed the cache: `bypass()`, `when`, or inside a write of the same entry.
    bypasses: Bypass,
    /// Calls that bypassed an entry whose invalidation has not been delivered yet.
    outdated: Outdated,
    /// Calls that were served by another caller's load.
    coalesced: Coalesced,
    /// Calls that waited for another caller's load for as long as `wait` allows, and then ran the body themselves.
    impatient: Impatient,
    /// Calls that waited for a load in another process.
    lease_waits: LeaseWait,
    /// Leases taken after another process had held them.
    lease_takeovers: Takeover,
    /// Bodies that returned a value.
    loads_ok: LoadOk,
    /// Bodies that returned an error.
    loads_failed: LoadFailed,
    /// Bodies that were dropped or panicked.
    loads_cancelled: LoadCancelled,
    /// Calls that were refused because too many loads were running.
    shed: Shed,
    /// Loaded values that were stored.
    fills_stored: Stored,
    /// Loaded values that were not stored because the entry had been invalidated meanwhile. Each would have become a
    /// stale entry.
    fills_refused: Refused,
    /// Stored values that could not be decoded, were too large, or had another codec or version. They count as misses
    /// too.
    undecodable: Undecodable,
    /// Loaded values that could not be encoded.
    unencodable: Unencodable,
    /// Loaded values larger than `max_value_bytes`.
    oversized: Oversized,
    /// Calls that were served a value past its time to live.
    stale_served: Stale,
    /// Calls that were chosen to refresh a value before its time to live ended.
    refreshes_early: Early,
    /// Refreshes: loads started to replace a value that is stale or about to be.
    refreshes_started: RefreshStarted,
    /// Refreshes that replaced the value.
    refreshes_ok: RefreshOk,
    /// Refreshes that failed, or whose value was not stored because the old one had been invalidated or replaced
    /// meanwhile.
    refreshes_failed: RefreshFailed,
    /// Stale values served without starting a refresh, because one had failed a moment ago.
    refreshes_rested: Rested,
    /// Stale values served without starting a refresh, because too many refreshes were running, or because the cache
    /// was shut down.
    refreshes_shed: RefreshShed,
    /// Lookups that found somebody else's data in their key.
    foreign: Foreign,
    /// Replies that belonged to another key.
    misplaced: Misplaced,
    /// Operations that were not attempted because the store was known to be down.
    store_down: Down,
    /// Operations that the store did not answer in time.
    store_timeouts: TimedOut,
    /// Operations whose connection was lost before the answer arrived.
    store_lost: Lost,
    /// Operations that the store refused.
    store_refused: StoreRefused,
    /// Keys whose invalidation was acknowledged.
    invalidations: Invalidated,
    /// Patterns whose invalidation was acknowledged.
    pattern_invalidations: PatternInvalidated,
    /// Invalidations that were not acknowledged at first.
    invalidations_journalled: Journalled,
}

impl FunctionStats {
    /// The fraction of lookups that found a value, from 0 to 1; `None` before the first lookup.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
    pub fn hit_rate(&self) -> Option<f64> {
        let lookups = self.hits + self.misses;
        (lookups > 0).then(|| self.hits as f64 / lookups as f64)
    }
}
