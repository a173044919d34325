//! A cache of each kind.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cache_fixtures::patient;
use cache_runtime::{Cache, CacheBuilder};
use cache_testing::redis::RedisServer;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

/// A store, in which each function under test has caches of its own.
pub struct Stage {
    server: Option<RedisServer>,
}

impl Stage {
    pub fn embedded() -> Self {
        Self { server: None }
    }

    pub async fn redis() -> Self {
        Self { server: Some(RedisServer::start().await) }
    }

    /// Another cache of the same kind.
    pub fn cache(&self) -> Cache {
        self.made(patient())
    }

    /// One that panics at a misuse.
    pub fn strict(&self) -> Cache {
        self.made(patient().panic_on_misuse(true))
    }

    fn made(&self, builder: CacheBuilder) -> Cache {
        match &self.server {
            Some(server) => builder.connect(&server.url()).unwrap(),
            None => builder.in_memory().unwrap(),
        }
    }
}

/// How often a misuse by a function was counted.
pub fn misuses(cache: &Cache, function: &str) -> u64 {
    cache.stats().function(function).map_or(0, |it| it.misuses)
}

/// What a call under a strict cache panics with.
pub fn panic_of<T>(call: impl Future<Output = T>) -> String {
    let call = || block_in_place(|| Handle::current().block_on(call));
    let panicked = catch_unwind(AssertUnwindSafe(call)).err().expect("the call panics");
    *panicked.downcast::<String>().expect("with a message")
}
