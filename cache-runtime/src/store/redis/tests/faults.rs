//! Servers that are not there, or do not answer.

use std::sync::Arc;

use cache_testing::redis::Data;
use tokio::runtime::Runtime;

use crate::metrics::BreakerState as Phase;
use crate::store::StoreError;
use crate::store::redis::tests::*;

/// Whether a value could be stored, which it is the regular way.
async fn is_stored(store: &RedisStore, name: Name<'_>, payload: &str) -> bool {
    let token = Token::random();
    matches!(acquire(store, name, token).await, Acquired::Leased)
        && store.fill(name, fill(name, token, payload), soon()).await.unwrap()
}

#[test]
fn nothing_happens_before_the_first_call() {
    // Not even a runtime is needed.
    let store = store_at("redis://127.0.0.1:1");
    assert_eq!(store.snapshot().phase, Phase::Idle);
}

#[tokio::test]
async fn a_server_may_come_up_after_the_program() {
    let server = RedisServer::builder().down();
    let store = store(&server);
    let name = Name::new("user:1");
    assert_eq!(store.get(name, soon()).await, Err(StoreError::Down));
    assert_eq!(store.snapshot().phase, Phase::Open);
    assert_eq!(store.invalidate(&[name, name], NONE, soon()).await, vec![Err(StoreError::Down); 2]);
    server.restart(Data::Lost).await;
    until("the server is found", async || store.get(name, soon()).await.is_ok()).await;
    assert_eq!(store.snapshot().phase, Phase::Closed);
    // Client processes may have missed it, too.
    until("something is stored", async || is_stored(&store, name, "one").await).await;
}

#[tokio::test]
async fn the_first_calls_wait_for_the_connection_and_share_it() {
    let server = RedisServer::start().await;
    let store = Arc::new(store(&server));
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.get(Name::new("user:1"), soon()).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(None));
    }
    let clients: String = server.client().await.call("CLIENT", "LIST").await;
    assert_eq!(clients.matches(" name=cache ").count(), 1, "{clients}");
}

#[tokio::test]
async fn a_killed_server_is_missed_at_once_and_found_again() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    let before = store.snapshot();
    server.kill();
    // Nobody calls; the loss is noticed all the same.
    let after = tokio::time::timeout(Duration::from_secs(20), store.changed(before)).await.unwrap();
    assert_eq!(after.phase, Phase::Open);
    assert!(after.since > before.since);
    assert_eq!(store.get(name, soon()).await, Err(StoreError::Down));
    server.restart(Data::Lost).await;
    until("the server is back", async || store.get(name, briefly()).await == Ok(None)).await;
    assert!(store.snapshot().epoch > before.epoch);
}

#[tokio::test]
async fn a_frozen_server_opens_the_breaker_until_it_thaws() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    server.stop();
    until("the breaker opens", async || store.get(name, briefly()).await == Err(StoreError::Down))
        .await;
    for _ in 0..10_000 {
        assert_eq!(store.get(name, soon()).await, Err(StoreError::Down));
        assert!(store.snapshot().phase != Phase::Closed);
    }
    server.cont();
    until("hits resume", async || payload_now(&store, name).await.as_deref() == Some("one")).await;
}

async fn payload_now(store: &RedisStore, name: Name<'_>) -> Option<String> {
    match read(name, store.get(name, briefly()).await.ok()??) {
        Found::Value(value) => Some(String::from_utf8(value.payload().to_vec()).unwrap()),
        _ => None,
    }
}

#[tokio::test]
async fn callers_that_give_up_early_betray_a_frozen_server_too() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    server.stop();
    until("the breaker opens", async || {
        let call = store.get(name, soon());
        _ = tokio::time::timeout(Duration::from_millis(1), call).await;
        store.snapshot().phase != Phase::Closed
    })
    .await;
    server.cont();
    until("hits resume", async || payload_now(&store, name).await.is_some()).await;
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_in_line() {
    let server = RedisServer::start().await;
    let prompt = Duration::from_secs(20);
    let settings = ConnectionSettings { max_in_flight: 8, prompt, ..ConnectionSettings::default() };
    let store = Arc::new(RedisStore::new(ServerUrl::parse(&server.url()).unwrap(), settings));
    let keys: Vec<_> = (0..100).map(|number| format!("user:{number}")).collect();
    for key in &keys {
        put(&store, Name::new(key), "one").await;
    }
    server.stop();
    let call = |key: &String, by| {
        let (store, key) = (Arc::clone(&store), key.clone());
        tokio::spawn(async move { store.get(Name::new(&key), by).await })
    };
    let calls: Vec<_> = keys.iter().map(|key| call(key, soon())).collect();
    tokio::task::yield_now().await;
    // It is the last in line, whose turn does not come.
    assert_eq!(call(&keys[0], briefly()).await.unwrap(), Err(StoreError::Saturated));
    server.cont();
    for call in calls {
        assert!(matches!(call.await.unwrap(), Ok(Some(_))));
    }
    assert_eq!(store.snapshot().phase, Phase::Closed);
}

#[test]
fn another_runtime_takes_over_when_one_is_shut_down() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start());
    let store = store(&server);
    let name = Name::new("user:1");
    for payload_of in ["one", "two", "three"] {
        let short = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        short.block_on(async {
            put(&store, name, payload_of).await;
            assert_eq!(payload(&store, name).await.as_deref(), Some(payload_of));
            assert_eq!(store.invalidate(&[name], NONE, soon()).await, [Ok(())]);
        });
        drop(short);
        assert_eq!(store.snapshot().phase, Phase::Idle);
    }
    runtime.block_on(async { put(&store, name, "four").await });
}

#[test]
fn another_runtime_takes_over_when_one_is_left_standing() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start());
    let store = store(&server);
    let name = Name::new("user:1");
    let standing = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    standing.block_on(async { put(&store, name, "one").await });
    let epoch = store.snapshot().epoch;
    runtime.block_on(until("somebody takes over", async || {
        payload_now(&store, name).await.as_deref() == Some("one")
    }));
    assert!(store.snapshot().epoch > epoch);
    // The first one wakes up, and does no harm.
    standing.block_on(async {
        assert_eq!(payload(&store, name).await.as_deref(), Some("one"));
    });
    drop(standing);
    runtime.block_on(async { assert_eq!(payload(&store, name).await.as_deref(), Some("one")) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_calls_do_not_mix_up_replies() {
    let server = RedisServer::start().await;
    // No doubt about a machine that is merely busy.
    let settings =
        ConnectionSettings { prompt: Duration::from_secs(20), ..ConnectionSettings::default() };
    let store = Arc::new(RedisStore::new(ServerUrl::parse(&server.url()).unwrap(), settings));
    let keys: Arc<Vec<_>> = Arc::new((0..32).map(|number| format!("user:{number}")).collect());
    for key in keys.iter() {
        put(&store, Name::new(key), key).await;
    }
    let epoch = store.snapshot().epoch;
    let tasks: Vec<_> = (0..32)
        .map(|task: usize| {
            let (store, keys) = (Arc::clone(&store), Arc::clone(&keys));
            tokio::spawn(async move {
                for round in 0..500 {
                    let name = Name::new(&keys[(task * 7 + round) % keys.len()]);
                    let call = store.get(name, soon());
                    // Polled once or twice, then dropped.
                    if round % 3 == 0 {
                        tokio::select! {
                            biased;
                            _ = call => {}
                            () = tokio::task::yield_now() => {}
                        }
                    } else {
                        let Found::Value(value) = read(name, call.await.unwrap().unwrap()) else {
                            panic!("{name:?}")
                        };
                        assert_eq!(value.payload(), name.text.as_bytes());
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.snapshot().epoch, epoch);
}

#[tokio::test]
async fn a_link_that_swallows_everything_is_replaced() {
    let server = RedisServer::start().await;
    let link = fake::Link::to(server.port()).await;
    let store = store_at(&format!("redis://127.0.0.1:{}", link.port));
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    link.swallow();
    until("hits resume", async || payload_now(&store, name).await.is_some()).await;
    assert!(link.accepted.load(std::sync::atomic::Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn replies_of_other_requests_end_the_connection() {
    let (asked, answered) = (Name::new("user:1"), Name::new("user:2"));
    let record = fill(answered, Token::random(), "somebody else's").record;
    let mixed_up = move |command: &[String]| match command[0].as_str() {
        "GET" => [format!("${}\r\n", record.len()).as_bytes(), &record, b"\r\n"].concat(),
        _ => b"+OK\r\n".to_vec(),
    };
    let store = store_at(&format!("redis://127.0.0.1:{}", fake::serve(mixed_up).await));
    assert_eq!(store.get(asked, soon()).await, Err(StoreError::Unexpected));
    let epoch = store.snapshot().epoch;
    until("the connection is replaced", async || store.snapshot().epoch > epoch).await;
}
