//! What stands in the keys although no load of this release has stored it.

use std::time::Duration;

use cache_fixtures::stores::OnStore as _;
use cache_fixtures::table::{Refused, Table};
use cache_runtime::{Cache, Key, cached};
use cache_testing::barrier::eventually;

use crate::alias::fixture::{Fixture, User, select, user, user_key};

impl Fixture {
    async fn bytes(&self, key: &str) -> Vec<u8> {
        self.store.client().get(key).await.expect("a record")
    }

    async fn set(&self, key: &str, bytes: impl AsRef<[u8]>) {
        self.store.client().set(key, bytes).await;
    }

    /// With user 1 at address 5 and user 2 at address 6, both of them stored with their indexes.
    async fn with_two_users() -> Self {
        let fixture = Self::redis().await;
        fixture.db.set(1, 501);
        fixture.db.set(2, 602);
        for _ in 0..2 {
            fixture.user_at(5).await;
            fixture.user_at(6).await;
        }
        fixture
    }
}

/// The same bytes with others in one place.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let at = bytes.windows(old.len()).position(|it| it == old).expect("it is there");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

#[tokio::test]
async fn foreign_data_stays_and_is_gone_around() {
    for key in ["at:5", "user:1"] {
        let fixture = Fixture::redis().await;
        fixture.db.set(1, 501);
        fixture.user_at(5).await;
        fixture.set(key, "somebody else's").await;
        for _ in 0..3 {
            assert_eq!(fixture.user_at(5).await, Some(User::of(1, 501)), "{key}");
            assert_eq!(fixture.user_at_there(5).await, Some(User::of(1, 501)), "{key}");
        }
        assert_eq!(fixture.db.loads(), 7, "{key}");
        assert_eq!(fixture.bytes(key).await, b"somebody else's", "{key}");
    }
}

/// Whoever is named by it.
#[tokio::test]
async fn a_forged_index_lends_nobody() {
    let fixture = Fixture::with_two_users().await;
    let index = fixture.bytes("at:5").await;
    let forged = [
        fixture.bytes("at:6").await,
        replaced(&index, b"user:1", b"user:2"),
        replaced(&index, b"user:1", b"~tags1"),
        replaced(&index, b"user:1", b"~tag:a"),
        replaced(&index, b"user:1", b"at:005"),
        replaced(&index, b"J0+", b"X0+"),
        replaced(&index, b"J0+", b"JJ+"),
        replaced(&index, b"J0+", &[0xFF, 0xFE, 0xFD]),
        replaced(&index, b"J0+", b"J00"),
        replaced(&index, b"~tag:users", b"user:12345"),
        index[..70].to_vec(),
        index[..index.len() - 1].to_vec(),
        b"\xC1\xCA\x01V".to_vec(),
    ];
    for (number, forged) in forged.iter().enumerate() {
        for there in [false, true] {
            fixture.set("at:5", forged).await;
            for _ in 0..4 {
                let found =
                    if there { fixture.user_at_there(5).await } else { fixture.user_at(5).await };
                assert_eq!(found, Some(User::of(1, 501)), "{number}");
            }
            let loads = fixture.db.loads();
            assert_eq!(fixture.user_at(5).await, Some(User::of(1, 501)));
            assert_eq!(fixture.db.loads(), loads, "it was replaced: {number}");
        }
    }
    let keys = fixture.store.client().keys().await;
    let is_known = |key: &String| {
        key.starts_with("~tag") || ["at:5", "at:6", "user:1", "user:2"].contains(&&**key)
    };
    assert!(keys.iter().all(is_known), "nothing was created: {keys:?}");
}

/// The index is right, and what stands in the key of the entity is another one.
#[tokio::test]
async fn a_value_that_belongs_elsewhere_is_not_lent() {
    let fixture = Fixture::with_two_users().await;
    let value = fixture.bytes("user:1").await;
    fixture.set("user:1", replaced(&value, b"\"id\":1", b"\"id\":2")).await;
    assert_eq!(fixture.cache.get(&user_key(&1)).await.unwrap().flatten().unwrap().id, 2);
    for _ in 0..2 {
        assert_eq!(fixture.user_at_there(5).await, Some(User::of(1, 501)));
        assert_eq!(fixture.user_at(5).await, Some(User::of(1, 501)));
    }
    assert_eq!(fixture.user(1).await, Some(User::of(1, 501)), "the load has replaced it");

    fixture.set("user:1", &value[..value.len() - 3]).await;
    for _ in 0..3 {
        assert_eq!(fixture.user_at(5).await, Some(User::of(1, 501)), "damaged");
    }
    assert_eq!(fixture.user(1).await, Some(User::of(1, 501)));
}

/// An earlier release had the function without `entry`, and stored its values under their own keys.
#[tokio::test]
async fn a_value_in_the_key_of_the_alias_is_not_lent() {
    let fixture = Fixture::redis().await;
    fixture.db.set(1, 501);
    let key = Key::<Option<User>>::builder().text("at:").part(&5_u64).done();
    let key: Key<Option<User>> = key.ttl(Duration::from_secs(3600));
    fixture.cache.put(&key, &Some(User::of(7, 599))).await.unwrap();
    assert_eq!(fixture.stored_at(5).await, None);
    for _ in 0..3 {
        assert_eq!(fixture.user_at(5).await, Some(User::of(1, 501)));
    }
    assert_eq!(fixture.db.loads(), 2);
    assert_eq!(fixture.cache.get(&key).await.unwrap(), None, "nor is an index a value");
}

/// The next release stores users in another way.
mod next {
    use super::*;

    #[cached(key = "user:<id>", ttl = 3600, skip(db), codec = MessagePack, version = 2)]
    pub(super) async fn user(db: &Table, id: u64) -> Result<Option<User>, Refused> {
        Ok(db.select(id).await.map(|row| User::of(id, row)))
    }

    #[cached(
        key = "at:<address>",
        ttl = 3600,
        none_ttl = 3600,
        skip(db),
        entry = |user: &User| user_key(&user.id),
    )]
    pub(super) async fn user_at(db: &Table, address: u64) -> Result<Option<User>, Refused> {
        Ok(select(db, address).await)
    }
}

/// While both run, each has what it has loaded, or what it can read; in the end the one that is
/// left has hits.
#[tokio::test]
async fn two_releases_lend_each_other_nothing() {
    let fixture = Fixture::redis().await;
    let (db, there) = (&fixture.db, &fixture.there);
    for row in [501, 502, 503] {
        fixture.db.set(1, row);
        fixture.cache.invalidate(&user_key(&1)).await.unwrap();
        for _ in 0..4 {
            let expected = Some(User::of(1, row));
            assert_eq!(fixture.user_at(5).await, expected);
            assert_eq!(there.scope(next::user_at(db, 5)).await, Ok(expected));
            assert_eq!(fixture.user(1).await, expected);
            assert_eq!(there.scope(next::user(db, 1)).await, Ok(expected));
        }
    }
    for _ in 0..3 {
        there.scope(next::user_at(db, 5)).await.unwrap();
    }
    let loads = db.loads();
    assert_eq!(there.scope(next::user_at(db, 5)).await, Ok(Some(User::of(1, 503))));
    assert_eq!(db.loads(), loads);
    fixture.db.set(1, 504);
    there.invalidate(&next::user_key(&1)).await.unwrap();
    assert_eq!(there.scope(next::user_at(db, 5)).await, Ok(Some(User::of(1, 504))));
    assert_eq!(fixture.user_at(5).await, Some(User::of(1, 504)));
}

/// Callers of two processes wait for one load, which stores both records.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_lock_one_load_serves_two_processes() {
    #[cached(
        key = "locked:<address>",
        ttl = 3600,
        lock(wait = "1h", lease = "1h"),
        skip(db),
        entry = |user: &User| user_key(&user.id),
    )]
    async fn locked_at(db: &Table, address: u64) -> Result<Option<User>, Refused> {
        Ok(select(db, address).await)
    }
    let fixture = Fixture::redis().await;
    fixture.db.set(1, 501);
    fixture.cache.scope(locked_at(&fixture.db, 5)).await.unwrap();
    let gate = fixture.db.hold_loads();
    let start = |cache: &Cache| {
        let (db, cache) = (fixture.db.clone(), cache.clone());
        tokio::spawn(async move { cache.scope(locked_at(&db, 5)).await })
    };
    let leader = start(&fixture.cache);
    gate.entered(1).await;
    let waiting: Vec<_> = (0..10).map(|_| start(&fixture.there)).collect();
    let waits = || {
        let stats = fixture.there.stats();
        stats.functions.iter().map(|it| it.lease_waits).sum::<u64>()
    };
    eventually!(waits() > 0);
    gate.open();
    assert_eq!(leader.await.unwrap(), Ok(Some(User::of(1, 501))));
    for call in waiting {
        assert_eq!(call.await.unwrap(), Ok(Some(User::of(1, 501))));
    }
    assert_eq!(fixture.db.loads(), 2);
    let direct = fixture.there.scope(user(&fixture.db, 1)).await;
    assert_eq!((direct, fixture.db.loads()), (Ok(Some(User::of(1, 501))), 2));
}
