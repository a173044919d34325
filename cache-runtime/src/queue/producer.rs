//! What this process has under way to one partition, so that an item that is sent twice is stored once.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Numbers the pushes of this process into one partition.
#[derive(Debug, Default)]
pub(super) struct Producer(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    under_way: BTreeSet<u64>,
}

/// The number of one push, until its outcome is known or nobody cares any more. What the server executes of it later is
/// without effect, once another push has told it so.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    producer: &'a Producer,
    pub(super) number: u64,
}

impl Producer {
    pub(super) fn ticket(&self) -> Ticket<'_> {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.under_way.insert(number);
        Ticket { producer: self, number }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket<'_> {
    /// The lowest number under way.
    pub(super) fn oldest(&self) -> u64 {
        self.producer.lock().under_way.first().copied().unwrap_or(self.number)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.producer.lock().under_way.remove(&self.number);
    }
}
