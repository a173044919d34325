//! Removal by pattern.

use std::time::Duration;

use cache_testing::redis::Client;

use crate::store::Digests;
use crate::store::redis::tests::*;

#[tokio::test]
async fn what_matches_is_removed_and_nothing_else() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let other = server.client().await;
    let _: () =
        other.call("EVAL", ("for i = 1, 5000 do redis.call('SET', 'noise:' .. i, i) end", 0)).await;
    let _: () = other.call("SET", ("user:foreign", "hello")).await;
    let _: () = other.call("SET", (&b"user:\xff"[..], "hello")).await;
    let keys: Vec<_> = (0..300).map(|number| format!("user:{number}")).collect();
    for key in &keys {
        put(&store, Name::new(key), "value").await;
    }
    let kept = Name::new("admin:1");
    put(&store, kept, "kept").await;

    assert_eq!(
        store.invalidate_matching("user:*", Duration::ZERO, &Sweep::default(), soon()).await,
        Ok(300)
    );
    for key in &keys {
        assert_eq!(store.get(Name::new(key), soon()).await, Ok(None));
    }
    assert_eq!(payload(&store, kept).await.as_deref(), Some("kept"));
    let left: u64 = other.call("EVAL", ("return redis.call('DBSIZE')", 0)).await;
    assert_eq!(left, 5000 + 2 + 1);
    let stats: String = other.call("INFO", "commandstats").await;
    assert!(stats.contains("cmdstat_scan:") && !stats.contains("cmdstat_keys:"), "{stats}");
}

#[tokio::test]
async fn what_is_listed_is_removed_and_nothing_else() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let keys: Vec<_> = (0..1_000).map(|number| format!("user:{number}")).collect();
    let mut listed = Digests::default();
    for (number, key) in keys.iter().enumerate() {
        put(&store, Name::new(key), "value").await;
        if number % 2 == 0 {
            listed.add(key);
        }
    }
    listed.add("user:nobody");
    let elsewhere = Name::new("admin:0");
    put(&store, elsewhere, "kept").await;
    listed.add(elsewhere.text);
    assert_eq!(
        store.invalidate_listed(&listed, "user:*", Duration::ZERO, &Sweep::default(), soon()).await,
        Ok(500)
    );
    for (number, key) in keys.iter().enumerate() {
        let left = payload(&store, Name::new(key)).await;
        assert_eq!(left.is_some(), number % 2 != 0, "{key}");
    }
    assert_eq!(payload(&store, elsewhere).await.as_deref(), Some("kept"));
}

#[tokio::test]
async fn a_load_under_way_is_not_stored_after_a_removal_by_pattern() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let token = Token::random();
    assert!(matches!(acquire(&store, name, token).await, Acquired::Leased));
    assert_eq!(
        store.invalidate_matching("user:*", Duration::ZERO, &Sweep::default(), soon()).await,
        Ok(1)
    );
    assert!(!store.fill(name, fill(name, token, "stale"), soon()).await.unwrap());
}

/// Which keys everybody may touch.
async fn allow(other: &Client, keys: &str) {
    let _: () = other.call("ACL", ("SETUSER", "default", "resetkeys", keys)).await;
}

/// How many steps of scans the server has taken.
async fn scans(other: &Client) -> u64 {
    let stats: String = other.call("INFO", "commandstats").await;
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_scan:calls="));
    line.and_then(|line| line.split(',').next()).map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test]
async fn a_sweep_that_is_interrupted_goes_on_where_it_was() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let other = server.client().await;
    let fill = "for i = 1, 20000 do redis.call('SET', 'noise:' .. i, i) end";
    let _: () = other.call("EVAL", (fill, 0)).await;
    for number in 0..300 {
        put(&store, Name::new(&format!("user:{number}")), "value").await;
    }
    // So many steps the whole takes.
    let sweep = Sweep::default();
    let nothing = store.invalidate_matching("nobody:*", Duration::ZERO, &sweep, soon()).await;
    assert_eq!(nothing, Ok(0));
    let whole = scans(&other).await;
    assert!(whole > 20, "{whole} steps");

    // Each attempt ends where it comes to a key: it may touch none.
    let sweep = Sweep::default();
    allow(&other, "~nothing").await;
    for _ in 0..3 {
        let attempt = store.invalidate_matching("user:*", Duration::ZERO, &sweep, soon()).await;
        assert!(attempt.is_err(), "{attempt:?}");
    }
    allow(&other, "~*").await;
    let left = store.invalidate_matching("user:*", Duration::ZERO, &sweep, soon()).await;
    assert_eq!((left, sweep.removed()), (Ok(300), 300));
    let again = scans(&other).await - whole;
    // The step at which an attempt ends is taken again by the next.
    assert_eq!(again, whole + 3);
}
