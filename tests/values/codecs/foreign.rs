//! Data in a key of ours that is not ours: gone around, counted, and never touched.

use cache_runtime::{CallExt as _, invalidates};

use crate::codecs::fixture::{Fixture, ada, user, user_key};

/// Puts something else into `user:1`, which `DUMP` tells from everything else.
async fn occupy(fixture: &Fixture, command: &[&str]) -> Vec<u8> {
    fixture.client.del("user:1").await;
    fixture.client.run::<()>(command).await;
    dump(fixture).await
}

async fn dump(fixture: &Fixture) -> Vec<u8> {
    fixture.client.run(&["DUMP", "user:1"]).await
}

const OTHERS: [&[&str]; 8] = [
    &["SET", "user:1", ""],
    &["SET", "user:1", "7"],
    &["SET", "user:1", r#"{"id":1,"name":"Eve"}"#],
    &["SETBIT", "user:1", "7", "1"],
    &["RPUSH", "user:1", "a"],
    &["HSET", "user:1", "id", "1"],
    &["ZADD", "user:1", "1", "a"],
    &["XADD", "user:1", "*", "a", "b"],
];

#[invalidates(user(id))]
async fn write(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn a_read_goes_around() {
    let fixture = Fixture::start().await;
    for command in OTHERS {
        let data = occupy(&fixture, command).await;
        let (before, runs) = (fixture.stats("user"), fixture.runs.get());
        for _ in 0..3 {
            assert_eq!(fixture.user(1).await, ada(1), "{command:?}");
        }
        assert_eq!(fixture.runs.get(), runs + 3, "{command:?}");
        let after = fixture.stats("user");
        assert_eq!(after.misses.foreign - before.misses.foreign, 3, "{command:?}");
        assert_eq!((after.hits(), after.fills_stored), (0, 0), "{command:?}");
        assert_eq!(after.misses() - before.misses(), 3, "{command:?}");
        assert_eq!(fixture.cache.scope(user(&fixture.runs, 1).refresh()).await, ada(1));
        assert_eq!(dump(&fixture).await, data, "{command:?}");
    }
    // Once it is gone the entry is cached.
    fixture.client.del("user:1").await;
    let runs = fixture.runs.get();
    for _ in 0..3 {
        assert_eq!(fixture.user(1).await, ada(1));
    }
    assert_eq!(fixture.runs.get(), runs + 1);
}

#[tokio::test]
async fn nothing_removes_or_replaces_it() {
    let fixture = Fixture::start().await;
    let cache = &fixture.cache;
    for command in OTHERS {
        let data = occupy(&fixture, command).await;
        assert_eq!(cache.scope(write(1)).await, 1);
        assert_eq!(dump(&fixture).await, data, "write: {command:?}");
        cache.invalidate(&user_key(&1)).await.unwrap();
        assert_eq!(dump(&fixture).await, data, "invalidate: {command:?}");
        assert_eq!(cache.invalidate_matching("user:*").await.unwrap(), 0);
        assert_eq!(dump(&fixture).await, data, "invalidate_matching: {command:?}");
        // Whether or not it says so.
        _ = cache.put(&user_key(&1), &ada(1)).await;
        assert_eq!(dump(&fixture).await, data, "put: {command:?}");
    }
    assert_eq!(cache.stats().journal_depth, 0, "there is nothing to deliver later");
}
