//! A snapshot of the counters.

use std::time::Duration;

use serde::Serialize;

use crate::error::Failure;
use crate::metrics::histogram::{Histogram, Histograms, as_us};
use crate::metrics::list::function_counters;
use crate::metrics::outcome::{LoadResult, OutcomeKind};
use crate::metrics::outcome::{Misses, Outcomes, UncachedCalls};
use crate::metrics::{BreakerState, EmbeddedStats, Event, QueueStats, ServerStats};
use crate::support::log;

/// What a cache has done so far; returned by [`Cache::stats`](crate::Cache::stats).
///
/// Implements `Serialize`, so that a health endpoint can return it as it is, and `Display`: a table
/// for a person, and what to print where nothing seems to be cached.
///
/// ```
/// # use cache_runtime::{Cache, cached};
/// # #[cached(key = "square:<n>", ttl = 60)] async fn square(n: u64) -> u64 { n * n }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let cache = Cache::in_memory();
/// # cache.scope(async {
/// square(4).await;
/// square(4).await;
/// let stats = cache.stats();
/// assert_eq!((stats.loads("square"), stats.hits("square")), (1, 1));
/// assert_eq!(stats.loads("cube"), 0); // never called
/// println!("{stats}");
/// # assert!(stats.to_string().contains("::square     1       1    50.0 %      1       0"), "{stats}");
/// # }).await }
/// ```
///
/// ```text
/// function      hits  misses  hit rate  loads  failed   median  slowest
/// shop::square     1       1    50.0 %      1       0  ≤ 50 µs  ≤ 50 µs
///     loaded 1, missed absent 1, fills stored 1
/// undelivered invalidations 0
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Every function that was called, and `by hand` for what belongs to no cached function:
    /// invalidations, including those of annotated writes.
    pub functions: Vec<FunctionStats>,
    /// Every queue that was used.
    pub queues: Vec<QueueStats>,
    /// Invalidations that have not been delivered yet. Their keys bypass the cache.
    pub journal_depth: usize,
    /// Keys that the server has looked at so far for patterns among these invalidations, more or
    /// less; 0 when they are delivered. A sweep that is interrupted goes on where it was, so this
    /// grows until it is through all keys.
    pub journal_keys_looked_at: u64,
    /// Keys of these that were removed.
    pub journal_keys_removed: u64,
    /// How long the oldest of these has not been delivered; zero if there are none. Serialized as
    /// microseconds, `journal_age_us`.
    #[serde(rename = "journal_age_us", serialize_with = "as_us")]
    pub journal_age: Duration,
    /// From the end of a write's body, or the beginning of an invalidation by hand, to its
    /// acknowledgement, for each key and each pattern.
    pub invalidation_delay: Histogram,
    /// Refreshes that run in the background now.
    pub background_refreshes: usize,
    /// What the embedded store holds; `None` for a server.
    pub embedded: Option<EmbeddedStats>,
    /// The server, or in a cluster each primary that this process knows; none for the embedded
    /// store.
    pub servers: Vec<ServerStats>,
    /// The state of the connection's circuit breaker; `None` for the embedded store. In a cluster,
    /// the worst state of any primary.
    pub breaker: Option<BreakerState>,
    /// Connections made so far. More than one, or in a cluster more than one per primary, means
    /// that a connection was lost, or replaced after
    /// [`max_connection_age`](crate::CacheBuilder::max_connection_age).
    pub connections: u64,
    /// The latest failure of the server, or of any server of a cluster: why it could not be
    /// reached, did not answer, or refused something. It stays when the server works again. `None`
    /// if there was none, and for the embedded store.
    pub last_failure: Option<Failure>,
}

/// A counter and how it is exported.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(any(feature = "metrics", feature = "opentelemetry", feature = "prometheus-client", test)),
    expect(dead_code, reason = "metric and label are for the exports")
)]
pub(super) struct Counter {
    /// The name of its field.
    pub(super) field: &'static str,
    pub(super) count: u64,
    pub(super) metric: &'static str,
    /// Name and value of the label that tells it from the others of its metric.
    pub(super) label: (&'static str, &'static str),
}

impl Stats {
    /// The counters of one function, by the end of its path, `get_user` or `users::get_user`, or by
    /// all of it, which is never ambiguous.
    ///
    /// `None` before its first call, and if the paths of several functions end so: the log names
    /// them then, since a test that asks for one of two must not be told of the other.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&FunctionStats> {
        if let Some(function) = self.functions.iter().find(|it| it.function == name) {
            return Some(function);
        }
        let mut ending = self.ending_in(name);
        let first = ending.next()?;
        let others: Vec<_> = ending.map(|it| it.function).collect();
        if others.is_empty() {
            return Some(first);
        }
        log::warn(format_args!(
            "the statistics of `{name}` were asked for, which may be `{}` or `{}`: name more of \
                the path",
            first.function,
            others.join("` or `"),
        ));
        None
    }

    /// How many calls of a function [hit](crate::stats::OutcomeKind::Hit), by the end of its path:
    /// `get_user` or `users::get_user`. Zero if no such function was called. Several functions
    /// whose paths end so are counted together.
    #[must_use]
    pub fn hits(&self, function: &str) -> u64 {
        self.ending_in(function).map(FunctionStats::hits).sum()
    }

    /// How many lookups of a function found no value, or none that may be used, for whatever
    /// [reason](crate::stats::MissReason). Zero if no such function was called; see
    /// [`hits`](Self::hits).
    #[must_use]
    pub fn misses(&self, function: &str) -> u64 {
        self.ending_in(function).map(FunctionStats::misses).sum()
    }

    /// How often the body of a function has run, however it ended: with a value, with an error, or
    /// dropped. Zero if no such function was called; see [`hits`](Self::hits).
    #[must_use]
    pub fn loads(&self, function: &str) -> u64 {
        self.ending_in(function).map(FunctionStats::loads).sum()
    }

    /// The functions whose path ends in `name`, from its beginning or behind a `::`.
    fn ending_in(&self, name: &str) -> impl Iterator<Item = &FunctionStats> {
        let ends = move |full: &str| {
            full.strip_suffix(name).is_some_and(|path| path.is_empty() || path.ends_with("::"))
        };
        self.functions.iter().filter(move |function| ends(function.function))
    }

    /// The counters of one queue.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<&QueueStats> {
        self.queues.iter().find(|queue| queue.queue == name)
    }
}

macro_rules! function_stats {
    ($(
        $(#[$doc:meta])*
        $field:ident: $event:ident => $metric:literal, $label:ident = $value:literal;
    )*) => {
        /// The counters of one function. They only grow.
        #[derive(Clone, Debug, Default, Serialize)]
        #[non_exhaustive]
        pub struct FunctionStats {
            /// The function's path. Keys never appear as labels, so the number of labels stays
            /// small.
            pub function: &'static str,
            /// Its key template.
            pub template: &'static str,
            /// How its calls ended.
            pub outcomes: Outcomes,
            /// Why its body ran although the cache was to be used.
            pub uncached: UncachedCalls,
            /// Why its lookups found nothing.
            pub misses: Misses,
            $(
                $(#[$doc])*
                #[doc = concat!(
                    "\n\nExported as \
                        `", $metric, "` with \
                        `", stringify!($label), "` = \
                        `", $value, "`."
                )]
                pub $field: u64,
            )*
            /// Bodies that run now.
            pub loads_in_flight: u64,
            /// How long all the loads took, together, that values in the store have spared this
            /// process: of each hit and each stale value, the time that its load had taken, in
            /// whole milliseconds. So it is what the database did not have to do. Serialized as
            /// microseconds, `time_saved_us`.
            #[serde(rename = "time_saved_us", serialize_with = "as_us")]
            pub time_saved: Duration,
            /// How long calls took, by outcome, from the first poll to the result.
            pub call_duration: Histograms<OutcomeKind>,
            /// How long bodies took, by their result.
            pub load_duration: Histograms<LoadResult>,
            /// How long calls waited for a load in another process.
            pub lease_wait: Histogram,
            /// How large the values are that were stored, as they are encoded.
            pub value_size: Histogram,
        }

        impl FunctionStats {
            pub(super) fn of_events(count: impl Fn(Event) -> u64) -> Self {
                Self { $($field: count(Event::$event),)* ..Self::default() }
            }

            /// Every counter of an event, with its metric.
            fn event_counters(&self) -> impl Iterator<Item = Counter> + use<> {
                [$(Counter {
                    field: stringify!($field),
                    count: self.$field,
                    metric: $metric,
                    label: (stringify!($label), $value),
                }),*]
                .into_iter()
            }
        }
    };
}
function_counters!(function_stats);

impl FunctionStats {
    /// How many calls there were that have ended: the sum of all [outcomes](Self::outcomes). Each
    /// id of a batch is a call.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.outcomes.total()
    }

    /// How many calls found a fresh value in the store.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.outcomes.hit
    }

    /// How many lookups found nothing: the sum of all [reasons](Self::misses).
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.misses.total()
    }

    /// The fraction of calls that were answered by the store, with a fresh value or a stale one,
    /// from 0 to 1. Calls that bypassed the cache, or were dropped, are left out; `None` if there
    /// were no others.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
    pub fn hit_rate(&self) -> Option<f64> {
        let Outcomes { hit, stale, bypassed, cancelled, .. } = self.outcomes;
        let calls = self.calls() - bypassed - cancelled;
        (calls > 0).then(|| (hit + stale) as f64 / calls as f64)
    }

    /// How often the body has run, however it ended: with a value, with an error, or dropped.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.loads_ok + self.loads_failed + self.loads_cancelled
    }

    /// Every counter, with its metric.
    pub(super) fn counters(&self) -> impl Iterator<Item = Counter> + use<> {
        let calls = self.outcomes.counters().chain(self.uncached.counters());
        calls.chain(self.misses.counters()).chain(self.event_counters())
    }
}
