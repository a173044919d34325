//! Hits and misses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::Cache;
use redis::aio::MultiplexedConnection;
use tokio::runtime::{self, Runtime};

use super::measure::{Contender, Sample, compare, drive};
use super::{Effort, hand, ours};

/// Entries that hits are spread over.
pub(crate) const ENTRIES: u64 = 1000;

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
        self.runtime.block_on(async {
            for argument in 0..ENTRIES {
                hand::user(self.connection.clone(), argument).await;
                hand::page(self.connection.clone(), argument).await;
                ours::user(argument).await;
                ours::page(argument).await;
            }
        });
        for callers in [1, 64, 256] {
            compare(
                &format!("hits, 300 B, callers: {callers}"),
                self.effort.rounds,
                vec![
                    Contender::new("by hand", || {
                        self.by_hand(callers, |connection, argument| {
                            hand::user(connection, argument % ENTRIES)
                        })
                    }),
                    Contender::new("#[cached]", || {
                        self.cached(callers, |argument| ours::user(argument % ENTRIES))
                    }),
                ],
            );
        }
        for callers in [1, 64] {
            compare(
                &format!("hits, 10 KB, callers: {callers}"),
                self.effort.rounds,
                vec![
                    Contender::new("by hand", || {
                        self.by_hand(callers, |connection, argument| {
                            hand::page(connection, argument % ENTRIES)
                        })
                    }),
                    Contender::new("#[cached]", || {
                        self.cached(callers, |argument| ours::page(argument % ENTRIES))
                    }),
                ],
            );
        }
    }

    /// Bodies that cost nothing: what is left is the cache.
    pub(crate) fn misses(&self) {
        // No argument twice.
        let fresh = Arc::new(AtomicU64::new(ENTRIES));
        let next = move || fresh.fetch_add(1, Ordering::Relaxed);
        for callers in [1, 64] {
            let (one, other) = (next.clone(), next.clone());
            compare(
                &format!("misses, 300 B, callers: {callers}"),
                self.effort.rounds,
                vec![
                    Contender::new("by hand", || {
                        let next = one.clone();
                        self.by_hand(callers, move |connection, _| hand::user(connection, next()))
                    }),
                    Contender::new("#[cached]", || {
                        let next = other.clone();
                        self.cached(callers, move |_| ours::user(next()))
                    }),
                ],
            );
        }
    }

    /// The embedded store.
    pub(crate) fn memory(&self) {
        let (cache, map) = (Cache::in_memory(), Arc::new(hand::Memory::default()));
        for callers in [1, 64] {
            compare(
                &format!("hits in memory, 300 B, callers: {callers}"),
                self.effort.rounds,
                vec![
                    Contender::new("by hand", || {
                        let map = Arc::clone(&map);
                        drive(&self.runtime, callers, self.effort.turn, move |argument| {
                            let map = Arc::clone(&map);
                            async move { map.user(argument % ENTRIES) }
                        })
                    }),
                    Contender::new("#[cached]", || {
                        let cache = cache.clone();
                        drive(&self.runtime, callers, self.effort.turn, move |argument| {
                            cache.scope(ours::user(argument % ENTRIES))
                        })
                    }),
                ],
            );
        }
    }

    pub(crate) fn by_hand<F, B>(&self, callers: u64, call: F) -> Sample
    where
        F: Fn(MultiplexedConnection, u64) -> B + Clone + Send + 'static,
        B: Future<Output: Send> + Send,
    {
        let connection = self.connection.clone();
        drive(&self.runtime, callers, self.effort.turn, move |argument| {
            call(connection.clone(), argument)
        })
    }

    pub(crate) fn cached<F, B>(&self, callers: u64, call: F) -> Sample
    where
        F: Fn(u64) -> B + Clone + Send + 'static,
        B: Future<Output: Send> + Send,
    {
        drive(&self.runtime, callers, self.effort.turn, call)
    }
}
