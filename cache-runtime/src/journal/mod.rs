//! Invalidations that the store has not acknowledged.
//!
//! A write is never delayed or failed because its invalidation could not be delivered. What was not acknowledged is
//! kept here and sent again until it is, oldest first, and after everything else if it was refused. Until then this
//! process bypasses the cache for those keys and neither reads nor fills them: it never returns what it knows to be
//! outdated. Other processes are kept from the old value by the write's fence if that was acknowledged, and else by
//! the entry's time to live.
//!
//! An acknowledged invalidation can still be lost, because a failover may promote a replica that had not received it.
//! So recently acknowledged invalidations are remembered, and sent again when another primary answers.
//!
//! The journal is bounded. When it overflows, the process bypasses the cache for everything, until an invalidation of
//! the whole namespace has been acknowledged.

mod delivery;
mod state;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use self::delivery::Delivery;
pub(crate) use self::state::Entry;
use self::state::State;
use crate::background;
use crate::cache::{Cache, Failover, Inner};
use crate::store::{Name, glob};

/// The invalidations still to be delivered.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Whose journal it is.
    owner: Weak<Inner>,
    state: Mutex<State>,
    /// The number of entries. A hit need not look further if it is 0.
    depth: AtomicUsize,
    drained: Notify,
}

impl Journal {
    pub(crate) fn new(owner: Weak<Inner>) -> Self {
        Self { owner, state: Mutex::default(), depth: AtomicUsize::new(0), drained: Notify::new() }
    }

    /// How many invalidations are still to be delivered; an overflow counts as one.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Acquire)
    }

    /// Whether an entry may be outdated in the store.
    pub(crate) fn covers(&self, text: &str) -> bool {
        if self.depth() == 0 {
            return false;
        }
        let state = self.state();
        let matches = |entry: &Entry| match entry {
            Entry::Key(_) => false,
            Entry::Pattern(glob) => glob::matches(glob.as_bytes(), text.as_bytes()),
        };
        let covers = state.overflown.is_some()
            || state.places.contains_key(&Entry::Key(text.to_owned()))
            || (state.patterns > 0 && state.places.keys().any(matches));
        drop(state);
        if covers && let Some(owner) = Cache::of(&self.owner) {
            Self::deliver(&owner);
        }
        covers
    }

    /// Adds invalidations, and makes sure that they are delivered.
    pub(crate) fn add(cache: &Cache, entries: impl IntoIterator<Item = Entry>, hold_off: Duration) {
        let entries: Vec<Entry> = entries.into_iter().collect();
        if entries.is_empty() {
            return;
        }
        let journal = cache.journal();
        let mut state = journal.state();
        state.hold_off = state.hold_off.max(hold_off);
        for entry in &entries {
            state.add(entry.clone());
        }
        journal.depth.store(state.depth(), Ordering::Release);
        drop(state);
        // A flight that began after the command was sent may have checked the journal too early, and find an outdated
        // value.
        for entry in &entries {
            match entry {
                Entry::Key(key) => cache.flights().forget(&[Name::new(key)]),
                Entry::Pattern(_) => cache.flights().forget_all(),
            }
        }
        Self::deliver(cache);
    }

    /// Makes sure that a task is delivering the entries: the runtime of the previous one may be gone.
    pub(crate) fn deliver(cache: &Cache) {
        let journal = cache.journal();
        if journal.depth() == 0 {
            return;
        }
        let mut state = journal.state();
        let idle = state.depth() > 0 && !std::mem::replace(&mut state.delivering, true);
        drop(state);
        if idle {
            let delivery = Delivery::new(cache.clone());
            background::spawn(delivery.run());
        }
    }

    /// Remembers invalidations that the current primary has acknowledged.
    pub(crate) fn acknowledged(cache: &Cache, entries: impl IntoIterator<Item = Entry>) {
        if cache.settings().failover == Failover::Replay && cache.is_remote() {
            cache.journal().state().recent.extend(entries);
        }
    }

    /// Another primary answers, which may not know what the former one had acknowledged: sends that again.
    pub(crate) fn replay(cache: &Cache) {
        let recent = std::mem::take(&mut cache.journal().state().recent);
        let (entries, complete) = recent.at_risk();
        if !complete {
            // More than were remembered individually.
            Self::add(cache, [Entry::Pattern(cache.everything())], Duration::ZERO);
        }
        Self::add(cache, entries, Duration::ZERO);
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
