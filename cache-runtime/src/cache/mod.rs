//! The cache handle: where entries live, and which cache a function uses.

// First, since the documentation begins with the methods of the first module.
mod making;

mod ambient;
mod attributes;
mod builder;
pub(crate) mod call;
mod get;
mod health;
mod invalidate;
#[cfg(feature = "tower")]
pub(crate) mod layer;
mod load;
mod many;
#[cfg(feature = "opentelemetry")]
mod observe;
#[cfg(feature = "prometheus-client")]
pub(crate) mod prometheus;
mod put;
mod queues;
mod shutdown;
mod transactions;

pub use crate::engine::CacheBuilder;
use crate::engine::Core;
use crate::metrics::Stats;
use crate::queue::Queues;
use crate::store::Store;

/// A handle to a cache. Cheap to clone; all clones are the same cache.
///
/// An annotated function uses the cache that it names (`cache = …`), else that of the current task
/// ([`scope`](Self::scope)), else the installed one ([`install`](Self::install)), else one in this
/// process's memory, about which the log warns, with the name of the function. The guide
/// [`tests_and_servers`](mod@crate::guide::tests_and_servers) says what that means in servers and
/// tests.
///
/// To access entries by hand, use the [`Key`](crate::Key)s of functions with [`get`](Self::get),
/// [`put`](Self::put) and [`invalidate`](Self::invalidate). Unlike annotated functions, these
/// methods return errors of the store. [`get_or_load`](Self::get_or_load) does what a cached
/// function does, for a key that no function has.
#[derive(Clone, Debug)]
pub struct Cache {
    core: Core,
}

impl Cache {
    /// The counters so far, per function and per queue: what this handle and its clones did, in
    /// this process.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (breaker, connections, last_failure) = match self.core.store().and_then(Store::redis) {
            Some(store) => {
                let now = store.snapshot();
                (Some(now.phase), now.epoch, store.last_failure())
            }
            None => (None, 0, None),
        };
        let (functions, journal_depth) =
            (self.core.recorder().functions(), self.core.journal().depth());
        let queues = Queues::of_cache(&self.core).stats(&self.core);
        let (journal_keys_looked_at, journal_keys_removed) = self.core.journal().swept();
        let servers = self.core.store().and_then(Store::redis).map(|store| store.servers());
        Stats {
            functions,
            queues,
            journal_depth,
            journal_keys_looked_at,
            journal_keys_removed,
            journal_age: self.core.journal().age(),
            invalidation_delay: self.core.recorder().invalidation_delay(),
            background_refreshes: self.core.background().refreshing(),
            embedded: self.core.store().and_then(Store::embedded_stats),
            servers: servers.unwrap_or_default(),
            breaker,
            connections,
            last_failure,
        }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

impl From<Core> for Cache {
    fn from(core: Core) -> Self {
        Self { core }
    }
}

impl AsRef<Self> for Cache {
    fn as_ref(&self) -> &Self {
        self
    }
}
