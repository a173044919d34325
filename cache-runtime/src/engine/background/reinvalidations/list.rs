//! The list itself.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::background::reinvalidations::PIECE;
use crate::engine::journal::Invalidation;

#[derive(Debug, Default)]
pub(super) struct State {
    /// By the time from which on they are to be invalidated, with the hold-off.
    pub(super) due: BTreeMap<Instant, HashMap<Invalidation, Duration>>,
    /// How many there are, those included that are being sent.
    pub(super) length: usize,
    /// Times are rounded relative to this one.
    epoch: Option<Instant>,
    pub(super) running: bool,
    /// The log says that there is no place left.
    pub(super) announced: bool,
}

/// A key that is listed.
pub(super) struct Listed {
    pub(super) text: String,
    pub(super) due: Instant,
    pub(super) hold_off: Duration,
}

impl State {
    /// Times that are close together become one, and none earlier than it was.
    pub(super) fn rounded_up(&mut self, due: Instant, step: Duration) -> Instant {
        let epoch = *self.epoch.get_or_insert_with(Instant::now);
        let step = step.as_nanos().max(1);
        let span = due.saturating_duration_since(epoch).as_nanos().div_ceil(step) * step;
        let span = Duration::from_nanos(u64::try_from(span).unwrap_or(u64::MAX));
        epoch.checked_add(span).unwrap_or(due)
    }

    /// Lists an entry, or returns it if there are so many.
    pub(super) fn list(
        &mut self,
        entry: Invalidation,
        due: Instant,
        hold_off: Duration,
        capacity: usize,
    ) -> Option<Invalidation> {
        let entries = self.due.entry(due).or_default();
        if let Some(known) = entries.get_mut(&entry) {
            *known = hold_off.max(*known);
            return None;
        }
        if self.length >= capacity {
            if entries.is_empty() {
                self.due.remove(&due);
            }
            return Some(entry);
        }
        entries.insert(entry, hold_off);
        self.length += 1;
        None
    }

    /// All keys, the earliest first.
    pub(super) fn keys(&self) -> Vec<Listed> {
        let mut keys = Vec::new();
        for (due, entries) in &self.due {
            for (entry, hold_off) in entries {
                if let Invalidation::Key(text) = entry {
                    keys.push(Listed { text: text.clone(), due: *due, hold_off: *hold_off });
                }
            }
        }
        keys
    }

    pub(super) fn remove(&mut self, key: &Listed) {
        let Some(entries) = self.due.get_mut(&key.due) else { return };
        if entries.remove(&Invalidation::Key(key.text.clone())).is_some() {
            self.length -= 1;
        }
        if entries.is_empty() {
            self.due.remove(&key.due);
        }
    }

    /// Takes some entries that are due. They count until they are [`sent`](Self::sent).
    pub(super) fn take(&mut self, now: Instant) -> Vec<(Invalidation, Duration)> {
        let mut taken = Vec::new();
        while let Some(mut first) = self.due.first_entry()
            && *first.key() <= now
            && taken.len() < PIECE
        {
            let room = PIECE - taken.len();
            let some: Vec<Invalidation> = first.get().keys().take(room).cloned().collect();
            for entry in some {
                taken.extend(first.get_mut().remove_entry(&entry));
            }
            if first.get().is_empty() {
                first.remove();
            }
        }
        taken
    }

    pub(super) fn sent(&mut self, count: usize) {
        self.length -= count;
        if self.length == 0 {
            self.announced = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_secs(1);

    fn key(text: &str) -> Invalidation {
        Invalidation::Key(text.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn writes_that_fail_together_share_their_places() {
        let mut state = State::default();
        for _ in 0..1_000 {
            let due = state.rounded_up(Instant::now() + 10 * STEP, STEP);
            assert!(due >= Instant::now() + 10 * STEP, "never too early");
            assert_eq!(state.list(key("a"), due, Duration::ZERO, 100), None);
            tokio::time::advance(STEP / 500).await;
        }
        assert!(state.length <= 3, "{} places", state.length);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_list_gives_back_what_it_has_no_place_for() {
        let mut state = State::default();
        let due = Instant::now();
        assert_eq!(state.list(key("a"), due, Duration::ZERO, 1), None);
        assert_eq!(state.list(key("a"), due, STEP, 1), None, "it has its place");
        assert_eq!(state.list(key("b"), due + STEP, STEP, 1), Some(key("b")));
        assert_eq!((state.length, state.due.len()), (1, 1));

        assert_eq!(state.take(due), [(key("a"), STEP)], "with the longer hold-off");
        assert_eq!(state.list(key("b"), due, STEP, 1), Some(key("b")), "not sent yet");
        state.sent(1);
        assert_eq!(state.list(key("b"), due + STEP, STEP, 1), None);
        assert_eq!(state.take(due), [], "not due yet");
        let listed = state.keys();
        state.remove(&listed[0]);
        state.remove(&listed[0]);
        assert_eq!((state.length, state.due.len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_is_taken_in_pieces() {
        let mut state = State::default();
        let due = Instant::now();
        for number in 0..PIECE + 10 {
            state.list(key(&number.to_string()), due, Duration::ZERO, usize::MAX);
        }
        assert_eq!((state.take(due).len(), state.take(due).len()), (PIECE, 10));
        assert!(state.due.is_empty());
    }
}
