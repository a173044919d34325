//! What the log says when a cache is first used, and of each call for those who ask.

use cache_fixtures::patient;
use cache_runtime::{Cache, cached};
use cache_testing::children::{self, Child, Parent, this_test};
use cache_testing::log;
use cache_testing::redis::RedisServer;

#[cached(key = "square:<n>", ttl = 60)]
async fn square(n: u64) -> u64 {
    n * n
}

fn lines(text: &str) -> Vec<String> {
    log::about(None).into_iter().filter(|line| line.contains(text)).collect()
}

#[tokio::test]
async fn the_first_use_says_what_is_used() {
    log::capture();
    let server = RedisServer::builder().user("ann", "on >secret ~* +@all").start().await;
    let cache = patient()
        .namespace("shop")
        .connect(&format!("{}3", server.url_as("ann", "secret")))
        .unwrap();
    let address = format!("redis://127.0.0.1:{}/3", server.port());
    assert_eq!(lines(&address), [] as [String; 0]);
    for n in 0..3 {
        cache.scope(square(n)).await;
        cache.ping().await.unwrap();
    }
    let told = lines(&address);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("INFO cache_runtime:"), "{told:?}");
    assert!(told[0].contains("with keys that begin with `@shop:`"), "{told:?}");

    let memory = Cache::builder().namespace("first_use").in_memory().unwrap();
    memory.scope(square(1)).await;
    memory.scope(square(1)).await;
    assert_eq!(
        lines("memory of this process").iter().filter(|it| it.contains("first_use")).count(),
        1
    );
}

/// In a process of its own, which keeps the lines of all levels.
#[tokio::test]
async fn each_call_is_told_to_those_who_ask() {
    if let Some(parent) = children::parent() {
        return calls(parent).await;
    }
    let server = RedisServer::start().await;
    let mut child = Child::spawn(&this_test!(), 0, &server.url());
    let told: Vec<String> = child.hear().await;
    child.finish().await;
    let count = |what: &str| told.iter().filter(|line| line.contains(what)).count();
    assert_eq!((count("square: missed, absent"), count("square: hit")), (1, 2), "{told:#?}");
    assert_eq!((count("square: LoadOk"), count("square: Stored")), (1, 1), "{told:#?}");
    assert!(told.iter().all(|line| !line.contains("4711")), "no line has a key: {told:#?}");
}

async fn calls(parent: Parent) {
    log::capture_everything();
    let cache = patient().connect(&parent.setup::<String>()).unwrap();
    for _ in 0..3 {
        cache.scope(square(4711)).await;
    }
    let told: Vec<_> = log::about(None);
    parent.say(
        &told
            .into_iter()
            .filter(|line| line.starts_with("TRACE cache_runtime"))
            .collect::<Vec<_>>(),
    );
}
