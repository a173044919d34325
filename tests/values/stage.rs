//! A store, a cache over it, and calls that wait.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use cache_fixtures::patient;
use cache_runtime::Cache;
use cache_runtime::stats::FunctionStats;
use cache_testing::barrier::{Counter, Gate};
use cache_testing::redis::RedisServer;

#[derive(Debug)]
pub struct Stage {
    pub cache: Cache,
    /// A cache that panics where its functions are used wrongly, over a store of its own.
    pub strict: Cache,
    pub runs: Counter,
    _server: Option<RedisServer>,
}

impl Stage {
    pub fn embedded() -> Self {
        let strict = Cache::builder().panic_on_misuse(true).connect("memory:").unwrap();
        Self { cache: Cache::in_memory(), strict, runs: Counter::new(), _server: None }
    }

    pub async fn redis() -> Self {
        let server = RedisServer::start().await;
        let cache = patient().connect(&server.url()).unwrap();
        let strict = patient().namespace("strict").panic_on_misuse(true);
        let strict = strict.connect(&server.url()).unwrap();
        Self { cache, strict, runs: Counter::new(), _server: Some(server) }
    }

    pub fn stats(&self, function: &str) -> FunctionStats {
        stats(&self.cache, function)
    }
}

/// A load that is held.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub runs: Counter,
    pub gate: Gate,
}

impl Origin {
    pub async fn load(&self) {
        self.runs.count();
        self.gate.pass().await;
    }
}

/// Zeros before the first call.
pub fn stats(cache: &Cache, function: &str) -> FunctionStats {
    cache.stats().function(function).cloned().unwrap_or_default()
}

/// Lets calls that have [begun] go on until something has happened, before any of them ends.
macro_rules! going_on {
    ($happened:expr; $($call:expr),+) => {
        tokio::select! {
            biased;
            $(_ = $call.as_mut() => panic!("a call has ended"),)+
            () = $happened => {}
        }
    };
}
pub(crate) use going_on;

/// A call that has begun, and waits: for a gate, or for another call's load.
pub async fn begun<F: Future>(call: F) -> Pin<Box<F>> {
    let mut call = Box::pin(call);
    let is_ready = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
    assert!(!is_ready, "the call waits");
    call
}
