//! One cache, as reads, writes and queues see it.

use std::any::Any;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use crate::engine::background::Background;
use crate::engine::base::Base;
use crate::engine::journal::Journal;
use crate::engine::settings::Settings;
use crate::error::Error;
use crate::store::Store;
use crate::store::redis::RedisStore;
use crate::typing::remembered_errors::Remembered;

/// A handle to a cache; all clones are the same cache. [`Cache`](crate::Cache) is the public one.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    inner: Arc<Inner>,
    /// Another handle to the store, in a batch.
    store: Option<Arc<Store>>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    base: Arc<Base>,
    journal: Arc<Journal>,
    background: Arc<Background>,
    errors: Remembered,
    attached: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Core {
    pub(crate) fn new(store: Option<Store>, settings: Settings) -> Self {
        let background = Background::new(settings.max_background_refreshes);
        let base = Base::new(store, settings);
        let journal = Journal::new(Arc::clone(&base));
        if let Some(store) = base.store().and_then(Store::redis) {
            let journal = Arc::downgrade(&journal);
            store.on_failover(move || {
                if let Some(journal) = journal.upgrade() {
                    journal.replay();
                }
            });
        }
        let (errors, attached) = (Remembered::default(), OnceLock::new());
        Arc::new(Inner { base, journal, background, errors, attached }).into()
    }

    /// A cache behind a URL. Nothing is connected yet.
    pub(crate) fn connect(url: &str, settings: Settings) -> Result<Self, Error> {
        if url == "memory:" {
            return Ok(Self::in_memory(settings));
        }
        let store = RedisStore::connect(url, settings.of_connections())?;
        Ok(Self::new(Some(store.into()), settings))
    }

    /// A cache in this process's memory.
    pub(crate) fn in_memory(settings: Settings) -> Self {
        Self::new(Some(Store::in_memory(settings.capacity)), settings)
    }

    /// A cache that caches nothing.
    pub(crate) fn disabled() -> Self {
        Self::new(None, Settings::default())
    }

    /// The same cache, for reads that use its store [together](crate::store::Together).
    pub(crate) fn coalescing(&self) -> Self {
        let store = self.inner.base.store().map(|store| Arc::new(store.coalescing()));
        Self { inner: Arc::clone(&self.inner), store }
    }

    pub(crate) fn store(&self) -> Option<&Store> {
        self.store.as_deref().or_else(|| self.inner.base.store())
    }

    pub(crate) fn journal(&self) -> &Arc<Journal> {
        &self.inner.journal
    }

    pub(crate) fn errors(&self) -> &Remembered {
        &self.inner.errors
    }

    pub(crate) fn background(&self) -> &Arc<Background> {
        &self.inner.background
    }

    /// What a floor above keeps for as long as there is the cache: its queues.
    #[expect(clippy::expect_used, reason = "there is one such floor, so there is one type")]
    pub(crate) fn attached<T: Any + Default + Send + Sync>(&self) -> &T {
        let attached = self.inner.attached.get_or_init(|| Box::new(T::default()));
        attached.downcast_ref().expect("always of this type")
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn into_inner(self) -> Arc<Inner> {
        self.inner
    }
}

impl From<Arc<Inner>> for Core {
    fn from(inner: Arc<Inner>) -> Self {
        Self { inner, store: None }
    }
}

impl Deref for Core {
    type Target = Base;

    fn deref(&self) -> &Base {
        &self.inner.base
    }
}
