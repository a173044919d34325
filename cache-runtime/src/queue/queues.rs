//! The queues of one cache, each found or made by its name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::Core;
use crate::metrics::QueueStats;
use crate::policy::QueueSite;
use crate::queue::partitions::Partitions;
use crate::queue::shared::QueueState;

/// The queues of one cache, by name.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<HashMap<&'static str, Arc<QueueState>>>);

impl Queues {
    /// Those of a cache.
    pub(crate) fn of_cache(cache: &Core) -> &Self {
        cache.attached()
    }

    /// The queue of this name, as that of an attribute.
    fn named(cache: &Core, queue: &'static str, site: &'static QueueSite) -> Arc<QueueState> {
        let shared = || Arc::new(QueueState::new(cache, queue, site));
        Arc::clone(Self::of_cache(cache).lock().entry(queue).or_insert_with(shared))
    }

    /// What all came to that were used.
    pub(crate) fn stats(&self, cache: &Core) -> Vec<QueueStats> {
        let snapshot = |shared: Arc<QueueState>| {
            let log = Partitions { cache: cache.clone(), shared };
            if cache.store().is_some() {
                log.look_for_stats();
            }
            let QueueState { queue, site, counters, gauge, .. } = &*log.shared;
            counters.snapshot(queue, site.callsite.name(), gauge.snapshot())
        };
        self.all().into_iter().map(snapshot).collect()
    }

    /// All that were used, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Arc<QueueState>> {
        let mut queues: Vec<_> = self.lock().values().cloned().collect();
        queues.sort_unstable_by_key(|shared| shared.queue);
        queues
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Arc<QueueState>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    /// What all handles of a queue share.
    pub(crate) fn of(cache: &Core, site: &'static QueueSite) -> Arc<Self> {
        cache.announce();
        let shared = Queues::named(cache, site.name, site);
        shared.used_by(site, cache);
        shared
    }

    /// What all handles of a queue share that an attribute's had been before it was renamed.
    pub(crate) fn former(cache: &Core, queue: &'static str, site: &'static QueueSite) -> Arc<Self> {
        Queues::named(cache, queue, site)
    }
}
