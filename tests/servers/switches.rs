//! Calls that find no cache, and the environment variables that decide about them. Each test needs
//! a process of its own.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use cache_fixtures::patient;
use cache_runtime::{Cache, ErrorKind, cached, invalidates, write_behind, write_through};
use cache_testing::barrier::eventually;
use cache_testing::children::{Child, Parent, parent, this_test};
use cache_testing::log;
use cache_testing::redis::RedisServer;

static RUNS: AtomicU64 = AtomicU64::new(0);

/// Different at each run of a body.
fn run() -> u64 {
    RUNS.fetch_add(1, SeqCst)
}

#[cached(key = "plain:<id>", ttl = "1h")]
async fn plain(id: u64) -> u64 {
    let _ = id;
    run()
}

#[cached(key = "early:<id>", ttl = "1h", early = 1.0)]
async fn early(id: u64) -> u64 {
    let _ = id;
    run()
}

#[cached(key = "stale:<id>", ttl = "1h", stale_while_revalidate = "1h")]
async fn stale(id: u64) -> u64 {
    let _ = id;
    run()
}

#[cached(batch(id in ids), key = plain_key(id), ttl = "1h")]
async fn many(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|&id| (id, run())).collect()
}

#[invalidates(plain(id))]
async fn write(id: u64) {
    let _ = id;
}

#[write_through(plain(id))]
async fn store(id: u64) -> u64 {
    let _ = id;
    run()
}

#[write_behind(queue = "switches")]
async fn deliver(items: Vec<u64>) -> Result<(), String> {
    tokio::task::yield_now().await;
    if items.is_empty() { Err("nothing".to_owned()) } else { Ok(()) }
}

static NAMED: LazyLock<Cache> = LazyLock::new(Cache::in_memory);

#[cached(key = "explicit:<id>", ttl = "1h", cache = *NAMED)]
async fn explicit(id: u64) -> u64 {
    let _ = id;
    run()
}

/// Runs a test again in a process with these variables: `CACHE_RUNTIME` and `CACHE_RUNTIME_MISUSE`.
async fn in_child(test: &str, switch: &str, misuse: &str) {
    let variables = [("CACHE_RUNTIME", switch), ("CACHE_RUNTIME_MISUSE", misuse)];
    let variables = variables.map(|(name, value)| (name, OsStr::new(value)));
    Child::spawn_with(test, 0, switch, variables).finish().await;
}

/// What the panic of a call says.
async fn panic_of<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> String {
    let panic = tokio::spawn(call).await.err().expect("a panic").into_panic();
    panic.downcast_ref::<String>().expect("a message").clone()
}

/// How often the log has the function's name at the beginning of a line about its lack of a cache.
fn told(function: &str) -> usize {
    let begin = format!("`servers::switches::{function}`: no cache is installed");
    log::about(None).iter().filter(|line| line.contains(&begin)).count()
}

/// By default such calls work, in a cache of the process.
#[tokio::test]
async fn the_fallback_is_told_once_by_each_function() {
    if parent().is_none() {
        return in_child(&this_test!(), "", "").await;
    }
    log::capture();
    assert_eq!(many(&[]).await, HashMap::new());
    assert_eq!(told("many"), 0);
    let first = plain(1).await;
    for _ in 0..3 {
        assert_eq!(plain(1).await, first);
        early(1).await;
        stale(1).await;
        many(&[2, 3]).await;
        write(2).await;
        store(2).await;
        deliver_queue().push(1).await.unwrap();
    }
    for function in ["plain", "early", "stale", "many", "write", "store", "deliver"] {
        assert_eq!(told(function), 1, "{function}: {:#?}", log::about(None));
    }
    Cache::in_memory().scope(explicit(1)).await;
    explicit(1).await;
    assert_eq!(told("explicit"), 0);
    let stats = Cache::current().stats();
    assert_eq!(stats.function("plain").unwrap().misuses, 4);
    assert_eq!(stats.function("write").unwrap().misuses, 3);
    assert_eq!(told("plain"), 1);

    // With a cache of their own they have nothing to tell.
    let before = log::warnings(None).len();
    let scoped = Cache::in_memory();
    scoped.scope(plain(1)).await;
    assert_eq!(scoped.stats().function("plain").unwrap().misuses, 0);
    let installed = Cache::in_memory();
    installed.install();
    plain(1).await;
    assert_eq!(installed.stats().function("plain").unwrap().misuses, 0);
    assert_eq!(log::warnings(None).len(), before);
}

#[tokio::test]
async fn off_switches_caching_off() {
    if parent().is_none() {
        return in_child(&this_test!(), "off", "panic").await;
    }
    assert_ne!(plain(1).await, plain(1).await);
    Cache::in_memory().install();
    assert_ne!(plain(1).await, plain(1).await, "although one is installed");
    let scoped = Cache::in_memory();
    scoped
        .scope(async {
            assert_ne!(plain(1).await, plain(1).await, "although the task has one");
            assert_ne!(early(1).await, early(1).await);
            assert_ne!(stale(1).await, stale(1).await);
            assert_ne!(many(&[1]).await, many(&[1]).await);
            write(1).await;
            store(1).await;
            // A queue is not a cache: what is pushed is to be delivered.
            deliver_queue().push(1).await.unwrap();
            let passed_on = async { deliver_queue().push(2).await.unwrap() };
            tokio::spawn(Cache::current().scope(passed_on)).await.unwrap();
            assert_eq!(deliver_queue().length().await.unwrap().waiting, 2);
        })
        .await;
    assert!(scoped.stats().functions.is_empty());
    assert_eq!(explicit(1).await, explicit(1).await, "the function names its cache");
}

#[tokio::test]
async fn require_panics_where_there_is_no_cache() {
    if parent().is_none() {
        return in_child(&this_test!(), "require", "").await;
    }
    let panics = [
        ("plain", panic_of(plain(1)).await),
        ("early", panic_of(early(1)).await),
        ("stale", panic_of(stale(1)).await),
        ("many", panic_of(many(&[1])).await),
        ("write", panic_of(write(1)).await),
        ("store", panic_of(store(1)).await),
        ("deliver", panic_of(async { deliver_queue().push(1).await }).await),
    ];
    for (function, message) in panics {
        assert!(message.starts_with(&format!("`servers::switches::{function}`: ")), "{message}");
        assert!(message.contains("`CACHE_RUNTIME` is `require`"), "{message}");
        assert!(message.contains("`Cache::install`"), "{message}");
    }
    // The scope of the task that spawns is lost.
    let lost = Cache::in_memory().scope(async { panic_of(plain(1)).await }).await;
    assert!(lost.contains("not in the scope of the one that spawned it"), "{lost}");

    assert_eq!(explicit(1).await, explicit(1).await);
    let calls = async { (plain(1).await, plain(1).await) };
    let (first, second) = Cache::in_memory().scope(calls).await;
    assert_eq!(first, second);
    Cache::in_memory().install();
    assert_eq!(plain(1).await, plain(1).await);
}

async fn uses_the_fallback(parent: Parent) {
    log::capture();
    let first = plain(1).await;
    assert_eq!(plain(1).await, first);
    write(1).await;
    assert_ne!(plain(1).await, first);
    assert_eq!(told("plain") + told("write"), 0, "it was asked for");
    // Another cache of the same server finds the entry; one in memory does not.
    let url: String = parent.setup();
    let other = patient().connect(&url).unwrap();
    let found = other.get(&plain_key(&1)).await.unwrap();
    assert_eq!(found.is_some(), url != "memory:");
    // It is a fallback: a cache of the program's own is used.
    let installed = Cache::in_memory();
    installed.install();
    plain(1).await;
    assert_eq!(installed.stats().function("plain").unwrap().loads_ok, 1);
}

#[tokio::test]
async fn a_url_is_the_fallback_in_memory() {
    match parent() {
        Some(parent) => uses_the_fallback(parent).await,
        None => in_child(&this_test!(), "memory:", "panic").await,
    }
}

#[tokio::test]
async fn a_url_is_the_fallback_on_a_server() {
    if let Some(parent) = parent() {
        // The first call does not wait for the connection.
        let connected = || Cache::current().stats().connections > 0;
        eventually!({
            plain(0).await;
            connected()
        });
        return uses_the_fallback(parent).await;
    }
    let server = RedisServer::start().await;
    in_child(&this_test!(), &server.url(), "panic").await;
}

/// A misspelt switch is not ignored, and no part of it is quoted.
#[tokio::test]
async fn a_malformed_switch_panics() {
    if parent().is_none() {
        for value in ["redis://user:secret@host:port", "Off", "secret"] {
            in_child(&this_test!(), value, "").await;
        }
        return;
    }
    Cache::in_memory().install();
    let pushed = async { deliver_queue().push(1).await };
    for message in [panic_of(plain(1)).await, panic_of(write(1)).await, panic_of(pushed).await] {
        assert!(message.contains("`CACHE_RUNTIME` is malformed: write `off`"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
    assert_eq!(explicit(1).await, explicit(1).await);
}

#[tokio::test]
async fn misuse_panics_where_the_environment_says_so() {
    if parent().is_none() {
        return in_child(&this_test!(), "", "panic").await;
    }
    for _ in 0..2 {
        let message = panic_of(plain(1)).await;
        assert!(message.starts_with("`servers::switches::plain`: no cache"), "{message}");
    }
}

#[tokio::test]
async fn a_malformed_wish_about_misuse_panics_at_the_first_one() {
    if parent().is_none() {
        return in_child(&this_test!(), "", "panik").await;
    }
    Cache::in_memory().scope(plain(1)).await;
    let message = panic_of(plain(1)).await;
    assert!(message.contains("`servers::switches::plain`: no cache"), "{message}");
    assert!(message.contains("`CACHE_RUNTIME_MISUSE` is malformed: write `panic`"), "{message}");
}

/// A program that always has a cache is not served from the fallback.
#[tokio::test]
async fn without_the_cache_that_a_program_requires_nothing_is_cached() {
    if parent().is_none() {
        for switch in ["", "memory:"] {
            in_child(&this_test!(), switch, "log").await;
        }
        return;
    }
    log::capture();
    let first = plain(1).await;
    assert_eq!(plain(1).await, first);
    Cache::require_installed();
    for _ in 0..3 {
        assert_ne!(plain(1).await, first);
        assert_ne!(many(&[1]).await, many(&[1]).await);
        write(1).await;
        store(1).await;
    }
    let refused = deliver_queue().push(1).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    for function in ["plain", "many", "write", "store", "deliver"] {
        assert_eq!(told(function), 1, "{function}: {:#?}", log::about(None));
    }
    assert_eq!(Cache::current().stats().function("plain").unwrap().misuses, 3);
    let calls = async { (plain(1).await, plain(1).await) };
    let (one, two) = Cache::in_memory().scope(calls).await;
    assert_eq!(one, two);
    Cache::in_memory().install();
    assert_eq!(plain(1).await, plain(1).await);
}

#[tokio::test]
async fn where_misuse_panics_so_does_the_lack_of_a_required_cache() {
    if parent().is_none() {
        return in_child(&this_test!(), "", "panic").await;
    }
    Cache::require_installed();
    let message = panic_of(plain(1)).await;
    assert!(
        message.contains("no cache is installed") && message.contains("not cached"),
        "{message}"
    );
}
