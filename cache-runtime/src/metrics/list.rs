//! Every counter, once: what is counted, the field that shows it, and the metric that exports it.
//!
//! A list is a macro that hands its rows to another one. So the events, the fields of a snapshot,
//! the export and its documentation are made from the same rows, and none can be forgotten.

/// How calls end. Their sum is the number of calls.
macro_rules! outcomes {
    ($then:ident) => {
        $then! {
            /// How a call of a cached function ended, or for one id of a batch; each counts as
            /// exactly one of these.
            ///
            /// A call begins when its future is first polled. Refreshes in the background are no
            /// calls.
            OutcomeKind, Outcomes => "cache_runtime.calls", outcome, shown as "";
            /// The value was in the store, and fresh.
            hit: Hit;
            /// A value past its time to live was served, or the old value in place of a load that
            /// failed.
            stale: Stale;
            /// Another caller of this process loaded, and the call got its result.
            coalesced: Coalesced;
            /// The body ran, and held the right to store what it returned. That it was stored, or
            /// that the body succeeded, is counted elsewhere.
            loaded: Loaded;
            /// The body ran because the cache was not to be used: `bypass()`, `when`, a key that
            /// names no entry, inside a write of the same entry, or a cache that is disabled.
            bypassed: Bypassed;
            /// The body ran because the cache could not be used; [`UncachedReason`] says why.
            uncached: Uncached;
            /// The call was refused because too many loads were running.
            shed: Shed;
            /// The call was dropped before it had a result, or its body panicked. Of a batch that
            /// ended with an error: the ids whose load had not ended by then.
            cancelled: Cancelled;
        }
    };
}

/// Why a body ran without the right to store what it returns.
macro_rules! uncached_reasons {
    ($then:ident) => {
        $then! {
            /// Why the body of a call ran although the cache was to be used, and could not store
            /// what it returned. Their sum is [`Outcomes::uncached`].
            UncachedReason, UncachedCalls => "cache_runtime.calls.uncached", reason,
                shown as "uncached ";
            /// Somebody was writing the entry or one of its tags, or had done so a moment ago.
            fenced: Fenced;
            /// An invalidation of the entry or of one of its tags has not been delivered yet.
            outdated: Outdated;
            /// The store did not answer in time, was known to be down, or refused.
            unavailable: Unavailable;
            /// The store answered, but granted no lease: another process was loading and the
            /// function has no `lock`, the key holds somebody else's data, or the server has
            /// restarted a moment ago.
            not_granted: NotGranted;
            /// The call waited for another caller's load for as long as `wait` allows.
            impatient: Impatient;
            /// The call waited for another caller's load, which gave nothing that it could use: it
            /// failed, or its value has another version or other tags.
            unshared: Unshared;
        }
    };
}

/// Why lookups find nothing. Their sum is the number of misses.
macro_rules! miss_reasons {
    ($then:ident) => {
        $then! {
            /// Why a lookup found no value that may be used. A call misses at most once: by what
            /// it finds first. One that does not look, or gets no answer, misses nothing.
            MissReason, Misses => "cache_runtime.misses", reason, shown as "missed ";
            /// The key held no value: nothing, or the mark of somebody who loads or writes. A store
            /// drops a value whose time is over.
            absent: Absent;
            /// The value was past its time to live, and kept for other uses.
            expired: Expired;
            /// One of its tags had been invalidated, or was being written.
            tag: Tag;
            /// It had another codec or `version`, and no release that is still running uses it.
            version_or_codec: VersionOrCodec;
            /// It was damaged, or its type could not be read from it.
            undecodable: Undecodable;
            /// It was larger than `max_value_bytes`.
            oversized: Oversized;
            /// The key held somebody else's data.
            foreign: Foreign;
            /// It was the value of another key, which somebody had copied.
            misplaced: Misplaced;
            /// It had been stored by another primary, before a failover that may have lost
            /// invalidations.
            other_primary: OtherPrimary;
        }
    };
}

/// Counters of a function: `field: Event => "metric", label = "value"`, with what it counts. Each
/// is also the description of the event.
macro_rules! function_counters {
    ($then:ident) => {
        $then! {
            /// Calls that waited for a load in another process.
            lease_waits: LeaseWait => "cache_runtime.leases", outcome = "waited";
            /// Leases taken after another process had held them.
            lease_takeovers: Takeover => "cache_runtime.leases", outcome = "taken_over";
            /// Bodies that returned a value.
            loads_ok: LoadOk => "cache_runtime.loads", outcome = "ok";
            /// Bodies that returned an error.
            loads_failed: LoadFailed => "cache_runtime.loads", outcome = "error";
            /// Bodies that were dropped or panicked.
            loads_cancelled: LoadCancelled => "cache_runtime.loads", outcome = "cancelled";
            /// Loaded values that were stored.
            fills_stored: Stored => "cache_runtime.fills", outcome = "stored";
            /// Loaded values that were not stored because the entry had been invalidated meanwhile.
            /// Each would have become a stale entry.
            fills_refused: Refused => "cache_runtime.fills", outcome = "refused";
            /// Loaded values that were not stored because, while they were loaded, somebody wrote a
            /// tag, and they tell tags that the call did not know before.
            fills_overlapped: Overlapped => "cache_runtime.fills", outcome = "overlapped";
            /// Loaded values that were not stored because the key of their function is an alias,
            /// and which entry it leads to was known too late: only that was stored, for the next
            /// load.
            fills_hinted: Hinted => "cache_runtime.fills", outcome = "hinted";
            /// Loaded values that could not be encoded, or would have come back as other values.
            fills_unencodable: Unencodable => "cache_runtime.fills", outcome = "unencodable";
            /// Loaded values larger than `max_value_bytes`, or than half of the embedded store's
            /// `capacity`.
            fills_oversized: TooLarge => "cache_runtime.fills", outcome = "oversized";
            /// Calls that were chosen to refresh a value before its time to live ended.
            refreshes_early: Early => "cache_runtime.refreshes", outcome = "early";
            /// Refreshes: loads started to replace a value that is stale or about to be.
            refreshes_started: RefreshStarted => "cache_runtime.refreshes", outcome = "started";
            /// Refreshes that replaced the value.
            refreshes_ok: RefreshOk => "cache_runtime.refreshes", outcome = "ok";
            /// Refreshes that failed, or whose value was not stored because the old one had been
            /// invalidated or replaced meanwhile.
            refreshes_failed: RefreshFailed => "cache_runtime.refreshes", outcome = "failed";
            /// Stale values served without starting a refresh, because one had failed a moment ago.
            refreshes_rested: Rested => "cache_runtime.refreshes", outcome = "rested";
            /// Stale values served without starting a refresh, because too many refreshes were
            /// running, or because the cache was shut down.
            refreshes_shed: RefreshShed => "cache_runtime.refreshes", outcome = "shed";
            /// Operations that were not attempted because the store was known to be down.
            store_down: Down => "cache_runtime.store.errors", reason = "down";
            /// Operations that were not attempted because so many were in flight
            /// ([`max_in_flight`](crate::CacheBuilder::max_in_flight)) that their turn did not come
            /// within the budget.
            store_saturated: Saturated => "cache_runtime.store.errors", reason = "saturated";
            /// Operations that the store did not answer in time.
            store_timeouts: TimedOut => "cache_runtime.store.errors", reason = "timeout";
            /// Operations whose connection was lost before the answer arrived.
            store_lost: Lost => "cache_runtime.store.errors", reason = "lost";
            /// Operations that the store refused.
            store_refused: StoreRefused => "cache_runtime.store.errors", reason = "refused";
            /// Keys whose invalidation was acknowledged.
            invalidations: Invalidated => "cache_runtime.invalidations", outcome = "acknowledged";
            /// Patterns whose invalidation was acknowledged.
            pattern_invalidations: PatternInvalidated =>
                "cache_runtime.invalidations", outcome = "pattern";
            /// How often a mistake in the use of this function was seen: it ran without a cache,
            /// with a value that cannot be a part of a key or would come back from the cache as
            /// another, or with the entries of a function that names another cache; a key made by
            /// hand had no time to live; when it was first called, another function could make the
            /// same key, or shared entries had another codec, version or tags; or another sink had
            /// its queue. The log describes each kind of mistake once.
            misuses: Misused => "cache_runtime.misuses", outcome = "reported";
            /// Invalidations that were not acknowledged at first.
            invalidations_journalled: Journalled =>
                "cache_runtime.invalidations", outcome = "journalled";
        }
    };
}

/// Counters of a queue: `field => "metric", label = "value"`.
macro_rules! queue_counters {
    ($then:ident) => {
        $then! {
            /// Items that were put into the queue.
            pushed => "cache_runtime.queue.pushes", outcome = "queued";
            /// Items that went directly to the sink because the store was not available.
            direct => "cache_runtime.queue.pushes", outcome = "direct";
            /// Pushes that were refused because the queue was full.
            full => "cache_runtime.queue.pushes", outcome = "full";
            /// Pushes that failed for other reasons.
            failed => "cache_runtime.queue.pushes", outcome = "failed";
            /// Batches that the sink accepted.
            batches => "cache_runtime.queue.batches", outcome = "taken";
            /// Items that the sink accepted.
            delivered => "cache_runtime.queue.items", outcome = "delivered";
            /// Calls of the sink that failed.
            failures => "cache_runtime.queue.batches", outcome = "failed";
            /// Calls of the sink that blocked their thread for half of `lease` or longer; see
            /// [`writing_behind`](mod@crate::guide::writing_behind#sinks-that-block).
            blocked => "cache_runtime.queue.batches", outcome = "blocked";
            /// Items that became dead letters.
            dead_letters => "cache_runtime.queue.items", outcome = "dead_letter";
            /// Partitions that were lost, to another worker or because the lease expired, while
            /// this process was working on them.
            partitions_lost => "cache_runtime.queue.partitions.changes", outcome = "lost";
        }
    };
}

pub(super) use {function_counters, miss_reasons, outcomes, queue_counters, uncached_reasons};
