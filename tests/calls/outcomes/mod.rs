//! How calls end: each as exactly one outcome, whatever happens to them.

mod all;
mod each;
mod misses;

use cache_fixtures::stats;
use cache_runtime::Cache;
use cache_runtime::stats::{MissReason, OutcomeKind, UncachedReason};

/// How the calls of a function have ended: what is not zero, in the order of the kinds.
fn outcomes(cache: &Cache, function: &str) -> Vec<(OutcomeKind, u64)> {
    let counts = stats(cache, function).outcomes;
    let all = OutcomeKind::ALL.map(|kind| (kind, counts.of(kind)));
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Why its calls ran the body uncached.
fn uncached(cache: &Cache, function: &str) -> Vec<(UncachedReason, u64)> {
    let counts = stats(cache, function).uncached;
    let all = UncachedReason::ALL.map(|reason| (reason, counts.of(reason)));
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Why its lookups found nothing.
fn misses(cache: &Cache, function: &str) -> Vec<(MissReason, u64)> {
    let counts = stats(cache, function).misses;
    let all = MissReason::ALL.map(|reason| (reason, counts.of(reason)));
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}
