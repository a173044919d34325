//! What is thought of a primary that was promoted a moment ago.

/// How far a newly promoted primary is trusted.
///
/// Replication is asynchronous: a failover may bring back values whose invalidation the former
/// primary had acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failover {
    /// Completely. An entry whose invalidation was lost stays outdated until its time to live ends.
    Trust,
    /// Completely, but each process repeats the invalidations that it made in the last 30 seconds,
    /// and bypasses the cache for those entries until they are acknowledged. Other processes may
    /// read such an entry until then. If the server refuses `INFO`, which tells primaries apart,
    /// they are repeated after every reconnection.
    #[default]
    Replay,
    /// Not at all: values and leases written under another primary are ignored, so the cache is
    /// empty after a failover. This is the only choice that leaves nothing outdated after a
    /// failover, provided that the fences were replicated. In a cluster, slots that move from one
    /// primary to another are empty at first, too. Primaries are told apart by `INFO`: if the
    /// server refuses that, nothing is cached, and the log says so.
    Distrust,
}
