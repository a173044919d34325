//! Queues behind Sentinel.

use std::collections::HashMap;

use cache_fixtures::patient;
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;

use crate::stage::{CAREFUL, Ledger, Running, queue, step, worker};
use crate::watch::Watch;

/// What a sentinel may do to a server.
const EVERYTHING: &str = "on >secret ~* &* +@all";
/// Too little to make it a replica.
const LITTLE: &str = "on >secret ~* &* +@all -replicaof -slaveof";

/// A primary, its replica, and a sentinel that knows both.
#[derive(Debug)]
struct Watched {
    servers: Vec<RedisServer>,
    sentinel: RedisServer,
}

impl Watched {
    /// With what the sentinel may do to the first primary.
    async fn start(rights: &str) -> Self {
        let primary = RedisServer::builder().setting("repl-diskless-sync-delay 0");
        let primary = primary.user("watcher", rights).start().await;
        let sentinel = RedisServer::builder()
            .sentinel(primary.port())
            .setting("sentinel auth-user main watcher")
            .setting("sentinel auth-pass main secret")
            .start()
            .await;
        // Looks around more often, where it knows how to.
        let often = ["SENTINEL", "DEBUG", "INFO-PERIOD", "200", "TILT-PERIOD", "1000"];
        _ = sentinel.client().await.try_run::<()>(&often).await;
        let mut watched = Self { servers: vec![primary], sentinel };
        watched.add_replica().await;
        watched
    }

    fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/main", self.sentinel.port())
    }

    /// The primary, as the sentinel says.
    async fn primary(&self) -> &RedisServer {
        let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"];
        let (_, port): (String, u16) = self.sentinel.client().await.run(&ask).await;
        self.servers.iter().find(|server| server.port() == port).expect("one of these")
    }

    /// Adds a replica that is in step, and that the sentinel may promote.
    async fn add_replica(&mut self) {
        let of = format!("replicaof 127.0.0.1 {}", self.primary().await.port());
        let replica = RedisServer::builder().setting("repl-diskless-sync-delay 0").setting(&of);
        let replica = replica.user("watcher", EVERYTHING).start().await;
        let (sentinel, port) = (self.sentinel.client().await, replica.port().to_string());
        let is_fit = |other: &HashMap<String, String>| {
            other.get("port") == Some(&port)
                && other.get("flags").is_some_and(|flags| flags == "slave")
                && other.get("master-link-status").is_some_and(|status| status == "ok")
        };
        let replicas = ["SENTINEL", "REPLICAS", "main"];
        eventually!(
            sentinel.run::<Vec<HashMap<String, String>>>(&replicas).await.iter().any(is_fit)
        );
        self.servers.push(replica);
    }

    /// Kills the primary; returns when its replica has taken over.
    async fn kill(&self) {
        let primary = self.primary().await;
        primary.kill();
        eventually!(self.primary().await.port() != primary.port());
    }

    /// Has the replica promoted.
    async fn fail_over(&self) {
        let (former, sentinel) = (self.primary().await.port(), self.sentinel.client().await);
        // Refused while it has not heard of the replica for a moment, as on a busy machine.
        eventually!(sentinel.try_run::<()>(&["SENTINEL", "FAILOVER", "main"]).await.is_ok());
        eventually!(self.primary().await.port() != former);
    }
}

/// Nothing acknowledged is lost, as there is always one replica.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_replica_takes_over() {
    let mut watched = Watched::start(EVERYTHING).await;
    let mut watch = Watch::start(&watched.url());
    watch.progress().await;
    for _ in 0..2 {
        watched.kill().await;
        // There is a replica again, or nothing more would be acknowledged.
        watched.add_replica().await;
        watch.progress_anew().await;
    }
    watch.end().await;
}

/// A server that the sentinels have deposed and cannot reach goes on as if it were the primary.
#[tokio::test]
async fn a_worker_leaves_a_primary_that_was_deposed() {
    let watched = Watched::start(LITTLE).await;
    let cache = patient().connect(&watched.url()).unwrap();
    let (careful, ledger) = (queue(&CAREFUL, &cache), Ledger::default());
    let running = Running::start(worker(&CAREFUL, &cache, &ledger));
    careful.push(step(0, 0)).await.unwrap();
    eventually!(ledger.of(0) == [0]);
    watched.fail_over().await;
    let stream =
        ["XADD", "wb:{careful:0}", "*", "k", "0", "v", "1-1", "d", "J{\"counter\":0,\"number\":1}"];
    watched.primary().await.client().await.run::<String>(&stream).await;
    eventually!(ledger.of(0) == [0, 1]);
    running.stop().await;
}
