//! What every test needs: an origin that can be held and can fail, functions over it, and processes
//! that share a store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_fixtures::patient;
use cache_fixtures::stores::{OnStore, Store};
use cache_runtime::stats::FunctionStats;
use cache_runtime::{Cache, CacheBuilder, Key, cached, invalidates};
use cache_testing::barrier::{Counter, Gate, Hold, eventually};
use tokio::task::JoinHandle;

/// The value that is past its time to live as soon as it is stored.
pub const OLD: u64 = 0;

/// Where values come from.
#[derive(Clone, Debug, Default)]
pub struct Origin(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// None: loads fail.
    value: Mutex<Option<u64>>,
    loading: Hold,
    loads: Counter,
}

/// The origin does not answer. Not `Clone`, as most errors are not.
#[derive(Debug, PartialEq, Eq)]
pub struct Down;

impl From<cache_runtime::Error> for Down {
    fn from(_: cache_runtime::Error) -> Self {
        Self
    }
}

impl Origin {
    pub fn at(value: u64) -> Self {
        let origin = Self::default();
        origin.set(value);
        origin
    }

    pub fn set(&self, value: u64) {
        *self.0.value.lock().unwrap() = Some(value);
    }

    /// The value that it has now, or the default if it fails.
    pub fn present(&self) -> u64 {
        self.0.value.lock().unwrap().unwrap_or_default()
    }

    pub fn fail(&self) {
        *self.0.value.lock().unwrap() = None;
    }

    pub fn loads(&self) -> usize {
        self.0.loads.get()
    }

    /// Holds every load from now on, until the gate is opened.
    pub fn hold(&self) -> Gate {
        self.0.loading.begin()
    }

    /// Lets loads run again; those that are held stay held.
    pub fn let_run(&self) {
        self.0.loading.end();
    }

    /// A load: what the value was at its beginning.
    pub async fn load(&self) -> Result<u64, Down> {
        self.0.loads.count();
        let value = *self.0.value.lock().unwrap();
        self.0.loading.pass().await;
        value.ok_or(Down)
    }
}

/// The old value is soon stale, any other never.
pub fn ttl(value: u64) -> Duration {
    if value == OLD { Duration::from_millis(10) } else { Duration::from_secs(3600) }
}

#[cached(
    key = "value:<id>",
    ttl = |value| ttl(*value),
    stale_while_revalidate = "1h",
    skip(origin),
)]
pub async fn value(origin: &Origin, id: u64) -> Result<u64, Down> {
    let _ = id;
    origin.load().await
}

#[invalidates(value(id))]
pub async fn write(origin: &Origin, id: u64, new: u64) -> Result<(), Down> {
    origin.set(new);
    Ok(())
}

/// Processes over one store.
#[derive(Debug)]
pub struct Fixture {
    /// With the embedded store it is one process twice.
    pub here: Cache,
    pub there: Cache,
    pub origin: Origin,
    pub store: Store,
}

impl OnStore for Fixture {
    const KEY: &str = "value:1";

    fn on(store: Store) -> Self {
        Self::with(store, patient())
    }
}

impl Fixture {
    /// With caches of other settings.
    pub fn with(store: Store, settings: CacheBuilder) -> Self {
        let here = store.connect(settings.clone());
        let there = if store.is_shared() { store.connect(settings) } else { here.clone() };
        Self { here, there, origin: Origin::at(OLD), store }
    }

    /// Starts a call in a task of its own.
    pub fn start<T: Send + 'static>(
        cache: &Cache,
        call: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        tokio::spawn(cache.scope(call))
    }

    /// Starts a read in a task of its own.
    pub fn read(&self, cache: &Cache) -> JoinHandle<Result<u64, Down>> {
        let origin = self.origin.clone();
        Self::start(cache, async move { value(&origin, 1).await })
    }

    /// Reads here and now.
    pub async fn get(&self, cache: &Cache) -> Result<u64, Down> {
        cache.scope(value(&self.origin, 1)).await
    }

    /// Stores the old value and waits until it is stale; from then on the origin has `new`.
    pub async fn with_stale_value(&self, new: u64) {
        assert_eq!(self.get(&self.here).await, Ok(OLD));
        self.is_stale(&value_key(&1)).await;
        self.origin.set(new);
    }

    /// Waits until an entry that is there is past its time to live.
    pub async fn is_stale(&self, key: &Key<u64>) {
        eventually!(self.here.get(key).await.unwrap().is_none());
    }

    /// What is stored and fresh.
    pub async fn fresh(&self) -> Option<u64> {
        self.here.get(&value_key(&1)).await.unwrap()
    }

    /// What happened to the function, in both processes.
    pub fn sum(&self, name: &str, count: impl Fn(&FunctionStats) -> u64) -> u64 {
        let of = |cache: &Cache| cache.stats().function(name).map_or(0, &count);
        if self.store.is_shared() { of(&self.here) + of(&self.there) } else { of(&self.here) }
    }
}
