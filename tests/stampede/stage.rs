//! What every stampede needs: caches that are patient with a busy machine, and callers.

use cache_fixtures::patient;
use cache_runtime::Cache;
use cache_runtime::stats::FunctionStats;
use cache_testing::redis::RedisServer;
use tokio::task::JoinHandle;

/// A store, and caches over it.
#[derive(Debug)]
pub struct Stage {
    pub cache: Cache,
    /// Lives as long as the stage.
    server: Option<RedisServer>,
}

impl Stage {
    pub fn embedded() -> Self {
        Self { cache: Cache::in_memory(), server: None }
    }

    pub async fn redis() -> Self {
        let server = RedisServer::start().await;
        Self { cache: connect(&server.url()), server: Some(server) }
    }

    /// Over a server that is gone.
    pub async fn down() -> Self {
        let stage = Self::redis().await;
        if let Some(server) = &stage.server {
            server.kill();
        }
        stage
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
        results.push(cache_testing::within_limit("a caller has its answer", call).await.unwrap());
    }
    results
}

/// What the calls of a function came to; zeros before the first.
pub fn stats(cache: &Cache, function: &str) -> FunctionStats {
    cache.stats().function(function).cloned().unwrap_or_default()
}
