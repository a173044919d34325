//! The cache handle: where entries live, and which cache a function uses.

// First, since the documentation begins with the methods of the first module.
mod making;

pub(crate) mod ambient;
mod builder;
mod by_hand;
mod client_name;
pub(crate) mod elsewhere;
pub(crate) mod environment;
mod get;
mod health;
mod keys;
mod load;
mod put;
mod settings;
mod transactions;

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};

use tokio::sync::Semaphore;

pub use self::builder::CacheBuilder;
pub use self::keys::Keys;
pub use self::settings::Failover;
pub(crate) use self::settings::Settings;
use crate::background::Background;
use crate::budget::Budget;
use crate::errors::Remembered;
use crate::flight::Flights;
use crate::journal::Journal;
use crate::queue::{QueueSite, Queues, Shared};
use crate::stats::{Recorder, Stats};
use crate::store::Store;

/// A handle to a cache. Cheap to clone; all clones are the same cache.
///
/// An annotated function uses the cache that it names (`cache = …`), else that of the current task
/// ([`scope`](Self::scope)), else the installed one ([`install`](Self::install)), else one in this process's memory,
/// about which the log warns, with the name of the function. The guide
/// [`tests_and_servers`](mod@crate::tests_and_servers) says what that means in servers and tests.
///
/// To access entries by hand, use the [`Key`](crate::Key)s of functions with [`get`](Self::get), [`put`](Self::put)
/// and [`invalidate`](Self::invalidate). Unlike annotated functions, these methods return errors of the store.
/// [`get_or_load`](Self::get_or_load) does what a cached function does, for a key that no function has.
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
    places: Option<Arc<Semaphore>>,
    queues: Queues,
    /// Whether the log says what is used.
    announced: AtomicBool,
}

impl Cache {
    pub(crate) fn new(store: Option<Store>, settings: Settings) -> Self {
        let places = settings.max_concurrent_loads.map(|places| Arc::new(Semaphore::new(places)));
        let background = Background::new(settings.max_background_refreshes);
        let inner = Arc::new_cyclic(|inner| Inner {
            store,
            settings,
            flights: Arc::new(Flights::new()),
            background,
            errors: Remembered::default(),
            journal: Journal::new(inner.clone()),
            recorder: Recorder::new(inner.clone()),
            places,
            queues: Queues::default(),
            announced: AtomicBool::new(false),
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

    /// The counters so far, per function and per queue: what this handle and its clones did, in this process.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (breaker, connections, last_failure) = match self.store() {
            Some(Store::Redis(store)) => {
                let now = store.snapshot();
                (Some(now.phase), now.epoch, store.last_failure())
            }
            _ => (None, 0, None),
        };
        let (functions, journal_depth) = (self.recorder().functions(), self.journal().depth());
        let queues = self.inner.queues.stats(self);
        let (journal_keys_looked_at, journal_keys_removed) = self.journal().swept();
        Stats {
            functions,
            queues,
            journal_depth,
            journal_keys_looked_at,
            journal_keys_removed,
            breaker,
            connections,
            last_failure,
        }
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

    pub(crate) fn places(&self) -> Option<&Arc<Semaphore>> {
        self.inner.places.as_ref()
    }

    /// What all handles of a queue share.
    pub(crate) fn queue(&self, site: &'static QueueSite) -> Arc<Shared> {
        self.announce();
        let shared = self.inner.queues.of(site, self.settings().namespace.prefix());
        shared.used_by(site, self);
        shared
    }

    /// What all handles of a queue share that an attribute's had been before it was renamed.
    pub(crate) fn former_queue(
        &self,
        queue: &'static str,
        site: &'static QueueSite,
    ) -> Arc<Shared> {
        self.inner.queues.named(queue, site, self.settings().namespace.prefix())
    }

    /// The queues of this cache that this process has used, ordered by name.
    pub(crate) fn used_queues(&self) -> Vec<Arc<Shared>> {
        self.inner.queues.all()
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.inner.recorder
    }

    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.settings().budget)
    }

    /// The same of a text that is no longer needed.
    pub(crate) fn full_text_of(&self, text: String) -> String {
        match self.full_text(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(full) => full,
        }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The glob that matches every key of this namespace.
    pub(crate) fn everything(&self) -> String {
        self.settings().namespace.everything()
    }

    /// A key's text with the namespace in front.
    pub(crate) fn full_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.settings().namespace.key(text)
    }

    /// A pattern with the namespace in front.
    pub(crate) fn full_pattern<'a>(&self, pattern: &'a str) -> Cow<'a, str> {
        self.settings().namespace.pattern(pattern)
    }
}

impl AsRef<Self> for Cache {
    fn as_ref(&self) -> &Self {
        self
    }
}
