//! What a look finds that another look has to follow: a value of another release, or one that names
//! other tags than were asked for.

use crate::read::lookup::{Lookup, MissState, Step};

/// How often a search looks again because the value names other tags than it did before, or because
/// it stands in another key. That it happens more than once takes a writer between two looks each
/// time.
const LOOKS_AGAIN: u8 = 3;

/// What follows from the tags that a value names.
pub(super) enum Learned {
    /// The search looks again, with the stamps of these.
    Tags,
    /// The task itself is writing one of them: the call bypasses the cache.
    Own,
    /// They have changed too often: nothing can be read or stored now.
    Nothing,
}

impl Lookup<'_> {
    /// From here on, the search reads the stamps of these tags, which the value names.
    pub(super) fn learn_tags(&mut self, texts: Vec<String>) -> Learned {
        self.call.learn_tags(texts);
        if self.call.is_being_written() {
            return Learned::Own;
        }
        if self.looks_again() { Learned::Tags } else { Learned::Nothing }
    }

    /// Whether the search may look once more, which counts.
    pub(super) fn looks_again(&mut self) -> bool {
        self.looked_again += 1;
        self.looked_again <= LOOKS_AGAIN
    }

    /// From here on, the search is about the entry [beside](crate::read::beside).
    pub(super) fn step_aside(&mut self) -> Step {
        self.call = self.call.beside();
        self.reject = None;
        if self.misses == MissState::Unasked {
            self.misses = MissState::None;
        }
        // The next call looks before it asks for the lease, and so finds the same without holding
        // up others.
        self.call.cache.recorder().is_no_longer_dry(self.call.callsite);
        self.begin().unwrap_or(Step::Look(None))
    }
}
