//! The same read and the same write, as each of them has it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use cache_runtime::{cached, invalidates};
use cached::macros::concurrent_cached;
use cached::{AsyncRedisCache, ConcurrentCachedAsync as _};
use fred::clients::Client;
use fred::interfaces::{ClientLike as _, KeysInterface as _};
use fred::types::Expiration;
use fred::types::config::Config;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, RedisResult};

use super::super::hand;
use super::super::scenarios::{BY_HAND, CACHED, ENTRIES};
use super::super::subject::User;
use super::load::{Database, Load};

pub(crate) const CACHED_WITH_LOCK: &str = "#[cached(lock)]";
pub(crate) const TEXTBOOK: &str = "textbook lock";
pub(crate) const CACHED_CRATE: &str = "cached, Redis";
pub(crate) const FRED: &str = "fred";
pub(crate) const MOKA: &str = "moka";

/// How long a lock of the textbook lives.
const LOCK_MS: u64 = 10_000;

static URL: OnceLock<String> = OnceLock::new();

/// One of them, connected.
#[derive(Clone)]
pub(crate) enum Peer {
    ByHand(MultiplexedConnection),
    Cached,
    CachedWithLock,
    Textbook(MultiplexedConnection),
    CachedCrate,
    Fred(Client),
    /// In this process only: no other one sees what it stores, nor what invalidates it.
    Moka(moka::future::Cache<u64, Arc<User>>),
}

impl Peer {
    /// Of ours it expects that a cache is installed.
    pub(crate) async fn connected(name: &str, url: &str) -> Self {
        _ = URL.set(url.to_owned());
        match name {
            BY_HAND => Self::ByHand(connection(url).await),
            CACHED => Self::Cached,
            CACHED_WITH_LOCK => Self::CachedWithLock,
            TEXTBOOK => Self::Textbook(connection(url).await),
            CACHED_CRATE => Self::CachedCrate,
            FRED => {
                let config = Config::from_url(url).expect("a Redis URL");
                let client = fred::types::Builder::from_config(config).build();
                let client = client.expect("a client");
                client.init().await.expect("a connection");
                Self::Fred(client)
            }
            MOKA => Self::Moka(
                moka::future::Cache::builder()
                    .max_capacity(100 * ENTRIES)
                    .time_to_live(Duration::from_secs(hand::TTL))
                    .build(),
            ),
            _ => panic!("no peer is called {name}"),
        }
    }

    /// Reads through the cache. An error is one of the cache.
    pub(crate) async fn user(&self, id: u64, load: Load) -> Result<Arc<User>, String> {
        let said = |error: redis::RedisError| error.to_string();
        match self {
            Self::ByHand(connection) => {
                let key = format!("hand:peer:{id}");
                let load = async || load.user(id).await;
                hand::read_through(connection.clone(), key, load).await.map(Arc::new).map_err(said)
            }
            Self::Cached => Ok(Arc::new(read(id, load).await)),
            Self::CachedWithLock => Ok(Arc::new(read_with_lock(id, load).await)),
            Self::Textbook(connection) => {
                by_textbook(connection.clone(), id, load).await.map(Arc::new).map_err(said)
            }
            Self::CachedCrate => by_cached(id, load).await.map(Arc::new),
            Self::Fred(client) => {
                by_fred(client, id, load).await.map(Arc::new).map_err(|error| error.to_string())
            }
            Self::Moka(cache) => {
                Ok(cache.get_with(id, async { Arc::new(load.user(id).await) }).await)
            }
        }
    }

    /// Writes to the database, and removes the entry.
    pub(crate) async fn write(&self, id: u64, database: &Database) {
        let deleted = async |mut connection: MultiplexedConnection, key: String| {
            let () = connection.del(key).await.expect("an answer to DEL");
        };
        if !matches!(self, Self::Cached | Self::CachedWithLock) {
            database.write();
        }
        match self {
            Self::ByHand(connection) => {
                deleted(connection.clone(), format!("hand:peer:{id}")).await;
            }
            Self::Cached => write(id, database).await,
            Self::CachedWithLock => write_with_lock(id, database).await,
            Self::Textbook(connection) => {
                deleted(connection.clone(), format!("textbook:peer:{id}")).await;
            }
            Self::CachedCrate => {
                let store = BY_CACHED.get().expect("that it was used");
                store.async_cache_remove(&id).await.expect("an answer");
            }
            Self::Fred(client) => {
                let () = client.del(format!("fred:peer:{id}")).await.expect("an answer");
            }
            Self::Moka(cache) => cache.invalidate(&id).await,
        }
    }
}

pub(crate) async fn connection(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("a Redis URL");
    client.get_multiplexed_async_connection().await.expect("a connection")
}

#[cached(key = "peer:<id>", ttl = 3600, skip(load))]
async fn read(id: u64, load: Load) -> User {
    load.user(id).await
}

#[invalidates(read(id))]
async fn write(id: u64, database: &Database) {
    database.write();
}

#[cached(key = "locked-peer:<id>", ttl = 3600, lock, skip(load))]
async fn read_with_lock(id: u64, load: Load) -> User {
    load.user(id).await
}

#[invalidates(read_with_lock(id))]
async fn write_with_lock(id: u64, database: &Database) {
    database.write();
}

/// A lock by `SET NX` around the load, as textbooks have it.
async fn by_textbook(
    mut connection: MultiplexedConnection,
    id: u64,
    load: Load,
) -> RedisResult<User> {
    let key = format!("textbook:peer:{id}");
    loop {
        let found: Option<Vec<u8>> =
            redis::cmd("GET").arg(&key).query_async(&mut connection).await?;
        if let Some(user) = found.and_then(|json| serde_json::from_slice(&json).ok()) {
            return Ok(user);
        }
        let lock = format!("{key}:lock");
        let mut take = redis::cmd("SET");
        take.arg(&lock).arg("locked").arg("NX").arg("PX").arg(LOCK_MS);
        let taken: Option<String> = take.query_async(&mut connection).await?;
        if taken.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        }
        let user = load.user(id).await;
        let json = serde_json::to_vec(&user).expect("a value that encodes");
        let mut store = redis::cmd("SET");
        store.arg(&key).arg(json).arg("EX").arg(hand::TTL);
        let () = store.query_async(&mut connection).await?;
        let () = redis::cmd("DEL").arg(&lock).query_async(&mut connection).await?;
        return Ok(user);
    }
}

#[concurrent_cached(
    ty = "AsyncRedisCache<u64, User>",
    create = r#"{
        AsyncRedisCache::builder("cached:peer:")
            .ttl(Duration::from_secs(hand::TTL))
            .connection_string(URL.get().expect("the server's URL"))
            .build()
            .await
            .expect("a connection")
    }"#,
    convert = r#"{ id }"#,
    map_error = r#"|error| format!("{error:?}")"#
)]
async fn by_cached(id: u64, load: Load) -> Result<User, String> {
    Ok(load.user(id).await)
}

async fn by_fred(client: &Client, id: u64, load: Load) -> Result<User, fred::error::Error> {
    let key = format!("fred:peer:{id}");
    let found: Option<Bytes> = client.get(&key).await?;
    if let Some(user) = found.and_then(|json| serde_json::from_slice(&json).ok()) {
        return Ok(user);
    }
    let user = load.user(id).await;
    let json = serde_json::to_string(&user).expect("a value that encodes");
    let ttl = Some(Expiration::EX(hand::TTL.cast_signed()));
    let () = client.set(&key, json, ttl, None, false).await?;
    Ok(user)
}
