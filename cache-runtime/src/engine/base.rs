//! What every part of a cache needs: its store, its settings, its counters and its flights.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::Semaphore;

use crate::engine::clash;
use crate::engine::flight::Flights;
use crate::engine::misses::LatestMisses;
use crate::engine::settings::Settings;
use crate::engine::tags::guesses::Guesses;
use crate::error::Cause;
use crate::error::{Error, ErrorKind};
use crate::metrics::Recorder;
use crate::store::Store;
use crate::store::redis::RedisStore;
use crate::support::budget::Budget;
use crate::support::log;

/// The ground floor of a cache. It knows nothing of journals, background work and queues, which all
/// stand on it.
#[derive(Debug)]
pub(crate) struct Base {
    /// Without one, nothing is cached.
    store: Option<Store>,
    settings: Settings,
    flights: Arc<Flights>,
    guesses: Guesses,
    misses: LatestMisses,
    recorder: Recorder,
    /// Limits the concurrent loads of all functions.
    places: Option<Arc<Semaphore>>,
    /// Whether the log says what is used.
    announced: AtomicBool,
}

impl Base {
    pub(crate) fn new(store: Option<Store>, settings: Settings) -> Arc<Self> {
        let places = settings.max_concurrent_loads.map(|places| Arc::new(Semaphore::new(places)));
        Arc::new_cyclic(|base: &Weak<Self>| {
            let base = base.clone();
            let on_new = move |function, others: &[_]| {
                if let Some(base) = base.upgrade() {
                    base.announce();
                    clash::examine(&base, function, others);
                }
            };
            let observer = settings.observer.clone();
            let measures = settings.histograms;
            Self {
                store,
                settings,
                flights: Arc::new(Flights::new()),
                guesses: Guesses::new(),
                misses: LatestMisses::new(),
                recorder: Recorder::new(on_new, measures, observer),
                places,
                announced: AtomicBool::new(false),
            }
        })
    }

    pub(crate) fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    fn redis(&self) -> Option<&RedisStore> {
        self.store.as_ref().and_then(Store::redis).map(|store| &**store)
    }

    /// Whether entries live in a server that may fail over.
    pub(crate) fn is_remote(&self) -> bool {
        self.redis().is_some()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn flights(&self) -> &Arc<Flights> {
        &self.flights
    }

    pub(crate) fn guesses(&self) -> &Guesses {
        &self.guesses
    }

    pub(crate) fn misses(&self) -> &LatestMisses {
        &self.misses
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    pub(crate) fn places(&self) -> Option<&Arc<Semaphore>> {
        self.places.as_ref()
    }

    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.settings.budget)
    }

    /// The glob that matches every key of this namespace.
    pub(crate) fn everything(&self) -> String {
        self.settings.namespace.everything()
    }

    /// A key's text with the namespace in front.
    pub(crate) fn full_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.settings.namespace.key(text)
    }

    /// The same of a text that is no longer needed.
    pub(crate) fn full_text_of(&self, text: String) -> String {
        match self.full_text(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(full) => full,
        }
    }

    /// A pattern with the namespace in front.
    pub(crate) fn full_pattern<'a>(&self, pattern: &'a str) -> Cow<'a, str> {
        self.settings.namespace.pattern(pattern)
    }

    /// Says in the log what is used, the first time.
    pub(crate) fn announce(&self) {
        // Read first: nobody writes any more after the first time.
        if self.announced.load(Ordering::Relaxed) || self.announced.swap(true, Ordering::Relaxed) {
            return;
        }
        let namespace = match self.settings.namespace.prefix() {
            "" => "without a namespace".to_owned(),
            prefix => format!("with keys that begin with `{prefix}`"),
        };
        match (&self.store, self.redis()) {
            (_, Some(store)) => {
                log::info(format_args!("the cache uses {} {namespace}", store.address()));
            }
            (None, _) => log::info(format_args!("the cache is disabled: nothing is cached")),
            (Some(_), None) => {
                let capacity = self.settings.capacity;
                log::info(format_args!(
                    "the cache uses the memory of this process, at most {capacity} bytes, \
                        {namespace}"
                ));
            }
        }
    }

    /// The latest thing that was the matter with the store.
    pub(crate) fn latest_cause(&self) -> Option<Cause> {
        self.redis()?.last_failure().map(|failure| failure.cause)
    }

    /// An error of the store, with the reason why it cannot be reached.
    pub(crate) fn explained(&self, error: impl Into<Error>) -> Error {
        let error = error.into();
        let is_unexplained = error.kind() == ErrorKind::Unavailable && error.cause().is_none();
        match self.redis() {
            Some(store) if is_unexplained => store.cause().map_or(error, Error::unreachable),
            _ => error,
        }
    }
}
