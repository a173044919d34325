//! Two releases of a program over one server, which store the same entries in other codecs,
//! versions or under other tags: both have hits, and every invalidation reaches both.

use cache_fixtures::{patient, stats};
use cache_runtime::{Cache, CallExt as _, cached, invalidates, write_through};
use cache_testing::barrier::{Counter, Gate};
use cache_testing::redis::{Client, RedisServer};

/// The row in the database, and how often it is read.
#[derive(Clone, Debug, Default)]
struct Database {
    row: Counter,
    reads: Counter,
}

impl Database {
    fn read(&self, release: &str) -> String {
        self.reads.count();
        format!("{release} {}", self.row.get())
    }
}

#[cached(key = "user:<id>", ttl = 3600, skip(database))]
async fn user(database: &Database, id: u64) -> String {
    _ = id;
    database.read("old")
}

#[cached(key = "user:<id>", ttl = 3600, skip(database), version = 2)]
async fn newer(database: &Database, id: u64) -> String {
    _ = id;
    database.read("new")
}

#[cached(key = "user:<id>", ttl = 3600, skip(database), codec = MessagePack)]
async fn packed(database: &Database, id: u64) -> String {
    _ = id;
    database.read("new")
}

#[cached(key = "user:<id>", ttl = 3600, skip(database), tags = ["users"])]
async fn tagged(database: &Database, id: u64) -> String {
    _ = id;
    database.read("new")
}

#[cached(key = "user:<id>", ttl = 3600, skip(database), version = 2, lock)]
async fn locked(database: &Database, id: u64) -> String {
    _ = id;
    database.read("new")
}

#[cached(key = "user:<id>", ttl = 3600, skip(database), version = 2, stale_while_revalidate = "1h")]
async fn revalidated(database: Database, id: u64) -> String {
    _ = id;
    database.read("new")
}

#[cached(key = "user:<id>", ttl = 3600, skip(database), version = 2, stale_if_error = "1h")]
async fn forgiven(database: &Database, id: u64) -> Result<String, std::fmt::Error> {
    _ = id;
    Ok(database.read("new"))
}

/// As many as there may be, besides the main key.
#[cached(
    key = "user:<id>",
    ttl = 3600,
    skip(database),
    tags = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"],
)]
async fn much_tagged(database: &Database, id: u64) -> String {
    _ = id;
    database.read("new")
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 3600, skip(database), version = 2)]
async fn batch(database: &Database, ids: &[u64]) -> Vec<(u64, String)> {
    ids.iter().map(|id| (*id, database.read("new"))).collect()
}

#[invalidates(user(id))]
async fn rename(database: &Database, id: u64) {
    _ = id;
    database.row.count();
}

#[write_through(user(id))]
async fn replace(database: &Database, id: u64) -> String {
    _ = id;
    format!("old {}", database.row.count())
}

/// A process of each release.
struct Fixture {
    _server: RedisServer,
    client: Client,
    old: Cache,
    new: Cache,
    database: Database,
}

impl Fixture {
    async fn start() -> Self {
        let server = RedisServer::start().await;
        let [old, new] = [(); 2].map(|()| patient().connect(&server.url()).unwrap());
        let client = server.client().await;
        Self { _server: server, client, old, new, database: Database::default() }
    }

    async fn old(&self) -> String {
        self.old.scope(user(&self.database, 7)).await
    }
}

/// What a call returns of user 7, in the new release.
macro_rules! new {
    ($fixture:expr, batch) => {
        $fixture.new.scope(batch(&$fixture.database, &[7])).await.remove(0).1
    };
    ($fixture:expr, forgiven) => {
        $fixture.new.scope(forgiven(&$fixture.database, 7)).await.unwrap()
    };
    ($fixture:expr, revalidated) => {
        $fixture.new.scope(revalidated($fixture.database.clone(), 7)).await
    };
    ($fixture:expr, $function:ident) => {
        $fixture.new.scope($function(&$fixture.database, 7)).await
    };
}

macro_rules! releases {
    ($($name:ident),*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn both_have_hits() {
                let fixture = Fixture::start().await;
                for _ in 0..10 {
                    assert_eq!(fixture.old().await, "old 0");
                    assert_eq!(new!(fixture, $name), "new 0");
                }
                assert_eq!(fixture.database.reads.get(), 2, "each has loaded once");
                let (old, new) = (stats(&fixture.old, "user"), stats(&fixture.new, stringify!($name)));
                assert_eq!((old.hits(), old.misses(), old.misses.absent), (9, 1, 1));
                assert_eq!((new.hits(), new.misses(), new.misses.absent), (9, 1, 1));
            }

            #[tokio::test]
            async fn every_invalidation_reaches_both() {
                let fixture = Fixture::start().await;
                let database = &fixture.database;
                for way in 0..6 {
                    let row = database.row.get();
                    // Either may be the one in the main key.
                    if way % 2 == 0 {
                        fixture.old().await;
                    }
                    for _ in 0..2 {
                        assert_eq!(new!(fixture, $name), format!("new {row}"), "{way}");
                        assert_eq!(fixture.old().await, format!("old {row}"), "{way}");
                    }
                    match way {
                        0 => fixture.old.scope(rename(database, 7)).await,
                        1 => fixture.new.scope(rename(database, 7)).await,
                        2 => {
                            assert_eq!(fixture.old.scope(replace(database, 7)).await, format!("old \
                                {}", row + 1));
                        }
                        3 => {
                            database.row.count();
                            fixture.new.invalidate(&user_key(&7)).await.unwrap();
                        }
                        4 => {
                            database.row.count();
                            fixture.old.invalidate_matching("user:*").await.unwrap();
                        }
                        _ => {
                            database.row.count();
                            fixture.client.del("user:7").await;
                        }
                    }
                    assert_eq!(new!(fixture, $name), format!("new {}", row + 1), "{way}");
                    assert_eq!(fixture.old().await, format!("old {}", row + 1), "{way}");
                    fixture.old.invalidate(&user_key(&7)).await.unwrap();
                }
            }
        }
    )*};
}
releases!(newer, packed, tagged, much_tagged, locked, revalidated, forgiven, batch);

/// The tag is one of the new release alone, and reaches what that has beside the old one's value.
#[tokio::test]
async fn a_tag_reaches_its_own_release() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.old().await, "old 0");
    assert_eq!(new!(fixture, tagged), "new 0");
    fixture.database.row.count();
    fixture.new.invalidate_tag("users").await.unwrap();
    assert_eq!(new!(fixture, tagged), "new 1");
}

/// Nor does a load beside that is dropped keep others from loading.
#[tokio::test]
async fn a_load_beside_that_is_dropped_leaves_nothing() {
    #[cached(key = "user:<id>", ttl = 3600, skip(database, gate), version = 2, lock)]
    async fn slow(database: &Database, gate: &Gate, id: u64) -> String {
        _ = id;
        gate.pass().await;
        database.read("new")
    }
    let (fixture, gate) = (Fixture::start().await, Gate::new());
    assert_eq!(fixture.old().await, "old 0");
    let load = {
        let (cache, database, gate) = (fixture.new.clone(), fixture.database.clone(), gate.clone());
        tokio::spawn(async move { cache.scope(slow(&database, &gate, 7)).await })
    };
    gate.entered(1).await;
    load.abort();
    assert!(load.await.unwrap_err().is_cancelled());
    for _ in 0..2 {
        assert_eq!(new!(fixture, locked), "new 0");
    }
    assert_eq!(fixture.database.reads.get(), 2);
}

/// A refresh replaces what is in the main key, and the other release has hits beside it from then
/// on.
#[tokio::test]
async fn a_refresh_takes_the_main_key() {
    let fixture = Fixture::start().await;
    fixture.old().await;
    fixture.database.row.count();
    assert_eq!(fixture.new.scope(newer(&fixture.database, 7).refresh()).await, "new 1");
    for _ in 0..2 {
        assert_eq!(fixture.old().await, "old 1");
        assert_eq!(new!(fixture, newer), "new 1");
    }
    assert_eq!(fixture.database.reads.get(), 3);
}

/// What a load has read before a write is not found after it.
#[tokio::test]
async fn a_load_beside_that_a_write_overtakes_is_not_found() {
    #[cached(key = "user:<id>", ttl = 3600, skip(database, gate), version = 2)]
    async fn slow(database: &Database, gate: &Gate, id: u64) -> String {
        _ = id;
        let row = database.read("new");
        gate.pass().await;
        row
    }
    let (fixture, gate) = (Fixture::start().await, Gate::new());
    assert_eq!(fixture.old().await, "old 0");
    let load = {
        let (cache, database, gate) = (fixture.new.clone(), fixture.database.clone(), gate.clone());
        tokio::spawn(async move { cache.scope(slow(&database, &gate, 7)).await })
    };
    gate.entered(1).await;
    fixture.old.scope(rename(&fixture.database, 7)).await;
    // The main key has a value again.
    assert_eq!(fixture.old().await, "old 1");
    gate.open();
    assert_eq!(load.await.unwrap(), "new 0");
    assert_eq!(new!(fixture, newer), "new 1");
}

/// While a write is under way, nobody finds or stores anything in either key.
#[tokio::test]
async fn a_fence_holds_for_both() {
    #[invalidates(user(id))]
    async fn slow_rename(database: &Database, gate: &Gate, id: u64) {
        _ = id;
        gate.pass().await;
        database.row.count();
    }
    let (fixture, gate) = (Fixture::start().await, Gate::new());
    fixture.old().await;
    assert_eq!(new!(fixture, newer), "new 0");
    let write = {
        let (cache, database, gate) = (fixture.old.clone(), fixture.database.clone(), gate.clone());
        tokio::spawn(async move { cache.scope(slow_rename(&database, &gate, 7)).await })
    };
    gate.entered(1).await;
    for reads in [3, 4] {
        assert_eq!(new!(fixture, newer), "new 0");
        assert_eq!(fixture.database.reads.get(), reads, "the body has run");
    }
    gate.open();
    write.await.unwrap();
    assert_eq!(new!(fixture, newer), "new 1");
}

/// By hand, a release reads its own value.
#[tokio::test]
async fn get_finds_the_value_beside() {
    let fixture = Fixture::start().await;
    fixture.old().await;
    assert_eq!(fixture.new.get(&newer_key(&7)).await.unwrap(), None);
    new!(fixture, newer);
    assert_eq!(fixture.new.get(&newer_key(&7)).await.unwrap().as_deref(), Some("new 0"));
    assert_eq!(fixture.old.get(&user_key(&7)).await.unwrap().as_deref(), Some("old 0"));
    fixture.old.invalidate(&user_key(&7)).await.unwrap();
    assert_eq!(fixture.new.get(&newer_key(&7)).await.unwrap(), None);
}

/// When the old release's value is gone, the new one's is in the main key, and costs one round
/// trip.
#[tokio::test]
async fn the_main_key_belongs_to_who_comes_first() {
    let fixture = Fixture::start().await;
    fixture.old().await;
    new!(fixture, newer);
    assert_eq!(fixture.client.keys().await.len(), 2);
    fixture.client.del("user:7").await;
    new!(fixture, newer);
    fixture.client.del("user:7!J2!s").await;
    new!(fixture, newer);
    assert_eq!(fixture.database.reads.get(), 3);
    assert_eq!(fixture.client.keys().await, ["user:7"]);
}

/// In one process too, as in a program that has both functions for a while.
#[tokio::test]
async fn both_may_be_in_one_process() {
    let (cache, database) = (Cache::in_memory(), Database::default());
    for _ in 0..3 {
        assert_eq!(cache.scope(user(&database, 7)).await, "old 0");
        assert_eq!(cache.scope(newer(&database, 7)).await, "new 0");
    }
    assert_eq!(database.reads.get(), 2);
    cache.scope(rename(&database, 7)).await;
    assert_eq!(cache.scope(newer(&database, 7)).await, "new 1");
    assert_eq!(cache.scope(user(&database, 7)).await, "old 1");
}

/// Functions whose calls find nothing ask for the lease without a look before, and step aside then.
#[tokio::test]
async fn a_lookup_that_was_spared_steps_aside() {
    let fixture = Fixture::start().await;
    for id in 0..200 {
        fixture.new.scope(newer(&fixture.database, id)).await;
    }
    for id in 1000..1010 {
        fixture.old.scope(user(&fixture.database, id)).await;
    }
    let reads = fixture.database.reads.get();
    for id in 1000..1010 {
        for _ in 0..2 {
            assert_eq!(fixture.new.scope(newer(&fixture.database, id)).await, "new 0");
            assert_eq!(fixture.old.scope(user(&fixture.database, id)).await, "old 0");
        }
    }
    assert_eq!(fixture.database.reads.get(), reads + 10);
}
