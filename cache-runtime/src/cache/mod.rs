//! The cache handle: where entries live, and which cache a function uses.

pub(crate) mod ambient;
mod builder;
mod by_hand;
mod keys;

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use tokio::sync::Semaphore;

use self::builder::Settings;
pub use self::builder::{CacheBuilder, Failover};
pub use self::keys::Keys;
use crate::background::Background;
use crate::budget::Budget;
use crate::error::Error;
use crate::errors::Remembered;
use crate::flight::Flights;
use crate::journal::Journal;
use crate::queue::{QueueSite, Queues, Shared};
use crate::stats::{Recorder, Stats};
use crate::store::{Store, glob};
use crate::write::scope;

/// A handle to a cache. Cheap to clone; all clones are the same cache.
///
/// An annotated function uses the cache that it names (`cache = …`), else that of the current task
/// ([`scope`](Self::scope)), else the installed one ([`install`](Self::install)), else one in this process's memory,
/// about which the log warns.
///
/// To access entries by hand, use the [`Key`](crate::Key)s of functions with [`get`](Self::get), [`put`](Self::put)
/// and [`invalidate`](Self::invalidate). Unlike annotated functions, these methods return errors of the store.
#[derive(Clone, Debug)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    /// Without one, nothing is cached.
    store: Option<Store>,
    settings: Settings,
    flights: Arc<Flights>,
    journal: Journal,
    background: Arc<Background>,
    errors: Remembered,
    recorder: Recorder,
    /// Limits the concurrent loads of all functions.
    places: Option<Semaphore>,
    queues: Queues,
}

impl Cache {
    /// Creates a cache that uses a server.
    ///
    /// | URL | server |
    /// |---|---|
    /// | `redis://[user:password@]host[:port][/db]` | Redis or Valkey |
    /// | `rediss://…` | the same over TLS (feature `tls`) |
    /// | `redis+unix:///path/to.sock` | through a Unix socket |
    /// | `redis+sentinel://host,host/name[/db]` | the primary of that name, found through its sentinels |
    /// | `redis+cluster://host,host` | a Redis Cluster, found through some of its nodes |
    /// | `memory:` | none: this process's memory |
    ///
    /// Separate several hosts by commas, each with its own port if that is not the default one. User and password go
    /// before the first host. `rediss+sentinel` and `rediss+cluster` are the same over TLS. `valkey` and `valkeys`
    /// are accepted for `redis` and `rediss`.
    ///
    /// In a cluster, each entry lives on the node of its key, and no hash tags are needed. The cache follows slots as
    /// they move, and replicas as they are promoted. [`when_redis_fails`](crate::when_redis_fails) says what it means
    /// to lose a primary.
    ///
    /// This does not connect yet. The connection is made on first use and in the background, so a program can start
    /// while Redis is down, and begins to cache when Redis is up.
    ///
    /// # Errors
    ///
    /// Only [`ErrorKind::Config`](crate::ErrorKind::Config), if the URL is malformed.
    pub fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().connect(url)
    }

    /// Starts building a cache with settings other than the defaults.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    /// Creates a cache in this process's memory that follows the same protocol: for programs without Redis, and for
    /// tests.
    #[must_use]
    pub fn in_memory() -> Self {
        let settings = Settings::default();
        let store = crate::store::memory::MemoryStore::new(settings.capacity);
        Self::new(Some(Store::Memory(Box::new(store))), settings)
    }

    /// Creates a cache that caches nothing: every function runs its body.
    #[must_use]
    pub fn disabled() -> Self {
        Self::new(None, Settings::default())
    }

    pub(crate) fn new(store: Option<Store>, settings: Settings) -> Self {
        let places = settings.max_concurrent_loads.map(Semaphore::new);
        let background = Background::new(settings.max_background_refreshes);
        let inner = Arc::new_cyclic(|inner| Inner {
            store,
            settings,
            flights: Arc::new(Flights::new()),
            background,
            errors: Remembered::default(),
            journal: Journal::new(inner.clone()),
            recorder: Recorder::new(),
            places,
            queues: Queues::default(),
        });
        let cache = Self { inner };
        if let Some(Store::Redis(store)) = cache.store() {
            let inner = Arc::downgrade(&cache.inner);
            store.on_succession(move || {
                if let Some(cache) = Self::of(&inner) {
                    Journal::replay(&cache);
                }
            });
        }
        cache
    }

    /// The cache that a part of it belongs to.
    pub(crate) fn of(inner: &Weak<Inner>) -> Option<Self> {
        inner.upgrade().map(|inner| Self { inner })
    }

    /// Makes this the cache of all functions that name no cache and run in no [`scope`](Self::scope). A later call
    /// replaces it.
    pub fn install(&self) {
        ambient::install(self);
    }

    /// Makes this the cache of all functions that `future` calls and that name no cache. Tests can run in parallel
    /// this way, each with its own cache. Tasks that `future` spawns are not in the scope.
    ///
    /// ```
    /// # use cache_runtime::{Cache, cached};
    /// #[cached(key = "answer", ttl = "1h")]
    /// async fn answer() -> u8 {
    ///     42
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::in_memory();
    /// cache.scope(answer()).await;
    /// cache.scope(answer()).await;
    /// assert_eq!(cache.stats().function("answer").unwrap().hits, 1);
    ///
    /// let spawned = tokio::spawn(cache.scope(answer()));
    /// assert_eq!(spawned.await.unwrap(), 42);
    /// assert_eq!(cache.stats().function("answer").unwrap().hits, 2);
    /// # }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        ambient::scope(self.clone(), future)
    }

    /// Delays the invalidations of all writes called inside `work` until `work` ends. Use it for the writes of one
    /// database transaction: their entries stay fenced until then, so no reader stores a row that the transaction is
    /// about to replace.
    ///
    /// ```
    /// # use cache_runtime::{invalidates, Cache};
    /// # struct Transaction; impl Transaction { async fn commit(self) -> Result<(), String> { Ok(()) } }
    /// # struct Pool; impl Pool { async fn begin(&self) -> Result<Transaction, String> { Ok(Transaction) } }
    /// #[invalidates(key = "account:<id>", in_transaction)]
    /// async fn withdraw(tx: &mut Transaction, id: i64, cents: i64) -> Result<(), String> {
    ///     // UPDATE account …
    ///     Ok(())
    /// }
    ///
    /// async fn transfer(db: &Pool, cache: &Cache, from: i64, to: i64) -> Result<(), String> {
    ///     cache
    ///         .after_commit(async {
    ///             let mut tx = db.begin().await?;
    ///             withdraw(&mut tx, from, 100).await?;
    ///             withdraw(&mut tx, to, -100).await?;
    ///             tx.commit().await
    ///         })
    ///         .await
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # transfer(&Pool, &Cache::in_memory(), 1, 2).await.unwrap(); }
    /// ```
    ///
    /// The invalidations are made whether `work` succeeds, fails or panics. Inside another `after_commit` of the same
    /// cache, the outer one makes them.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the invalidations are made in the background, and again when the fences would have
    /// expired, in case a commit was in progress.
    pub async fn after_commit<F: Future>(&self, work: F) -> F::Output {
        // Boxed, because each function that it passes through would hold another copy of it.
        scope::after_commit(self, Box::pin(work)).await
    }

    /// The counters so far, per function and per queue: what this handle and its clones did, in this process.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (breaker, connections) = match self.store() {
            Some(Store::Redis(store)) => {
                let now = store.snapshot();
                (Some(now.phase), now.epoch)
            }
            _ => (None, 0),
        };
        let (functions, journal_depth) = (self.recorder().functions(), self.journal().depth());
        let queues = self.inner.queues.stats();
        Stats { functions, queues, journal_depth, breaker, connections }
    }

    /// Whether entries live in a server that may fail over.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.store(), Some(Store::Redis(_)))
    }

    pub(crate) fn store(&self) -> Option<&Store> {
        self.inner.store.as_ref()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn flights(&self) -> &Arc<Flights> {
        &self.inner.flights
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    pub(crate) fn errors(&self) -> &Remembered {
        &self.inner.errors
    }

    pub(crate) fn background(&self) -> &Arc<Background> {
        &self.inner.background
    }

    pub(crate) fn places(&self) -> Option<&Semaphore> {
        self.inner.places.as_ref()
    }

    /// What all handles of a queue share.
    pub(crate) fn queue(&self, site: &'static QueueSite) -> Arc<Shared> {
        self.inner.queues.of(site, &self.settings().namespace)
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.inner.recorder
    }

    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.settings().budget)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The glob that matches every key of this namespace.
    pub(crate) fn everything(&self) -> String {
        format!("{}*", glob::escape(&self.settings().namespace))
    }

    /// A key, or a pattern, with the namespace in front.
    pub(crate) fn full_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.settings().namespace.as_str() {
            "" => Cow::Borrowed(text),
            namespace => Cow::Owned([namespace, text].concat()),
        }
    }
}

impl AsRef<Self> for Cache {
    fn as_ref(&self) -> &Self {
        self
    }
}
