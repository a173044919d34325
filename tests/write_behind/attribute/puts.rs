//! `put(..)`: what a push stores in the cache.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::{Cache, CallExt as _, ErrorKind, cached, write_behind};
use cache_testing::barrier::{Gate, eventually};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::attribute::fixture::{Fixture, Running, settled};

on_both_stores! {
    a_push_updates_the_entry_at_once
    several_entries_of_one_item
    none_is_put_where_it_is_remembered
    a_refused_push_leaves_nothing
    pushes_side_by_side_leave_nothing_old
    what_was_loaded_too_early_is_removed
    what_was_pushed_later_stays
    what_becomes_a_dead_letter_is_removed
    what_is_purged_is_removed
    many_items_are_put_one_after_another
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Profile {
    id: u64,
    name: Option<String>,
}

fn profile(id: u64, name: &str) -> Profile {
    Profile { id, name: Some(name.to_owned()) }
}

/// The table, and how often it was read.
#[derive(Clone, Debug, Default)]
struct Db(Arc<(Mutex<Vec<Profile>>, AtomicU64)>);

impl Db {
    fn read(&self, id: u64) -> Option<Profile> {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        self.0.0.lock().unwrap().iter().rfind(|profile| profile.id == id).cloned()
    }

    fn reads(&self) -> u64 {
        self.0.1.load(Ordering::Relaxed)
    }
}

#[cached(key = "profile:<id>", ttl = "1h", skip(db))]
async fn get_profile(db: &Db, id: u64) -> Option<Profile> {
    db.read(id)
}

#[cached(key = "name:<id>", ttl = "1h", none_ttl = "1m", skip(db))]
async fn get_name(db: &Db, id: u64) -> Option<String> {
    db.read(id).and_then(|profile| profile.name)
}

#[cached(key = "fields:<id>", ttl = "1h", skip(db))]
async fn count_fields(db: &Db, id: u64) -> u64 {
    db.read(id).map_or(0, |_| 1)
}

#[write_behind(
    queue = "profiles",
    key = "<profile.id>",
    linger = "1ms",
    put(get_profile(profile.id) = Some(profile.clone())),
    put(get_name(profile.id) = profile.name, count_fields(profile.id) = 2),
)]
async fn save_profiles(db: &Db, profiles: Vec<Profile>) {
    db.0.0.lock().unwrap().extend(profiles);
}

async fn a_push_updates_the_entry_at_once(fixture: Fixture) {
    let db = Db::default();
    assert_eq!(get_profile(&db, 1).await, None);
    save_profiles_queue().push(profile(1, "Ada")).await.unwrap();
    assert_eq!(get_profile(&db, 1).await, Some(profile(1, "Ada")), "not in the table yet");
    save_profiles_queue().push(profile(1, "Grace")).await.unwrap();
    assert_eq!(get_profile(&db, 1).await, Some(profile(1, "Grace")));
    assert_eq!(db.reads(), 1, "the first one");
    let running = Running::start(save_profiles_worker(&db));
    settled(&save_profiles_queue()).await;
    running.stop().await;
    assert_eq!(get_profile(&db, 1).bypass().await, Some(profile(1, "Grace")));
    assert_eq!(fixture.cache.stats().function("get_profile").unwrap().fills_stored, 2);
}

async fn what_is_purged_is_removed(fixture: Fixture) {
    save_profiles_queue().push_many(vec![profile(50, "Ada"), profile(50, "Grace")]).await.unwrap();
    let entry = async || fixture.cache.get(&get_profile_key(&50)).await.unwrap();
    assert_eq!(entry().await, Some(Some(profile(50, "Grace"))));
    assert_eq!(save_profiles_queue().purge().await.unwrap(), 2);
    assert_eq!(entry().await, None, "the table never gets it");
}

async fn many_items_are_put_one_after_another(_: Fixture) {
    let many = [(51, "Ada"), (52, "Grace"), (51, "Joan")].map(|(id, name)| profile(id, name));
    save_profiles_queue().push_many(many.to_vec()).await.unwrap();
    let db = Db::default();
    assert_eq!(get_profile(&db, 51).await, Some(profile(51, "Joan")));
    assert_eq!(get_profile(&db, 52).await, Some(profile(52, "Grace")));
    assert_eq!(db.reads(), 0);
    // More than fit: what comes behind the first that does not is not tried.
    let many = [60, 61, 62].map(|id| profile(id, "Ada"));
    let error = save_few_queue().push_many(many.to_vec()).await.unwrap_err();
    let kinds: Vec<_> = error.failed().iter().map(|(at, error)| (*at, error.kind())).collect();
    assert_eq!(kinds, [(1, ErrorKind::Full), (2, ErrorKind::Unavailable)]);
}

async fn several_entries_of_one_item(_: Fixture) {
    let db = Db::default();
    save_profiles_queue().push(profile(2, "Ada")).await.unwrap();
    assert_eq!(get_name(&db, 2).await, Some("Ada".to_owned()));
    assert_eq!(count_fields(&db, 2).await, 2);
    assert_eq!(db.reads(), 0);
}

async fn none_is_put_where_it_is_remembered(_: Fixture) {
    let db = Db::default();
    save_profiles_queue().push(Profile { id: 3, name: None }).await.unwrap();
    assert_eq!(get_name(&db, 3).await, None);
    assert_eq!(db.reads(), 0);
}

#[write_behind(
    queue = "narrow-profiles",
    key = "<profile.id>",
    max_len = 1,
    partitions = 1,
    push_timeout = "10ms",
    put(get_profile(profile.id) = Some(profile.clone()))
)]
async fn save_few(profiles: Vec<Profile>) {
    drop(profiles);
}

async fn a_refused_push_leaves_nothing(fixture: Fixture) {
    let db = Db::default();
    save_few_queue().push(profile(4, "Ada")).await.unwrap();
    let refused = save_few_queue().try_push(profile(4, "Grace")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Full);
    let key = get_profile_key(&4);
    assert_eq!(
        fixture.cache.get(&key).await.unwrap(),
        None,
        "neither the old value nor the new one"
    );
    assert_eq!(get_profile(&db, 4).await, None);
}

#[write_behind(
    queue = "full-profiles",
    key = "<profile.id>",
    max_len = 1,
    partitions = 1,
    push_timeout = "1h",
    put(get_profile(profile.id) = Some(profile.clone()))
)]
async fn save_when_there_is_room(profiles: Vec<Profile>) {
    drop(profiles);
}

/// The item may be stored, and delivered, all the same. Nothing is cached until a fence's length
/// later.
#[tokio::test(start_paused = true)]
async fn a_dropped_push_leaves_its_fence_up() {
    let (cache, db) = (Cache::in_memory(), Db::default());
    let pushes = async {
        let queue = save_when_there_is_room_queue();
        queue.push(profile(1, "Ada")).await.unwrap();
        db.0.0.lock().unwrap().push(profile(2, "Ada"));
        let waiting = queue.push(profile(2, "Grace"));
        assert!(timeout(Duration::from_secs(1), waiting).await.is_err());
        for _ in 0..9 {
            assert_eq!(get_profile(&db, 2).await, Some(profile(2, "Ada")));
            assert_eq!(cache.get(&get_profile_key(&2)).await.unwrap(), None);
            sleep(Duration::from_secs(1)).await;
        }
        db.0.0.lock().unwrap().push(profile(2, "Grace"));
        assert_eq!(get_profile(&db, 2).await, Some(profile(2, "Grace")));
        sleep(Duration::from_secs(10)).await;
        assert_eq!(get_profile(&db, 2).await, Some(profile(2, "Grace")));
        assert!(cache.get(&get_profile_key(&2)).await.unwrap().is_some(), "cached again");
    };
    cache.scope(pushes).await;
}

async fn pushes_side_by_side_leave_nothing_old(fixture: Fixture) {
    let db = Db::default();
    let queue = save_profiles_queue();
    let pushes = (0..20).map(|number| {
        let (queue, cache) = (queue.clone(), fixture.cache.clone());
        tokio::spawn(cache.scope(async move {
            queue.push(profile(5, &number.to_string())).await.unwrap();
        }))
    });
    let pushes: Vec<_> = pushes.collect();
    let running = Running::start(save_profiles_worker(&db));
    for push in pushes {
        push.await.unwrap();
    }
    settled(&queue).await;
    running.stop().await;
    // What was not stored is not to be read too early either.
    let last = db.read(5);
    eventually!(get_profile(&db, 5).await == last);
}

/// Every step at a known time: the sink waits at a gate.
#[write_behind(
    queue = "gated",
    key = "<profile.id>",
    linger = "1ms",
    partitions = 1,
    max_attempts = 1,
    put(get_profile(profile.id) = Some(profile.clone()))
)]
async fn save_gated(db: &Db, gate: &Gate, profiles: Vec<Profile>) -> Result<(), String> {
    gate.pass().await;
    if profiles.iter().any(|profile| profile.name.is_none()) {
        return Err("no name".to_owned());
    }
    db.0.0.lock().unwrap().extend(profiles);
    Ok(())
}

async fn what_was_loaded_too_early_is_removed(fixture: Fixture) {
    let (db, gate, queue) = (Db::default(), Gate::new(), save_gated_queue());
    db.0.0.lock().unwrap().push(profile(6, "Ada"));
    queue.push(profile(6, "Grace")).await.unwrap();
    let running = Running::start(save_gated_worker(&db, &gate));
    gate.entered(1).await;
    // Evicted, and loaded again, before the database knows.
    fixture.cache.invalidate(&get_profile_key(&6)).await.unwrap();
    assert_eq!(get_profile(&db, 6).await, Some(profile(6, "Ada")));
    assert_eq!(
        fixture.cache.get(&get_profile_key(&6)).await.unwrap(),
        Some(Some(profile(6, "Ada")))
    );
    gate.release(1);
    settled(&queue).await;
    assert_eq!(get_profile(&db, 6).await, Some(profile(6, "Grace")));
    running.stop().await;
}

async fn what_was_pushed_later_stays(fixture: Fixture) {
    let (db, gate, queue) = (Db::default(), Gate::new(), save_gated_queue());
    queue.push(profile(7, "Ada")).await.unwrap();
    let running = Running::start(save_gated_worker(&db, &gate));
    gate.entered(1).await;
    queue.push(profile(7, "Grace")).await.unwrap();
    gate.release(1);
    gate.entered(2).await;
    assert_eq!(db.read(7), Some(profile(7, "Ada")), "the first is delivered");
    let put = fixture.cache.get(&get_profile_key(&7)).await.unwrap();
    assert_eq!(put, Some(Some(profile(7, "Grace"))), "the second is still there");
    gate.release(1);
    settled(&queue).await;
    let put = fixture.cache.get(&get_profile_key(&7)).await.unwrap();
    assert_eq!(put, Some(Some(profile(7, "Grace"))), "and nobody need load it");
    running.stop().await;
}

async fn what_becomes_a_dead_letter_is_removed(fixture: Fixture) {
    let (db, gate, queue) = (Db::default(), Gate::new(), save_gated_queue());
    let nameless = Profile { id: 8, name: None };
    queue.push(nameless.clone()).await.unwrap();
    assert_eq!(get_profile(&db, 8).await, Some(nameless));
    gate.release(1);
    let running = Running::start(save_gated_worker(&db, &gate));
    eventually!(queue.length().await.unwrap().dead_letters == 1);
    assert_eq!(fixture.cache.get(&get_profile_key(&8)).await.unwrap(), None);
    assert_eq!(get_profile(&db, 8).await, None);
    running.stop().await;
}
