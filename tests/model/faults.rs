//! What happens to the keys by itself.

use crate::keys::{AB, Cell, E, ENTRY, EPOCH, Entry, places};
use crate::search::Steps;
use crate::state::{State, Writing};

/// Who does it, in a trace.
const SERVER: usize = 4;

pub(crate) fn steps(to: &mut Steps<'_>, state: &State) {
    let faults = to.scenario.faults;
    if faults.entry && state.entry != Entry::Empty {
        to.step(SERVER, "evicts", ENTRY, State { entry: Entry::Empty, ..*state });
    }
    let tags = if faults.stamps { AB } else { 0 };
    let evicted = tags | if faults.epoch { E } else { 0 };
    for place in places(AB | E) {
        let key = 1 << place;
        let goes = match state.keys[place] {
            Cell::Empty => false,
            Cell::Stamp(_) => evicted & key != 0,
            Cell::Fence(_) => faults.fences,
            Cell::Tombstone(version) => version <= state.replica,
        };
        if goes {
            let mut next = *state;
            next.keys[place] = Cell::Empty;
            let what = match state.keys[place] {
                Cell::Fence(_) => "evicts the fence in",
                Cell::Tombstone(_) => "no longer holds off in",
                Cell::Empty | Cell::Stamp(_) => "evicts",
            };
            to.step(SERVER, what, key, next);
        }
    }
    if faults.lag && state.replica < state.version {
        let next = State { replica: state.replica + 1, ..*state };
        to.step(SERVER, "passes a commit on to the replica", 0, next);
    }
    if faults.expiry {
        expire(to, state);
    }
}

/// Fences outlive their writers' transactions, so none ends before its writer commits, and a
/// writer that has crashed does not commit.
fn expire(to: &mut Steps<'_>, state: &State) {
    for (me, writer) in state.writers.iter().enumerate() {
        if writer.version == 0 && writer.stage != Writing::Crashed {
            continue;
        }
        for place in 0..=EPOCH {
            if state.keys[place].is_fence_of(me) {
                let mut next = *state;
                // As if the writer had lifted it: those of others stand on.
                next.keys[place].end(me, Cell::Empty);
                to.step(2 + me, "is over the time of its fence in", 1 << place, next);
            }
        }
    }
}
