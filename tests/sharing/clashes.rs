//! Two functions whose templates can make the same key are told when the second is first called.

use std::collections::HashMap;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::{Cache, Codec, Key, cached, write_behind};

use crate::fixture::{Fixture, misuses, panic_of};

on_both_stores! {
    accidents_are_told_once_per_function
    a_strict_cache_panics
    sharing_on_purpose_is_silent
    what_cannot_be_read_is_told
    what_a_macro_repeats_is_told
    batches_with_templates_are_told
    sinks_of_one_queue_are_told
}

mod names {
    use super::cached;

    #[cached(key = "user:<id>", ttl = 60)]
    pub async fn user_name(id: i64) -> String {
        format!("name {id}")
    }
}

#[cached(key = "user:<id>", ttl = 60)]
async fn user_email(id: i64) -> String {
    format!("email {id}")
}

/// May be any text, but is written elsewhere.
#[cached(key = "users:<name>", ttl = 60)]
async fn by_name(name: &str) -> String {
    name.to_owned()
}

#[cached(key = "user:me", ttl = 60)]
async fn me() -> String {
    "me".to_owned()
}

/// Never called with the same text, but it could be.
#[cached(key = "user:<kind>", ttl = 60)]
async fn of_kind(kind: &str) -> Vec<u8> {
    kind.as_bytes().to_vec()
}

async fn accidents_are_told_once_per_function(fixture: Fixture) {
    let (cache, other) = (fixture.cache(), fixture.cache());
    let calls = async {
        for id in 1..4 {
            names::user_name(id).await;
            by_name("7").await;
            me().await;
            assert_eq!(misuses(&cache, "user_email"), u64::from(id > 1));
            user_email(id).await;
        }
        of_kind("staff").await;
        of_kind("guests").await;
    };
    cache.scope(calls).await;
    for (function, times) in [("user_name", 0), ("by_name", 0), ("me", 0), ("user_email", 1)] {
        assert_eq!(misuses(&cache, function), times, "{function}");
    }
    assert_eq!(misuses(&cache, "of_kind"), 1, "once, though it meets three");
    other.scope(user_email(1)).await;
    assert_eq!(misuses(&other, "user_email"), 0, "the others are not in this cache");
}

async fn a_strict_cache_panics(fixture: Fixture) {
    let cache = fixture.strict();
    cache.scope(names::user_name(7)).await;
    let message = panic_of(cache.scope(user_email(7)));
    for part in [
        "`sharing::clashes::user_email`: its key `user:<id>` (tests/sharing/clashes.rs:",
        "can equal that of `sharing::clashes::names::user_name`, `user:<id>` \
            (tests/sharing/clashes.rs:",
        "`key = user_name_key(..)`",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[cached(key = names::user_name_key(&id), ttl = 60)]
async fn user_name_again(id: i64) -> String {
    format!("again {id}")
}

#[cached(batch(id in ids), key = names::user_name_key(id), ttl = 60)]
async fn user_names(ids: &[i64]) -> HashMap<i64, String> {
    ids.iter().map(|id| (*id, format!("many {id}"))).collect()
}

#[cached(key = "generic:<T>:<id>", ttl = 60)]
async fn generic<T: Default + serde::Serialize + serde::de::DeserializeOwned>(id: i64) -> T {
    _ = id;
    T::default()
}

struct Users;
struct Orgs;
struct Of<T>(T);

impl Users {
    #[cached(key = "<Self>:<id>", ttl = 60)]
    async fn find(id: i64) -> String {
        format!("user {id}")
    }
}

impl Orgs {
    #[cached(key = "<Self>:<id>", ttl = 60)]
    async fn find(id: i64) -> String {
        format!("org {id}")
    }
}

impl<T: Send + Sync> Of<T> {
    #[cached(key = "<Self>:<id>", ttl = 60)]
    async fn find(&self, id: i64) -> String {
        _ = &self.0;
        format!("generic {id}")
    }
}

#[cached(key = "org:<id>", ttl = 60)]
async fn org(id: i64) -> String {
    format!("org {id}")
}

/// The keys of a macro's functions differ in their paths only.
macro_rules! automatic {
    ($($module:ident)*) => {$(
        mod $module {
            #[cache_runtime::cached(ttl = 60)]
            pub async fn find(id: i64) -> String {
                format!("{} {id}", stringify!($module))
            }
        }
    )*};
}
automatic! { one two }

async fn sharing_on_purpose_is_silent(fixture: Fixture) {
    let cache = fixture.strict();
    let calls = async {
        assert_eq!(names::user_name(7).await, "name 7");
        assert_eq!(user_name_again(7).await, "name 7");
        assert_eq!(user_names(&[7, 8]).await[&7], "name 7");
        assert_eq!(generic::<u64>(1).await, 0);
        assert_eq!(generic::<String>(1).await, "");
        assert_eq!(Users::find(1).await, "user 1");
        assert_eq!(Orgs::find(1).await, "org 1");
        assert_eq!(Of(1_u8).find(1).await, "generic 1");
        assert_eq!(Of('a').find(1).await, "generic 1");
        assert_eq!(org(1).await, "org 1");
        assert_eq!((one::find(1).await, two::find(1).await), ("one 1".into(), "two 1".into()));
    };
    cache.scope(calls).await;
}

#[cached(key = "page:<id>", ttl = 60, version = 2, tags = ["pages"])]
async fn page(id: i64) -> String {
    format!("page {id}")
}

#[cached(key = page_key(&id), ttl = 60, version = 3)]
async fn other_version(id: i64) -> String {
    format!("page {id}")
}

#[cached(key = page_key(&id), ttl = 60, codec = MessagePack)]
async fn other_codec(id: i64) -> String {
    format!("page {id}")
}

#[cached(key = page_key(&id).tag("more"), ttl = 60)]
async fn other_tags(id: i64) -> String {
    format!("page {id}")
}

#[cached(batch(id in ids), key = page_key(id), ttl = 60, version = 4)]
async fn other_batch(ids: &[i64]) -> HashMap<i64, String> {
    ids.iter().map(|id| (*id, format!("page {id}"))).collect()
}

#[cached(key = page_key(&id), ttl = 30, version = 2, codec = Json)]
async fn the_same(id: i64) -> String {
    format!("page {id}")
}

fn made_by_hand(id: i64) -> Key<String> {
    Key::<String>::builder().text("hand:").part(&id).done()
}

/// Of a key made by hand it is not known what belongs to it.
#[cached(key = made_by_hand(id), ttl = 60, version = 5)]
async fn by_hand(id: i64) -> String {
    format!("page {id}")
}

async fn what_cannot_be_read_is_told(fixture: Fixture) {
    let cache = fixture.cache();
    let calls = async {
        for _ in 0..2 {
            page(1).await;
            other_version(1).await;
            other_codec(1).await;
            other_tags(1).await;
            other_batch(&[1, 2]).await;
            the_same(1).await;
            by_hand(1).await;
        }
    };
    cache.scope(calls).await;
    for function in ["other_version", "other_codec", "other_tags", "other_batch"] {
        assert_eq!(misuses(&cache, function), 1, "{function}");
    }
    for function in ["page", "the_same", "by_hand"] {
        assert_eq!(misuses(&cache, function), 0, "{function}");
    }
    // What the cache encodes with by default counts as well.
    let cache = Cache::builder().codec(Codec::MessagePack).in_memory().unwrap();
    cache.scope(async { (other_codec(1).await, the_same(1).await) }).await;
    assert_eq!((misuses(&cache, "other_codec"), misuses(&cache, "the_same")), (0, 1));
}

/// All at one location.
macro_rules! tables {
    ($($module:ident)*) => {$(
        mod $module {
            pub struct Table;

            #[cache_runtime::cached(key = "table:<id>", ttl = 60)]
            pub async fn find(id: i64) -> String {
                format!("{} {id}", stringify!($module))
            }

            impl Table {
                #[cache_runtime::cached(key = "row:<id>", ttl = 60)]
                pub async fn row(&self, id: i64) -> String {
                    format!("{} {id}", stringify!($module))
                }
            }
        }
    )*};
}
tables! { users orgs }

async fn what_a_macro_repeats_is_told(fixture: Fixture) {
    let cache = fixture.cache();
    let calls = async {
        users::find(1).await;
        users::Table.row(1).await;
        assert_eq!(misuses(&cache, "users::find") + misuses(&cache, "users::row"), 0);
        orgs::find(1).await;
        orgs::Table.row(1).await;
    };
    cache.scope(calls).await;
    assert_eq!((misuses(&cache, "orgs::find"), misuses(&cache, "orgs::row")), (1, 1));
}

#[cached(key = "loaded:<id>", ttl = 60)]
async fn one_loaded(id: i64) -> String {
    format!("one {id}")
}

#[cached(batch(id in ids), key = "loaded:<id>", ttl = 60)]
async fn many_loaded(ids: &[i64]) -> HashMap<i64, String> {
    ids.iter().map(|id| (*id, format!("many {id}"))).collect()
}

#[cached(batch(name in names), key = "loaded:<name>", ttl = 60)]
async fn by_names(names: &[String]) -> HashMap<String, u8> {
    names.iter().map(|name| (name.clone(), 1)).collect()
}

async fn batches_with_templates_are_told(fixture: Fixture) {
    let cache = fixture.cache();
    let calls = async {
        one_loaded(1).await;
        many_loaded(&[1, 2]).await;
        by_names(&["Ada".to_owned()]).await;
    };
    cache.scope(calls).await;
    for (function, times) in [("one_loaded", 0), ("many_loaded", 1), ("by_names", 1)] {
        assert_eq!(misuses(&cache, function), times, "{function}");
    }
}

#[write_behind(queue = "shared")]
async fn first_sink(items: Vec<u8>) {
    tokio::task::yield_now().await;
    drop(items);
}

#[write_behind(queue = "shared")]
async fn second_sink(items: Vec<u16>) {
    tokio::task::yield_now().await;
    drop(items);
}

async fn sinks_of_one_queue_are_told(fixture: Fixture) {
    let (cache, other, strict) = (fixture.cache(), fixture.cache(), fixture.strict());
    let pushes = async {
        first_sink_queue().push(1).await.unwrap();
        first_sink_queue().push(2).await.unwrap();
        assert_eq!(misuses(&cache, "second_sink"), 0);
        second_sink_queue().push(3).await.unwrap();
    };
    cache.scope(pushes).await;
    assert_eq!((misuses(&cache, "first_sink"), misuses(&cache, "second_sink")), (0, 1));
    other.scope(second_sink_queue().push(3)).await.unwrap();
    assert_eq!(misuses(&other, "second_sink"), 0, "the first is not in this cache");
    strict.scope(first_sink_queue().push(1)).await.unwrap();
    let message = panic_of(strict.scope(second_sink_queue().push(3)));
    let told = "its queue `shared` (tests/sharing/clashes.rs:";
    assert!(message.contains(told) && message.contains("::first_sink` (tests/"), "{message}");
}
