//! What the dashboard is told each second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dashboard::figures::{Figures, Function, Outcomes, Store, Waiting};
use crate::shop::Shop;
use crate::troubles::Switches;

/// One second.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tick {
    /// Counts the seconds from 1.
    pub number: u64,
    /// Calls in this second.
    pub calls: Outcomes,
    /// Queries of the database in this second.
    pub queries: u64,
    /// How many there would have been without a cache, if that can be told.
    pub queries_without: Option<u64>,
    /// Requests in this second that used the cache.
    pub cached: Latency,
    /// Those that did not.
    pub past_the_cache: Latency,
    /// What has happened since the start.
    pub totals: Totals,
    /// Where entries are.
    pub store: Store,
    /// The queue of views.
    pub queue: Waiting,
    /// The catalogue.
    pub functions: Vec<Function>,
    /// What is switched on.
    pub switches: Switches,
}

/// How long requests took, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// How many there were.
    pub count: usize,
    /// The median.
    pub p50_us: u64,
    /// Of a hundred, one took longer.
    pub p99_us: u64,
}

/// Counters that only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Calls of cached functions.
    pub calls: Outcomes,
    /// Requests of the API.
    pub requests: u64,
    /// Requests that could not be answered.
    pub failed: u64,
    /// Queries that the database was asked.
    pub queries: u64,
    /// Fills that were refused: each would have become a stale entry.
    pub refused: u64,
    /// How long the database would have been busy for what was found in the cache.
    pub saved_ms: u64,
}

impl Totals {
    fn of(figures: &Figures, shop: &Shop) -> Self {
        Self {
            calls: figures.calls,
            requests: shop.observed.requests(),
            failed: shop.observed.failed(),
            queries: shop.db.asked(),
            refused: figures.refused,
            saved_ms: figures.saved_ms,
        }
    }
}

impl Tick {
    /// What is so now, where `before` was the tick before.
    pub(crate) fn after(before: &Self, figures: Figures, shop: &Shop) -> Self {
        let totals = Totals::of(&figures, shop);
        let Figures { store, queue, functions, .. } = figures;
        let cached = Latency::of(&shop.observed.cached.take());
        let past_the_cache = Latency::of(&shop.observed.past_the_cache.take());
        let requests = cached.count + past_the_cache.count;
        Self {
            number: before.number + 1,
            calls: totals.calls.since(before.totals.calls),
            queries: totals.queries - before.totals.queries,
            queries_without: shop.observed.queries_without(requests),
            cached,
            past_the_cache,
            totals,
            store,
            queue,
            functions,
            switches: shop.troubles.switches(),
        }
    }
}

impl Latency {
    /// Of times from the shortest to the longest.
    fn of(sorted: &[Duration]) -> Self {
        let at = |percent: usize| {
            let found = sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default();
            u64::try_from(found.as_micros()).unwrap_or(u64::MAX)
        };
        Self { count: sorted.len(), p50_us: at(50), p99_us: at(99) }
    }
}
