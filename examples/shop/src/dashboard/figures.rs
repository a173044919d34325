//! What the dashboard shows of the library's counters. Nothing else of it reads them.

use std::time::Duration;

use cache_runtime::Stats;
use cache_runtime::catalog::Catalog;
use cache_runtime::stats::{self, FunctionStats};
use serde::{Deserialize, Serialize};

/// Calls by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// A fresh value was in the cache.
    pub hit: u64,
    /// A stale one was, and is being replaced.
    pub stale: u64,
    /// Another caller's load was waited for.
    pub coalesced: u64,
    /// The body ran, for this caller and whoever waited.
    pub loaded: u64,
    /// The body ran, because the call wanted nothing cached.
    pub bypassed: u64,
    /// The body ran, because the cache could not be used.
    pub uncached: u64,
    /// The call was refused, because too many bodies were running.
    pub shed: u64,
    /// The caller has gone away.
    pub cancelled: u64,
}

/// A function of the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its path, without the crate.
    pub name: String,
    /// The template of its key.
    pub key: String,
    /// What came of its calls so far.
    pub calls: Outcomes,
    /// The part of its lookups that found a value, from 0 to 1.
    pub hit_rate: Option<f64>,
    /// How long its body takes, in microseconds; the median.
    pub load_us: u64,
}

/// Where entries are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The state of the circuit breaker; none for the embedded store.
    pub breaker: Option<String>,
    /// Connections made so far.
    pub connections: u64,
    /// Invalidations that are not delivered yet.
    pub journal: usize,
    /// How long the oldest of them has not been, in milliseconds.
    pub journal_ms: u64,
}

/// The queue of views.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Views that were acknowledged so far.
    pub pushed: u64,
    /// Views that have reached the database so far.
    pub delivered: u64,
    /// Views on their way.
    pub depth: u64,
    /// How long the oldest of them has been, in milliseconds.
    pub lag_ms: u64,
    /// Views that could not be delivered.
    pub dead_letters: u64,
}

/// All of them, since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) calls: Outcomes,
    /// Fills that were refused: each would have become a stale entry.
    pub(crate) refused: u64,
    /// How long the database would have been busy for what was found in the cache, in milliseconds.
    pub(crate) saved_ms: u64,
    pub(crate) store: Store,
    pub(crate) queue: Waiting,
    pub(crate) functions: Vec<Function>,
}

impl Figures {
    pub(crate) fn of(stats: &Stats, catalog: &Catalog) -> Self {
        let function = |function: &'static str, key: &str| {
            let name = function.split_once("::").map_or(function, |(_, name)| name).to_owned();
            let key = key.to_owned();
            match stats.functions.iter().find(|it| it.function == function) {
                Some(counted) => Function {
                    name,
                    key,
                    calls: Outcomes::of(&counted.outcomes),
                    hit_rate: counted.hit_rate(),
                    load_us: load_us(counted),
                },
                None => Function { name, key, ..Function::default() },
            }
        };
        let calls = stats.functions.iter().map(|it| Outcomes::of(&it.outcomes));
        let functions = catalog.functions.iter().map(|it| function(it.function, it.key));
        Self {
            calls: calls.fold(Outcomes::default(), Outcomes::plus),
            refused: stats.functions.iter().map(|it| it.fills_refused + it.fills_overlapped).sum(),
            saved_ms: ms(stats.functions.iter().map(|it| it.time_saved).sum()),
            store: Store {
                breaker: stats.breaker.map(|state| state.as_str().to_owned()),
                connections: stats.connections,
                journal: stats.journal_depth,
                journal_ms: ms(stats.journal_age),
            },
            queue: Waiting::of(stats),
            functions: functions.collect(),
        }
    }
}

impl Outcomes {
    fn of(counted: &stats::Outcomes) -> Self {
        Self {
            hit: counted.hit,
            stale: counted.stale,
            coalesced: counted.coalesced,
            loaded: counted.loaded,
            bypassed: counted.bypassed,
            uncached: counted.uncached,
            shed: counted.shed,
            cancelled: counted.cancelled,
        }
    }

    fn plus(self, other: Self) -> Self {
        self.each(other, |left, right| left + right)
    }

    /// What was counted since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        self.each(earlier, u64::saturating_sub)
    }

    fn each(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            hit: with(self.hit, other.hit),
            stale: with(self.stale, other.stale),
            coalesced: with(self.coalesced, other.coalesced),
            loaded: with(self.loaded, other.loaded),
            bypassed: with(self.bypassed, other.bypassed),
            uncached: with(self.uncached, other.uncached),
            shed: with(self.shed, other.shed),
            cancelled: with(self.cancelled, other.cancelled),
        }
    }
}

impl Waiting {
    fn of(stats: &Stats) -> Self {
        let Some(queue) = stats.queues.first() else { return Self::default() };
        let length = queue.length.map(|measured| measured.length).unwrap_or_default();
        Self {
            pushed: queue.pushed + queue.direct,
            delivered: queue.delivered + queue.direct,
            depth: length.depth(),
            lag_ms: ms(length.lag),
            dead_letters: length.dead_letters,
        }
    }
}

/// The median of the loads.
fn load_us(counted: &FunctionStats) -> u64 {
    let median = counted.load_duration.total().quantile(0.5).unwrap_or_default();
    us(Duration::try_from_secs_f64(median).unwrap_or_default())
}

fn us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn ms(time: Duration) -> u64 {
    us(time) / 1000
}
