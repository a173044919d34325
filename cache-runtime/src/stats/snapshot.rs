//! The counters at one moment.

use serde::Serialize;

use super::{Event, Latency};
use crate::callsite::Callsite;
use crate::queue::QueueStats;

/// What a cache has done so far; made by [`Cache::stats`](crate::Cache::stats).
///
/// Serialises, so that a health endpoint can return it as it is.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Every function that was called, and `by hand` for what belongs to none: invalidations, those of annotated
    /// writes included.
    pub functions: Vec<FunctionStats>,
    /// Every queue that was used.
    pub queues: Vec<QueueStats>,
    /// Invalidations that are still to be delivered. Their keys bypass the cache.
    pub journal_depth: usize,
    /// The circuit breaker of the connection; none for the embedded store. In a cluster, that of the primary that is worst
    /// off.
    pub breaker: Option<BreakerState>,
    /// Connections made so far: more than one, or in a cluster more than one for each primary, means that one was lost.
    pub connections: u64,
}

/// What the circuit breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BreakerState {
    /// Nothing was asked of the store yet: the next call connects.
    Idle,
    /// The first attempt to connect is under way; calls wait for it within their budget.
    Connecting,
    /// Calls go through.
    Closed,
    /// The server is being tried; calls go past the cache meanwhile.
    HalfOpen,
    /// Calls go past the cache; the server is tried now and then.
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
        /// What calls of one function came to. All counters only grow.
        #[derive(Clone, Debug, Default, Serialize)]
        #[non_exhaustive]
        pub struct FunctionStats {
            /// The function's path. Never a key: labels stay few.
            pub name: &'static str,
            /// Its key template.
            pub template: &'static str,
            $($(#[$doc])* pub $field: u64,)*
            /// How long bodies ran that came to an end.
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
    /// Lookups that found none, or none that may be used.
    misses: Miss,
    /// Calls past the cache: `bypass()`, `when`, or inside a write of the same entry.
    bypasses: Bypass,
    /// Calls around an entry whose invalidation is still to be delivered.
    outdated: Outdated,
    /// Calls that another caller's load served.
    coalesced: Coalesced,
    /// Calls that waited for another's load until their patience ended.
    impatient: Impatient,
    /// Calls that waited for a load of another process.
    lease_waits: LeaseWait,
    /// Leases got after another process had held them.
    lease_takeovers: Takeover,
    /// Bodies that returned a value.
    loads_ok: LoadOk,
    /// Bodies that returned an error.
    loads_failed: LoadFailed,
    /// Bodies that were dropped or panicked.
    loads_cancelled: LoadCancelled,
    /// Calls that were turned away because too many loads were under way.
    shed: Shed,
    /// Loaded values that were stored.
    fills_stored: Stored,
    /// Loaded values that were not stored because the entry had been invalidated meanwhile: each one a stale value
    /// that did not happen.
    fills_refused: Refused,
    /// Stored values that did not decode, were too large, or of another codec or version. They count as misses too.
    undecodable: Undecodable,
    /// Loaded values that did not encode.
    unencodable: Unencodable,
    /// Loaded values above `max_value_bytes`.
    oversized: Oversized,
    /// Calls that were served a value past its time to live.
    stale_served: Stale,
    /// Calls that were chosen to refresh a value before its time to live ended.
    refreshes_early: Early,
    /// Loads that were to replace a value in place: stale, or about to be.
    refreshes_started: RefreshStarted,
    /// Those that did.
    refreshes_ok: RefreshOk,
    /// Those that failed, or whose value could not take the old one's place: it had been invalidated or replaced meanwhile.
    refreshes_failed: RefreshFailed,
    /// Stale values served without an attempt to refresh them, because one had failed a moment ago.
    refreshes_rested: Rested,
    /// Stale values served without an attempt to refresh them, because too many refreshes were under way, or the cache
    /// was shut down.
    refreshes_shed: RefreshShed,
    /// Lookups that met somebody else's data in their key.
    foreign: Foreign,
    /// Replies that belonged to another key.
    misplaced: Misplaced,
    /// Operations that were refused at once because the store was known to be down.
    store_down: Down,
    /// Operations that the store did not answer in time.
    store_timeouts: TimedOut,
    /// Operations whose connection was lost underway.
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
    /// The part of lookups that found a value, between 0 and 1; none before the first lookup.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
    pub fn hit_rate(&self) -> Option<f64> {
        let lookups = self.hits + self.misses;
        (lookups > 0).then(|| self.hits as f64 / lookups as f64)
    }
}
