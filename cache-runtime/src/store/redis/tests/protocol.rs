//! Rules of reading and loading.

use std::time::Duration;

use crate::record::{VALUE_HEADER, layout};
use crate::store::redis::tests::*;

#[tokio::test]
async fn a_value_is_leased_filled_and_read() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    assert_eq!(store.get(name, soon()).await, Ok(None));

    let token = put(&store, name, "one").await;
    let Some(Found::Value(value)) =
        store.get(name, soon()).await.unwrap().map(|record| read(name, record))
    else {
        panic!("no value")
    };
    assert_eq!((value.payload(), value.token(), value.cost_ms()), (&b"one"[..], token, 7));
    assert_eq!(value.fresh_until_ms() - value.stored_at_ms(), 600_000);

    let Acquired::Value(record) = acquire(&store, name, Token::random()).await else {
        panic!("no value")
    };
    assert!(matches!(read(name, record), Found::Value(_)));
    let left: i64 = server.client().await.call("PTTL", "user:1").await;
    assert!((1..=600_000).contains(&left), "{left}");
}

#[tokio::test]
async fn the_origin_is_that_of_the_primary() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    let record = store.get(name, soon()).await.unwrap().unwrap();

    let info: String = server.client().await.call("INFO", "server").await;
    let run = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap();
    let info: String = server.client().await.call("INFO", "replication").await;
    let replication = info.lines().find_map(|line| line.strip_prefix("master_replid:")).unwrap();
    let origin = xxhash_rust::xxh3::xxh3_64(format!("{run}{replication}").as_bytes());
    assert_eq!(record[4..12], origin.to_be_bytes());
}

#[tokio::test]
async fn only_the_standing_lease_is_filled() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let (first, second) = (Token::random(), Token::random());
    assert!(matches!(acquire(&store, name, first).await, Acquired::Leased));
    assert!(matches!(acquire(&store, name, second).await, Acquired::Held(left) if left == LEASE));
    assert!(!store.fill(name, fill(name, second, "two"), soon()).await.unwrap());
    assert!(store.fill(name, fill(name, first, "one"), soon()).await.unwrap());
    assert!(store.fill(name, fill(name, first, "one"), soon()).await.unwrap(), "a repetition");
    assert_eq!(payload(&store, name).await.as_deref(), Some("one"));
}

#[tokio::test]
async fn an_invalidated_lease_is_not_filled() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    for command in ["DEL", "UNLINK", ""] {
        let token = Token::random();
        assert!(matches!(acquire(&store, name, token).await, Acquired::Leased));
        if command.is_empty() {
            assert_eq!(store.invalidate(&[name], NONE, soon()).await, [Ok(())]);
        } else {
            let _: () = server.client().await.call(command, name.text).await;
        }
        assert!(!store.fill(name, fill(name, token, "stale"), soon()).await.unwrap());
        assert_eq!(store.get(name, soon()).await, Ok(None));
    }
}

#[tokio::test]
async fn a_lease_is_renewed_and_released_by_its_holder_only() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let (holder, other) = (Token::random(), Token::random());
    assert!(!store.release(name, holder, soon()).await.unwrap());
    assert!(matches!(acquire(&store, name, holder).await, Acquired::Leased));

    assert!(!store.renew(name, other, TTL, soon()).await.unwrap());
    assert!(store.renew(name, holder, TTL, soon()).await.unwrap());
    let left: u64 = server.client().await.call("PTTL", name.text).await;
    assert!(u128::from(left) > LEASE.as_millis());

    assert!(!store.release(name, other, soon()).await.unwrap());
    assert!(store.release(name, holder, soon()).await.unwrap());
    assert_eq!(store.get(name, soon()).await, Ok(None));
}

#[tokio::test]
async fn a_lease_runs_out() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let token = Token::random();
    let lease = Duration::from_millis(1);
    assert!(matches!(store.acquire(name, token, lease, None, soon()).await, Ok(Acquired::Leased)));
    until("the lease ends", async || store.get(name, soon()).await == Ok(None)).await;
    assert!(!store.fill(name, fill(name, token, "late"), soon()).await.unwrap());
    assert!(!store.renew(name, token, LEASE, soon()).await.unwrap());
}

#[tokio::test]
async fn a_refresh_replaces_what_it_started_from() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let seen = put(&store, name, "one").await;
    let (second, third) = (Token::random(), Token::random());
    assert!(store.refresh(name, seen, fill(name, second, "two"), soon()).await.unwrap());
    assert!(
        store.refresh(name, seen, fill(name, second, "two"), soon()).await.unwrap(),
        "a repetition"
    );
    assert!(!store.refresh(name, seen, fill(name, third, "three"), soon()).await.unwrap());
    assert_eq!(payload(&store, name).await.as_deref(), Some("two"));

    assert_eq!(store.invalidate(&[name], NONE, soon()).await, [Ok(())]);
    assert!(!store.refresh(name, second, fill(name, third, "three"), soon()).await.unwrap());
    assert_eq!(store.get(name, soon()).await, Ok(None));
}

#[tokio::test]
async fn a_rejected_value_is_leased_over() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let useless = put(&store, name, "useless").await;
    let reject = |token| store.acquire(name, Token::random(), LEASE, Some(token), soon());
    assert!(matches!(reject(Token::random()).await, Ok(Acquired::Value(_))));
    assert!(matches!(reject(useless).await, Ok(Acquired::Leased)));
    assert!(matches!(reject(useless).await, Ok(Acquired::Held(left)) if left <= LEASE));
}

#[tokio::test]
async fn an_unreadable_record_is_leased_over() {
    let server = RedisServer::start().await;
    is_leased_over(&server, store(&server)).await;
    // Neither takes leases by `SET`.
    is_leased_over(&server, store_that(&server.url(), Failover::Distrust)).await;
    let older = store(&server);
    _ = older.get(Name::new("user:1"), soon()).await;
    let mut route = older.router.route(Name::new("user:1"));
    route.session(soon()).await.unwrap().takes_no_leases_by_set();
    is_leased_over(&server, older).await;
}

async fn is_leased_over(server: &RedisServer, store: RedisStore) {
    let name = Name::new("user:1");
    let other = server.client().await;
    let _: () = other.call("DEL", name.text).await;
    put(&store, name, "one").await;
    let record = store.get(name, soon()).await.unwrap().unwrap();
    let mut later = record.to_vec();
    later[2] = 2;
    let mut beyond = record.to_vec();
    beyond[layout::PAYLOAD_AT..VALUE_HEADER].copy_from_slice(&u16::MAX.to_be_bytes());
    let mut within = record.to_vec();
    within[layout::PAYLOAD_AT..VALUE_HEADER].copy_from_slice(&63_u16.to_be_bytes());
    for damaged in [&record[..40], &record[..20], &record[..4], &later, &beyond, &within] {
        let _: () = other.call("SET", (name.text, damaged)).await;
        let token = Token::random();
        assert!(matches!(acquire(&store, name, token).await, Acquired::Leased), "{damaged:?}");
        assert!(store.fill(name, fill(name, token, "one"), soon()).await.unwrap());
    }
}

#[tokio::test]
async fn a_record_of_another_key_is_leased_over() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let (source, copy) = (Name::new("user:1"), Name::new("user:2"));
    put(&store, source, "one").await;
    let epoch = store.snapshot().epoch;
    let _: () = server.client().await.call("COPY", (source.text, copy.text)).await;

    let record = store.get(copy, soon()).await.unwrap().unwrap();
    assert!(matches!(read(copy, record), Found::Misplaced(_)));
    let token = Token::random();
    assert!(matches!(acquire(&store, copy, token).await, Acquired::Leased));
    assert!(store.fill(copy, fill(copy, token, "two"), soon()).await.unwrap());
    assert_eq!(payload(&store, copy).await.as_deref(), Some("two"));
    assert_eq!(store.snapshot().epoch, epoch, "the connection was in order");
}

#[tokio::test]
async fn foreign_data_is_left_alone() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let other = server.client().await;
    let (text, list) = (Name::new("text"), Name::new("list"));
    let _: () = other.call("SET", (text.text, "hello")).await;
    let _: () = other.call("RPUSH", (list.text, "hello")).await;

    for name in [text, list] {
        let record = store.get(name, soon()).await.unwrap().unwrap();
        assert!(matches!(read(name, record), Found::Foreign));
        let token = Token::random();
        assert!(matches!(acquire(&store, name, token).await, Acquired::Foreign));
        let reject = Some(Token::random());
        let acquired = store.acquire(name, token, LEASE, reject, soon()).await;
        assert!(matches!(acquired, Ok(Acquired::Foreign)));
        assert!(!store.fill(name, fill(name, token, "mine"), soon()).await.unwrap());
        assert!(!store.refresh(name, token, fill(name, token, "mine"), soon()).await.unwrap());
        assert!(!store.release(name, token, soon()).await.unwrap());
        assert_eq!(store.begin(&[name], token, LEASE, soon()).await, [Ok(false)]);
        assert_eq!(store.invalidate(&[name], TTL, soon()).await, [Ok(())]);
    }
    assert_eq!(
        store.invalidate_matching("*", Duration::ZERO, &Sweep::default(), soon()).await,
        Ok(0)
    );
    let (text, list): (String, i64) =
        (other.call("GET", text.text).await, other.call("LLEN", list.text).await);
    assert_eq!((text.as_str(), list), ("hello", 1));
}

#[tokio::test]
async fn every_address_and_database_is_reached() {
    let server = RedisServer::start().await;
    let name = Name::new("user:1");
    put(&store_at(&format!("{}3", server.url())), name, "three").await;
    assert_eq!(payload(&store(&server), name).await, None);

    let socket = store_at(&format!("{}?db=3", server.unix_url()));
    assert_eq!(payload(&socket, name).await.as_deref(), Some("three"));
    let clients: String = server.client().await.call("CLIENT", "LIST").await;
    assert!(
        clients.lines().any(|client| client.contains(" name=cache ") && client.contains(" db=3 ")),
        "{clients}"
    );
}

#[tokio::test]
async fn a_hit_is_one_command() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    let other = server.client().await;
    let _: () = other.call("CONFIG", "RESETSTAT").await;
    for _ in 0..100 {
        assert!(store.get(name, soon()).await.unwrap().is_some());
    }
    let stats: String = other.call("INFO", "commandstats").await;
    let ran: Vec<_> = stats.lines().filter(|line| line.starts_with("cmdstat_")).collect();
    assert!(
        ran.iter()
            .all(|line| line.starts_with("cmdstat_get:calls=100,")
                || line.starts_with("cmdstat_config")),
        "{stats}"
    );
}
