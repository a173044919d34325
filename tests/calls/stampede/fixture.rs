//! What every stampede needs: caches that are patient with a busy machine, and callers.

use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore, Store};
use cache_runtime::Cache;
use cache_testing::within_limit;
use tokio::task::JoinHandle;

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Fixture {
    pub cache: Cache,
    store: Store,
}

impl OnStore for Fixture {
    fn on(store: Store) -> Self {
        Self { cache: store.cache(), store }
    }
}

impl Fixture {
    /// Over a server that is gone.
    pub async fn down() -> Self {
        let fixture = Self::redis().await;
        fixture.store.server().single().kill();
        fixture
    }

    /// Starts `count` calls, each in a task of its own.
    pub fn start<T, F>(&self, count: usize, call: impl Fn() -> F) -> Vec<JoinHandle<T>>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        start(&self.cache, count, call)
    }
}

/// A cache as one process has it. Two of them share nothing but the server, as two processes do.
pub fn connect(url: &str) -> Cache {
    patient().connect(url).unwrap()
}

/// Starts `count` calls over one cache, each in a task of its own.
pub fn start<T, F>(cache: &Cache, count: usize, call: impl Fn() -> F) -> Vec<JoinHandle<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    (0..count).map(|_| tokio::spawn(cache.scope(call()))).collect()
}

/// What all of them returned.
pub async fn results<T>(calls: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::with_capacity(calls.len());
    for call in calls {
        results.push(within_limit("a caller has its answer", call).await.unwrap());
    }
    results
}
