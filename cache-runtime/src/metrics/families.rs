//! Every metric that is exported, once: its name, its unit, its labels, and what it is.
//!
//! Names, units and plurals follow OpenTelemetry's conventions, and round trips to a server its
//! convention for databases. The table of the [guide](mod@crate::guide::observing) is compared with
//! this list, and so is everything that is exported.

/// What a metric does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows.
    Counter,
    Gauge,
    Histogram,
}

/// Metrics of one name.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// By the Unified Code for Units of Measure; what is counted stands in braces.
    pub(crate) unit: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "each sample has its labels"))]
    pub(crate) labels: &'static [&'static str],
    pub(crate) help: &'static str,
}

impl Family {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name)
    }
}

macro_rules! families {
    ($($name:literal: $kind:ident, $unit:literal, [$($label:literal),*] => $help:literal;)*) => {
        pub(crate) static FAMILIES: &[Family] = &[$(Family {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            labels: &[$($label),*],
            help: $help,
        }),*];
    };
}

families! {
    "cache_runtime.calls": Counter, "{call}", ["function", "outcome"] =>
        "Calls of cached functions, by how they ended";
    "cache_runtime.calls.uncached": Counter, "{call}", ["function", "reason"] =>
        "Calls that ran their body because the cache could not be used";
    "cache_runtime.misses": Counter, "{lookup}", ["function", "reason"] =>
        "Lookups that found nothing";
    "cache_runtime.call.duration": Histogram, "s", ["function", "outcome"] =>
        "How long calls took";
    "cache_runtime.loads": Counter, "{load}", ["function", "outcome"] =>
        "Bodies that ran";
    "cache_runtime.load.duration": Histogram, "s", ["function", "outcome"] =>
        "How long bodies took";
    "cache_runtime.loads.active": Gauge, "{load}", ["function"] =>
        "Bodies that run now";
    "cache_runtime.time_saved": Counter, "s", ["function"] =>
        "How long the loads had taken whose values were served from the store";
    "cache_runtime.leases": Counter, "{lease}", ["function", "outcome"] =>
        "Leases of other processes that were waited for, and taken over";
    "cache_runtime.lease.wait": Histogram, "s", ["function"] =>
        "How long calls waited for a load in another process";
    "cache_runtime.fills": Counter, "{value}", ["function", "outcome"] =>
        "What became of loaded values";
    "cache_runtime.value.size": Histogram, "By", ["function"] =>
        "How large stored values are";
    "cache_runtime.refreshes": Counter, "{refresh}", ["function", "outcome"] =>
        "Refreshes of values that are stale or about to be";
    "cache_runtime.refreshes.active": Gauge, "{refresh}", [] =>
        "Refreshes that run in the background now";
    "cache_runtime.store.errors": Counter, "{operation}", ["function", "reason"] =>
        "Operations that the store did not acknowledge";
    "cache_runtime.invalidations": Counter, "{invalidation}", ["function", "outcome"] =>
        "Invalidations of keys and patterns";
    "cache_runtime.invalidation.delay": Histogram, "s", [] =>
        "From the end of a write's body to the acknowledgement of its invalidation";
    "cache_runtime.misuses": Counter, "{misuse}", ["function", "outcome"] =>
        "Mistakes in the use of the library";
    "cache_runtime.journal.entries": Gauge, "{invalidation}", [] =>
        "Invalidations that are not delivered yet";
    "cache_runtime.journal.age": Gauge, "s", [] =>
        "How long the oldest of them has waited";
    "cache_runtime.journal.keys": Gauge, "{key}", ["state"] =>
        "Keys of patterns that are not delivered yet";
    "cache_runtime.embedded.entries": Gauge, "{entry}", [] =>
        "Entries of the embedded store";
    "cache_runtime.embedded.size": Gauge, "By", [] =>
        "Memory that they take";
    "cache_runtime.breaker.state": Gauge, "1", ["server.address", "state"] =>
        "1 for the state that the circuit breaker of a server is in, and 0 for the others";
    "cache_runtime.connections": Counter, "{connection}", ["server.address"] =>
        "Connections made so far";
    "db.client.operation.duration": Histogram, "s",
        ["db.system.name", "db.operation.name", "server.address", "error.type"] =>
        "How long a server took to answer";
    "cache_runtime.queue.pushes": Counter, "{item}", ["queue", "outcome"] =>
        "Items that were pushed";
    "cache_runtime.queue.batches": Counter, "{batch}", ["queue", "outcome"] =>
        "Calls of the sink";
    "cache_runtime.queue.items": Counter, "{item}", ["queue", "outcome"] =>
        "Items that came to an end";
    "cache_runtime.queue.partitions": Gauge, "{partition}", ["queue"] =>
        "Partitions that this process owns";
    "cache_runtime.queue.partitions.changes": Counter, "{partition}", ["queue", "outcome"] =>
        "Partitions that this process lost";
    "cache_runtime.queue.length": Gauge, "{item}", ["queue", "state"] =>
        "Items of the queue, the same for every process";
    "cache_runtime.queue.lag": Gauge, "s", ["queue"] =>
        "How long the oldest item has waited, the same for every process";
    "cache_runtime.queue.paused": Gauge, "1", ["queue"] =>
        "1 if the queue is paused, the same for every process";
    "cache_runtime.queue.length.age": Gauge, "s", ["queue"] =>
        "How long ago this process looked at length and lag";
}
