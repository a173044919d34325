//! Values of many megabytes: within the limit they have a connection of their own, beyond it they are told of.

#[path = "faults/log.rs"]
#[allow(unreachable_pub, reason = "another test uses the rest")]
mod log;
mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use cache_runtime::{Cache, cached};

use crate::support::barrier::eventually;
use crate::support::patient;
use crate::support::redis::{Client, RedisServer};

const MEGABYTE: usize = 1 << 20;

static BODIES: AtomicUsize = AtomicUsize::new(0);
static BATCHES: AtomicUsize = AtomicUsize::new(0);

#[cached(key = "blob:<megabytes>", ttl = 3600, codec = MessagePack)]
async fn blob(megabytes: usize) -> String {
    BODIES.fetch_add(1, SeqCst);
    "x".repeat(megabytes * MEGABYTE)
}

#[cached(key = "small:<id>", ttl = 3600)]
async fn small(id: u64) -> u64 {
    id
}

#[cached(batch(id in ids), key = "blobs:<id>", ttl = 3600, codec = MessagePack)]
async fn blobs(ids: &[u64]) -> HashMap<u64, String> {
    BATCHES.fetch_add(1, SeqCst);
    ids.iter().map(|id| (*id, "x".repeat(2 * MEGABYTE))).collect()
}

/// The commands that each connection of the cache has sent last, by their age.
async fn last_commands(client: &Client) -> Vec<String> {
    let list: String = client.run(&["CLIENT", "LIST"]).await;
    let field = |line: &str, name: &str| {
        line.split(' ').find_map(|field| Some(field.strip_prefix(name)?.to_owned()))
    };
    let ours = list.lines().filter(|line| field(line, "name=").as_deref() == Some("cache"));
    ours.filter_map(|line| field(line, "cmd=")).collect()
}

async fn check(cache: &Cache, megabytes: usize) {
    let value = cache.scope(blob(megabytes)).await;
    assert_eq!(value.len(), megabytes * MEGABYTE);
}

/// Written and read by a second connection, so that nothing else waits behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_megabytes_are_out_of_everybodys_way() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    let cache = patient().max_value_bytes(64 * MEGABYTE).connect(&server.url()).unwrap();
    assert_eq!(cache.scope(small(1)).await, 1);
    assert_eq!(last_commands(&client).await, ["eval"]);
    let before = BODIES.load(SeqCst);
    check(&cache, 50).await;
    assert_eq!(last_commands(&client).await, ["set", "evalsha"], "the lease, and the value");
    assert_eq!(cache.scope(small(1)).await, 1);
    for _ in 0..2 {
        check(&cache, 50).await;
    }
    assert_eq!(BODIES.load(SeqCst) - before, 1);
    assert_eq!(last_commands(&client).await, ["get", "get"]);

    // Losing it, or finding it stuck, is of no effect on the others, and the next one makes another.
    let ids: String = client.run(&["CLIENT", "LIST"]).await;
    let last = ids.lines().rev().find(|line| line.contains(" name=cache ")).unwrap();
    let id = last.split(' ').find_map(|field| field.strip_prefix("id=")).unwrap();
    client.run::<u64>(&["CLIENT", "KILL", "ID", id]).await;
    assert_eq!(cache.scope(small(1)).await, 1);
    eventually!({
        let before = BODIES.load(SeqCst);
        check(&cache, 50).await;
        BODIES.load(SeqCst) == before
    });
    let stats = cache.stats();
    assert_eq!(stats.connections, 1);
    assert_eq!(stats.function("small").unwrap().hits, 2);
    assert_eq!(stats.function("small").unwrap().store_lost, 0);
}

/// In a batch each is a piece of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_values_of_a_batch_are_stored_one_by_one() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let before = BATCHES.load(SeqCst);
    for _ in 0..2 {
        assert_eq!(cache.scope(blobs(&[1, 2, 3, 4, 5])).await.len(), 5);
    }
    assert_eq!(BATCHES.load(SeqCst) - before, 1);
    assert_eq!(last_commands(&server.client().await).await, ["mget", "evalsha"]);
}

/// What is larger than the limit is not stored, or not read, which is counted each time and said once.
#[tokio::test]
async fn what_is_too_large_is_told_once() {
    #[cached(key = "too-large", ttl = 3600)]
    async fn too_large() -> String {
        "x".repeat(2_000)
    }
    log::capture();
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let strict = patient().max_value_bytes(1_000).connect(&server.url()).unwrap();
    cache.scope(too_large()).await;
    for _ in 0..3 {
        assert_eq!(strict.scope(too_large()).await.len(), 2_000);
    }
    let counted = strict.stats().function("too_large").cloned().unwrap();
    assert_eq!((counted.oversized, counted.undecodable, counted.misuses), (3, 1, 0));
    let lines = log::about(None);
    for line in ["it returns a value of 2002 bytes", "its entry has 2002 bytes"] {
        assert_eq!(lines.iter().filter(|it| it.contains(line)).count(), 1, "{line}: {lines:#?}");
    }
}
