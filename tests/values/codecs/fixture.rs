//! Functions over one entry, a server to spoil it on, and counts.

use cache_fixtures::{patient, stats};
use cache_runtime::stats::{FunctionStats, Misses};
use cache_runtime::{Cache, CacheBuilder, cached};
use cache_testing::barrier::Counter;
use cache_testing::redis::{Client, RedisServer};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub name: String,
}

pub fn ada(id: u64) -> User {
    User { id, name: "Ada".to_owned() }
}

#[cached(key = "user:<id>", ttl = 3600, skip(runs))]
pub async fn user(runs: &Counter, id: u64) -> User {
    runs.count();
    ada(id)
}

#[cached(key = "user:<id>", ttl = 3600, skip(runs), codec = MessagePack)]
pub async fn packed(runs: &Counter, id: u64) -> User {
    runs.count();
    ada(id)
}

#[cached(key = "user:<id>", ttl = 3600, skip(runs), codec = Postcard)]
pub async fn posted(runs: &Counter, id: u64) -> User {
    runs.count();
    ada(id)
}

/// Length of a value's header.
pub const HEADER: usize = 64;

/// A server, a cache over it, and the number of loads.
#[derive(Debug)]
pub struct Fixture {
    pub server: RedisServer,
    pub client: Client,
    pub cache: Cache,
    pub runs: Counter,
}

impl Fixture {
    pub async fn start() -> Self {
        let server = RedisServer::start().await;
        let client = server.client().await;
        let cache = patient().connect(&server.url()).unwrap();
        Self { server, client, cache, runs: Counter::new() }
    }

    /// Another cache over the same server.
    pub fn connect(&self, builder: CacheBuilder) -> Cache {
        builder.connect(&self.server.url()).unwrap()
    }

    pub async fn user(&self, id: u64) -> User {
        self.cache.scope(user(&self.runs, id)).await
    }

    /// The stored bytes, header and payload.
    pub async fn stored(&self, key: &str) -> Vec<u8> {
        self.client.get(key).await.unwrap_or_default()
    }

    /// The stored payload.
    pub async fn payload(&self, key: &str) -> Vec<u8> {
        self.stored(key).await.split_off(HEADER)
    }

    pub fn stats(&self, function: &str) -> FunctionStats {
        stats(&self.cache, function)
    }

    /// Stores `record` as the user 1, and calls: a miss that loads, and then a hit. Why the first
    /// call missed.
    pub async fn heals(&self, record: &[u8]) -> Misses {
        self.client.set("user:1", record).await;
        let (before, runs) = (self.stats("user"), self.runs.get());
        assert_eq!(self.user(1).await, ada(1), "{record:?}");
        let after = self.stats("user");
        assert_eq!(self.runs.get(), runs + 1, "{record:?}");
        assert_eq!((after.hits() - before.hits(), after.misses() - before.misses()), (0, 1));
        assert_eq!(after.fills_stored - before.fills_stored, 1, "{record:?}");

        assert_eq!(self.user(1).await, ada(1), "{record:?}");
        assert_eq!(self.runs.get(), runs + 1, "it is healed: {record:?}");
        let mut misses = Misses::default();
        misses.absent = after.misses.absent - before.misses.absent;
        misses.undecodable = after.misses.undecodable - before.misses.undecodable;
        misses.foreign = after.misses.foreign - before.misses.foreign;
        misses.misplaced = after.misses.misplaced - before.misses.misplaced;
        misses
    }
}
