//! The background task that empties the journal.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;

use super::state::Batch;
use super::{Entry, Journal};
use crate::budget::Budget;
use crate::cache::Cache;
use crate::log;
use crate::store::{Name, Store};
use crate::token::random_fraction;
use crate::write::PATTERN_LIMIT;

/// Shortest and longest pause between attempts to deliver.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// The background task that empties the journal.
pub(super) struct Delivery {
    cache: Cache,
    /// Whether the log says that invalidations are waiting.
    announced: bool,
    retired: bool,
}

impl Delivery {
    pub(super) fn new(cache: Cache) -> Self {
        Self { cache, announced: false, retired: false }
    }

    pub(super) async fn run(mut self) {
        let cache = self.cache.clone();
        let Some(store) = cache.store() else { return };
        let mut pause = PAUSE.0;
        loop {
            let batch = self.journal().state().oldest();
            let progress = match batch {
                Batch::Nothing => {
                    if self.retire() {
                        return;
                    }
                    true
                }
                Batch::Keys(keys) => self.send_keys(store, &keys).await,
                Batch::Pattern(place, pattern) => self.send_pattern(store, place, &pattern).await,
                Batch::Everything(place) => {
                    self.send_pattern(store, place, &self.cache.everything()).await
                }
            };
            if progress {
                pause = PAUSE.0;
            } else {
                self.announce();
                // Retries as soon as the store is back, even before the pause is over.
                let longest = pause.mul_f64(0.5 + random_fraction() / 2.0);
                _ = timeout(longest, store.changed()).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }

    /// Whether any was acknowledged.
    async fn send_keys(&self, store: &Store, keys: &[(u64, String)]) -> bool {
        let names: Vec<_> = keys.iter().map(|(_, key)| Name::new(key)).collect();
        self.cache.flights().forget(&names);
        let (hold_off, by) = (self.journal().state().hold_off, self.cache.budget().deadline());
        let replies = store.invalidate(&names, hold_off, by).await;
        let acknowledged = keys.iter().zip(&replies).filter(|(_, reply)| reply.is_ok());
        Journal::acknowledged(
            &self.cache,
            acknowledged.map(|((_, key), _)| Entry::Key(key.clone())),
        );
        self.settle(keys.iter().zip(&replies).map(|((place, _), reply)| (*place, reply.is_ok())))
    }

    async fn send_pattern(&self, store: &Store, place: u64, pattern: &str) -> bool {
        self.cache.flights().forget_all();
        let by = Budget::new(PATTERN_LIMIT).deadline();
        let hold_off = self.journal().state().hold_off;
        let reply = store.invalidate_matching(pattern, hold_off, by).await;
        self.settle([(place, reply.is_ok())])
    }

    /// Removes what was acknowledged, and moves what was not to the end: in a cluster, only one node may fail to
    /// answer. Returns whether any was acknowledged.
    fn settle(&self, outcomes: impl IntoIterator<Item = (u64, bool)>) -> bool {
        let mut state = self.journal().state();
        let mut any = false;
        for (place, acknowledged) in outcomes {
            if !acknowledged {
                state.postpone(place);
                continue;
            }
            any = true;
            if state.overflown == Some(place) {
                state.overflown = None;
            }
            state.remove(place);
        }
        self.journal().depth.store(state.depth(), Ordering::Release);
        any
    }

    /// Invalidations delivered at the first attempt are not logged: on a server that refuses fences, that is every
    /// write.
    fn announce(&mut self) {
        if !std::mem::replace(&mut self.announced, true) {
            log::warn(format_args!(
                "invalidations cannot be delivered for now: their entries bypass the cache until they are"
            ));
        }
    }

    /// Ends the delivery if there is still nothing to deliver.
    fn retire(&mut self) -> bool {
        {
            let mut state = self.journal().state();
            if state.depth() > 0 {
                return false;
            }
            state.delivering = false;
            state.hold_off = Duration::ZERO;
        }
        self.retired = true;
        if self.announced {
            log::info(format_args!("all invalidations have been delivered"));
        }
        self.journal().drained.notify_waiters();
        true
    }

    fn journal(&self) -> &Journal {
        self.cache.journal()
    }
}

impl Drop for Delivery {
    /// The runtime may end before the delivery does. The next read or write that needs it starts another one.
    fn drop(&mut self) {
        if !self.retired {
            self.journal().state().delivering = false;
        }
    }
}
