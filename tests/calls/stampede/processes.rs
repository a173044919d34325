//! Many callers in several real processes.

use cache_fixtures::stats;
use cache_runtime::{Cache, cached};
use cache_testing::barrier::{Counter, eventually};
use cache_testing::children::{self, Child, Children, Parent, this_test};
use cache_testing::redis::{Client, RedisServer};
use serde::{Deserialize, Serialize};

use crate::stampede::fixture::{connect, results, start};

/// Counts its runs in Redis, and is held until the parent opens it there.
#[derive(Clone, Debug)]
struct Origin {
    client: Client,
    /// The runs of this process.
    runs: Counter,
}

impl Origin {
    async fn load(&self) -> u64 {
        let run: u64 = self.client.run(&["INCR", "runs"]).await;
        self.runs.count();
        eventually!(self.client.get("open").await.is_some());
        run
    }
}

#[cached(key = "locked", ttl = 3600, lock(wait = "1h"), skip(origin))]
async fn locked(origin: &Origin) -> u64 {
    origin.load().await
}

#[cached(key = "unlocked", ttl = 3600, skip(origin))]
async fn unlocked(origin: &Origin) -> u64 {
    origin.load().await
}

/// The lease that a killed loader leaves behind.
const LEASE_MS: u64 = 3_000;

#[cached(key = "leased", ttl = 3600, lock(wait = "1h", lease = "3s"), skip(origin))]
async fn leased(origin: &Origin) -> u64 {
    origin.load().await
}

/// How a child is to call.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Setup {
    url: String,
    function: String,
    callers: usize,
}

/// What a child says in the end.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    values: Vec<u64>,
    loads: u64,
    stored: u64,
    refused: u64,
    takeovers: u64,
    impatient: u64,
}

/// A child: it connects, says "ready", waits for "go", calls, says "in" when its callers wait or
/// load, and tells.
async fn call(mut parent: Parent) {
    let Setup { url, function, callers } = parent.setup();
    let cache = connect(&url);
    let origin = Origin { client: Client::connect(&url).await, runs: Counter::new() };
    parent.say("ready");
    parent.expect("go").await;
    let calls = start(&cache, callers, || {
        let (origin, function) = (origin.clone(), function.clone());
        async move {
            match &function[..] {
                "locked" => locked(&origin).await,
                "leased" => leased(&origin).await,
                _ => unlocked(&origin).await,
            }
        }
    });
    eventually!(origin.runs.get() > 0 || stats(&cache, &function).lease_waits > 0);
    parent.say("in");
    let values = results(calls).await;
    parent.say(&told(&cache, &function, values));
}

fn told(cache: &Cache, function: &str, values: Vec<u64>) -> Told {
    let stats = stats(cache, function);
    Told {
        values,
        loads: stats.loads_ok,
        stored: stats.fills_stored,
        refused: stats.fills_refused,
        takeovers: stats.lease_takeovers,
        impatient: stats.uncached.impatient,
    }
}

fn setup(server: &RedisServer, function: &str, callers: usize) -> Setup {
    Setup { url: server.url(), function: function.to_owned(), callers }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_load_once() {
    if let Some(parent) = children::parent() {
        return call(parent).await;
    }
    let server = RedisServer::start().await;
    let client = server.client().await;
    let mut children = Children::spawn(&this_test!(), 4, &setup(&server, "locked", 250));
    children.expect_from_all("ready").await;
    children.say_to_all("go").await;
    // One loads, and somebody in each of the others waits for it.
    children.expect_from_all("in").await;
    client.set("open", "").await;
    let told: Vec<Told> = children.hear_from_all().await;
    children.finish().await;

    for told in &told {
        assert_eq!(told.values, [1; 250]);
        assert_eq!((told.takeovers, told.impatient), (0, 0), "{told:?}");
    }
    assert_eq!(told.iter().map(|told| told.loads).sum::<u64>(), 1);
    assert_eq!(told.iter().map(|told| told.stored).sum::<u64>(), 1);
    assert_eq!(client.get("runs").await.unwrap(), b"1");
}

/// One child holds the lease, the callers of the others wait for it.
async fn one_loads_and_others_wait(test: &str, server: &RedisServer) -> (Child, Children) {
    let mut loader = Child::spawn(test, 0, &setup(server, "leased", 1));
    loader.expect("ready").await;
    let mut others = Children::spawn(test, 2, &setup(server, "leased", 100));
    others.expect_from_all("ready").await;
    loader.say("go").await;
    loader.expect("in").await;
    others.say_to_all("go").await;
    others.expect_from_all("in").await;
    (loader, others)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_loader_is_replaced_within_its_lease() {
    if let Some(parent) = children::parent() {
        return call(parent).await;
    }
    let server = RedisServer::start().await;
    let client = server.client().await;
    let (mut loader, mut others) = one_loads_and_others_wait(&this_test!(), &server).await;
    loader.kill().await;
    // That is all that keeps the others from loading.
    let left = client.pttl("leased").await;
    assert!(left.is_none_or(|left| left.as_millis() <= u128::from(LEASE_MS)), "{left:?}");
    eventually!(client.get("runs").await.unwrap() == b"2");
    client.set("open", "").await;
    let told: Vec<Told> = others.hear_from_all().await;
    others.finish().await;

    for told in &told {
        assert_eq!(told.values, [2; 100]);
        assert_eq!(told.impatient, 0);
    }
    assert_eq!(told.iter().map(|told| told.takeovers).sum::<u64>(), 1);
    assert_eq!(told.iter().map(|told| told.stored).sum::<u64>(), 1);
    assert_eq!(client.get("runs").await.unwrap(), b"2");
}

/// A loader that hangs loses its lease like one that is gone. When it goes on, its fill is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_loader_is_replaced_and_stores_nothing() {
    if let Some(parent) = children::parent() {
        return call(parent).await;
    }
    let server = RedisServer::start().await;
    let client = server.client().await;
    let (mut loader, mut others) = one_loads_and_others_wait(&this_test!(), &server).await;
    loader.stop();
    eventually!(client.get("runs").await.unwrap() == b"2");
    client.set("open", "").await;
    let told: Vec<Told> = others.hear_from_all().await;
    others.finish().await;
    for told in &told {
        assert_eq!(told.values, [2; 100]);
    }

    loader.cont();
    let late: Told = loader.hear().await;
    loader.finish().await;
    assert_eq!(late.values, [1], "its own caller gets what it loaded");
    assert_eq!((late.stored, late.refused), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_lock_processes_load_in_parallel_and_one_stores() {
    if let Some(parent) = children::parent() {
        return call(parent).await;
    }
    let server = RedisServer::start().await;
    let client = server.client().await;
    let mut children = Children::spawn(&this_test!(), 2, &setup(&server, "unlocked", 100));
    children.expect_from_all("ready").await;
    children.say_to_all("go").await;
    children.expect_from_all("in").await;
    assert_eq!(client.get("runs").await.unwrap(), b"2", "both load at the same time");
    client.set("open", "").await;
    let told: Vec<Told> = children.hear_from_all().await;
    children.finish().await;

    assert_eq!(told.iter().map(|told| told.stored).sum::<u64>(), 1);
    for told in &told {
        assert_eq!((told.refused, told.impatient), (0, 0), "{told:?}");
        // Where nothing is stored, callers that came after a load had begun share the next one.
        assert_eq!(told.values.len(), 100);
    }
}
