//! A cache over either store, and workers at work.

use cache_fixtures::patient;
pub use cache_fixtures::running::{Running, settled};
use cache_fixtures::stores::{OnStore, Store};
use cache_runtime::Cache;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    pub page: String,
    pub count: u64,
}

impl View {
    pub fn of(page: &str) -> Self {
        Self { page: page.to_owned(), count: 1 }
    }

    /// Two views of one page as one.
    pub fn add(&mut self, newer: &Self) {
        self.count += newer.count;
    }
}

/// A store, and a cache over it.
#[derive(Debug)]
pub struct Fixture {
    pub cache: Cache,
    _store: Store,
}

impl OnStore for Fixture {
    fn on(store: Store) -> Self {
        Self { cache: store.connect(patient().namespace("fixture")), _store: store }
    }

    /// In the scope of the cache.
    async fn run(self, test: impl AsyncFnOnce(Self)) {
        self.cache.clone().scope(test(self)).await;
    }
}
