//! Invalidations that could not be delivered.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use cache_fixtures::{AGES, patient};
use cache_runtime::{Cache, ErrorKind, cached, invalidates, write_through};
use cache_testing::LIMIT;
use cache_testing::barrier::{Gate, eventually};
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::{Data, Program, RedisServer, requires};

#[derive(Debug, Default)]
struct Database {
    value: AtomicU64,
    loads: AtomicU64,
}

fn row_of(db: &Database) -> u64 {
    db.loads.fetch_add(1, Ordering::SeqCst);
    db.value.load(Ordering::SeqCst)
}

#[cached(key = "row:<id>", ttl = 3600, skip(db))]
async fn row(db: &Database, id: u64) -> u64 {
    row_of(db)
}

#[invalidates(row(id))]
async fn write(db: &Database, id: u64, value: u64) {
    _ = id;
    db.value.store(value, Ordering::SeqCst);
}

#[cached(key = "member:<id>", ttl = 3600, tags = ["members"], skip(db, gate))]
async fn member(db: &Database, gate: &Gate, id: u64) -> u64 {
    let value = row_of(db);
    gate.pass().await;
    value
}

#[invalidates(tag = "members")]
async fn write_members(db: &Database, value: u64) {
    db.value.store(value, Ordering::SeqCst);
}

#[invalidates(pattern = "row:*")]
async fn write_all(db: &Database, value: u64) {
    db.value.store(value, Ordering::SeqCst);
}

/// What was not delivered is delivered when the server is back, and until then the process does not
/// read what it knows to be outdated: here the server comes back with the old value.
#[tokio::test]
async fn an_undelivered_invalidation_is_delivered_later() {
    let db = Database::default();
    let server = RedisServer::builder().durable().start().await;
    let cache = patient().connect(&server.url()).unwrap();
    cache
        .scope(async {
            assert_eq!(row(&db, 1).await, 0);
            assert_eq!(row(&db, 2).await, 0);
            server.kill();
            eventually!({
                write(&db, 1, 1).await;
                cache.stats().journal_depth == 1
            });
            assert_eq!(row(&db, 1).await, 1, "the write is seen though Redis is gone");
            let left = cache.flush(Duration::from_millis(1)).await.unwrap_err();
            assert_eq!(left.kind(), ErrorKind::Undelivered);

            server.restart(Data::Kept).await;
            // Before, while and after it is delivered.
            eventually!({
                assert_eq!(row(&db, 1).await, 1);
                cache.stats().journal_depth == 0
            });
            cache.flush(LIMIT).await.unwrap();
            assert_eq!(row(&db, 1).await, 1);
            assert_eq!(row(&db, 2).await, 0, "nothing else was removed");
        })
        .await;
}

/// Until then the process does not read, of all entries with the tag, what it knows to be outdated.
#[tokio::test]
async fn an_undelivered_tag_is_delivered_later() {
    let (db, gate) = (Database::default(), Gate::new());
    gate.open();
    let server = RedisServer::builder().durable().start().await;
    let cache = patient().connect(&server.url()).unwrap();
    cache
        .scope(async {
            assert_eq!((member(&db, &gate, 1).await, member(&db, &gate, 2).await), (0, 0));
            server.kill();
            eventually!({
                write_members(&db, 1).await;
                cache.stats().journal_depth == 1
            });
            server.restart(Data::Kept).await;
            eventually!({
                assert_eq!((member(&db, &gate, 1).await, member(&db, &gate, 2).await), (1, 1));
                cache.stats().journal_depth == 0
            });
            assert_eq!((member(&db, &gate, 1).await, member(&db, &gate, 2).await), (1, 1));
        })
        .await;
}

/// The server answers reads and fills, and only the invalidation of the tag is refused.
#[tokio::test]
async fn a_tag_that_cannot_be_invalidated_is_bypassed() {
    requires!(Program::get().is_redis_from(7, 0), "permissions to read alone");
    let (db, gate) = (Arc::new(Database::default()), Gate::new());
    gate.open();
    let server = RedisServer::builder().user("app", "on >secret ~* +@all").start().await;
    let admin = server.client().await;
    let cache = patient().connect(&server.url_as("app", "secret")).unwrap();
    cache.scope(member(&db, &gate, 1)).await;
    let held = Gate::new();
    let leader = {
        let (db, held) = (Arc::clone(&db), held.clone());
        tokio::spawn(cache.scope(async move { member(&db, &held, 2).await }))
    };
    held.entered(1).await;

    admin.run::<()>(&["ACL", "SETUSER", "app", "resetkeys", "~member:*", "%R~~tag:*"]).await;
    cache.scope(write_members(&db, 1)).await;
    assert_eq!(cache.stats().journal_depth, 1);
    assert_eq!(cache.scope(member(&db, &gate, 1)).await, 1, "what is stored is not read");
    assert_eq!(cache.get(&member_key(&1)).await.unwrap(), None, "nor by hand");
    cache.put(&member_key(&1), &0).await.unwrap();
    assert_eq!(admin.get("member:1").await, None, "nor is anything put under the tag");
    // It finds the flight, whose fill will be accepted, and whose stamp still stands.
    let mut late = Box::pin(cache.scope(member(&db, &gate, 2)));
    let waits = poll_fn(|cx| Poll::Ready(late.as_mut().poll(cx).is_pending()));
    assert!(waits.await);
    held.open();
    assert_eq!(late.await, 1, "nor what was loaded before");
    assert_eq!(leader.await.unwrap(), 0);

    admin.run::<()>(&["ACL", "SETUSER", "app", "~*"]).await;
    cache.flush(LIMIT).await.unwrap();
    assert_eq!(cache.scope(member(&db, &gate, 1)).await, 1);
}

#[tokio::test]
async fn an_undelivered_pattern_is_delivered_later() {
    let db = Database::default();
    let server = RedisServer::builder().durable().start().await;
    let cache = patient().connect(&server.url()).unwrap();
    cache
        .scope(async {
            assert_eq!((row(&db, 1).await, row(&db, 2).await), (0, 0));
            server.kill();
            eventually!({
                write_all(&db, 1).await;
                cache.stats().journal_depth > 0
            });
            assert_eq!((row(&db, 1).await, row(&db, 2).await), (1, 1));
            server.restart(Data::Kept).await;
            eventually!({
                assert_eq!((row(&db, 1).await, row(&db, 2).await), (1, 1));
                cache.stats().journal_depth == 0
            });
        })
        .await;
}

/// More than the journal holds, on a server that is shared without a namespace: what was
/// invalidated is bypassed and then removed, and nothing else.
#[tokio::test]
async fn an_overflow_removes_what_was_invalidated_and_nothing_else() {
    const MANY: u64 = 20_000;
    let db = Database::default();
    let server = RedisServer::builder().durable().start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let billing = patient().namespace("billing").connect(&server.url()).unwrap();
    // The first and the last of those that will be invalidated, and others of the same function.
    let stale = [0, 1, MANY - 2, MANY - 1];
    let others = MANY..MANY + 100;
    for id in stale.into_iter().chain(others.clone()) {
        assert_eq!(cache.scope(row(&db, id)).await, 0);
    }
    for id in 0..100 {
        assert_eq!(billing.scope(row(&db, id)).await, 0);
    }
    let loads = || db.loads.load(Ordering::SeqCst);
    server.kill();
    eventually!({
        cache.scope(write(&db, 0, 1)).await;
        cache.stats().journal_depth == 1
    });
    for id in 1..MANY {
        cache.scope(write(&db, id, 1)).await;
    }
    let depth = cache.stats().journal_depth as u64;
    assert!((MANY - 2..=MANY).contains(&depth), "{depth} of {MANY} are undelivered");

    server.restart(Data::Kept).await;
    // Before, while and after they are delivered.
    eventually!({
        for id in stale {
            assert_eq!(cache.scope(row(&db, id)).await, 1);
        }
        cache.stats().journal_depth == 0
    });
    for id in stale {
        assert_eq!(cache.scope(row(&db, id)).await, 1);
    }
    let before = loads();
    for id in others {
        assert_eq!(cache.scope(row(&db, id)).await, 0, "it was not invalidated");
    }
    eventually!(billing.get(&row_key(&0)).await.is_ok());
    for id in 0..100 {
        assert_eq!(billing.scope(row(&db, id)).await, 0, "another namespace is left alone");
    }
    assert_eq!(loads(), before);
}

/// The server answers reads, and refuses to invalidate.
#[tokio::test]
async fn what_is_known_to_be_outdated_is_not_read_by_hand() {
    let db = Database::default();
    let server = RedisServer::start().await;
    let admin = server.client().await;
    let cache = patient().connect(&server.url()).unwrap();
    cache.put(&row_key(&1), &0).await.unwrap();
    cache.put(&row_key(&2), &0).await.unwrap();
    admin.config_set("min-replicas-to-write", "1").await;
    assert_eq!(cache.invalidate(&row_key(&1)).await.unwrap_err().kind(), ErrorKind::Refused);
    for _ in 0..10 {
        assert_eq!(cache.get(&row_key(&1)).await.unwrap(), None);
        assert_eq!(cache.put(&row_key(&1), &0).await.unwrap_err().kind(), ErrorKind::Refused);
    }
    assert_eq!(cache.get(&row_key(&2)).await.unwrap(), Some(0), "that one was not invalidated");
    assert_eq!(cache.stats().journal_depth, 1);
    cache.scope(write_all(&db, 1)).await;
    assert_eq!(cache.get(&row_key(&2)).await.unwrap(), None, "nor what matches a pattern");

    admin.config_set("min-replicas-to-write", "0").await;
    cache.flush(LIMIT).await.unwrap();
    assert_eq!(cache.get(&row_key(&1)).await.unwrap(), None);
    cache.put(&row_key(&1), &2).await.unwrap();
    assert_eq!(cache.get(&row_key(&1)).await.unwrap(), Some(2));
}

/// Its fence is up, and nobody knows when the future is dropped.
#[tokio::test]
async fn a_put_that_is_dropped_half_way_empties_the_entry() {
    let server = RedisServer::start().await;
    let (proxy, admin) = (Proxy::to(&server).await, server.client().await);
    let cache = patient().fence(AGES).connect(&server.url_at(proxy.port())).unwrap();
    let kind = async || admin.get("row:1").await.map(|record| record[3]);
    cache.put(&row_key(&1), &0).await.unwrap();
    let key = row_key(&1);
    let mut put = Box::pin(cache.put(&key, &1));
    proxy.set(Link::HoldReplies).await;
    eventually!({
        let waits = poll_fn(|cx| Poll::Ready(put.as_mut().poll(cx).is_pending()));
        assert!(waits.await);
        kind().await == Some(b'F')
    });
    drop(put);
    proxy.set(Link::Pass).await;
    eventually!(kind().await.is_none());
    cache.shutdown().await.unwrap();
    assert_eq!(cache.stats().journal_depth, 0);
}

/// A result is never changed by what becomes of its invalidation.
#[tokio::test]
async fn the_journal_is_kept_apart_from_results() {
    let db = Database::default();
    let server = RedisServer::builder().down();
    let cache = patient().connect(&server.url()).unwrap();
    cache
        .scope(async {
            write(&db, 1, 7).await;
            assert_eq!(row(&db, 1).await, 7);
            let unreachable = cache.invalidate(&row_key(&1)).await.unwrap_err();
            assert_eq!(unreachable.kind(), ErrorKind::Unavailable);
        })
        .await;
    assert_eq!(cache.stats().journal_depth, 1, "the same key is kept once");
}

#[write_through(row(id) = value)]
async fn store(db: &Database, id: u64, value: u64, gate: &Gate) -> Result<u64, Refused> {
    gate.pass().await;
    db.value.store(value, Ordering::SeqCst);
    Ok(value)
}

#[write_through(row(id) = value, fence = "strict")]
async fn store_strictly(db: &Database, id: u64, value: u64) -> Result<(), Refused> {
    db.value.store(value, Ordering::SeqCst);
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Refused;

impl From<cache_runtime::Error> for Refused {
    fn from(_: cache_runtime::Error) -> Self {
        Self
    }
}

/// A value that cannot be stored is invalidated, later: whether Redis is killed before the write or
/// in the middle of it.
#[tokio::test]
async fn a_value_that_redis_does_not_get_is_invalidated_later() {
    for fenced in [false, true] {
        let db = Database::default();
        let server = RedisServer::builder().durable().start().await;
        let cache = patient().connect(&server.url()).unwrap();
        let calls = async {
            assert_eq!(row(&db, 1).await, 0);
            let gate = Gate::new();
            if fenced {
                let kill = async {
                    gate.entered(1).await;
                    server.kill();
                    gate.open();
                };
                assert_eq!(tokio::join!(store(&db, 1, 1, &gate), kill).0, Ok(1));
            } else {
                gate.open();
                server.kill();
                eventually!({
                    assert_eq!(store(&db, 1, 1, &gate).await, Ok(1), "the write succeeds");
                    cache.stats().journal_depth == 1
                });
                assert_eq!(store_strictly(&db, 1, 2).await, Err(Refused));
            }
            assert_eq!(cache.stats().journal_depth, 1);
            assert_eq!(row(&db, 1).await, 1, "the write is seen though Redis is gone");

            // It comes back with the old value, or with the fence of the write.
            server.restart(Data::Kept).await;
            eventually!({
                assert_eq!(row(&db, 1).await, 1);
                cache.stats().journal_depth == 0
            });
            assert_eq!(row(&db, 1).await, 1);
        };
        cache.scope(calls).await;
    }
}

/// A server that hangs costs a write its budgets, not its result, and what it executes late does no
/// harm.
#[tokio::test]
async fn a_value_that_a_frozen_redis_gets_late_is_not_stored() {
    let db = Database::default();
    let server = RedisServer::start().await;
    let (cache, other) =
        (Cache::connect(&server.url()).unwrap(), Cache::connect(&server.url()).unwrap());
    let gate = Gate::new();
    let freeze = async {
        gate.entered(1).await;
        server.stop();
        gate.open();
    };
    assert_eq!(cache.scope(row(&db, 1)).await, 0);
    let stored = cache.scope(store(&db, 1, 1, &gate));
    assert_eq!(tokio::join!(stored, freeze).0, Ok(1));
    assert_eq!(cache.stats().journal_depth, 1);
    assert_eq!(cache.scope(row(&db, 1)).await, 1);
    // Somebody else writes behind the library's back, and cannot tell Redis.
    db.value.store(2, Ordering::SeqCst);
    server.cont();
    cache.flush(LIMIT).await.unwrap();
    assert_eq!(cache.scope(row(&db, 1)).await, 2, "the value was sent, and then invalidated");
    eventually!(other.get(&row_key(&1)).await.is_ok());
    assert_eq!(other.scope(row(&db, 1)).await, 2);
}
