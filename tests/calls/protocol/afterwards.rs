//! What a write that did not succeed leaves behind, and for how long. In simulated time.

use std::time::Duration;

use cache_fixtures::stores::Store;
use cache_runtime::{Cache, CacheBuilder, ErrorKind, invalidates};
use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use crate::protocol::fixture::{
    Fixture, Refused, Table, fail_without_writing, row, row_key, write, write_and_fail,
    write_unfenced,
};

const FENCE: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);
/// A moment, and almost a fence's length.
const MOMENT: Duration = Duration::from_millis(100);
const ALMOST: Duration = Duration::from_millis(9_900);

#[invalidates(row(id), fence = "strict")]
async fn fail_strictly(id: u64) -> Result<(), Refused> {
    _ = id;
    Err(Refused)
}

#[invalidates(row(id), hold_off = "5s")]
async fn write_to_replicas(db: &Table, id: u64, value: u64) -> Result<(), Refused> {
    db.update(id, value).await;
    Ok(())
}

#[invalidates(pattern = "row:[<id>]")]
async fn fail_by_pattern(id: u64) -> Result<(), Refused> {
    _ = id;
    Err(Refused)
}

#[invalidates(row(id), only_ok, in_doubt = |_| true)]
async fn fail_in_doubt(id: u64) -> Result<(), Refused> {
    _ = id;
    Err(Refused)
}

fn fixture(settings: CacheBuilder) -> Fixture {
    let cache = settings.fence(FENCE).in_memory().unwrap();
    Fixture { cache, db: Table::default(), store: Store::embedded() }
}

/// A row in the cache.
async fn cached(fixture: &Fixture, id: u64) {
    fixture.db.set(id, 0);
    assert_eq!((fixture.get(id).await, fixture.stored(id).await), (0, Some(0)));
}

/// Starts a write, which waits for its database, and drops it after some time.
macro_rules! dropped_after {
    ($span:expr, $fixture:ident, $write:ident) => {{
        let gate = $fixture.db.hold_writes();
        // What the write sets is seen later: the database goes on without it.
        let call = $fixture.cache.scope($write(&$fixture.db, 1, 0));
        assert!(timeout($span, call).await.is_err());
        assert_eq!(gate.inside(), 0);
    }};
}

/// However long the write has taken: the database may need a whole fence's length from the drop on.
#[tokio::test(start_paused = true)]
async fn a_fence_is_whole_again_when_its_write_is_dropped() {
    for took in [0, 1, 3, 4, 9, 25] {
        let fixture = fixture(Cache::builder());
        cached(&fixture, 1).await;
        dropped_after!(took * SECOND + MOMENT, fixture, write);
        sleep(ALMOST).await;
        assert_eq!((fixture.get(1).await, fixture.stored(1).await), (0, None), "{took} s");
        fixture.db.set(1, 1);
        sleep(2 * MOMENT).await;
        assert_eq!((fixture.get(1).await, fixture.stored(1).await), (1, Some(1)), "{took} s");
        // And stays, because nobody could store anything in between.
        sleep(3 * FENCE).await;
        assert_eq!(fixture.stored(1).await, Some(1), "{took} s");
    }
}

/// Replicas of the database learn of the commit later still.
#[tokio::test(start_paused = true)]
async fn the_hold_off_comes_after_the_fence() {
    let fixture = fixture(Cache::builder());
    cached(&fixture, 1).await;
    dropped_after!(SECOND, fixture, write_to_replicas);
    sleep(ALMOST + 5 * SECOND).await;
    assert_eq!((fixture.get(1).await, fixture.stored(1).await), (0, None));
    sleep(2 * MOMENT).await;
    assert_eq!((fixture.get(1).await, fixture.stored(1).await), (0, Some(0)));
}

/// Without a fence the old row may be stored before the commit. It is gone when the database is
/// certainly done.
#[tokio::test(start_paused = true)]
async fn what_has_no_fence_is_invalidated_again() {
    let fixture = fixture(Cache::builder());
    cached(&fixture, 1).await;
    dropped_after!(SECOND, fixture, write_unfenced);
    sleep(MOMENT).await;
    assert_eq!(fixture.stored(1).await, None, "invalidated at once");
    assert_eq!((fixture.get(1).await, fixture.stored(1).await), (0, Some(0)));
    sleep(9 * SECOND).await;
    fixture.db.set(1, 1);
    sleep(2 * SECOND).await;
    assert_eq!(fixture.get(1).await, 1);

    // The same after an error, and for what matches a pattern.
    cached(&fixture, 2).await;
    assert!(fixture.cache.scope(fail_by_pattern(2)).await.is_err());
    assert_eq!(fixture.stored(2).await, None, "invalidated at once");
    assert_eq!((fixture.get(2).await, fixture.stored(2).await), (0, Some(0)));
    sleep(9 * SECOND).await;
    fixture.db.set(2, 1);
    sleep(2 * SECOND).await;
    assert_eq!(fixture.get(2).await, 1);
}

/// An error lifts the fence. It may hide a commit all the same, so the entry is invalidated again.
#[tokio::test(start_paused = true)]
async fn after_an_error_an_entry_is_invalidated_again() {
    let fixture = fixture(Cache::builder());
    cached(&fixture, 1).await;
    assert!(fixture.cache.scope(write_and_fail(&fixture.db, 1, 0)).await.is_err());
    assert_eq!((fixture.get(1).await, fixture.stored(1).await), (0, Some(0)));
    sleep(9 * SECOND).await;
    fixture.db.set(1, 1);
    assert_eq!(fixture.get(1).await, 0, "what is not guaranteed");
    sleep(2 * SECOND).await;
    assert_eq!((fixture.get(1).await, fixture.stored(1).await), (1, Some(1)));
    sleep(3 * FENCE).await;
    assert_eq!(fixture.stored(1).await, Some(1), "once more is enough");
}

/// With `only_ok` nothing was written, and what is stored meanwhile stays.
#[tokio::test(start_paused = true)]
async fn an_error_that_means_nothing_was_written_leaves_nothing_behind() {
    let fixture = fixture(Cache::builder());
    cached(&fixture, 1).await;
    assert!(fixture.cache.scope(fail_without_writing(&fixture.db, 1)).await.is_err());
    for _ in 0..30 {
        assert_eq!(fixture.stored(1).await, Some(0));
        sleep(SECOND).await;
    }
}

/// `strict`, and errors that are in doubt, leave the fence up.
#[tokio::test(start_paused = true)]
async fn an_error_in_doubt_leaves_the_fence_up() {
    for strict in [true, false] {
        let fixture = fixture(Cache::builder());
        cached(&fixture, 1).await;
        let failed = if strict {
            fixture.cache.scope(fail_strictly(1)).await
        } else {
            fixture.cache.scope(fail_in_doubt(1)).await
        };
        assert_eq!(failed, Err(Refused));
        sleep(9 * SECOND).await;
        assert_eq!((fixture.get(1).await, fixture.stored(1).await), (0, None));
        fixture.db.set(1, 1);
        sleep(2 * SECOND).await;
        assert_eq!((fixture.get(1).await, fixture.stored(1).await), (1, Some(1)));
    }
}

/// Somebody deletes the key, and the fence with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fence_that_is_lost_is_made_good_at_its_end() {
    let server = RedisServer::start().await;
    let client = server.client().await;
    let cache = Cache::builder().fence(3 * SECOND).connect(&server.url()).unwrap();
    let fixture = Fixture { cache, db: Table::default(), store: Store::embedded() };
    cached(&fixture, 1).await;
    dropped_after!(MOMENT, fixture, write);
    fixture.is_not_stored(1, 0).await;
    assert!(client.del("row:1").await);
    assert_eq!((fixture.get(1).await, fixture.stored(1).await), (0, Some(0)));
    fixture.db.set(1, 1);
    eventually!(fixture.get(1).await == 1);
}

/// However many writes fail: one task, a bounded list, and no fence that is lifted too early.
#[tokio::test(start_paused = true)]
async fn what_failed_writes_leave_behind_is_bounded() {
    const WRITES: u64 = 50_000;
    let fixture = fixture(Cache::builder());
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for id in 0..WRITES {
        assert!(fixture.cache.scope(write_and_fail(&fixture.db, id, 0)).await.is_err());
    }
    assert!(tasks() <= before + 1, "{} tasks", tasks());
    // The first are in the list, the last are behind their fences: stale for a while at most, or
    // not at all.
    for (id, stored) in [(0, Some(0)), (WRITES - 1, None)] {
        assert_eq!((fixture.get(id).await, fixture.stored(id).await), (0, stored), "{id}");
        fixture.db.set(id, 1);
    }
    sleep(FENCE + 2 * SECOND).await;
    assert_eq!((fixture.get(0).await, fixture.get(WRITES - 1).await), (1, 1));
    assert_eq!(tasks(), before, "nothing is left");

    // The list has room again.
    assert!(fixture.cache.scope(write_and_fail(&fixture.db, WRITES, 0)).await.is_err());
    assert_eq!((fixture.get(WRITES).await, fixture.stored(WRITES).await), (0, Some(0)));
}

/// Neither do those that are dropped.
#[tokio::test(start_paused = true)]
async fn what_dropped_writes_leave_behind_is_bounded() {
    let fixture = fixture(Cache::builder());
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let gate = fixture.db.hold_writes();
    for id in 0..20_000 {
        let call = fixture.cache.scope(write(&fixture.db, id, 0));
        assert!(timeout(Duration::ZERO, call).await.is_err());
    }
    assert_eq!(gate.inside(), 0);
    // Those that put the fences up once more have come to their end.
    sleep(MOMENT / 10).await;
    assert!(tasks() <= before + 1, "{} tasks", tasks());
    for id in [0, 19_999] {
        assert_eq!((fixture.get(id).await, fixture.stored(id).await), (0, None), "{id}");
    }
    sleep(2 * FENCE).await;
    assert_eq!((fixture.get(0).await, fixture.stored(0).await), (0, Some(0)));
    assert_eq!(tasks(), before, "nothing is left");
}

/// A program need not wait for what is in the list: fences take its place.
#[tokio::test(start_paused = true)]
async fn a_shutdown_leaves_nothing_to_be_done_later() {
    let fixture = fixture(Cache::builder());
    cached(&fixture, 1).await;
    cached(&fixture, 2).await;
    assert!(fixture.cache.scope(write_and_fail(&fixture.db, 1, 0)).await.is_err());
    dropped_after!(SECOND, fixture, write_unfenced);
    assert_eq!((fixture.get(1).await, fixture.stored(1).await), (0, Some(0)));
    let since = Instant::now();
    fixture.cache.shutdown().await.unwrap();
    assert_eq!(since.elapsed(), Duration::ZERO, "in simulated time");
    // For the rest of the time.
    sleep(8 * SECOND).await;
    assert_eq!((fixture.get(1).await, fixture.stored(1).await), (0, None));
    fixture.db.set(1, 1);
    sleep(4 * SECOND).await;
    assert_eq!((fixture.get(1).await, fixture.stored(1).await), (1, Some(1)));
    assert_eq!(fixture.stored(2).await, Some(0), "nobody wrote that");
}

/// No fence can stand for a pattern, so it is waited for, or counted.
#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_patterns() {
    let fixture = fixture(Cache::builder().shutdown_limit(FENCE));
    assert!(fixture.cache.scope(fail_by_pattern(1)).await.is_err());
    sleep(MOMENT / 10).await;
    assert!(fixture.cache.scope(fail_by_pattern(2)).await.is_err());
    assert!(fixture.cache.scope(fail_by_pattern(2)).await.is_err());
    let error = fixture.cache.shutdown().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unfinished);
    assert!(error.to_string().contains("1 invalidations undelivered"), "{error}");
    fixture.cache.shutdown().await.unwrap();
    assert_eq!(fixture.cache.get(&row_key(&1)).await.unwrap(), None);
}

/// What waits in a list does so in one runtime. If that ends, the next write goes on with it.
#[test]
fn another_runtime_goes_on_with_the_list() {
    let fixture = fixture(Cache::builder());
    let runtime = || {
        let builder = &mut tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    runtime().block_on(async {
        assert!(fixture.cache.scope(fail_by_pattern(1)).await.is_err());
    });
    runtime().block_on(async {
        assert!(fixture.cache.scope(fail_by_pattern(2)).await.is_err());
        sleep(2 * FENCE).await;
        fixture.cache.shutdown().await.unwrap();
        assert_eq!(fixture.cache.scope(row(&fixture.db, 1)).await, Err(Refused));
    });
}
