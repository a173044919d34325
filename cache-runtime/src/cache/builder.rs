//! Settings of a cache.

use std::time::Duration;

use tokio::sync::Semaphore;

use super::Cache;
use crate::codec::Codec;
use crate::error::{Error, ErrorKind};
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::store::redis::RedisStore;

/// What all calls of a cache have in common.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Ends in `:` where it is not empty.
    pub(crate) namespace: String,
    pub(crate) budget: Duration,
    pub(crate) wait: Duration,
    pub(crate) lease: Duration,
    pub(crate) fence: Duration,
    pub(crate) codec: Codec,
    pub(crate) max_value_bytes: usize,
    pub(crate) capacity: usize,
    pub(crate) max_concurrent_loads: Option<usize>,
    pub(crate) max_background_refreshes: usize,
    pub(crate) shutdown_limit: Duration,
    pub(crate) failover: Failover,
}

/// What is believed of a primary that has just been promoted.
///
/// Replication is asynchronous: a failover may bring back values whose invalidation the former primary had acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failover {
    /// Everything. What was lost stays stale until its time to live ends.
    Trust,
    /// Everything, but each process sends again what it invalidated in the last 30 seconds, and goes around the cache
    /// for those entries until that is acknowledged. Other processes may read such an entry until then.
    #[default]
    Replay,
    /// Nothing: values and leases of another primary count as none, so a failover begins with an empty cache. The only
    /// choice that leaves nothing stale after one failover, as far as the fences were replicated. In a cluster, slots that
    /// move from one primary to another begin empty too.
    Distrust,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            budget: Duration::from_millis(100),
            wait: Duration::from_secs(5),
            lease: Duration::from_secs(3),
            fence: Duration::from_secs(10),
            codec: Codec::Json,
            max_value_bytes: 8 << 20,
            capacity: 64 << 20,
            max_concurrent_loads: None,
            max_background_refreshes: 64,
            shutdown_limit: Duration::from_secs(10),
            failover: Failover::default(),
        }
    }
}

/// Builds a [`Cache`]; made by [`Cache::builder`].
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::{Cache, ErrorKind};
///
/// # fn main() -> Result<(), cache_runtime::Error> {
/// let settings = Cache::builder()
///     .namespace("shop")
///     .budget(Duration::from_millis(50))
///     .fence(Duration::from_secs(30));
/// let cache = settings.clone().connect("redis://127.0.0.1")?; // connects at the first use
///
/// // What can be told without a server is told at once.
/// let error = settings.connect("127.0.0.1").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// # _ = cache; Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `connect` or `in_memory`"]
pub struct CacheBuilder {
    settings: Settings,
}

impl CacheBuilder {
    /// What every key begins with, before a `:`. Empty by default. Caches that share a server need different ones.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.settings.namespace = namespace.into();
        self
    }

    /// How long a call may be held up by the store, all its commands together, before it goes without: 100 ms by
    /// default. Neither the load nor waiting for another caller's load counts. A function says otherwise with
    /// `budget = "..."`.
    ///
    /// A server that takes longer than half of it for a `PING`, but at least 50 ms and at most 5 s, counts as not answering.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.settings.budget = budget;
        self
    }

    /// How long a caller waits for another one's load before it runs the body itself: 5 s by default. A function
    /// says otherwise with `lock(wait = "...")`.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.settings.wait = wait;
        self
    }

    /// How long a loader that has crashed keeps others from loading: 3 s by default. The lease of a living one is
    /// renewed, however long it loads. A function says otherwise with `lock(lease = "...")`.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// How long a key stays uncached after its writer crashed: 10 s by default. To leave nothing stale it must exceed the
    /// time in which the database ends the transaction of a client that is gone. The fence of a living writer is renewed.
    pub fn fence(mut self, fence: Duration) -> Self {
        self.settings.fence = fence;
        self
    }

    /// How values are written, where a function does not say: JSON by default.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.settings.codec = codec;
        self
    }

    /// Largest encoded value that is stored or read back, in bytes: 8 MiB by default.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_value_bytes = bytes;
        self
    }

    /// How many bodies of all functions run at once in this process: unbounded by default. What the origin can bear, divided by
    /// the number of processes, keeps it alive when the store is lost and every call becomes a load. The others wait in
    /// line; functions with `shed_after` turn theirs away in time.
    pub fn max_concurrent_loads(mut self, loads: usize) -> Self {
        self.settings.max_concurrent_loads = Some(loads.clamp(1, Semaphore::MAX_PERMITS));
        self
    }

    /// How many stale entries this process refreshes at once: 64 by default. While so many are under way, further
    /// ones are served without. With 0 none is refreshed in the background. A refresh is a load like any other, and
    /// counts for [`max_concurrent_loads`](Self::max_concurrent_loads) too.
    pub fn max_background_refreshes(mut self, refreshes: usize) -> Self {
        self.settings.max_background_refreshes = refreshes;
        self
    }

    /// How long [`Cache::shutdown`] waits for what goes on in the background: 10 s by default.
    pub fn shutdown_limit(mut self, limit: Duration) -> Self {
        self.settings.shutdown_limit = limit;
        self
    }

    /// What is believed of a primary that has just been promoted: [`Failover::Replay`] by default.
    pub fn failover(mut self, failover: Failover) -> Self {
        self.settings.failover = failover;
        self
    }

    /// How many bytes the embedded store holds before values make room for others: 64 MiB by default.
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.settings.capacity = bytes;
        self
    }

    /// A cache over the server at `url`; see [`Cache::connect`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the URL or a setting is malformed.
    pub fn connect(self, url: &str) -> Result<Cache, Error> {
        if url == "memory:" {
            return self.in_memory();
        }
        let settings = self.checked()?;
        let store = RedisStore::connect(url, settings.budget, settings.failover)?;
        Ok(Cache::new(Some(Store::Redis(store)), settings))
    }

    /// A cache in this process's memory; see [`Cache::in_memory`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where a setting is malformed.
    pub fn in_memory(self) -> Result<Cache, Error> {
        let settings = self.checked()?;
        let store = MemoryStore::new(settings.capacity);
        Ok(Cache::new(Some(Store::Memory(Box::new(store))), settings))
    }

    /// A cache over a store that a test has made.
    #[cfg(test)]
    pub(crate) fn over(self, store: Store) -> Result<Cache, Error> {
        Ok(Cache::new(Some(store), self.checked()?))
    }

    fn checked(self) -> Result<Settings, Error> {
        let mut settings = self.settings;
        let odd = |c: char| c.is_whitespace() || c.is_control() || r"*?[]\{}<>%".contains(c);
        if let Some(c) = settings.namespace.chars().find(|&c| odd(c)) {
            let message = format!(
                "the namespace may not contain {c:?}: use letters, digits, `.`, `-`, `_` and `:`"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        for (name, span) in
            [("budget", settings.budget), ("lease", settings.lease), ("fence", settings.fence)]
        {
            if span < Duration::from_millis(1) {
                let message = format!("the {name} is less than a millisecond");
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        if !settings.namespace.is_empty() {
            settings.namespace.push(':');
        }
        Ok(settings)
    }
}
