//! What users would pick instead, on the same work: 300 bytes of JSON by a key.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use cached::AsyncRedisCache;
use cached::macros::concurrent_cached;
use fred::clients::Client;
use fred::interfaces::{ClientLike as _, KeysInterface as _};
use fred::types::Expiration;
use fred::types::config::Config;
use redis::aio::MultiplexedConnection;

use super::hand;
use super::measure::Contender;
use super::scenarios::{Bench, ENTRIES};
use super::subject::User;

/// How long a lock of the textbook lives.
const LOCK_MS: u64 = 10_000;

static URL: OnceLock<String> = OnceLock::new();

impl Bench {
    pub(crate) fn peers(&self, url: &str) {
        _ = URL.set(url.to_owned());
        let fred = self.runtime.block_on(connected(url));
        let moka = moka::future::Cache::builder()
            .max_capacity(2 * ENTRIES)
            .time_to_live(Duration::from_secs(hand::TTL))
            .build();
        self.runtime.block_on(async {
            for id in 0..ENTRIES {
                by_textbook(self.connection.clone(), id).await;
                by_cached(id).await.expect("an answer");
                by_fred(&fred, id).await;
                by_moka(&moka, id).await;
            }
        });
        for callers in [1, 64, 256] {
            let mut contenders = self.hits_of_users(callers);
            contenders.extend([
                Contender::new("textbook lock", || {
                    self.by_hand(callers, |connection, id| by_textbook(connection, id % ENTRIES))
                }),
                Contender::new("cached, Redis", || {
                    self.cached(callers, |id| by_cached(id % ENTRIES))
                }),
                Contender::new("fred", || {
                    let fred = fred.clone();
                    self.cached(callers, move |id| {
                        let fred = fred.clone();
                        async move { by_fred(&fred, id % ENTRIES).await }
                    })
                }),
                Contender::new("moka", || {
                    let moka = moka.clone();
                    self.cached(callers, move |id| {
                        let moka = moka.clone();
                        async move { by_moka(&moka, id % ENTRIES).await }
                    })
                }),
            ]);
            self.compare(&format!("hits, 300 B, callers: {callers}"), contenders);
        }
    }
}

/// A lock by `SET NX` around the load, as textbooks have it.
async fn by_textbook(mut connection: MultiplexedConnection, id: u64) -> User {
    let key = format!("textbook:user:{id}");
    loop {
        let found: Option<Vec<u8>> =
            redis::cmd("GET").arg(&key).query_async(&mut connection).await.expect("an answer");
        if let Some(user) = found.and_then(|json| serde_json::from_slice(&json).ok()) {
            return user;
        }
        let lock = format!("{key}:lock");
        let mut take = redis::cmd("SET");
        take.arg(&lock).arg("locked").arg("NX").arg("PX").arg(LOCK_MS);
        let taken: Option<String> = take.query_async(&mut connection).await.expect("an answer");
        if taken.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        }
        let user = User::new(id);
        let json = serde_json::to_vec(&user).expect("a value that encodes");
        let mut store = redis::cmd("SET");
        store.arg(&key).arg(json).arg("EX").arg(hand::TTL);
        let () = store.query_async(&mut connection).await.expect("an answer");
        let () = redis::cmd("DEL").arg(&lock).query_async(&mut connection).await.expect("one");
        return user;
    }
}

#[concurrent_cached(
    ty = "AsyncRedisCache<u64, User>",
    create = r#"{
        AsyncRedisCache::builder("cached:user:")
            .ttl(Duration::from_secs(hand::TTL))
            .connection_string(URL.get().expect("the server's URL"))
            .build()
            .await
            .expect("a connection")
    }"#,
    map_error = r#"|error| format!("{error:?}")"#
)]
async fn by_cached(id: u64) -> Result<User, String> {
    Ok(std::future::ready(User::new(id)).await)
}

async fn connected(url: &str) -> Client {
    let config = Config::from_url(url).expect("a Redis URL");
    let client = fred::types::Builder::from_config(config).build().expect("a client");
    client.init().await.expect("a connection");
    client
}

async fn by_fred(client: &Client, id: u64) -> User {
    let key = format!("fred:user:{id}");
    let found: Option<Bytes> = client.get(&key).await.expect("an answer");
    if let Some(user) = found.and_then(|json| serde_json::from_slice(&json).ok()) {
        return user;
    }
    let user = User::new(id);
    let json = serde_json::to_string(&user).expect("a value that encodes");
    let ttl = Some(Expiration::EX(hand::TTL.cast_signed()));
    let () = client.set(&key, json, ttl, None, false).await.expect("an answer");
    user
}

/// In this process only: no other one sees what it stores, nor what invalidates it.
async fn by_moka(cache: &moka::future::Cache<u64, Arc<User>>, id: u64) -> Arc<User> {
    cache.get_with(id, async { Arc::new(User::new(id)) }).await
}
