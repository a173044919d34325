//! A primary that changes.

use cache_testing::redis::Client;

use crate::store::redis::tests::*;
use crate::store::redis::topology::sentinel::Sentinels;
use crate::store::redis::url::{Access, Endpoint};
use crate::store::{StoreError, StoreResult};

/// A primary, its replica, and three sentinels that know both.
struct Watched {
    primary: RedisServer,
    replica: RedisServer,
    sentinels: Vec<RedisServer>,
}

impl Watched {
    async fn start() -> Self {
        let primary = RedisServer::with(&["repl-diskless-sync-delay 0"]).await;
        let replica =
            RedisServer::with(&[&format!("replicaof 127.0.0.1 {}", primary.port())]).await;
        let mut sentinels = Vec::new();
        for _ in 0..3 {
            sentinels.push(RedisServer::builder().sentinel(primary.port(), 2).start().await);
        }
        for sentinel in &sentinels {
            until("the sentinels know each other and the replica", async || {
                let other = sentinel.client().await;
                let info: String = other.call("INFO", "sentinel").await;
                info.contains("status=ok") && info.contains("slaves=1,sentinels=3")
            })
            .await;
        }
        until("the replica is in step", async || {
            let info: String = replica.client().await.call("INFO", "replication").await;
            info.contains("master_link_status:up")
        })
        .await;
        Self { primary, replica, sentinels }
    }

    /// Has the replica promoted.
    async fn fail_over(&self) {
        until("the replica is promoted", async || {
            let role = async {
                Client::try_connect(&self.replica.url())
                    .await?
                    .try_call("INFO", "replication")
                    .await
            };
            // Promoted, a server drops all its clients; the next look tells.
            let Ok::<String, _>(replication) = role.await else { return false };
            // Refused while one is under way, or nothing was heard of the replica for a moment;
            // given up by a sentinel that is too busy.
            let sentinel = self.sentinels[0].client().await;
            let is_promoted = replication.contains("role:master");
            if !is_promoted {
                _ = sentinel.try_call::<()>("SENTINEL", ("FAILOVER", "main")).await;
            }
            is_promoted
        })
        .await;
    }

    fn store(&self) -> RedisStore {
        let hosts: Vec<_> = self
            .sentinels
            .iter()
            .map(|sentinel| format!("127.0.0.1:{}", sentinel.port()))
            .collect();
        store_at(&format!("redis+sentinel://{}/main", hosts.join(",")))
    }
}

async fn try_put(store: &RedisStore, name: Name<'_>) -> StoreResult<bool> {
    let token = Token::random();
    store.invalidate(&[name], NONE, briefly()).await.remove(0)?;
    store.acquire(name, token, LEASE, None, briefly()).await?;
    store.fill(name, fill(name, token, "two"), briefly()).await
}

#[tokio::test]
async fn the_promoted_replica_is_found_when_the_primary_is_killed() {
    let servers = Watched::start().await;
    let store = servers.store();
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    servers.primary.kill();
    until("values are stored again", async || try_put(&store, name).await == Ok(true)).await;
    assert_eq!(payload(&super::store(&servers.replica), name).await.as_deref(), Some("two"));
}

#[tokio::test]
async fn a_primary_that_was_frozen_is_not_gone_back_to() {
    let servers = Watched::start().await;
    let store = servers.store();
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    servers.primary.stop();
    until("values are stored again", async || try_put(&store, name).await == Ok(true)).await;
    servers.primary.cont();
    for _ in 0..100 {
        assert_eq!(payload(&store, name).await.as_deref(), Some("two"));
    }
}

#[tokio::test]
async fn a_failover_by_hand_is_followed() {
    let servers = Watched::start().await;
    let store = servers.store();
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    let epoch = store.snapshot().epoch;
    servers.fail_over().await;
    // Nobody writes, so nobody is told that the primary is none any more, but by the sentinels.
    until("the connection moves", async || store.snapshot().epoch > epoch).await;
    until("values are stored again", async || try_put(&store, name).await == Ok(true)).await;
    assert_eq!(payload(&super::store(&servers.replica), name).await.as_deref(), Some("two"));
}

#[tokio::test]
async fn sentinels_tell_that_the_primary_has_moved() {
    let servers = Watched::start().await;
    let tcp =
        |server: &RedisServer| Endpoint::Tcp { host: "127.0.0.1".to_owned(), port: server.port() };
    let sentinels = Sentinels {
        sentinels: servers.sentinels.iter().map(tcp).collect(),
        master: "main".to_owned(),
    };
    let access = Access::default();
    let (old, new) = (tcp(&servers.primary), tcp(&servers.replica));
    until("the sentinels answer", async || sentinels.primary(&access).await == Ok(old.clone()))
        .await;

    servers.fail_over().await;
    sentinels.moved(&access, &old).await;
    until("most sentinels agree", async || sentinels.primary(&access).await == Ok(new.clone()))
        .await;
}

#[tokio::test]
async fn without_sentinels_there_is_no_server() {
    let store = store_at("redis+sentinel://127.0.0.1:1,127.0.0.1:2/main");
    let reply = store.get(Name::new("user:1"), soon()).await;
    assert_eq!(reply, Err(StoreError::Down));
}
