//! Pushes that wait until replicas have their items.

use cache_fixtures::patient;
use cache_runtime::__private::QueueSite;
use cache_runtime::ErrorKind;
use cache_testing::barrier::eventually;
use cache_testing::redis::{RedisCluster, RedisServer};
use cache_testing::within_limit;

use crate::fixture::{REPLICATED, queue, step};

static COPIED: QueueSite = QueueSite::new("faults::copied", "copied")
    .partitions(1)
    .push_timeout_ms(60_000)
    .replicas(1)
    .unavailable_is_error()
    .keep_all();

#[tokio::test]
async fn a_push_waits_for_replicas() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let replicated = queue(&REPLICATED, &cache);
    let error = replicated.push(step(0, 0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreplicated);
    assert_eq!(replicated.length().await.unwrap().waiting, 1, "it is there, once");

    let of = format!("replicaof 127.0.0.1 {}", server.port());
    let replica = RedisServer::builder().setting(&of).start().await;
    let client = replica.client().await;
    eventually!(replicated.push(step(0, 1)).await.is_ok());
    assert!(client.run::<u64>(&["XLEN", "wb:{replicated:0}"]).await >= 2);
}

/// A server has sent nothing before its first replica is there: that one counts when it has loaded
/// its copy, not when it has been sent it.
#[tokio::test]
async fn a_push_waits_for_the_first_replica_to_have_loaded() {
    const MANY: &str = "for number = 1, 100000 do redis.call('SET', number, '') end";
    // Nothing is sent but what is written.
    let server = RedisServer::builder()
        .setting("repl-ping-replica-period 3600")
        .setting("repl-diskless-sync no")
        .start()
        .await;
    let client = server.client().await;
    client.run::<()>(&["EVAL", MANY, "0"]).await;
    let copied = queue(&COPIED, &patient().connect(&server.url()).unwrap());
    let pushing = tokio::spawn({
        let copied = copied.clone();
        async move { copied.push(step(0, 0)).await }
    });
    let stream = ["XLEN", "wb:{copied:0}"];
    eventually!(client.run::<u64>(&stream).await == 1);

    // A pause of 1 ms for each key; commands are carried out after every few dozen of them.
    let replica = RedisServer::builder()
        .setting("key-load-delay 1000")
        .setting("loading-process-events-interval-bytes 1024")
        .start()
        .await;
    let copy = replica.client().await;
    let port = server.port().to_string();
    copy.run::<()>(&["REPLICAOF", "127.0.0.1", &port]).await;
    let sent = async || {
        let info: String = client.run(&["INFO", "replication"]).await;
        info.contains("state=online")
    };
    eventually!(sent().await);
    for _ in 0..200 {
        assert_eq!(copied.length().await.unwrap().waiting, 1);
        assert!(!pushing.is_finished(), "the replica is still loading");
    }
    copy.config_set("key-load-delay", "0").await;
    within_limit("a push", pushing).await.unwrap().unwrap();
    assert_eq!(copy.run::<u64>(&stream).await, 1);
}

/// Whoever waits for replicas of a server that becomes one itself is told an error; the item is
/// there all the same.
#[tokio::test]
async fn a_push_goes_on_when_its_server_is_no_primary_for_a_while() {
    let server = RedisServer::start().await;
    let of = format!("replicaof 127.0.0.1 {}", server.port());
    let replica = RedisServer::builder().setting(&of).start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let (copied, client) = (queue(&COPIED, &cache), server.client().await);
    eventually!(copied.push(step(0, 0)).await.is_ok());

    replica.stop();
    let pushing = tokio::spawn({
        let copied = copied.clone();
        async move { copied.push(step(0, 1)).await }
    });
    let blocked = async || {
        let info: String = client.run(&["INFO", "clients"]).await;
        info.contains("blocked_clients:1")
    };
    eventually!(blocked().await);
    let port = replica.port().to_string();
    // Its own replica stands still, so nothing is copied back.
    client.run::<()>(&["REPLICAOF", "127.0.0.1", &port]).await;
    eventually!(!blocked().await);
    client.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    replica.cont();
    within_limit("a push", pushing).await.unwrap().unwrap();
    assert_eq!(copied.length().await.unwrap().waiting, 2);
}

/// What the server has said to be there is never said not to be.
#[tokio::test]
async fn a_push_that_is_refused_after_it_was_stored_says_so() {
    let rights = "on >secret ~wb:{* resetchannels +@all";
    let server = RedisServer::builder().user("limited", rights).start().await;
    let cache = patient().connect(&server.url_as("limited", "secret")).unwrap();
    let (replicated, client) = (queue(&REPLICATED, &cache), server.client().await);
    let push = |number| {
        tokio::spawn({
            let replicated = replicated.clone();
            async move { replicated.push(step(0, number)).await.unwrap_err() }
        })
    };
    let pushing = push(0);
    let stored = async || client.run::<u64>(&["XLEN", "wb:{replicated:0}"]).await;
    eventually!(stored().await == 1);
    client.run::<()>(&["ACL", "SETUSER", "limited", "-evalsha", "-eval"]).await;
    let error = pushing.await.unwrap();
    assert_eq!(error.kind(), ErrorKind::Unreplicated, "{error}");

    client.run::<()>(&["ACL", "SETUSER", "limited", "+evalsha", "+eval", "-wait"]).await;
    let error = push(1).await.unwrap();
    assert_eq!(error.kind(), ErrorKind::Unreplicated);
    assert!(error.to_string().contains("NOPERM"), "{error}");
    assert_eq!(stored().await, 2);
}

#[tokio::test]
async fn a_push_waits_while_its_partition_is_on_its_way_to_another_node() {
    let cluster = RedisCluster::start().await;
    let cache = patient().connect(&cluster.url()).unwrap();
    let push = |number| {
        let copied = queue(&COPIED, &cache);
        tokio::spawn(async move { copied.push(step(0, number)).await })
    };
    let stream = "wb:{copied:0}";
    let stored = async || cluster.node(0).client().await.run::<u64>(&["XLEN", stream]).await;
    let first = push(0);
    eventually!(stored().await == 1);
    first.abort();

    let (slot, from) = (cluster.slot(stream).await, cluster.home(stream).await);
    let (to, client) = ((from + 1) % 3, cluster.node(from).client().await);
    cluster.begin_move(slot, from, to).await;
    while cluster.move_keys(slot, from, to).await > 0 {}
    let second = push(1);
    // Told that once, it asks again.
    eventually!({
        let errors: String = client.run(&["INFO", "errorstats"]).await;
        let asked = errors.lines().find_map(|line| line.strip_prefix("errorstat_ASK:count="));
        asked.is_some_and(|count| count.parse::<u64>().unwrap() > 2)
    });
    cluster.end_move(slot, from, to).await;
    eventually!(stored().await == 2);
    second.abort();
}
