//! The handle: where entries live, and what is done to them by hand.

pub(crate) mod ambient;
mod builder;
mod keys;

use std::borrow::Cow;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use self::builder::Settings;
pub use self::builder::{CacheBuilder, Failover};
pub use self::keys::Keys;
use crate::budget::Budget;
use crate::callsite;
use crate::error::{Error, ErrorKind};
use crate::flight::Flights;
use crate::journal::{Entry, Journal};
use crate::key::Key;
use crate::record::{self, Found, ValueHeader};
use crate::stats::{Event, Recorder, Stats};
use crate::store::{Fill, Name, Store, StoreResult, glob};
use crate::token::Token;
use crate::write::{PATTERN_LIMIT, scope};

/// A cache: cheap to clone, all clones are one.
///
/// Annotated functions use the one that they name (`cache = …`), else that of the task ([`scope`](Self::scope)), else
/// the installed one ([`install`](Self::install)), else one in this process's memory, of which the log warns.
///
/// By hand, entries are reached through the [`Key`]s of functions: [`get`](Self::get), [`put`](Self::put),
/// [`invalidate`](Self::invalidate). These give errors, which the functions themselves never do.
#[derive(Clone, Debug)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    /// None: nothing is cached.
    store: Option<Store>,
    settings: Settings,
    flights: Arc<Flights>,
    journal: Journal,
    recorder: Recorder,
    /// Bounds the loads of all functions under way.
    places: Option<Semaphore>,
}

impl Cache {
    /// A cache over a server.
    ///
    /// | URL | server |
    /// |---|---|
    /// | `redis://[user:password@]host[:port][/db]` | Redis or Valkey |
    /// | `rediss://…` | the same over TLS (feature `tls`) |
    /// | `redis+unix:///path/to.sock` | through a Unix socket |
    /// | `redis+sentinel://host,host/name` | the primary of that name, by its sentinels |
    /// | `memory:` | none: this process's memory |
    ///
    /// Nothing is connected yet: that happens at the first use and in the background, so a program starts with its
    /// Redis down and begins to cache when it is up.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the URL is malformed, and nothing else.
    pub fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().connect(url)
    }

    /// Settings other than the default ones.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    /// A cache in this process's memory, with the same protocol: for programs without Redis, and for tests.
    #[must_use]
    pub fn in_memory() -> Self {
        let settings = Settings::default();
        let store = crate::store::memory::MemoryStore::new(settings.capacity);
        Self::new(Some(Store::Memory(Box::new(store))), settings)
    }

    /// No cache: every function runs its body.
    #[must_use]
    pub fn disabled() -> Self {
        Self::new(None, Settings::default())
    }

    pub(crate) fn new(store: Option<Store>, settings: Settings) -> Self {
        let places = settings.max_concurrent_loads.map(Semaphore::new);
        let inner = Arc::new_cyclic(|inner| Inner {
            store,
            settings,
            flights: Arc::new(Flights::new()),
            journal: Journal::new(inner.clone()),
            recorder: Recorder::new(),
            places,
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

    /// Makes this the cache of all functions that name none and run in no [`scope`](Self::scope). A later call replaces it.
    pub fn install(&self) {
        ambient::install(self);
    }

    /// Makes this the cache of all functions that `future` calls and that name none: tests run in parallel, each
    /// with its own. Tasks that it spawns are not in the scope.
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

    /// Ends the invalidations of all writes called inside `work` when it ends, and not before: for writes of one database
    /// transaction. Until then their entries are fenced, so no reader stores a row that the transaction is about to
    /// replace.
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
    /// They end whether `work` succeeds, fails or panics. Inside another `after_commit` of the same cache it is the outer one
    /// that ends them.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, the invalidations end in the background, and once more when the fences would have run out, for a
    /// commit that was under way.
    pub async fn after_commit<F: Future>(&self, work: F) -> F::Output {
        // Boxed, since each function that it passes through would hold it once more.
        scope::after_commit(self, Box::pin(work)).await
    }

    /// The value of an entry, if there is one: of its own codec and version, and not behind a fence. Runs no body.
    ///
    /// # Errors
    ///
    /// Where the store does not answer; annotated functions run their body instead.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<Option<T>, Error> {
        let Some(store) = self.store() else {
            return Ok(None);
        };
        let text = self.full_text(key.as_str());
        let name = Name::new(&text);
        let schema = key.schema(self.settings().codec);
        let Some(record) = store.get(name, self.budget().deadline()).await? else {
            return Ok(None);
        };
        Ok(match record::read(record, name.hash) {
            Found::Value(value)
                if value.codec() == schema.codec.id() && value.version() == schema.version =>
            {
                schema.codec.decode(value.payload()).ok()
            }
            _ => None,
        })
    }

    /// Stores a value, for the time that the key's function says. Unless somebody else is writing the same entry:
    /// then nothing is left in it, and the next reader loads.
    ///
    /// A value read from the database earlier may be outdated by the time it is put: where a write knows
    /// the new value, `#[invalidates]` on the write is the safe choice.
    ///
    /// # Errors
    ///
    /// Where the store does not answer or refuses, or the value does not encode.
    pub async fn put<T: Serialize>(&self, key: &Key<T>, value: &T) -> Result<(), Error> {
        let Some(store) = self.store() else {
            return Ok(());
        };
        let text = self.full_text(key.as_str());
        let (name, writer) = (Name::new(&text), Token::random());
        let schema = key.schema(self.settings().codec);
        let mut record = record::value(ValueHeader {
            key: name.hash,
            token: writer,
            cost_ms: 0,
            version: schema.version,
            codec: schema.codec.id(),
        });
        if schema.codec.encode(value, &mut record).is_err() {
            return Err(Error::new(ErrorKind::Codec, "the value could not be encoded"));
        }
        if record.len() > self.settings().max_value_bytes + record::VALUE_HEADER {
            return Err(Error::new(
                ErrorKind::Codec,
                "the encoded value is larger than `max_value_bytes`",
            ));
        }
        let ttl = key.ttl_for(value);
        let by = self.budget().deadline();
        self.flights().forget(&[name]);
        for fenced in store.begin(&[name], writer, self.settings().fence, by).await {
            if !fenced? {
                let message = "the key holds data that is not the cache's, or the store is full";
                return Err(Error::new(ErrorKind::Refused, message));
            }
        }
        store.end_with(name, writer, Fill { record, fresh: ttl, ttl }, by).await?;
        Ok(())
    }

    /// Removes entries, and the right of every load under way to fill them: one round trip for any number of keys.
    ///
    /// # Errors
    ///
    /// Where it is not acknowledged for every key. It may have been done all the same; what was not acknowledged is
    /// kept and sent again until it is, and meanwhile this process goes around the cache for those keys.
    ///
    /// # Cancel safety
    ///
    /// Dropped half-way, it may or may not have been done, and is not sent again.
    pub async fn invalidate(&self, keys: impl Keys) -> Result<(), Error> {
        let mut texts = Vec::new();
        keys.visit(&mut |key| texts.push(self.full_text(key).into_owned()));
        self.remove(&texts, Duration::ZERO).await
    }

    /// Removes all entries of this namespace whose key matches a Redis glob, such as `user:7:*`; how many there were.
    /// Takes time in proportion to all keys of the server: no operation for a hot path.
    ///
    /// # Errors
    ///
    /// Where the store does not answer, or refuses; it is sent again, as with [`invalidate`](Self::invalidate).
    pub async fn invalidate_matching(&self, pattern: &str) -> Result<u64, Error> {
        self.remove_matching(&self.full_text(pattern), Duration::ZERO).await
    }

    /// Waits until every invalidation has been delivered, for at most `limit`: before a program ends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Undelivered`], with their number, where some are left.
    pub async fn flush(&self, limit: Duration) -> Result<(), Error> {
        Journal::deliver(self);
        if tokio::time::timeout(limit, self.journal().drained()).await.is_ok() {
            return Ok(());
        }
        let left = self.journal().depth();
        let message = format!("{left} invalidations have not been delivered to the cache's store");
        Err(Error::new(ErrorKind::Undelivered, message))
    }

    /// Removes all entries of this namespace; how many there were.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where a server is shared and the cache has no namespace: it would remove everybody's
    /// data. Else as [`invalidate_matching`](Self::invalidate_matching).
    pub async fn clear(&self) -> Result<u64, Error> {
        if self.settings().namespace.is_empty() && matches!(self.store(), Some(Store::Redis(_))) {
            let message =
                "`clear` needs a namespace: set one with `Cache::builder().namespace(\"...\")`";
            return Err(Error::new(ErrorKind::Config, message));
        }
        self.remove_matching(&self.everything(), Duration::ZERO).await
    }

    /// Invalidates entries by their full texts; what is not acknowledged goes to the journal.
    pub(crate) async fn remove(&self, texts: &[String], hold_off: Duration) -> Result<(), Error> {
        let Some(store) = self.store() else {
            return Ok(());
        };
        let names: Vec<_> = texts.iter().map(|text| Name::new(text)).collect();
        self.flights().forget(&names);
        let replies = store.invalidate(&names, hold_off, self.budget().deadline()).await;
        self.settle(texts, replies, hold_off)
    }

    /// Invalidates entries by a full glob; where that is not acknowledged it goes to the journal.
    pub(crate) async fn remove_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
    ) -> Result<u64, Error> {
        let Some(store) = self.store() else {
            return Ok(0);
        };
        self.flights().forget_all();
        let by = Budget::new(PATTERN_LIMIT).deadline();
        let reply = store.invalidate_matching(pattern, hold_off, by).await;
        self.note(&reply, Event::PatternInvalidated);
        let entry = [Entry::Pattern(pattern.to_owned())];
        match reply {
            Ok(_) => Journal::acknowledged(self, entry),
            Err(_) => Journal::add(self, entry, hold_off),
        }
        Ok(reply?)
    }

    /// Sees to what was not acknowledged; the first such error.
    pub(crate) fn settle<T>(
        &self,
        texts: &[String],
        replies: Vec<StoreResult<T>>,
        hold_off: Duration,
    ) -> Result<(), Error> {
        for reply in &replies {
            self.note(reply, Event::Invalidated);
        }
        let (done, failed): (Vec<_>, Vec<_>) =
            texts.iter().zip(&replies).partition(|(_, reply)| reply.is_ok());
        let entry = |(text, _): (&String, _)| Entry::Key(text.clone());
        Journal::acknowledged(self, done.into_iter().map(entry));
        Journal::add(self, failed.into_iter().map(entry), hold_off);
        replies.into_iter().try_for_each(|reply| reply.map(drop)).map_err(Error::from)
    }

    fn note<T>(&self, reply: &StoreResult<T>, done: Event) {
        let event = if reply.is_ok() { done } else { Event::Journalled };
        self.recorder().count(&callsite::BY_HAND, event);
    }

    /// What happened so far, per function. Counts what this handle and its clones did, in this process.
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
        Stats { functions, journal_depth, breaker, connections }
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

    pub(crate) fn places(&self) -> Option<&Semaphore> {
        self.inner.places.as_ref()
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
