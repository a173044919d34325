//! Export of the counters to the `metrics` facade.

use metrics::{counter, gauge};

use crate::metrics::{BreakerState, FunctionStats, Latency, MeasuredLength, QueueStats, Stats};

impl Stats {
    /// Passes the counters to the recorder that the program has installed for the `metrics` facade. Call it when
    /// metrics are collected, such as before a scrape. Nothing is recorded on each call of a function, so calls cost
    /// the same with and without it. Needs the feature `metrics`.
    ///
    /// Names and units follow OpenTelemetry's conventions; the only labels are the function's path and an outcome.
    ///
    /// | metric | kind | labels |
    /// |---|---|---|
    /// | `cache.requests` | counter | `function`, `outcome` = `hit`, `miss`, `bypass`, `outdated`, `coalesced`, `impatient`, `shed` |
    /// | `cache.loads` | counter | `function`, `outcome` = `ok`, `error`, `cancelled` |
    /// | `cache.load.duration` | gauge, seconds | `function`, `quantile` = `0.5`, `0.95`, `0.99`, `1` |
    /// | `cache.leases` | counter | `function`, `outcome` = `waited`, `taken_over` |
    /// | `cache.fills` | counter | `function`, `outcome` = `stored`, `refused`, `unencodable`, `oversized` |
    /// | `cache.entries.unusable` | counter | `function`, `reason` = `undecodable`, `foreign`, `misplaced` |
    /// | `cache.store.errors` | counter | `function`, `reason` = `down`, `saturated`, `timeout`, `lost`, `refused` |
    /// | `cache.invalidations` | counter | `function`, `outcome` = `acknowledged`, `pattern`, `journalled` |
    /// | `cache.misuses` | counter | `function`, `outcome` = `reported` |
    /// | `cache.queue.pushes` | counter | `queue`, `outcome` = `queued`, `direct`, `full`, `failed` |
    /// | `cache.queue.items` | counter | `queue`, `outcome` = `delivered`, `dead_letter` |
    /// | `cache.queue.batches` | counter | `queue`, `outcome` = `taken`, `failed`; `blocked` in addition to one of these |
    /// | `cache.queue.partitions.lost` | counter | `queue` |
    /// | `cache.queue.partitions` | gauge: owned by this process | `queue` |
    /// | `cache.queue.length` | gauge: items of the queue, the same for every process | `queue`, `state` = `waiting`, `pending`, `dead_letter` |
    /// | `cache.queue.paused` | gauge: 1 or 0, the same for every process | `queue` |
    /// | `cache.queue.lag` | gauge, seconds: since the oldest item came, the same for every process | `queue` |
    /// | `cache.queue.length.age` | gauge, seconds: since this process looked at length and lag | `queue` |
    /// | `cache.journal.depth` | gauge | |
    /// | `cache.journal.keys` | gauge: of patterns that are not delivered yet | `state` = `looked_at`, `removed` |
    /// | `cache.breaker.state` | gauge: 0 closed, 1 half-open, 2 open | |
    pub fn export(&self) {
        for function in &self.functions {
            function.export();
        }
        for queue in &self.queues {
            queue.export();
        }
        #[expect(clippy::cast_precision_loss, reason = "no journal holds 2^52 entries")]
        gauge!("cache.journal.depth").set(self.journal_depth as f64);
        for (state, keys) in
            [("looked_at", self.journal_keys_looked_at), ("removed", self.journal_keys_removed)]
        {
            #[expect(clippy::cast_precision_loss, reason = "no server holds 2^52 keys")]
            gauge!("cache.journal.keys", "state" => state).set(keys as f64);
        }
        if let Some(state) = self.breaker {
            gauge!("cache.breaker.state").set(match state {
                BreakerState::Idle | BreakerState::Closed => 0.0,
                BreakerState::Connecting | BreakerState::HalfOpen => 1.0,
                BreakerState::Open => 2.0,
            });
        }
    }
}

impl FunctionStats {
    fn export(&self) {
        let counters = [
            ("cache.requests", "outcome", "hit", self.hits),
            ("cache.requests", "outcome", "miss", self.misses),
            ("cache.requests", "outcome", "bypass", self.bypasses),
            ("cache.requests", "outcome", "outdated", self.outdated),
            ("cache.requests", "outcome", "coalesced", self.coalesced),
            ("cache.requests", "outcome", "impatient", self.impatient),
            ("cache.requests", "outcome", "shed", self.shed),
            ("cache.loads", "outcome", "ok", self.loads_ok),
            ("cache.loads", "outcome", "error", self.loads_failed),
            ("cache.loads", "outcome", "cancelled", self.loads_cancelled),
            ("cache.leases", "outcome", "waited", self.lease_waits),
            ("cache.leases", "outcome", "taken_over", self.lease_takeovers),
            ("cache.fills", "outcome", "stored", self.fills_stored),
            ("cache.fills", "outcome", "refused", self.fills_refused),
            ("cache.fills", "outcome", "unencodable", self.unencodable),
            ("cache.fills", "outcome", "oversized", self.oversized),
            ("cache.entries.unusable", "reason", "undecodable", self.undecodable),
            ("cache.entries.unusable", "reason", "foreign", self.foreign),
            ("cache.entries.unusable", "reason", "misplaced", self.misplaced),
            ("cache.store.errors", "reason", "down", self.store_down),
            ("cache.store.errors", "reason", "saturated", self.store_saturated),
            ("cache.store.errors", "reason", "timeout", self.store_timeouts),
            ("cache.store.errors", "reason", "lost", self.store_lost),
            ("cache.store.errors", "reason", "refused", self.store_refused),
            ("cache.misuses", "outcome", "reported", self.misuses),
            ("cache.invalidations", "outcome", "acknowledged", self.invalidations),
            ("cache.invalidations", "outcome", "pattern", self.pattern_invalidations),
            ("cache.invalidations", "outcome", "journalled", self.invalidations_journalled),
        ];
        for (metric, label, value, count) in counters {
            counter!(metric, "function" => self.name, label => value).absolute(count);
        }
        let Latency { p50_us, p95_us, p99_us, max_us, .. } = self.load_latency;
        for (quantile, us) in [("0.5", p50_us), ("0.95", p95_us), ("0.99", p99_us), ("1", max_us)] {
            #[expect(clippy::cast_precision_loss, reason = "no load takes 2^52 microseconds")]
            let seconds = us as f64 / 1e6;
            gauge!("cache.load.duration", "function" => self.name, "quantile" => quantile)
                .set(seconds);
        }
    }
}

impl QueueStats {
    fn export(&self) {
        let counters = [
            ("cache.queue.pushes", "queued", self.pushed),
            ("cache.queue.pushes", "direct", self.direct),
            ("cache.queue.pushes", "full", self.full),
            ("cache.queue.pushes", "failed", self.failed),
            ("cache.queue.items", "delivered", self.delivered),
            ("cache.queue.items", "dead_letter", self.dead_letters),
            ("cache.queue.batches", "taken", self.batches),
            ("cache.queue.batches", "failed", self.failures),
            ("cache.queue.batches", "blocked", self.blocked),
        ];
        for (metric, outcome, count) in counters {
            counter!(metric, "queue" => self.queue, "outcome" => outcome).absolute(count);
        }
        counter!("cache.queue.partitions.lost", "queue" => self.queue)
            .absolute(self.partitions_lost);
        #[expect(
            clippy::cast_precision_loss,
            reason = "there are at most some hundred partitions"
        )]
        gauge!("cache.queue.partitions", "queue" => self.queue).set(self.partitions_owned as f64);
        let Some(MeasuredLength { length, age, .. }) = self.length else { return };
        for (state, items) in [
            ("waiting", length.waiting),
            ("pending", length.pending),
            ("dead_letter", length.dead_letters),
        ] {
            #[expect(clippy::cast_precision_loss, reason = "no queue holds 2^52 items")]
            gauge!("cache.queue.length", "queue" => self.queue, "state" => state).set(items as f64);
        }
        gauge!("cache.queue.paused", "queue" => self.queue).set(f64::from(u8::from(length.paused)));
        gauge!("cache.queue.lag", "queue" => self.queue).set(length.lag.as_secs_f64());
        gauge!("cache.queue.length.age", "queue" => self.queue).set(age.as_secs_f64());
    }
}
