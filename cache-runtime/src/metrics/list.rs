//! Every counter, once: what is counted, the field that shows it, and the metric that exports it.
//!
//! A list is a macro that hands its rows to another one. So the events, the fields of a snapshot,
//! the export and its documentation are made from the same rows, and none can be forgotten.

/// Counters of a function: `field: Event => "metric", label = "value"`, with what it counts. Each
/// is also the description of the event.
macro_rules! function_counters {
    ($then:ident) => {
        $then! {
            /// Values found in the store.
            hits: Hit => "cache.requests", outcome = "hit";
            /// Lookups that found no value, or none that may be used.
            misses: Miss => "cache.requests", outcome = "miss";
            /// Calls that bypassed the cache: `bypass()`, `when`, or inside a write of the same
            /// entry.
            bypasses: Bypass => "cache.requests", outcome = "bypass";
            /// Calls that bypassed an entry whose invalidation has not been delivered yet.
            outdated: Outdated => "cache.requests", outcome = "outdated";
            /// Calls that were served by another caller's load.
            coalesced: Coalesced => "cache.requests", outcome = "coalesced";
            /// Calls that waited for another caller's load for as long as `wait` allows, and then
            /// ran the body themselves.
            impatient: Impatient => "cache.requests", outcome = "impatient";
            /// Calls that waited for a load in another process.
            lease_waits: LeaseWait => "cache.leases", outcome = "waited";
            /// Leases taken after another process had held them.
            lease_takeovers: Takeover => "cache.leases", outcome = "taken_over";
            /// Bodies that returned a value.
            loads_ok: LoadOk => "cache.loads", outcome = "ok";
            /// Bodies that returned an error.
            loads_failed: LoadFailed => "cache.loads", outcome = "error";
            /// Bodies that were dropped or panicked.
            loads_cancelled: LoadCancelled => "cache.loads", outcome = "cancelled";
            /// Calls that were refused because too many loads were running.
            shed: Shed => "cache.requests", outcome = "shed";
            /// Loaded values that were stored.
            fills_stored: Stored => "cache.fills", outcome = "stored";
            /// Loaded values that were not stored because the entry had been invalidated meanwhile.
            /// Each would have become a stale entry.
            fills_refused: Refused => "cache.fills", outcome = "refused";
            /// Loaded values that were not stored because, while they were loaded, somebody wrote a
            /// tag, and they tell tags that the call did not know before.
            fills_overlapped: Overlapped => "cache.fills", outcome = "overlapped";
            /// Stored values that could not be decoded or were too large, and those of another
            /// codec or version that a refresh replaces: other calls leave them to the release that
            /// has stored them. They count as misses too.
            undecodable: Undecodable => "cache.entries.unusable", reason = "undecodable";
            /// Loaded values that could not be encoded, or would have come back as other values.
            unencodable: Unencodable => "cache.fills", outcome = "unencodable";
            /// Loaded values larger than `max_value_bytes`, or than half of the embedded store's
            /// `capacity`.
            oversized: Oversized => "cache.fills", outcome = "oversized";
            /// Calls that were served a value past its time to live.
            stale_served: Stale => "cache.stale", outcome = "served";
            /// Calls that were chosen to refresh a value before its time to live ended.
            refreshes_early: Early => "cache.refreshes", outcome = "early";
            /// Refreshes: loads started to replace a value that is stale or about to be.
            refreshes_started: RefreshStarted => "cache.refreshes", outcome = "started";
            /// Refreshes that replaced the value.
            refreshes_ok: RefreshOk => "cache.refreshes", outcome = "ok";
            /// Refreshes that failed, or whose value was not stored because the old one had been
            /// invalidated or replaced meanwhile.
            refreshes_failed: RefreshFailed => "cache.refreshes", outcome = "failed";
            /// Stale values served without starting a refresh, because one had failed a moment ago.
            refreshes_rested: Rested => "cache.refreshes", outcome = "rested";
            /// Stale values served without starting a refresh, because too many refreshes were
            /// running, or because the cache was shut down.
            refreshes_shed: RefreshShed => "cache.refreshes", outcome = "shed";
            /// Lookups that found somebody else's data in their key.
            foreign: Foreign => "cache.entries.unusable", reason = "foreign";
            /// Replies that belonged to another key.
            misplaced: Misplaced => "cache.entries.unusable", reason = "misplaced";
            /// Operations that were not attempted because the store was known to be down.
            store_down: Down => "cache.store.errors", reason = "down";
            /// Operations that were not attempted because so many were in flight
            /// ([`max_in_flight`](crate::CacheBuilder::max_in_flight)) that their turn did not come
            /// within the budget.
            store_saturated: Saturated => "cache.store.errors", reason = "saturated";
            /// Operations that the store did not answer in time.
            store_timeouts: TimedOut => "cache.store.errors", reason = "timeout";
            /// Operations whose connection was lost before the answer arrived.
            store_lost: Lost => "cache.store.errors", reason = "lost";
            /// Operations that the store refused.
            store_refused: StoreRefused => "cache.store.errors", reason = "refused";
            /// Keys whose invalidation was acknowledged.
            invalidations: Invalidated => "cache.invalidations", outcome = "acknowledged";
            /// Patterns whose invalidation was acknowledged.
            pattern_invalidations: PatternInvalidated => "cache.invalidations", outcome = "pattern";
            /// How often a mistake in the use of this function was seen: it ran without a cache,
            /// with a value that cannot be a part of a key or would come back from the cache as
            /// another, or with the entries of a function that names another cache; a key made by
            /// hand had no time to live; when it was first called, another function could make the
            /// same key, or shared entries had another codec, version or tags; or another sink had
            /// its queue. The log describes each kind of mistake once.
            misuses: Misused => "cache.misuses", outcome = "reported";
            /// Invalidations that were not acknowledged at first.
            invalidations_journalled: Journalled => "cache.invalidations", outcome = "journalled";
        }
    };
}

/// Counters of a queue: `field => "metric", label = "value"`.
macro_rules! queue_counters {
    ($then:ident) => {
        $then! {
            /// Items that were put into the queue.
            pushed => "cache.queue.pushes", outcome = "queued";
            /// Items that went directly to the sink because the store was not available.
            direct => "cache.queue.pushes", outcome = "direct";
            /// Pushes that were refused because the queue was full.
            full => "cache.queue.pushes", outcome = "full";
            /// Pushes that failed for other reasons.
            failed => "cache.queue.pushes", outcome = "failed";
            /// Batches that the sink accepted.
            batches => "cache.queue.batches", outcome = "taken";
            /// Items that the sink accepted.
            delivered => "cache.queue.items", outcome = "delivered";
            /// Calls of the sink that failed.
            failures => "cache.queue.batches", outcome = "failed";
            /// Calls of the sink that blocked their thread for half of `lease` or longer; see
            /// [`writing_behind`](mod@crate::guide::writing_behind#sinks-that-block).
            blocked => "cache.queue.batches", outcome = "blocked";
            /// Items that became dead letters.
            dead_letters => "cache.queue.items", outcome = "dead_letter";
            /// Partitions that were lost, to another worker or because the lease expired, while
            /// this process was working on them.
            partitions_lost => "cache.queue.partitions.changes", outcome = "lost";
        }
    };
}

pub(super) use {function_counters, queue_counters};
