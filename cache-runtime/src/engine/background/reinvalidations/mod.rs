//! Invalidations that are made again when it is certain that nothing more is committed.
//!
//! An error of a write can hide a commit that is still in progress. The database takes less time
//! than a fence lasts to end the transaction of a client that is gone. What was loaded before that
//! may be outdated, so the entries of the write are invalidated again after it.
//!
//! A cache has one list of these, which is bounded, and one task that works it off. Writes that
//! fail together share their places, since the times are rounded up. A caller that finds no place
//! leaves a fence up instead, which ends by itself.
//!
//! Entries behind such a fence are listed too, in case it is lost: it may be evicted, or deleted by
//! hand. They may take half of the places.

mod list;
mod task;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use self::list::{Listed, State};
use self::task::Task;
use crate::engine::Core;
use crate::engine::journal::Invalidation;
use crate::record::token::Token;
use crate::store::{Begin, Name};
use crate::support::log;

/// How many entries are listed at most.
const CAPACITY: usize = 16_384;
/// How many keys are sent at once.
const PIECE: usize = 256;
/// Later than anything happens, where the sum of a time and a span is more than the clock can say.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);
/// Times are rounded up to this part of a fence's length.
const STEPS: u32 = 8;

/// The entries to be invalidated again.
#[derive(Debug, Default)]
pub(crate) struct Reinvalidations {
    state: Mutex<State>,
    /// What comes next has changed.
    changed: Notify,
    /// Nothing is left.
    drained: Notify,
}

impl Reinvalidations {
    /// When the fence that goes up now ends.
    pub(crate) fn due(cache: &Core) -> Instant {
        let now = Instant::now();
        now.checked_add(cache.settings().fence).unwrap_or_else(|| now + FAR)
    }

    /// Invalidates keys again when a fence would have ended. Returns those for which there is no
    /// place.
    pub(crate) fn add_keys(
        cache: &Core,
        keys: impl IntoIterator<Item = String>,
        hold_off: Duration,
    ) -> Vec<String> {
        let refused = Self::add(cache, keys.into_iter().map(Invalidation::Key), hold_off);
        refused
            .into_iter()
            .map(|(Invalidation::Key(text) | Invalidation::Pattern(text))| text)
            .collect()
    }

    /// The same for patterns. Those for which there is no place are not invalidated again: no fence
    /// can stand for them.
    pub(crate) fn add_patterns(
        cache: &Core,
        patterns: impl IntoIterator<Item = String>,
        hold_off: Duration,
    ) {
        Self::add(cache, patterns.into_iter().map(Invalidation::Pattern), hold_off);
    }

    fn add(
        cache: &Core,
        entries: impl IntoIterator<Item = Invalidation>,
        hold_off: Duration,
    ) -> Vec<Invalidation> {
        let this = cache.background().reinvalidations();
        let mut refused = Vec::new();
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_none() {
            return refused;
        }
        let mut state = this.state();
        let due = state.rounded_up(Self::due(cache), cache.settings().fence / STEPS);
        for entry in entries {
            refused.extend(state.list(entry, due, hold_off, CAPACITY));
        }
        if !refused.is_empty() && !std::mem::replace(&mut state.announced, true) {
            log::warn(format_args!(
                "{CAPACITY} entries of failed writes wait for their second invalidation, as many \
                 as may: those of further ones stay uncached until their fences expire, and \
                 patterns are not invalidated again"
            ));
        }
        drop(state);
        Self::start(cache);
        refused
    }

    /// Invalidates keys behind a fence again when that ends, in case it is lost, if there is a
    /// place.
    pub(crate) fn insure(
        cache: &Core,
        keys: impl IntoIterator<Item = String>,
        due: Instant,
        hold_off: Duration,
    ) {
        let mut state = cache.background().reinvalidations().state();
        for key in keys {
            // The fence is what counts.
            _ = state.list(Invalidation::Key(key), due, hold_off, CAPACITY / 2);
        }
        drop(state);
        Self::start(cache);
    }

    /// How many are left.
    pub(crate) fn length(&self) -> usize {
        self.state().length
    }

    /// Waits until nothing is left to be invalidated again.
    pub(in crate::engine) async fn drained(&self) {
        loop {
            let drained = self.drained.notified();
            if self.length() == 0 {
                return;
            }
            drained.await;
        }
    }

    /// Makes sure that a task is at it, and that it knows what comes next: the runtime of the
    /// previous one may be gone.
    fn start(cache: &Core) {
        let this = cache.background().reinvalidations();
        let mut state = this.state();
        let idle = state.length > 0 && !std::mem::replace(&mut state.running, true);
        drop(state);
        if idle {
            crate::engine::background::spawn(Task::new(cache.clone()).run());
        } else {
            this.changed.notify_one();
        }
    }

    /// Puts fences for the rest of the time in the place of later invalidations of keys, so that
    /// the program may end. What is not acknowledged stays listed.
    pub(in crate::engine) async fn hand_over(cache: &Core) {
        let (Some(store), this) = (cache.store(), cache.background().reinvalidations()) else {
            return;
        };
        Self::start(cache);
        let listed = this.state().keys();
        for piece in listed.chunks(PIECE) {
            let names: Vec<_> = piece.iter().map(|key| Name::new(&key.text)).collect();
            cache.flights().forget(&names);
            let now = Instant::now();
            let rest =
                |key: &Listed| key.due.saturating_duration_since(now).saturating_add(key.hold_off);
            let span = piece.iter().map(rest).max().unwrap_or_default();
            let by = cache.budget().deadline();
            let begin = Begin { writer: Token::random(), fence: span };
            let replies = store.send_each(&names, begin, by).await;
            let mut state = this.state();
            for (key, _) in piece.iter().zip(&replies).filter(|(_, reply)| **reply == Ok(true)) {
                state.remove(key);
            }
        }
        this.changed.notify_one();
        this.tell_if_drained();
    }

    fn tell_if_drained(&self) {
        if self.length() == 0 {
            self.drained.notify_waiters();
        }
    }

    /// No code that may panic runs under this lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
