//! How far a sweep has come.
//!
//! A cursor of `SCAN` holds no state in the server: whoever shows it again, at any time and on any
//! connection, goes on where it was, and has in the end seen every key that was there all the time.
//! But it is only the server that gave it that knows what it means. So cursors are kept by the
//! identity of the primary, which changes with its process and with its role.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::Origin;
use crate::store::redis::topology::cluster::Layout;

/// How far a sweep over the keys of all servers has come, from attempt to attempt.
#[derive(Debug, Default)]
pub(crate) struct Sweep(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Which primary had which keys when it began, as far as they said so.
    before: Option<Layout>,
    /// By primary: where to go on; none where it is through.
    cursors: HashMap<[u8; 8], Option<u64>>,
    looked: u64,
    removed: u64,
}

impl Sweep {
    /// Keys that servers have looked at, more or less.
    pub(crate) fn looked(&self) -> u64 {
        self.lock().looked
    }

    /// Keys that were removed.
    pub(crate) fn removed(&self) -> u64 {
        self.lock().removed
    }

    /// Where the keys were when it began.
    pub(super) fn before(&self) -> Option<Layout> {
        self.lock().before.clone()
    }

    /// It begins, with its keys there; or from the beginning, because they may have moved.
    pub(super) fn begin(&self, before: Option<Layout>) {
        let mut state = self.lock();
        state.before = before;
        state.cursors.clear();
    }

    /// Where to go on with a primary; none where it is through.
    pub(super) fn cursor(&self, of: Origin) -> Option<u64> {
        self.lock().cursors.get(&of.0).copied().unwrap_or(Some(0))
    }

    /// A step is over: `looked` keys of a primary were looked at, and `removed` of them removed.
    pub(crate) fn note(&self, of: Origin, cursor: u64, looked: u64, removed: u64) {
        let mut state = self.lock();
        state.looked += looked;
        state.removed += removed;
        // A server that does not say who it is may be another one next time.
        if of != Origin::default() {
            state.cursors.insert(of.0, (cursor != 0).then_some(cursor));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
