//! What is stored, and what is delivered, when a server is back that some processes have not found
//! yet.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_fixtures::{patient, stats};
use cache_runtime::stats::BreakerState;
use cache_runtime::{Cache, Failover, cached, invalidates, write_through};
use cache_testing::barrier::eventually;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::{Data, RedisServer};
use cache_testing::{LIMIT, log, within_limit};
use tokio::task::JoinSet;
use tokio::time::sleep;

#[derive(Debug, Default)]
struct Database(AtomicU64);

#[cached(key = "version", ttl = 3600, tags = ["all"], skip(db))]
async fn version(db: &Database) -> u64 {
    db.0.load(Ordering::SeqCst)
}

#[invalidates(version())]
async fn write(db: &Database, version: u64) {
    db.0.store(version, Ordering::SeqCst);
}

#[write_through(version() = *result)]
async fn store(db: &Database, version: u64) -> u64 {
    db.0.store(version, Ordering::SeqCst);
    version
}

async fn stored(server: &RedisServer) -> Option<Vec<u8>> {
    server.client().await.get("version").await
}

/// One process is back and reads; another writes, and is not. With such a budget nothing is stored
/// for longer than the test takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_stored_until_every_process_can_be_back() {
    log::capture();
    let (server, db) = (RedisServer::start().await, Database::default());
    let link = Proxy::to(&server).await;
    let reader = patient().connect(&server.url()).expect("a URL");
    let writer = patient().connect(&server.url_at(link.port())).expect("a URL");
    assert_eq!((reader.scope(version(&db)).await, writer.scope(version(&db)).await), (0, 0));
    assert!(stored(&server).await.is_some(), "the server is older than the processes");

    link.set(Link::Refuse).await;
    link.reset_connections();
    server.restart(Data::Lost).await;
    eventually!(reader.get(&version_key()).await.is_ok());
    log::says(server.port(), "nothing is stored for 11s, until all processes can have reconnected");
    for _ in 0..10 {
        assert_eq!(reader.scope(version(&db)).await, 0);
    }
    // By hand and by a write neither.
    reader.put(&version_key(), &0).await.expect("it is invalidated");
    assert_eq!(reader.scope(store(&db, 0)).await, 0);
    assert_eq!(stored(&server).await, None);

    within_limit("a write", writer.scope(write(&db, 1))).await;
    assert!(writer.stats().journal_depth > 0, "it could not be delivered");
    assert_eq!(reader.scope(version(&db)).await, 1);

    link.set(Link::Pass).await;
    writer.flush(LIMIT).await.expect("the link is back");
    eventually!({
        assert_eq!(reader.scope(version(&db)).await, 1);
        stored(&server).await.is_some()
    });
}

#[cached(key = "page:<number>", ttl = 3600, skip(db))]
async fn page(db: &Database, number: u64) -> u64 {
    number + db.0.load(Ordering::SeqCst)
}

#[cached(key = page_key(&number), ttl = 3600, stale_if_error = 3600, skip(db))]
async fn kept_page(db: &Database, number: u64) -> Result<u64, String> {
    Ok(number + db.0.load(Ordering::SeqCst))
}

/// Values that are there are found at once, also by a function whose latest lookups found nothing:
/// it asks for the lease without a look first, and none is granted yet. With such a budget that
/// lasts for longer than the test takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_found_at_once() {
    const PAGES: u64 = 100;
    let (server, db) = (RedisServer::builder().durable().start().await, Database::default());
    let cache = patient().connect(&server.url()).expect("a URL");
    for number in 0..PAGES {
        if number % 2 == 0 {
            assert_eq!(cache.scope(page(&db, number)).await, number);
        } else {
            assert_eq!(cache.scope(kept_page(&db, number)).await, Ok(number));
        }
    }
    server.kill();
    server.restart(Data::Kept).await;
    eventually!(cache.get(&page_key(&0)).await.is_ok());
    db.0.store(1, Ordering::SeqCst);
    for number in 0..PAGES {
        assert_eq!(cache.scope(page(&db, number)).await, number, "a hit");
    }
    assert_eq!(cache.scope(page(&db, PAGES)).await, PAGES + 1, "a miss");
    assert_eq!(server.client().await.get(&format!("page:{PAGES}")).await, None, "not stored yet");
}

/// Only a connection is lost: all others still have theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_server_is_stored_to_at_once() {
    let (server, db) = (RedisServer::start().await, Database::default());
    let link = Proxy::to(&server).await;
    let cache = patient().connect(&server.url_at(link.port())).expect("a URL");
    for _ in 0..3 {
        assert_eq!(cache.scope(version(&db)).await, 0);
        assert!(stored(&server).await.is_some(), "at once");
        server.client().await.flush_all().await;
        let before = cache.stats().connections;
        link.reset_connections();
        eventually!(cache.stats().connections > before && cache.get(&version_key()).await.is_ok());
    }
}

/// The supervisor's next attempt would be half a second later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_tries_a_lost_server_at_once() {
    let (server, db) = (RedisServer::start().await, Database::default());
    let cache = patient().connect(&server.url()).expect("a URL");
    for round in 0..5 {
        eventually!(cache.get(&version_key()).await.is_ok());
        server.kill();
        eventually!(cache.stats().breaker == Some(BreakerState::Open));
        // Meanwhile the pauses grow.
        for _ in 0..1_000 {
            assert_eq!(cache.scope(version(&db)).await, round);
            sleep(Duration::from_millis(1)).await;
        }
        server.restart(Data::Lost).await;
        let before = cache.stats();
        cache.scope(write(&db, round + 1)).await;
        let after = cache.stats();
        assert_eq!(after.breaker, Some(BreakerState::Closed));
        let journalled = |stats: cache_runtime::Stats| -> u64 {
            stats.functions.iter().map(|function| function.invalidations_journalled).sum()
        };
        assert_eq!(journalled(after), journalled(before), "both fence and invalidation got there");
        // What earlier rounds have invalidated is repeated in the background, as after any change
        // of primary.
        eventually!(cache.stats().journal_depth == 0);
    }
}

/// However many writes there are, they have a server that is down tried twenty times a second at
/// most, beside the attempts that are due anyway.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writes_are_no_storm_of_connections() {
    let server = RedisServer::start().await;
    let link = Proxy::to(&server).await;
    let cache = Cache::connect(&server.url_at(link.port())).expect("a URL");
    eventually!(cache.get(&version_key()).await.is_ok());
    server.kill();
    eventually!(cache.stats().breaker == Some(BreakerState::Open));
    let (begun, accepted) = (Instant::now(), link.accepted());
    for _ in 0..20 {
        let mut writes = JoinSet::new();
        for number in 0..500 {
            let cache = cache.clone();
            writes.spawn(async move {
                let db = Database::default();
                cache.scope(write(&db, number)).await;
            });
        }
        within_limit("the writes", writes.join_all()).await;
    }
    let (attempts, took) = (u128::from(link.accepted() - accepted), begun.elapsed());
    // The first ones follow each other faster, as ever.
    assert!(attempts <= 10 + 2 * took.as_millis() / 50, "{attempts} in {took:?} for 10000 writes");
    println!("fault: server down: {attempts} connects in {took:?} for 10000 writes");
}

/// What cannot be told from the data of another primary is neither read nor added to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_permission_for_info_with_distrust() {
    log::capture();
    let rules = "on >secret ~* +@all -info";
    let (db, server) = (Database::default(), RedisServer::builder().user("app", rules));
    let server = server.start().await;
    let url = server.url_as("app", "secret");
    let trusting = patient().connect(&url).expect("a URL");
    let wary = patient().failover(Failover::Distrust).connect(&url).expect("a URL");
    assert_eq!(wary.scope(version(&db)).await, 0);
    log::says(server.port(), "permit the user `+info`");
    assert_eq!(stored(&server).await, None);
    assert_eq!(trusting.scope(version(&db)).await, 0);
    assert!(stored(&server).await.is_some());

    // Somebody else, who does not use the library.
    db.0.store(1, Ordering::SeqCst);
    assert_eq!(trusting.scope(version(&db)).await, 0);
    assert_eq!(wary.scope(version(&db)).await, 1);
    assert_eq!(stats(&wary, "version").misses.other_primary, 1);
    assert_eq!(wary.get(&version_key()).await.expect("it answers"), None);
    // It still keeps others from what is outdated.
    wary.scope(write(&db, 2)).await;
    assert_eq!((stored(&server).await, trusting.scope(version(&db)).await), (None, 2));

    server.client().await.run::<()>(&["ACL", "SETUSER", "app", "+info"]).await;
    server.client().await.run::<()>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    eventually!({
        assert_eq!(wary.scope(version(&db)).await, 2);
        matches!(wary.get(&version_key()).await, Ok(Some(2)))
    });
}
