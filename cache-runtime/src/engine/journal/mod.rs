//! Invalidations that the store has not acknowledged.
//!
//! A write is never delayed or failed because its invalidation could not be delivered. What was not
//! acknowledged is kept here and sent again until it is, oldest first, and after everything else if
//! it was refused. Until then this process bypasses the cache for those keys and neither reads nor
//! fills them: it never returns what it knows to be outdated. Other processes are kept from the old
//! value by the write's fence if that was acknowledged, and else by the entry's time to live.
//!
//! An acknowledged invalidation can still be lost, because a failover may promote a replica that
//! had not received it. So recently acknowledged invalidations are remembered, and sent again when
//! another primary answers.
//!
//! The journal is bounded. Of the keys that do not fit, [`Digests`] are kept: enough to bypass
//! these keys, and to tell which of the server's keys are to be removed when it can be asked for
//! them. So an overflow costs a scan of the server, and leaves alone what was not invalidated:
//! other entries of the same functions as well as those of other programs in a server that is
//! shared without a namespace. Of a million such entries, a few are taken for one of those that
//! were invalidated, and become misses.

mod delivery;
mod invalidation;
mod recent;
mod state;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use self::delivery::Delivery;
pub(crate) use self::invalidation::Invalidation;
use self::state::State;
use crate::engine::{Base, background};
#[cfg(doc)]
use crate::store::Digests;
use crate::store::{Failover, Name, namespace};

/// The invalidations still to be delivered.
#[derive(Debug)]
pub(crate) struct Journal {
    base: Arc<Base>,
    state: Mutex<State>,
    /// The number of entries. A hit need not look further if it is 0.
    depth: AtomicUsize,
    drained: Notify,
}

impl Journal {
    pub(crate) fn new(base: Arc<Base>) -> Arc<Self> {
        let (state, depth, drained) = (Mutex::default(), AtomicUsize::new(0), Notify::new());
        Arc::new(Self { base, state, depth, drained })
    }

    /// How many invalidations are still to be delivered.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Acquire)
    }

    /// How long the oldest has not been delivered; zero if there is none.
    pub(crate) fn age(&self) -> Duration {
        if self.depth() == 0 { Duration::ZERO } else { self.state().age() }
    }

    /// Keys that servers have looked at for patterns which are still to be delivered, more or less,
    /// and keys of these that were removed.
    pub(crate) fn swept(&self) -> (u64, u64) {
        if self.depth() == 0 { (0, 0) } else { self.state().swept() }
    }

    /// Whether an entry may be outdated in the store.
    pub(crate) fn covers(self: &Arc<Self>, text: &str) -> bool {
        if self.depth() == 0 {
            return false;
        }
        let state = self.state();
        let covers = state.overflow.contains(text)
            || state.places.contains_key(&Invalidation::Key(text.to_owned()))
            || state.patterns().any(|pattern| namespace::matches(pattern, text));
        drop(state);
        if covers {
            self.deliver();
        }
        covers
    }

    /// Adds invalidations, and makes sure that they are delivered.
    pub(crate) fn add(
        self: &Arc<Self>,
        entries: impl IntoIterator<Item = Invalidation>,
        hold_off: Duration,
    ) {
        let entries: Vec<Invalidation> = entries.into_iter().collect();
        if entries.is_empty() {
            return;
        }
        let mut state = self.state();
        state.hold_off = state.hold_off.max(hold_off);
        for entry in &entries {
            state.add(entry.clone());
        }
        self.depth.store(state.depth(), Ordering::Release);
        drop(state);
        // A flight that began after the command was sent may have checked the journal too early,
        // and find an outdated value.
        for entry in &entries {
            match entry {
                Invalidation::Key(key) => self.base.flights().forget(&[Name::new(key)]),
                Invalidation::Pattern(_) => self.base.flights().forget_all(),
            }
        }
        self.deliver();
    }

    /// Makes sure that a task is delivering the entries: the runtime of the previous one may be
    /// gone.
    pub(crate) fn deliver(self: &Arc<Self>) {
        if self.depth() == 0 {
            return;
        }
        let mut state = self.state();
        let idle = state.depth() > 0 && !std::mem::replace(&mut state.delivering, true);
        drop(state);
        if idle {
            let delivery = Delivery::new(Arc::clone(self));
            background::spawn(delivery.run());
        }
    }

    /// Remembers invalidations that the current primary has acknowledged.
    pub(crate) fn acknowledged(&self, entries: impl IntoIterator<Item = Invalidation>) {
        if self.may_replay() {
            self.state().recent.extend(entries);
        }
    }

    fn may_replay(&self) -> bool {
        self.base.settings().failover == Failover::Replay && self.base.is_remote()
    }

    /// Another primary answers, which may not know what the former one had acknowledged: sends that
    /// again.
    pub(crate) fn replay(self: &Arc<Self>) {
        let recent = std::mem::take(&mut self.state().recent);
        let (entries, digests) = recent.at_risk();
        if !digests.is_empty() {
            // More than were remembered as they are.
            let mut state = self.state();
            state.add_digests(digests);
            self.depth.store(state.depth(), Ordering::Release);
            drop(state);
            self.base.flights().forget_all();
            self.deliver();
        }
        self.add(entries, Duration::ZERO);
    }

    /// Waits until nothing is left.
    pub(crate) async fn drained(&self) {
        loop {
            let drained = self.drained.notified();
            if self.depth() == 0 {
                return;
            }
            drained.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
