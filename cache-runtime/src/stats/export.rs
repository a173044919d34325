//! Export of the counters to the `metrics` facade.

use metrics::{counter, gauge};

use super::{BreakerState, FunctionStats, Latency, Stats};
use crate::queue::QueueStats;

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
    /// | `cache.store.errors` | counter | `function`, `reason` = `down`, `timeout`, `lost`, `refused` |
    /// | `cache.invalidations` | counter | `function`, `outcome` = `acknowledged`, `pattern`, `journalled` |
    /// | `cache.queue.pushes` | counter | `queue`, `outcome` = `queued`, `direct`, `full`, `failed` |
    /// | `cache.queue.items` | counter | `queue`, `outcome` = `delivered`, `dead_letter` |
    /// | `cache.queue.batches` | counter | `queue`, `outcome` = `taken`, `failed` |
    /// | `cache.queue.partitions.lost` | counter | `queue` |
    /// | `cache.queue.partitions` | gauge: owned by this process | `queue` |
    /// | `cache.journal.depth` | gauge | |
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
            ("cache.store.errors", "reason", "timeout", self.store_timeouts),
            ("cache.store.errors", "reason", "lost", self.store_lost),
            ("cache.store.errors", "reason", "refused", self.store_refused),
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
    }
}
