//! The operations that go through all keys.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::embedded::Embedded;
use crate::store::memory::MemoryStore;
use crate::store::protocol::request::Effect;
use crate::store::redis::Sweep;
use crate::store::{Digests, Place, Store, StoreResult, work_far};
use crate::support::budget::Deadline;

/// How long one step of a sweep may take. The whole takes as long as there are keys.
pub(in crate::store) const STEP: Duration = Duration::from_secs(1);

impl Store {
    /// Invalidates all keys that match a glob, and returns how many there were. On a server, an
    /// attempt that fails leaves in `sweep` how far it has come, and the next goes on there.
    pub(crate) async fn invalidate_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
        sweep: &Sweep,
        by: Deadline,
    ) -> StoreResult<u64> {
        match &self.place {
            Place::Redis(store) => store.invalidate_matching(pattern, hold_off, sweep, by).await,
            Place::Embedded(store) => {
                let pattern = pattern.to_owned();
                let work = move |store: &MemoryStore| store.invalidate_matching(&pattern, hold_off);
                sweep_embedded(&**store, by, work).await
            }
        }
    }

    /// Invalidates all keys of a set, which are looked for among those that match a glob, and
    /// returns how many there were.
    pub(crate) async fn invalidate_listed(
        &self,
        keys: &Digests,
        among: &str,
        hold_off: Duration,
        sweep: &Sweep,
        by: Deadline,
    ) -> StoreResult<u64> {
        match &self.place {
            Place::Redis(store) => store.invalidate_listed(keys, among, hold_off, sweep, by).await,
            Place::Embedded(store) => {
                let (keys, among) = (keys.clone(), among.to_owned());
                let work =
                    move |store: &MemoryStore| store.invalidate_listed(&keys, &among, hold_off);
                sweep_embedded(&**store, by, work).await
            }
        }
    }
}

async fn sweep_embedded(
    store: &dyn Embedded,
    by: Deadline,
    work: impl FnOnce(&MemoryStore) -> u64 + Send + 'static,
) -> StoreResult<u64> {
    if let Some(store) = store.here() {
        return Ok(work(store));
    }
    store.hasten();
    // One that is not answered ends with its first step.
    work_far(store, Effect::Writes, by.min(Instant::now() + STEP), work).await
}
