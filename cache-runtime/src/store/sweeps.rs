//! The operations that go through all keys.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::embedded::{BoxFuture, Embedded};
use crate::store::memory::MemoryStore;
use crate::store::protocol::request::Effect;
use crate::store::redis::Sweep;
use crate::store::{Digests, Inspect, Inspected, Place, Store, StoreResult, work_far};
use crate::support::budget::Deadline;

/// How long one step of a sweep may take. The whole takes as long as there are keys.
pub(in crate::store) const STEP: Duration = Duration::from_secs(1);

/// The same of a look at all keys, for which nobody's request waits.
pub(in crate::store) const LOOK: Duration = Duration::from_secs(5);

/// What was found in one step of a look at all keys.
#[derive(Debug)]
pub(crate) struct Visited {
    /// The keys that match, and what they hold.
    pub(crate) keys: Vec<(String, Inspected)>,
    /// The time of the server that has them.
    pub(crate) now_ms: u64,
    /// Keys that servers have looked at so far, more or less,
    pub(crate) looked: u64,
    /// and how many there are, if the servers say so.
    pub(crate) of: Option<u64>,
}

/// Is told of each step, and says when the next may begin.
pub(crate) type Visit<'a> = dyn FnMut(Visited) -> BoxFuture<'static, ()> + Send + 'a;

impl Store {
    /// Looks at all keys that match a glob, step by step, for as long as that takes.
    pub(crate) async fn visit(
        &self,
        pattern: &str,
        request: Inspect,
        visit: &mut Visit<'_>,
    ) -> StoreResult<()> {
        match &self.place {
            Place::Redis(store) => store.visit(pattern, request, visit).await,
            Place::Embedded(store) => {
                let pattern = pattern.to_owned();
                let work = move |store: &MemoryStore| {
                    let keys = store.inspect_matching(&pattern, request);
                    let (looked, now_ms) = (keys.len() as u64, store.millis(Instant::now()));
                    Visited { keys, now_ms, looked, of: Some(looked) }
                };
                let by = Instant::now() + LOOK;
                let visited = match store.here() {
                    Some(store) => work(store),
                    None => work_far(&**store, Effect::Reads, by, work).await?,
                };
                visit(visited).await;
                Ok(())
            }
        }
    }

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
