//! How the servers of a cache are doing.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cache::Cache;
use crate::error::Error;
use crate::inspect::millis::as_ms;
use crate::store::Store;
use crate::store::redis::ServerInfo;

/// What a server says of itself; returned by [`Cache::servers`]. A figure that it does not tell is
/// 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServerStatus {
    /// Where it is, `host:port` or the path of a socket. Empty behind a Sentinel.
    pub address: String,
    /// Its version.
    pub version: String,
    /// How long it took to answer.
    #[serde(rename = "round_trip_ms", serialize_with = "as_ms")]
    pub round_trip: Duration,
    /// Keys in all its databases, whoever uses them.
    pub keys: u64,
    /// Bytes of memory that it uses.
    pub memory_bytes: u64,
    /// Its `maxmemory` in bytes; 0 if there is no limit.
    pub max_memory_bytes: u64,
    /// What it does when that is reached, such as `allkeys-lru`.
    pub eviction: String,
    /// Keys that it has evicted since it started.
    pub evicted_keys: u64,
    /// Commands a second, on average over the last moments.
    pub commands_per_second: u64,
    /// Connections.
    pub clients: u64,
}

impl Cache {
    /// Asks every primary how it is doing (`INFO`). None for the embedded store.
    ///
    /// ```
    /// # async fn fullness(cache: cache_runtime::Cache) -> Result<(), cache_runtime::Error> {
    /// for server in cache.servers().await? {
    ///     println!("{}: {} bytes, {} keys", server.address, server.memory_bytes, server.keys);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If one of them does not answer or refuses.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn servers(&self) -> Result<Vec<ServerStatus>, Error> {
        self.core().announce();
        let Some(redis) = self.core().store().and_then(Store::redis) else {
            return Ok(Vec::new());
        };
        let begun = Instant::now();
        let infos = redis.infos().await.map_err(|error| self.core().explained(error))?;
        let round_trip = begun.elapsed();
        Ok(infos.into_iter().map(|info| ServerStatus::of(info, round_trip)).collect())
    }
}

impl ServerStatus {
    fn of(ServerInfo { address, text }: ServerInfo, round_trip: Duration) -> Self {
        let field = |name: &str| {
            let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned());
            text.lines().find_map(value).unwrap_or_default()
        };
        let number = |name: &str| field(name).parse().unwrap_or_default();
        let keys = text.lines().filter_map(|line| {
            let (_, counts) = line.strip_prefix("db")?.split_once(":keys=")?;
            counts.split(',').next()?.parse::<u64>().ok()
        });
        Self {
            address,
            version: [field("valkey_version"), field("redis_version")]
                .into_iter()
                .find(|version| !version.is_empty())
                .unwrap_or_default(),
            round_trip,
            keys: keys.sum(),
            memory_bytes: number("used_memory"),
            max_memory_bytes: number("maxmemory"),
            eviction: field("maxmemory_policy"),
            evicted_keys: number("evicted_keys"),
            commands_per_second: number("instantaneous_ops_per_sec"),
            clients: number("connected_clients"),
        }
    }
}
