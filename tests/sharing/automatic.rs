//! Functions without a `key`: whatever has the same name elsewhere has other entries.

use std::collections::HashMap;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::cached;
use cache_runtime::stats::FunctionStats;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fixture::{Fixture, misuses, panic_of};

on_both_stores! {
    methods_of_one_name_have_entries_of_their_own
    functions_inside_of_functions_have_entries_of_their_own
    type_parameters_tell_calls_apart
    what_cannot_be_told_apart_is_refused
}

struct Shop;

trait Users {
    fn find(&self, id: i64) -> impl Future<Output = String> + Send;
}

trait Orgs {
    fn find(&self, id: i64) -> impl Future<Output = String> + Send;
}

impl Users for Shop {
    #[cached(ttl = 60, companion = false)]
    async fn find(&self, id: i64) -> String {
        format!("user {id}")
    }
}

impl Orgs for Shop {
    #[cached(ttl = 60, companion = false)]
    async fn find(&self, id: i64) -> String {
        format!("org {id}")
    }
}

trait Find<T> {
    fn get(id: i64) -> impl Future<Output = String> + Send;
}

struct User;
struct Org;

impl Find<User> for Shop {
    #[cached(ttl = 60, companion = false)]
    async fn get(id: i64) -> String {
        format!("a user {id}")
    }
}

impl Find<Org> for Shop {
    #[cached(ttl = 60, companion = false)]
    async fn get(id: i64) -> String {
        format!("an org {id}")
    }
}

struct All<T>(T);

trait Named {
    const NAME: &'static str;
}

impl Named for User {
    const NAME: &'static str = "every user";
}

impl Named for Org {
    const NAME: &'static str = "every org";
}

/// One implementation of a trait for many types, and for many of its arguments.
impl<T: Named, N: Send + Sync> Find<T> for All<N> {
    #[cached(ttl = 60, companion = false)]
    async fn get(id: i64) -> String {
        format!("{} {id} {}", T::NAME, size_of::<N>())
    }
}

#[async_trait::async_trait]
trait Boxed<T> {
    async fn boxed(&self, id: i64) -> String;

    #[cached(ttl = 60)]
    async fn provided(&self, id: i64) -> String {
        self.boxed(id).await + " provided"
    }
}

#[async_trait::async_trait]
impl Boxed<User> for Shop {
    #[cached(ttl = 60)]
    async fn boxed(&self, id: i64) -> String {
        format!("boxed user {id}")
    }
}

#[async_trait::async_trait]
impl Boxed<Org> for Shop {
    #[cached(ttl = 60)]
    async fn boxed(&self, id: i64) -> String {
        format!("boxed org {id}")
    }
}

impl User {
    #[cached(ttl = 60)]
    async fn describe(&self, id: i64) -> String {
        format!("this user {id}")
    }
}

impl Org {
    #[cached(ttl = 60)]
    async fn describe(&self, id: i64) -> String {
        format!("this org {id}")
    }
}

/// Neither signature, body nor name mentions the type.
macro_rules! counts {
    ($($of:ty)*) => {$(
        impl Counts for $of {
            #[cached(ttl = 60, companion = false)]
            async fn count() -> String {
                stringify!($of).to_owned()
            }
        }
    )*};
}

trait Counts {
    fn count() -> impl Future<Output = String> + Send;
}

counts! { User Org }

async fn methods_of_one_name_have_entries_of_their_own(fixture: Fixture) {
    let cache = fixture.strict();
    let calls = async {
        // The second time everything comes from the cache.
        for _ in 0..2 {
            assert_eq!(Users::find(&Shop, 1).await, "user 1");
            assert_eq!(Orgs::find(&Shop, 1).await, "org 1");
            assert_eq!(<Shop as Find<User>>::get(1).await, "a user 1");
            assert_eq!(<Shop as Find<Org>>::get(1).await, "an org 1");
            assert_eq!(<All<u8> as Find<User>>::get(1).await, "every user 1 1");
            assert_eq!(<All<u8> as Find<Org>>::get(1).await, "every org 1 1");
            assert_eq!(<All<u64> as Find<Org>>::get(1).await, "every org 1 8");
            assert_eq!(Boxed::<User>::boxed(&Shop, 1).await, "boxed user 1");
            assert_eq!(Boxed::<Org>::boxed(&Shop, 1).await, "boxed org 1");
            assert_eq!(Boxed::<User>::provided(&Shop, 1).await, "boxed user 1 provided");
            assert_eq!(Boxed::<Org>::provided(&Shop, 1).await, "boxed org 1 provided");
            assert_eq!(User.describe(1).await, "this user 1");
            assert_eq!(Org.describe(1).await, "this org 1");
            assert_eq!((User::count().await, Org::count().await), ("User".into(), "Org".into()));
        }
    };
    cache.scope(calls).await;
    let hits: u64 = cache.stats().functions.iter().map(FunctionStats::hits).sum();
    assert_eq!(hits, 17, "each call, and two more inside of `provided`");
    assert_eq!(User::describe_key(&1).as_str(), "sharing::automatic::User::describe:1");
}

async fn one(id: i64) -> String {
    #[cached(ttl = 60)]
    async fn local(id: i64) -> String {
        format!("one {id}")
    }
    local(id).await
}

async fn two(id: i64) -> String {
    #[cached(ttl = 60)]
    async fn local(id: i64) -> String {
        format!("two {id}")
    }
    local(id).await
}

#[cached(ttl = 60)]
async fn local(id: i64) -> String {
    format!("outside {id}")
}

/// A function and a module may have one name.
#[cached(ttl = 60)]
async fn here(first: &str, second: &str) -> String {
    format!("here {first}{second}")
}

mod here {
    #[super::cached(ttl = 60)]
    pub(super) async fn there() -> String {
        "there".to_owned()
    }
}

async fn functions_inside_of_functions_have_entries_of_their_own(fixture: Fixture) {
    let cache = fixture.cache();
    let calls = async {
        for _ in 0..2 {
            assert_eq!(one(1).await, "one 1");
            assert_eq!(two(1).await, "two 1");
            assert_eq!(local(1).await, "outside 1");
            assert_eq!(here("", "there").await, "here there");
            assert_eq!(here::there().await, "there");
        }
    };
    cache.scope(calls).await;
    assert_eq!(misuses(&cache, "local"), 0);
    assert_eq!(here_key("", "there").as_str(), "sharing::automatic::here:<.>:there");
    assert_eq!(here::there_key().as_str(), "sharing::automatic::here::there");
}

struct Id<T>(i64, std::marker::PhantomData<T>);

impl<T> cache_runtime::KeyPart for Id<T> {
    fn write(&self, segment: &mut cache_runtime::key::Segment<'_>) {
        self.0.write(segment);
    }
}

#[cached(ttl = 60)]
async fn named<T: Named>() -> String {
    T::NAME.to_owned()
}

#[cached(ttl = 60)]
async fn exists<T: Named>(id: Id<T>) -> String {
    format!("{} {}", T::NAME, id.0)
}

#[cached(ttl = 60)]
async fn made<T: Default + Serialize + DeserializeOwned>(id: i64) -> T {
    _ = id;
    T::default()
}

/// How the argument is passed makes no difference.
#[cached(ttl = 60)]
async fn length<N: AsRef<str> + cache_runtime::KeyPart>(name: N) -> usize {
    name.as_ref().len()
}

async fn type_parameters_tell_calls_apart(fixture: Fixture) {
    let id = std::marker::PhantomData;
    let cache = fixture.strict();
    let calls = async {
        for _ in 0..2 {
            assert_eq!(named::<User>().await, "every user");
            assert_eq!(named::<Org>().await, "every org");
            assert_eq!(exists(Id::<User>(1, id)).await, "every user 1");
            assert_eq!(exists(Id::<Org>(1, std::marker::PhantomData)).await, "every org 1");
            assert_eq!((made::<u8>(1).await, made::<String>(1).await), (0, String::new()));
        }
        length("Ada").await;
        length("Ada".to_owned()).await;
    };
    cache.scope(calls).await;
    let length = cache.stats().function("length").map(|it| (it.hits(), it.loads_ok));
    assert_eq!(length, Some((1, 1)));
}

/// The compiler gives both one path, so that their keys are the same.
async fn in_blocks() -> (String, String) {
    let first = {
        #[cached(ttl = 60)]
        async fn in_block(id: i64) -> String {
            format!("first {id}")
        }
        in_block(1).await
    };
    let second = {
        #[cached(ttl = 60)]
        async fn in_block(id: i64) -> String {
            format!("second {id}")
        }
        in_block(1).await
    };
    (first, second)
}

/// They are at one location, too.
macro_rules! in_macro {
    ($($value:literal)*) => {[$({
        #[cached(batch(id in ids), ttl = 60)]
        async fn many(ids: &[i64]) -> HashMap<i64, String> {
            ids.iter().map(|id| (*id, format!("{} {id}", $value))).collect()
        }
        many(&[1]).await[&1].clone()
    }),*]};
}

async fn what_cannot_be_told_apart_is_refused(fixture: Fixture) {
    let (cache, strict) = (fixture.cache(), fixture.strict());
    for _ in 0..2 {
        assert_eq!(cache.scope(in_blocks()).await, ("first 1".into(), "second 1".into()));
        let made = cache.scope(async { in_macro!("one" "two" "three") }).await;
        assert_eq!(made, ["one 1", "two 1", "three 1"]);
    }
    let count = |of: fn(&FunctionStats) -> u64| cache.stats().functions.iter().map(of).sum::<u64>();
    assert_eq!(count(|function| function.misuses), 3, "once for each function but the first");
    assert_eq!((count(FunctionStats::hits), count(|function| function.outcomes.bypassed)), (2, 6));
    let message = panic_of(strict.scope(in_blocks()));
    for part in ["its automatic key `sharing::automatic::in_block:<id>` (tests/sharing/", "a `key`"]
    {
        assert!(message.contains(part), "{message}");
    }
}
