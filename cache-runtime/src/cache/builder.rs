//! Settings of a cache.

use std::time::Duration;

use tokio::sync::Semaphore;

use super::Cache;
use crate::codec::Codec;
use crate::error::{Error, ErrorKind};
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::store::redis::RedisStore;

/// The settings shared by all calls of a cache.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Ends in `:` unless it is empty.
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

/// How far a newly promoted primary is trusted.
///
/// Replication is asynchronous: a failover may bring back values whose invalidation the former primary had acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failover {
    /// Completely. An entry whose invalidation was lost stays outdated until its time to live ends.
    Trust,
    /// Completely, but each process repeats the invalidations that it made in the last 30 seconds, and bypasses the
    /// cache for those entries until they are acknowledged. Other processes may read such an entry until then.
    #[default]
    Replay,
    /// Not at all: values and leases written under another primary are ignored, so the cache is empty after a
    /// failover. This is the only choice that leaves nothing outdated after a failover, provided that the fences were
    /// replicated. In a cluster, slots that move from one primary to another are empty at first, too.
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
/// let cache = settings.clone().connect("redis://127.0.0.1")?; // connects on first use
///
/// // Mistakes that can be found without a server are reported immediately.
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
    /// The prefix of every key, before a `:`. Empty by default. Caches that share a server need different namespaces.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.settings.namespace = namespace.into();
        self
    }

    /// How long the store may delay a call, all its commands together, before the call continues without it: 100 ms
    /// by default. Neither the load nor the time spent waiting for another caller's load counts. A function overrides
    /// it with `budget = "..."`.
    ///
    /// A server that takes longer than half the budget to answer a `PING` (but at least 50 ms and at most 5 s) counts
    /// as not answering.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.settings.budget = budget;
        self
    }

    /// How long a caller waits for another caller's load before it runs the body itself: 5 s by default. A function
    /// overrides it with `lock(wait = "...")`.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.settings.wait = wait;
        self
    }

    /// How long a crashed loader keeps others from loading: 3 s by default. The lease of a live loader is renewed,
    /// however long it loads. A function overrides it with `lock(lease = "...")`.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// How long a key stays uncached after its writer crashed: 10 s by default. To leave nothing stale, it must
    /// exceed the time that the database takes to end the transaction of a client that is gone. The fence of a live
    /// writer is renewed.
    pub fn fence(mut self, fence: Duration) -> Self {
        self.settings.fence = fence;
        self
    }

    /// How values are encoded unless a function specifies a codec: JSON by default.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.settings.codec = codec;
        self
    }

    /// The size limit of an encoded value, in bytes, for storing it and for reading it back: 8 MiB by default.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_value_bytes = bytes;
        self
    }

    /// How many bodies, of all functions together, run at once in this process: unlimited by default. A limit of what
    /// the origin can handle, divided by the number of processes, keeps it alive when the store is lost and every
    /// call becomes a load. Further calls wait in line; those of functions with `shed_after` are refused after that
    /// time.
    pub fn max_concurrent_loads(mut self, loads: usize) -> Self {
        self.settings.max_concurrent_loads = Some(loads.clamp(1, Semaphore::MAX_PERMITS));
        self
    }

    /// How many stale entries this process refreshes at once: 64 by default. While that many refreshes are running,
    /// further stale entries are served without one. With 0, none is refreshed in the background. A refresh is a load
    /// like any other, and also counts towards [`max_concurrent_loads`](Self::max_concurrent_loads).
    pub fn max_background_refreshes(mut self, refreshes: usize) -> Self {
        self.settings.max_background_refreshes = refreshes;
        self
    }

    /// How long [`Cache::shutdown`] waits for background work: 10 s by default.
    pub fn shutdown_limit(mut self, limit: Duration) -> Self {
        self.settings.shutdown_limit = limit;
        self
    }

    /// How far a newly promoted primary is trusted: [`Failover::Replay`] by default.
    pub fn failover(mut self, failover: Failover) -> Self {
        self.settings.failover = failover;
        self
    }

    /// How many bytes the embedded store holds before it evicts values: 64 MiB by default.
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.settings.capacity = bytes;
        self
    }

    /// Creates a cache that uses the server at `url`; see [`Cache::connect`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the URL or a setting is malformed.
    pub fn connect(self, url: &str) -> Result<Cache, Error> {
        if url == "memory:" {
            return self.in_memory();
        }
        let settings = self.checked()?;
        let store = RedisStore::connect(url, settings.budget, settings.failover)?;
        Ok(Cache::new(Some(Store::Redis(store)), settings))
    }

    /// Creates a cache in this process's memory; see [`Cache::in_memory`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a setting is malformed.
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
