//! Values of many megabytes: within the limit they have a connection of their own, beyond it they
//! are told of.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::stats::{BreakerState, FunctionStats};
use cache_runtime::{Cache, cached};
use cache_testing::barrier::{Gate, eventually};
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::{Client, Program, RedisServer};
use cache_testing::{log, within_limit};
use tokio::task::JoinSet;

const MEGABYTE: usize = 1 << 20;

#[cached(key = "blob:<megabytes>", ttl = 3600, codec = MessagePack)]
async fn blob(megabytes: usize) -> String {
    "x".repeat(megabytes * MEGABYTE)
}

#[cached(key = "small:<id>", ttl = 3600)]
async fn small(id: u64) -> u64 {
    id
}

#[cached(batch(id in ids), key = "blobs:<id>", ttl = 3600, codec = MessagePack)]
async fn blobs(ids: &[u64]) -> HashMap<u64, String> {
    ids.iter().map(|id| (*id, "x".repeat(2 * MEGABYTE))).collect()
}

static GATE: LazyLock<Gate> = LazyLock::new(Gate::new);

#[cached(key = "gated", ttl = 3600, lock, codec = MessagePack)]
async fn gated() -> String {
    GATE.pass().await;
    "x".repeat(2 * MEGABYTE)
}

/// The commands that each connection of the cache has sent last, by their age.
async fn last_commands(client: &Client) -> Vec<String> {
    commands_of("cache", client).await
}

/// The same for clients of any name.
async fn commands_of(whose: &str, client: &Client) -> Vec<String> {
    let list: String = client.run(&["CLIENT", "LIST"]).await;
    let field = |line: &str, name: &str| {
        line.split(' ').find_map(|field| Some(field.strip_prefix(name)?.to_owned()))
    };
    let ours = list.lines().filter(|line| field(line, "name=").as_deref() == Some(whose));
    ours.filter_map(|line| field(line, "cmd=")).collect()
}

/// How many bodies of `blob` have run.
fn bodies(cache: &Cache) -> u64 {
    loads("blob", cache)
}

fn loads(function: &str, cache: &Cache) -> u64 {
    cache.stats().function(function).map_or(0, |function| function.loads_ok)
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
    check(&cache, 50).await;
    assert_eq!(
        last_commands(&client).await,
        [Program::get().lease_command(), "evalsha"],
        "the lease, and the value"
    );
    assert_eq!(cache.scope(small(1)).await, 1);
    for _ in 0..2 {
        check(&cache, 50).await;
    }
    assert_eq!(bodies(&cache), 1);
    assert_eq!(
        last_commands(&client).await,
        ["getrange", "get"],
        "now that there are large values"
    );

    // Losing it, or finding it stuck, is of no effect on the others, and the next one makes
    // another.
    let ids: String = client.run(&["CLIENT", "LIST"]).await;
    let last = ids.lines().rev().find(|line| line.contains(" name=cache ")).unwrap();
    let id = last.split(' ').find_map(|field| field.strip_prefix("id=")).unwrap();
    client.run::<u64>(&["CLIENT", "KILL", "ID", id]).await;
    assert_eq!(cache.scope(small(1)).await, 1);
    eventually!({
        let before = bodies(&cache);
        check(&cache, 50).await;
        bodies(&cache) == before
    });
    let stats = cache.stats();
    assert_eq!(stats.connections, 1);
    assert_eq!(stats.function("small").unwrap().hits(), 2);
    assert_eq!(stats.function("small").unwrap().store_lost, 0);
}

/// In a batch each is a piece of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_values_of_a_batch_are_stored_one_by_one() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    for _ in 0..2 {
        assert_eq!(cache.scope(blobs(&[1, 2, 3, 4, 5])).await.len(), 5);
    }
    assert_eq!(loads("blobs", &cache), 1);
    assert_eq!(
        last_commands(&server.client().await).await,
        [Program::get().lease_command(), "get"]
    );
}

fn counted(cache: &Cache) -> FunctionStats {
    cache.stats().function("small").cloned().unwrap()
}

/// Callers of a small value, one call after the other, until they are dropped.
fn callers(cache: &Cache) -> JoinSet<()> {
    let caller = async || {
        loop {
            assert_eq!(small(1).await, 1);
        }
    };
    (0..8).map(|_| cache.scope(caller())).collect()
}

/// Another process has stored values of many megabytes, of which this one knows nothing, and the
/// network is slow. The first that is read holds up other calls, for as long as it takes to find
/// out why; no other one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_value_of_another_process_opens_no_breaker() {
    let server = RedisServer::start().await;
    let writer = patient().connect(&server.url()).unwrap();
    check(&writer, 4).await;
    check(&writer, 5).await;

    let proxy = Proxy::to(&server).await;
    let budget = Duration::from_secs(1);
    let cache = Cache::builder().budget(budget).connect(&server.url_at(proxy.port())).unwrap();
    assert_eq!(cache.scope(small(1)).await, 1);
    // A bounded reply passes, a large one takes much longer than anybody waits.
    let slow = Link::SlowAfter(MEGABYTE + MEGABYTE / 2, Duration::from_millis(20));
    proxy.set(slow).await;
    let first = tokio::spawn({
        let cache = cache.clone();
        async move { check(&cache, 4).await }
    });
    let mut others = callers(&cache);
    let is_over = || cache.stats().connections > 1 || counted(&cache).store_down > 0;
    eventually!(is_over());
    let hits = counted(&cache).hits();
    eventually!(counted(&cache).hits() > hits + 100);
    let held_up = counted(&cache);
    assert_eq!((held_up.store_down, held_up.store_lost), (0, 0), "{held_up:?}");
    assert_eq!(cache.stats().breaker, Some(BreakerState::Closed));
    assert_eq!(cache.stats().connections, 2);
    within_limit("the first one has run its body", first).await.unwrap();
    assert_eq!(bodies(&cache), 1);

    // Nothing is known of this one either, but there may be large ones.
    proxy.set(slow).await;
    check(&cache, 5).await;
    assert_eq!(bodies(&cache), 2, "it does not arrive within the budget");
    let after = counted(&cache);
    let bypassed =
        |stats: &FunctionStats| (stats.store_down, stats.store_lost, stats.store_timeouts);
    assert_eq!(bypassed(&after), bypassed(&held_up));
    assert!(after.hits() > held_up.hits());
    assert_eq!(cache.stats().connections, 2);

    proxy.set(Link::Pass).await;
    eventually!({
        let before = bodies(&cache);
        check(&cache, 4).await;
        check(&cache, 5).await;
        bodies(&cache) == before
    });
    assert!(others.try_join_next().is_none(), "they would go on for ever");
}

/// A batch asks for no more than it takes to see which values are large.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_brings_no_large_value_by_the_connection_of_all() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    let writer = patient().connect(&server.url()).unwrap();
    assert_eq!(writer.scope(blobs(&[1, 2, 3])).await.len(), 3);

    let cache = patient().client_name("reader").connect(&server.url()).unwrap();
    let read = async |ids: &[u64]| {
        let before = loads("blobs", &cache);
        let found = cache.scope(blobs(ids)).await;
        assert_eq!(loads("blobs", &cache), before, "all of {ids:?} are there");
        assert!(ids.iter().all(|id| found[id].len() == 2 * MEGABYTE));
        commands_of("reader", &client).await
    };
    assert_eq!(read(&[1]).await, ["mget"], "nothing is known");
    assert_eq!(read(&[1, 2]).await, ["getrange", "get"]);
    assert_eq!(read(&[1, 2]).await, ["getrange", "get"], "both are known: the first is as it was");
    assert_eq!(read(&[3, 1, 2]).await, ["getrange", "get"]);
    // What is not there, and what is somebody else's.
    client.run::<()>(&["SET", "blobs:8", ""]).await;
    let found = cache.scope(blobs(&[8, 9])).await;
    assert_eq!(found.len(), 2);
    assert_eq!(client.run::<String>(&["GET", "blobs:8"]).await, "");
    assert_eq!(read(&[9]).await, [Program::get().lease_command(), "get"]);
}

/// Whoever waits for another process's load learns that the value is large, and reads it by the
/// second connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_value_that_was_waited_for_comes_by_the_second_connection() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    let named = |name| patient().client_name(name).connect(&server.url()).unwrap();
    let (loader, waiter) = (named("loader"), named("waiter"));
    GATE.release(1);
    assert_eq!(waiter.scope(gated()).await.len(), 2 * MEGABYTE);
    client.run::<u64>(&["DEL", "gated"]).await;

    let load = tokio::spawn(loader.scope(gated()));
    GATE.entered(2).await;
    let wait = tokio::spawn(waiter.scope(gated()));
    eventually!(waiter.stats().function("gated").unwrap().lease_waits == 1);
    GATE.release(1);
    for value in [load, wait] {
        let value = within_limit("it is loaded", value).await.unwrap();
        assert_eq!(value.len(), 2 * MEGABYTE);
    }
    assert_eq!((loads("gated", &loader), loads("gated", &waiter)), (1, 1));
    assert_eq!(commands_of("waiter", &client).await, ["evalsha", "get"]);
}

/// What is larger than the limit is not stored, or not read, which is counted each time and said
/// once.
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
    assert_eq!((counted.fills_oversized, counted.misses.oversized, counted.misuses), (3, 1, 0));
    let lines = log::about(None);
    for line in ["it returns a value of 2002 bytes", "its entry has 2002 bytes"] {
        assert_eq!(lines.iter().filter(|it| it.contains(line)).count(), 1, "{line}: {lines:#?}");
    }
}
