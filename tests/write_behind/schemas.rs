//! Items of another type, or of another version of theirs: never delivered as something else, and
//! never lost.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};

use cache_fixtures::stores::on_all_stores;
use cache_runtime::__private::QueueSite;
use cache_runtime::Codec::{Json, MessagePack, Postcard};
use cache_runtime::queue::DeadLetter;
use cache_runtime::{__private, Batch, Cache, Queue, Worker};
use cache_testing::barrier::eventually;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fixture::{Fixture, LEASE_MS, Running};

const fn site(name: &'static str) -> QueueSite {
    QueueSite::new("schemas", name).partitions(1).linger_ms(0).lease_ms(LEASE_MS).keep_all()
}

/// A transfer as the first release knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct First {
    from: u64,
    to: u64,
}

/// As the second does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Second {
    to: u64,
    from: u64,
    #[serde(default)]
    amount: Option<u64>,
}

/// The same with its fields in another order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Turned {
    to: u64,
    from: u64,
}

/// The same with another sign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Signed {
    from: i64,
    to: i64,
}

const FIRST: First = First { from: 1, to: 2 };

fn queue<T>(site: &'static QueueSite, cache: &Cache) -> Queue<T>
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    __private::queue::<T>(site).cache(cache).done()
}

/// What a sink was given.
#[derive(Clone, Debug)]
struct Taken<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone + Send + Serialize + DeserializeOwned + 'static> Taken<T> {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn take(self, batch: Batch<T>) -> Ready<Result<(), String>> {
        self.0.lock().unwrap().extend(batch.into_items());
        ready(Ok(()))
    }

    fn worker(&self, site: &'static QueueSite, cache: &Cache) -> Worker {
        __private::worker(queue::<T>(site, cache), self.clone(), Self::take)
    }

    fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }
}

async fn letters<T>(site: &'static QueueSite, cache: &Cache) -> Vec<DeadLetter<T>>
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    queue::<T>(site, cache).dead_letters(10).await.unwrap()
}

/// A worker of `T` at `new` gets a `First` from `old`: a dead letter, which a worker of `old` can
/// still deliver.
async fn is_buried<T>(
    fixture: &Fixture,
    old: &'static QueueSite,
    new: &'static QueueSite,
    reason: &str,
) where
    T: Clone + PartialEq + std::fmt::Debug + Send + Serialize + DeserializeOwned + 'static,
{
    let cache = &fixture.cache;
    queue(old, cache).push(FIRST).await.unwrap();
    let taken = Taken::<T>::new();
    let running = Running::start(taken.worker(new, cache));
    eventually!(letters::<T>(new, cache).await.len() == 1);
    running.stop().await;
    assert_eq!(taken.all(), []);
    let letter = letters::<T>(new, cache).await.remove(0);
    assert_eq!((letter.item, letter.attempts), (None, 0));
    assert!(letter.error.contains(reason), "{}", letter.error);
    assert_eq!(letters::<First>(old, cache).await.remove(0).item, Some(FIRST));

    assert_eq!(queue::<First>(old, cache).redrive().await.unwrap(), 1);
    let taken = Taken::<First>::new();
    let running = Running::start(taken.worker(old, cache));
    eventually!(taken.all() == [FIRST]);
    running.stop().await;
    assert!(letters::<First>(old, cache).await.is_empty());
}

macro_rules! versions {
    ($($codec:ident $old:ident $new:ident)*) => {
        $(
            static $old: QueueSite = site(concat!("v-", stringify!($codec))).codec($codec);
            static $new: QueueSite = site(concat!("v-", stringify!($codec))).codec($codec).version(2);
        )*

        /// Either way: an old worker among new producers, and the other way round.
        async fn another_version_is_a_dead_letter(fixture: Fixture) {
            $(
                is_buried::<First>(&fixture, &$old, &$new, "version 0").await;
                is_buried::<First>(&fixture, &$new, &$old, "version 2").await;
                is_buried::<Second>(&fixture, &$old, &$new, "reads version 2").await;
            )*
        }
    };
}
versions! { Json OLD_JSON NEW_JSON MessagePack OLD_PACKED NEW_PACKED Postcard OLD_POSTED NEW_POSTED }

static POSTED: QueueSite = site("posted").codec(Postcard);

async fn a_postcard_item_of_a_changed_type_is_a_dead_letter(fixture: Fixture) {
    is_buried::<Turned>(&fixture, &POSTED, &POSTED, "another type").await;
    is_buried::<Signed>(&fixture, &POSTED, &POSTED, "another type").await;
    is_buried::<(u64, u64)>(&fixture, &POSTED, &POSTED, "another type").await;
    is_buried::<Second>(&fixture, &POSTED, &POSTED, "does not decode").await;
}

static EVOLVING: QueueSite = site("evolving").codec(Json);
static EVOLVING_PACKED: QueueSite = site("evolving-packed").codec(MessagePack);
static EVOLVING_LATER: QueueSite = site("evolving-later").codec(Json).version(7);

/// What serde understands is delivered.
async fn a_compatible_change_is_delivered(fixture: Fixture) {
    for site in [&EVOLVING, &EVOLVING_PACKED, &EVOLVING_LATER] {
        let second = Second { to: 2, from: 1, amount: None };
        queue(site, &fixture.cache).push(FIRST).await.unwrap();
        let taken = Taken::<Second>::new();
        let running = Running::start(taken.worker(site, &fixture.cache));
        eventually!(taken.all() == [second.clone()]);
        running.stop().await;
        queue(site, &fixture.cache).push(second).await.unwrap();
        let taken = Taken::<First>::new();
        let running = Running::start(taken.worker(site, &fixture.cache));
        eventually!(taken.all() == [FIRST]);
        running.stop().await;
    }
}

static CHANGING: QueueSite = site("changing").codec(Json);
static CHANGED: QueueSite = site("changing").codec(Postcard);

/// A queue can change its codec while it holds items.
async fn another_codec_is_delivered(fixture: Fixture) {
    queue(&CHANGING, &fixture.cache).push(FIRST).await.unwrap();
    queue(&CHANGED, &fixture.cache).push(First { from: 3, to: 4 }).await.unwrap();
    let taken = Taken::<First>::new();
    let running = Running::start(taken.worker(&CHANGED, &fixture.cache));
    eventually!(taken.all() == [FIRST, First { from: 3, to: 4 }]);
    running.stop().await;
}

on_all_stores! {
    another_version_is_a_dead_letter
    a_postcard_item_of_a_changed_type_is_a_dead_letter
    a_compatible_change_is_delivered
    another_codec_is_delivered
}
