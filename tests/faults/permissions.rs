//! What a server must permit.

use std::collections::HashMap;

use cache_fixtures::{AGES, patient};
use cache_runtime::{cached, invalidates, write_through};
use cache_testing::barrier::eventually;
use cache_testing::redis::{Program, RedisServer};

const GUIDE: &str = include_str!("../../cache-runtime/src/doc/when_redis_fails.md");

/// The commands that the guide lists.
fn listed() -> String {
    let (_, list) = GUIDE.split_once("```text\n").unwrap();
    let mut list: Vec<_> = list.split_once("```").unwrap().0.split_whitespace().collect();
    assert!(GUIDE.contains("And, other than on Redis 7.0, `+client|setinfo`"));
    if Program::get().is_redis_from(7, 2) || !Program::get().is_redis_from(7, 0) {
        list.push("+client|setinfo");
    }
    list.join(" ")
}

#[cached(key = "square:<n>", ttl = "1h", lock, tags = ["squares"])]
async fn square(n: u64) -> Result<u64, String> {
    n.checked_mul(n).ok_or_else(|| "too large".to_owned())
}

#[cached(batch(n in numbers), key = square_key(n), ttl = "1h")]
async fn squares(numbers: &[u64]) -> Result<HashMap<u64, u64>, String> {
    Ok(numbers.iter().map(|&n| (n, n * n)).collect())
}

#[cached(key = "aging:<n>", ttl = "100ms", stale_while_revalidate = "1h")]
async fn aging(n: u64) -> u64 {
    n
}

/// Loads until its lease has been renewed.
#[cached(key = "slow:<n>", ttl = "1h", lock(lease = "6s"), skip(server))]
async fn slow(server: &RedisServer, n: u64) -> u64 {
    eventually!(server.commandstats().await.contains_key("pexpire"));
    n
}

#[write_through(square(n) = n * n, invalidates(tag = "squares"))]
async fn store(n: u64) {}

#[invalidates(square(n), aging(n), hold_off = "1ms")]
async fn write(n: u64) {}

#[invalidates(pattern = "square:*")]
async fn write_all() {}

#[tokio::test]
async fn the_listed_commands_are_all_that_is_needed() {
    let rules = format!("on >secret ~@stage:* resetchannels -@all {}", listed());
    let server = RedisServer::builder().user("app", &rules).start().await;
    let url = format!("redis://app:secret@127.0.0.1:{}/1", server.port());
    let cache = patient().shutdown_limit(AGES).namespace("stage").connect(&url).unwrap();
    let work = async {
        for _ in 0..2 {
            assert_eq!(square(2).await, Ok(4));
            assert_eq!(squares(&[1, 2, 3]).await.unwrap().len(), 3);
            assert!(square(u64::MAX).await.is_err());
            assert_eq!(aging(1).await, 1);
            eventually!(
                aging(1).await == 1 && cache.stats().function("aging").unwrap().outcomes.stale > 0
            );
            assert_eq!(slow(&server, 1).await, 1);
            store(2).await;
            write(2).await;
            write_all().await;
        }
        cache.put(&square_key(&5), &25).await.unwrap();
        assert_eq!(cache.get(&square_key(&5)).await.unwrap(), Some(25));
        cache.invalidate_tag("squares").await.unwrap();
        cache.invalidate((&square_key(&5), &aging_key(&5))).await.unwrap();
        cache.clear().await.unwrap();
    };
    cache.scope(work).await;
    cache.shutdown().await.unwrap();
    let refused: u64 = cache.stats().functions.iter().map(|f| f.store_refused).sum();
    assert_eq!(refused, 0, "{:?}", cache.stats());
    let denied: Vec<redis::Value> = server.client().await.run(&["ACL", "LOG"]).await;
    assert!(denied.is_empty(), "{denied:?}");

    // None is listed in vain. `INFO` is what the server is asked for these numbers with.
    let used = server.commandstats().await;
    for command in listed().split_whitespace().filter(|&command| command != "+info") {
        let name = Program::get().counts_as(command.trim_start_matches('+'));
        assert!(used.contains_key(name), "{command} of {used:?}");
    }
}
