//! Removal by pattern.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn what_matches_is_removed_and_nothing_else() {
    let server = Server::start().await;
    let store = store(&server);
    let mut other = server.other().await;
    let _: () =
        other.run("EVAL", ("for i = 1, 5000 do redis.call('SET', 'noise:' .. i, i) end", 0)).await;
    let _: () = other.run("SET", ("user:foreign", "hello")).await;
    let _: () = other.run("SET", (&b"user:\xff"[..], "hello")).await;
    let keys: Vec<_> = (0..300).map(|number| format!("user:{number}")).collect();
    for key in &keys {
        put(&store, Name::new(key), "value").await;
    }
    let kept = Name::new("admin:1");
    put(&store, kept, "kept").await;

    assert_eq!(store.invalidate_matching("user:*", Duration::ZERO, soon()).await, Ok(300));
    for key in &keys {
        assert_eq!(store.get(Name::new(key), soon()).await, Ok(None));
    }
    assert_eq!(payload(&store, kept).await.as_deref(), Some("kept"));
    let left: u64 = other.run("EVAL", ("return redis.call('DBSIZE')", 0)).await;
    assert_eq!(left, 5000 + 2 + 1);
    let stats: String = other.run("INFO", "commandstats").await;
    assert!(stats.contains("cmdstat_scan:") && !stats.contains("cmdstat_keys:"), "{stats}");
}

#[tokio::test]
async fn a_load_under_way_is_not_stored_after_a_removal_by_pattern() {
    let server = Server::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let token = Token::random();
    assert!(matches!(acquire(&store, name, token).await, Acquired::Leased));
    assert_eq!(store.invalidate_matching("user:*", Duration::ZERO, soon()).await, Ok(1));
    assert!(!store.fill(name, fill(name, token, "stale"), soon()).await.unwrap());
}
