//! What the log is told of the sink of a queue: one line for each change, however many partitions
//! and items are concerned.
//!
//! While a few items of a batch are at fault, the sink refuses and takes parts of it in turn. So it
//! fails from its first refusal until a whole batch of each partition in which it has failed is
//! taken. Items that it never takes are told of when the first becomes a dead letter, and as a
//! number when it takes items again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::queue::Position;
use crate::support::log;

/// What the log has said of one queue in this process.
#[derive(Debug, Default)]
pub(in crate::queue) struct Report(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Partitions in which the sink has failed, and whether an item of the present batch became a
    /// dead letter.
    failing: BTreeMap<u32, bool>,
    /// The sink was said to fail.
    is_told: bool,
    /// Dead letters since then.
    dead: u64,
}

impl Report {
    pub(in crate::queue) fn refused(&self, queue: &str, partition: u32, error: &str) {
        let mut state = self.lock();
        state.failing.entry(partition).or_default();
        if !std::mem::replace(&mut state.is_told, true) {
            drop(state);
            log::warn(format_args!(
                "queue {queue:?}, partition {partition}: the sink fails: {error}"
            ));
        }
    }

    pub(in crate::queue) fn buried(
        &self,
        queue: &str,
        partition: u32,
        position: Position,
        error: &str,
    ) {
        let mut state = self.lock();
        state.failing.insert(partition, true);
        state.dead += 1;
        if state.dead == 1 {
            drop(state);
            log::warn(format_args!(
                "queue {queue:?}, partition {partition}: item {} is a dead letter: {error}. If \
                 there are more, their number is told when all items are taken again",
                position.stream_id()
            ));
        }
    }

    /// A batch is over: its items were taken or became dead letters.
    pub(in crate::queue) fn over(&self, queue: &str, partition: u32) {
        let mut state = self.lock();
        let Some(has_buried) = state.failing.get_mut(&partition) else { return };
        if std::mem::take(has_buried) {
            return;
        }
        state.failing.remove(&partition);
        if !state.failing.is_empty() {
            return;
        }
        let State { dead, .. } = std::mem::take(&mut *state);
        drop(state);
        match dead {
            0 => log::info(format_args!("queue {queue:?}: the sink takes items again")),
            dead => log::info(format_args!(
                "queue {queue:?}: the sink takes items again; dead letters since it failed: {dead}"
            )),
        }
    }

    /// A partition went to another worker.
    pub(in crate::queue) fn gone(&self, queue: &str, partition: u32) {
        let mut state = self.lock();
        if state.failing.remove(&partition).is_some() && state.failing.is_empty() {
            let State { dead, .. } = std::mem::take(&mut *state);
            drop(state);
            if dead > 1 {
                log::info(format_args!(
                    "queue {queue:?}: dead letters since the sink failed: {dead}"
                ));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
