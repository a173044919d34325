//! A failover that forgets: the replica that is promoted had not been told of an acknowledged
//! invalidation.

use std::sync::atomic::{AtomicU64, Ordering};

use cache_fixtures::patient;
use cache_runtime::{Cache, Failover, Key, cached, invalidates};
use cache_testing::LIMIT;
use cache_testing::barrier::eventually;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::RedisServer;

#[derive(Debug, Default)]
struct Database(AtomicU64);

#[cached(key = "row", ttl = 3600, skip(db))]
async fn row(db: &Database) -> u64 {
    db.0.load(Ordering::SeqCst)
}

#[cached(key = "other", ttl = 3600, skip(db))]
async fn other(db: &Database) -> u64 {
    db.0.load(Ordering::SeqCst)
}

#[invalidates(row())]
async fn write(db: &Database, value: u64) {
    db.0.store(value, Ordering::SeqCst);
}

/// A database, its writer's cache and another process's, after a failover that brought back the
/// value 0 where 1 was written.
struct Aftermath {
    db: Database,
    writer: Cache,
    reader: Cache,
    /// The promoted one.
    replica: RedisServer,
}

async fn fail_over(mode: Failover) -> Aftermath {
    fail_over_after(mode, 0).await
}

fn number_key(number: u64) -> Key<u64> {
    Key::<u64>::builder().text("number:").part(&number).done()
}

/// The same when the writer has invalidated many others after that.
async fn fail_over_after(mode: Failover, others: u64) -> Aftermath {
    let primary = RedisServer::start().await;
    let replica = RedisServer::start().await;
    let replication = Proxy::to(&primary).await;
    let promoted = replica.client().await;
    let port = replication.port().to_string();
    promoted.run::<()>(&["REPLICAOF", "127.0.0.1", &port]).await;

    let db = Database::default();
    let [writer, reader] =
        [(); 2].map(|()| patient().failover(mode).connect(&primary.url()).expect("a valid URL"));
    assert_eq!(writer.scope(row(&db)).await, 0);
    assert_eq!(reader.scope(row(&db)).await, 0);
    let billing = patient().namespace("billing").connect(&primary.url()).expect("a valid URL");
    billing.put(&row_key(), &7).await.expect("the primary answers");
    eventually!(promoted.get("row").await.is_some());
    eventually!(promoted.get("@billing:row").await.is_some());

    // From here on the replica hears nothing.
    replication.set(Link::HoldReplies).await;
    writer.scope(write(&db, 1)).await;
    if others > 0 {
        let others: Vec<_> = (0..others).map(number_key).collect();
        writer.invalidate(&others).await.expect("the primary answers");
    }
    assert_eq!(writer.stats().journal_depth, 0, "the primary has acknowledged it");
    assert_eq!(reader.get(&row_key()).await.expect("the primary answers"), None);

    primary.kill();
    eventually!(writer.get(&row_key()).await.is_err() && reader.get(&row_key()).await.is_err());
    promoted.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    assert!(promoted.get("row").await.is_some(), "the promoted replica still has the value");
    promoted.config_set("port", &primary.port().to_string()).await;
    Aftermath { db, writer, reader, replica }
}

#[tokio::test]
async fn a_trusted_successor_serves_what_it_has() {
    let Aftermath { db, writer, reader, replica: _replica } = fail_over(Failover::Trust).await;
    for cache in [writer, reader] {
        eventually!(cache.get(&row_key()).await.is_ok());
        assert_eq!(cache.scope(row(&db)).await, 0, "stale, as documented, until its ttl ends");
    }
}

#[tokio::test]
async fn by_default_the_writer_invalidates_once_more() {
    let Aftermath { db, writer, reader, replica: _replica } = fail_over(Failover::Replay).await;
    // Before, while and after it reconnects, the process that wrote never reads the old value.
    eventually!({
        assert_eq!(writer.scope(row(&db)).await, 1);
        writer.get(&row_key()).await.is_ok()
    });
    writer.flush(LIMIT).await.expect("the successor acknowledges it");
    assert_eq!(writer.scope(row(&db)).await, 1);
    // And when it has, nobody does.
    eventually!(reader.get(&row_key()).await.is_ok());
    assert_eq!(reader.scope(row(&db)).await, 1);
}

/// More than are remembered one by one: the row is not among those. What nobody has invalidated
/// stays.
#[tokio::test]
async fn however_many_the_writer_invalidates_them_once_more() {
    let Aftermath { db, writer, reader, replica } = fail_over_after(Failover::Replay, 20_000).await;
    eventually!({
        assert_eq!(writer.scope(row(&db)).await, 1);
        writer.get(&row_key()).await.is_ok()
    });
    writer.flush(LIMIT).await.expect("the successor acknowledges it");
    eventually!(reader.get(&row_key()).await.is_ok());
    assert_eq!(reader.scope(row(&db)).await, 1);
    let billing = replica.client().await.get("@billing:row").await;
    assert!(billing.is_some(), "the namespace of others is left alone");
}

#[tokio::test]
async fn a_distrusted_successor_begins_empty() {
    let Aftermath { db, writer, reader, replica: _replica } = fail_over(Failover::Distrust).await;
    for cache in [reader, writer] {
        eventually!({
            assert_eq!(cache.scope(row(&db)).await, 1);
            cache.get(&row_key()).await.is_ok()
        });
        // Once every process can have reconnected.
        eventually!({
            assert_eq!(cache.scope(row(&db)).await, 1);
            cache.get(&row_key()).await.expect("the successor answers") == Some(1)
        });
    }
}

/// What another process could not deliver, the successor does not know.
#[tokio::test]
async fn nothing_is_stored_at_first_in_a_successor() {
    let Aftermath { db, writer, reader, replica } = fail_over(Failover::Replay).await;
    for cache in [&writer, &reader] {
        eventually!(cache.get(&other_key()).await.is_ok());
        assert_eq!(cache.scope(other(&db)).await, 1);
    }
    assert_eq!(replica.client().await.get("other").await, None);
    eventually!({
        assert_eq!(writer.scope(other(&db)).await, 1);
        replica.client().await.get("other").await.is_some()
    });
}
