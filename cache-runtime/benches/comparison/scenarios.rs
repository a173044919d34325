//! Hits and misses.

use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::Cache;
use redis::aio::MultiplexedConnection;
use tokio::runtime::{self, Runtime};

use super::arguments::Effort;
use super::measure::{self, Contender, Sample, drive};
use super::{hand, ours};

/// Entries that hits are spread over.
pub(crate) const ENTRIES: u64 = 1000;

pub(crate) const BY_HAND: &str = "by hand";
pub(crate) const CACHED: &str = "#[cached]";

pub(crate) struct Bench {
    pub(crate) runtime: Runtime,
    pub(crate) connection: MultiplexedConnection,
    pub(crate) effort: Effort,
}

impl Bench {
    pub(crate) fn new(url: &str, effort: Effort, workers: usize) -> Self {
        // One worker by default: the other processor of a small machine is the server's, or else
        // the two would take turns by chance, and figures with them.
        let mut runtime = runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(workers).enable_all().build();
        let runtime = runtime.expect("a runtime");
        Cache::connect(url).expect("a Redis URL").install();
        let client = redis::Client::open(url).expect("a Redis URL");
        let connection = runtime.block_on(client.get_multiplexed_async_connection());
        Self { runtime, connection: connection.expect("a connection"), effort }
    }

    pub(crate) fn hits(&self) {
        for callers in [1, 64, 256] {
            self.compare(&format!("hits, 300 B, callers: {callers}"), self.hits_of_users(callers));
        }
        for callers in [1, 64] {
            self.compare(&format!("hits, 10 KB, callers: {callers}"), self.hits_of_pages(callers));
        }
    }

    /// A value of 300 bytes.
    pub(crate) fn hits_of_users(&self, callers: u64) -> Vec<Contender<'_>> {
        self.runtime.block_on(async {
            for id in 0..ENTRIES {
                hand::user(self.connection.clone(), id).await;
                ours::user(id).await;
            }
        });
        vec![
            Contender::new(BY_HAND, move || {
                self.by_hand(callers, |connection, id| hand::user(connection, id % ENTRIES))
            }),
            Contender::new(CACHED, move || self.cached(callers, |id| ours::user(id % ENTRIES))),
        ]
    }

    /// A value of 10 KB.
    pub(crate) fn hits_of_pages(&self, callers: u64) -> Vec<Contender<'_>> {
        self.runtime.block_on(async {
            for number in 0..ENTRIES {
                hand::page(self.connection.clone(), number).await;
                ours::page(number).await;
            }
        });
        vec![
            Contender::new(BY_HAND, move || {
                self.by_hand(callers, |connection, number| hand::page(connection, number % ENTRIES))
            }),
            Contender::new(CACHED, move || {
                self.cached(callers, |number| ours::page(number % ENTRIES))
            }),
        ]
    }

    pub(crate) fn misses(&self) {
        for callers in [1, 64] {
            self.compare(
                &format!("misses, 300 B, callers: {callers}"),
                self.misses_of_users(callers),
            );
        }
    }

    /// Bodies that cost nothing: what is left is the cache.
    pub(crate) fn misses_of_users(&self, callers: u64) -> Vec<Contender<'_>> {
        vec![
            Contender::new(BY_HAND, move || {
                self.by_hand(callers, |connection, _| hand::user(connection, fresh(1)))
            }),
            Contender::new(CACHED, move || self.cached(callers, |_| ours::user(fresh(1)))),
        ]
    }

    pub(crate) fn compare(&self, title: &str, contenders: Vec<Contender<'_>>) {
        measure::compare(title, self.effort.rounds, contenders);
    }

    pub(crate) fn by_hand<F, B>(&self, callers: u64, call: F) -> Sample
    where
        F: Fn(MultiplexedConnection, u64) -> B + Clone + Send + 'static,
        B: Future<Output: Send> + Send,
    {
        let connection = self.connection.clone();
        self.cached(callers, move |argument| call(connection.clone(), argument))
    }

    pub(crate) fn cached<F, B>(&self, callers: u64, call: F) -> Sample
    where
        F: Fn(u64) -> B + Clone + Send + 'static,
        B: Future<Output: Send> + Send,
    {
        drive(&self.runtime, callers, self.effort.turn, call)
    }
}

/// The first of so many arguments that nothing is stored under yet, in this process.
pub(crate) fn fresh(arguments: u64) -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(ENTRIES);
    NEXT.fetch_add(arguments, Ordering::Relaxed)
}
