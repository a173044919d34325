//! Export of the counters to the `metrics` facade.

use metrics::{counter, gauge};

use crate::metrics::snapshot::Counter;
use crate::metrics::{BreakerState, FunctionStats, Latency, MeasuredLength, QueueStats, Stats};

impl Stats {
    /// Passes the counters to the recorder that the program has installed for the `metrics` facade.
    /// Call it when metrics are collected, such as before a scrape. Nothing is recorded on each
    /// call of a function, so calls cost the same with and without it. Needs the feature `metrics`.
    ///
    /// Names and units follow OpenTelemetry's conventions. No label has a key in it.
    ///
    /// Counters have the label `function` or `queue` and one more: each field of [`FunctionStats`]
    /// and [`QueueStats`] names its metric and that label.
    ///
    /// Gauges:
    ///
    /// | metric | what | labels |
    /// |---|---|---|
    /// | `cache_runtime.load.duration` | seconds | `function`, `quantile` = `0.5`, `0.95`, `0.99`, `1` |
    /// | `cache_runtime.queue.partitions` | owned by this process | `queue` |
    /// | `cache_runtime.queue.length` | items of the queue, the same for every process | `queue`, `state` = `waiting`, `pending`, `dead_letter` |
    /// | `cache_runtime.queue.paused` | 1 or 0, the same for every process | `queue` |
    /// | `cache_runtime.queue.lag` | seconds since the oldest item came, the same for every process | `queue` |
    /// | `cache_runtime.queue.length.age` | seconds since this process looked at length and lag | `queue` |
    /// | `cache_runtime.journal.depth` | invalidations that are not delivered yet | |
    /// | `cache_runtime.journal.keys` | of patterns that are not delivered yet | `state` = `looked_at`, `removed` |
    /// | `cache_runtime.connections` | connections made so far | |
    /// | `cache_runtime.breaker.state` | 0 closed, 1 half-open, 2 open | |
    pub fn export(&self) {
        for function in &self.functions {
            function.export();
        }
        for queue in &self.queues {
            queue.export();
        }
        #[expect(clippy::cast_precision_loss, reason = "no journal holds 2^52 entries")]
        gauge!("cache_runtime.journal.depth").set(self.journal_depth as f64);
        for (state, keys) in
            [("looked_at", self.journal_keys_looked_at), ("removed", self.journal_keys_removed)]
        {
            #[expect(clippy::cast_precision_loss, reason = "no server holds 2^52 keys")]
            gauge!("cache_runtime.journal.keys", "state" => state).set(keys as f64);
        }
        #[expect(clippy::cast_precision_loss, reason = "no program makes 2^52 connections")]
        gauge!("cache_runtime.connections").set(self.connections as f64);
        if let Some(state) = self.breaker {
            gauge!("cache_runtime.breaker.state").set(match state {
                BreakerState::Idle | BreakerState::Closed => 0.0,
                BreakerState::Connecting | BreakerState::HalfOpen => 1.0,
                BreakerState::Open => 2.0,
            });
        }
    }
}

impl FunctionStats {
    fn export(&self) {
        for Counter { metric, label: (label, value), count, .. } in self.counters() {
            counter!(metric, "function" => self.function, label => value).absolute(count);
        }
        let Latency { p50, p95, p99, max, .. } = self.load_latency;
        for (quantile, took) in [("0.5", p50), ("0.95", p95), ("0.99", p99), ("1", max)] {
            gauge!("cache_runtime.load.duration", "function" => self.function, "quantile" => quantile)
                .set(took.as_secs_f64());
        }
    }
}

impl QueueStats {
    fn export(&self) {
        for Counter { metric, label: (label, value), count, .. } in self.counters() {
            counter!(metric, "queue" => self.queue, label => value).absolute(count);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "there are at most some hundred partitions"
        )]
        gauge!("cache_runtime.queue.partitions", "queue" => self.queue)
            .set(self.partitions_owned as f64);
        let Some(MeasuredLength { length, age, .. }) = self.length else { return };
        for (state, items) in [
            ("waiting", length.waiting),
            ("pending", length.pending),
            ("dead_letter", length.dead_letters),
        ] {
            #[expect(clippy::cast_precision_loss, reason = "no queue holds 2^52 items")]
            gauge!("cache_runtime.queue.length", "queue" => self.queue, "state" => state)
                .set(items as f64);
        }
        gauge!("cache_runtime.queue.paused", "queue" => self.queue)
            .set(f64::from(u8::from(length.paused)));
        gauge!("cache_runtime.queue.lag", "queue" => self.queue).set(length.lag.as_secs_f64());
        gauge!("cache_runtime.queue.length.age", "queue" => self.queue).set(age.as_secs_f64());
    }
}
