//! What this process has under way to one partition, so that an item that is sent twice is stored
//! once.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Numbers the pushes of this process into one partition.
#[derive(Debug, Default)]
pub(in crate::queue) struct Producer(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    under_way: BTreeSet<u64>,
    /// Those that nobody waits for any more, although they may still be stored, where an older one
    /// is under way.
    given_up: BTreeSet<u64>,
}

/// The number of one push, until its outcome is known or nobody cares any more. What the server
/// executes of it later is without effect, once a push that began later has told it so.
#[derive(Debug)]
pub(in crate::queue) struct Ticket<'a> {
    producer: &'a Producer,
    pub(in crate::queue) number: u64,
    is_settled: bool,
}

/// What a push says to the server of the other pushes of this process.
#[derive(Debug)]
pub(in crate::queue) struct Others {
    /// The lowest number under way: those below it are not to be stored any more.
    pub(in crate::queue) oldest: u64,
    /// Nor are these above it.
    pub(in crate::queue) given_up: Vec<u64>,
}

impl Producer {
    pub(in crate::queue) fn ticket(&self) -> Ticket<'_> {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.under_way.insert(number);
        Ticket { producer: self, number, is_settled: false }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket<'_> {
    /// The other pushes, as they are now.
    pub(in crate::queue) fn others(&self) -> Others {
        let state = self.producer.lock();
        Others {
            oldest: state.under_way.first().copied().unwrap_or(self.number),
            given_up: state.given_up.iter().copied().collect(),
        }
    }

    /// Nothing more can come of it.
    pub(in crate::queue) fn settle(mut self) {
        self.is_settled = true;
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.producer.lock();
        state.under_way.remove(&self.number);
        if !self.is_settled {
            state.given_up.insert(self.number);
        }
        // Nothing below the lowest number needs to be sent.
        match state.under_way.first().copied() {
            Some(oldest) => state.given_up = state.given_up.split_off(&oldest),
            None => state.given_up.clear(),
        }
    }
}
