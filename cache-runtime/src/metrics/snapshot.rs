//! A snapshot of the counters.

use serde::Serialize;

use crate::error::cause::Failure;
use crate::metrics::{Event, Latency, QueueStats};
use crate::policy::Callsite;

/// What a cache has done so far; returned by [`Cache::stats`](crate::Cache::stats).
///
/// Implements `Serialize`, so that a health endpoint can return it as it is, and `Display`: a table for a person, and what
/// to print where nothing seems to be cached.
///
/// ```
/// # use cache_runtime::{Cache, cached};
/// # #[cached(key = "square:<n>", ttl = 60)] async fn square(n: u64) -> u64 { n * n }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let cache = Cache::in_memory();
/// # cache.scope(async {
/// square(4).await;
/// square(4).await;
/// let stats = cache.stats();
/// assert_eq!((stats.loads("square"), stats.hits("square")), (1, 1));
/// assert_eq!(stats.loads("cube"), 0); // never called
/// println!("{stats}");
/// # assert!(stats.to_string().contains("::square     1       1    50.0 %      1       0"), "{stats}");
/// # }).await }
/// ```
///
/// ```text
/// function      hits  misses  hit rate  loads  failed  median  slowest
/// shop::square     1       1    50.0 %      1       0    2 µs     2 µs
///     fills stored 1
/// undelivered invalidations 0
/// ```
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
    /// Keys that the server has looked at so far for patterns among these invalidations, more or less; 0 when they are
    /// delivered. A sweep that is interrupted goes on where it was, so this grows until it is through all keys.
    pub journal_keys_looked_at: u64,
    /// Keys of these that were removed.
    pub journal_keys_removed: u64,
    /// The state of the connection's circuit breaker; `None` for the embedded store. In a cluster, the worst state of
    /// any primary.
    pub breaker: Option<BreakerState>,
    /// Connections made so far. More than one, or in a cluster more than one per primary, means that a connection was
    /// lost, or replaced after [`max_connection_age`](crate::CacheBuilder::max_connection_age).
    pub connections: u64,
    /// The latest failure of the server, or of any server of a cluster: why it could not be reached, did not answer, or
    /// refused something. It stays when the server works again. `None` if there was none, and for the embedded store.
    pub last_failure: Option<Failure>,
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
    /// The counters of one function, by the end of its path: `get_user` or `users::get_user`. `None` before its first
    /// call. Of several functions whose paths end so, it is the one that was called first.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&FunctionStats> {
        self.ending_in(name).next()
    }

    /// How many lookups of a function found a value, by the end of its path: `get_user` or `users::get_user`. Zero if no
    /// such function was called. Several functions whose paths end so are counted together.
    #[must_use]
    pub fn hits(&self, function: &str) -> u64 {
        self.ending_in(function).map(|it| it.hits).sum()
    }

    /// How many lookups of a function found no value, or none that may be used. Zero if no such function was called; see
    /// [`hits`](Self::hits).
    #[must_use]
    pub fn misses(&self, function: &str) -> u64 {
        self.ending_in(function).map(|it| it.misses).sum()
    }

    /// How often the body of a function has run, however it ended: with a value, with an error, or dropped. Zero if no
    /// such function was called; see [`hits`](Self::hits).
    #[must_use]
    pub fn loads(&self, function: &str) -> u64 {
        self.ending_in(function).map(FunctionStats::loads).sum()
    }

    /// The functions whose path ends in `name`, from its beginning or behind a `::`.
    fn ending_in(&self, name: &str) -> impl Iterator<Item = &FunctionStats> {
        let ends = move |full: &str| {
            full.strip_suffix(name).is_some_and(|path| path.is_empty() || path.ends_with("::"))
        };
        self.functions.iter().filter(move |function| ends(function.name))
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

            /// Every counter, by the name of its field.
            pub(super) fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($field), self.$field)),*].into_iter()
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
    /// Stored values that could not be decoded or were too large, and those of another codec or version that a refresh
    /// replaces: other calls leave them to the release that has stored them. They count as misses too.
    undecodable: Undecodable,
    /// Loaded values that could not be encoded, or would have come back as other values.
    unencodable: Unencodable,
    /// Loaded values larger than `max_value_bytes`, or than half of the embedded store's `capacity`.
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
    /// Operations that were not attempted because so many were in flight
    /// ([`max_in_flight`](crate::CacheBuilder::max_in_flight)) that their turn did not come within the budget.
    store_saturated: Saturated,
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
    /// How often a mistake in the use of this function was seen: it ran without a cache, with a value that cannot be a
    /// part of a key or would come back from the cache as another, or with the entries of a function that names another
    /// cache; a key made by hand had no time to live; when it was first called, another function could make the same key, or shared entries had another codec,
    /// version or tags; or another sink had its queue. The log describes each kind of mistake once.
    misuses: Misused,
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

    /// How often the body has run, however it ended: with a value, with an error, or dropped.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.loads_ok + self.loads_failed + self.loads_cancelled
    }
}
