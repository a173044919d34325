//! The keys of aliases in the hands of users.

use std::collections::HashMap;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::{ErrorKind, cached, write_through};

use crate::alias::fixture::{Fixture, Refused, Table, User, select, user_at_key, user_key};

async fn a_read_follows_the_index(fixture: Fixture) {
    let (cache, key) = (&fixture.cache, user_at_key(&5));
    assert_eq!(cache.get(&key).await.unwrap(), None);
    fixture.db.set(1, 501);
    for _ in 0..2 {
        fixture.user_at(5).await;
    }
    assert_eq!(cache.get(&key).await.unwrap(), Some(Some(User::of(1, 501))));
    assert_eq!(fixture.there.get(&key).await.unwrap(), Some(Some(User::of(1, 501))));
    let keys = [user_at_key(&5), user_key(&1), user_at_key(&6)];
    let found = cache.get_many(&keys).await.unwrap();
    let ids: Vec<_> = found.into_iter().map(|user| user.flatten().map(|user| user.id)).collect();
    assert_eq!(ids, [Some(1), Some(1), None]);
    assert_eq!(fixture.user_at(9).await, None);
    assert_eq!(cache.get(&user_at_key(&9)).await.unwrap(), Some(None));
}

/// There it would outlive the entity.
async fn nothing_is_stored_in_the_entry_of_an_alias(fixture: Fixture) {
    #[write_through(user_at(address) = Some(*user))]
    async fn save(user: &User, address: u64) {}

    let user = User::of(1, 501);
    let error = fixture.cache.put(&user_at_key(&5), &Some(user)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    fixture.cache.scope(save(&user, 5)).await;
    assert_eq!(fixture.stored_at(5).await, None);
    let stats = fixture.cache.stats();
    assert_eq!(stats.function("alias::fixture::user_at").unwrap().misuses, 2);
}

async fn a_load_by_hand_stores_both(fixture: Fixture) {
    let load = || async { Ok::<_, Refused>(Some(User::of(1, 501))) };
    for _ in 0..2 {
        let loaded = fixture.cache.get_or_load(&user_at_key(&5), load).await;
        assert_eq!(loaded, Ok(Some(User::of(1, 501))));
    }
    assert_eq!(fixture.stored_at(5).await, Some(User::of(1, 501)));
    assert_eq!((fixture.user(1).await, fixture.db.loads()), (Some(User::of(1, 501)), 0));
}

/// A batch reads one entry for each id, and an alias has two.
async fn a_batch_goes_around_aliases(fixture: Fixture) {
    #[cached(key = user_at_key(address), batch(address in addresses), ttl = 3600, skip(db))]
    async fn users_at(db: &Table, addresses: &[u64]) -> Result<HashMap<u64, User>, Refused> {
        let mut users = HashMap::new();
        for address in addresses {
            users.extend(select(db, *address).await.map(|user| (*address, user)));
        }
        Ok(users)
    }
    fixture.db.set(1, 501);
    for _ in 0..2 {
        fixture.user_at(5).await;
    }
    fixture.db.set(1, 502);
    let users = fixture.cache.scope(users_at(&fixture.db, &[5])).await.unwrap();
    assert_eq!(users[&5], User::of(1, 502));
    assert_eq!(fixture.stored_at(5).await, Some(User::of(1, 501)));
}

on_both_stores! {
    a_read_follows_the_index
    nothing_is_stored_in_the_entry_of_an_alias
    a_load_by_hand_stores_both
    a_batch_goes_around_aliases
}
