//! A part of the embedded store behind one lock, with its bound on bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::rules::{Content, Entry, Slot};

/// What an entry costs in addition to its key and bytes, roughly.
const OVERHEAD: usize = 160;

/// Entries by key, and the order in which they make room for others.
///
/// Eviction is CLOCK, the second-chance FIFO: a value that was read since the hand last passed, and anything that is
/// not a value and still needed, goes to the back of the queue again.
#[derive(Debug)]
pub(super) struct Shard {
    entries: HashMap<Arc<str>, Kept>,
    /// Keys in the order of their turn. A turn that is not the entry's own any more is passed over.
    turns: VecDeque<(Arc<str>, u64)>,
    last_turn: u64,
    size: usize,
    capacity: usize,
}

#[derive(Debug)]
struct Kept {
    slot: Slot,
    /// Read since its last turn.
    visited: bool,
    turn: u64,
}

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        let (entries, turns) = (HashMap::new(), VecDeque::new());
        Self { entries, turns, last_turn: 0, size: 0, capacity }
    }

    /// The value record of a key.
    pub(super) fn read(&mut self, key: &str, now: Instant) -> Option<Bytes> {
        let kept = self.entries.get_mut(key)?;
        match &kept.slot {
            Slot { content: Content::Value { record, .. }, until } if *until > now => {
                kept.visited = true;
                Some(record.clone())
            }
            _ => None,
        }
    }

    /// Applies a rule to a key.
    pub(super) fn apply<R>(
        &mut self,
        key: &str,
        now: Instant,
        rule: impl FnOnce(&mut Entry) -> R,
    ) -> R {
        let (key, turn, mut entry) = match self.entries.remove_entry(key) {
            Some((key, kept)) => {
                self.size -= size(&key, &kept.slot);
                (key, Some(kept.turn), Some(kept.slot).filter(|slot| slot.until > now))
            }
            None => (Arc::from(key), None, None),
        };
        let reply = rule(&mut entry);
        if let Some(slot) = entry {
            self.keep(key, turn, slot);
            self.make_room(now);
        }
        reply
    }

    /// Applies a rule to all keys that match; how many did.
    pub(super) fn apply_matching(
        &mut self,
        now: Instant,
        matches: impl Fn(&str) -> bool,
        mut rule: impl FnMut(&mut Entry),
    ) -> u64 {
        let matching: Vec<_> = self.entries.keys().filter(|key| matches(key)).cloned().collect();
        for key in &matching {
            self.apply(key, now, &mut rule);
        }
        matching.len() as u64
    }

    fn keep(&mut self, key: Arc<str>, turn: Option<u64>, slot: Slot) {
        self.size += size(&key, &slot);
        let turn = turn.unwrap_or_else(|| {
            self.last_turn += 1;
            self.turns.push_back((Arc::clone(&key), self.last_turn));
            self.last_turn
        });
        self.entries.insert(key, Kept { slot, visited: false, turn });
        // Removed keys leave their turns behind: forget those before they outnumber the entries.
        if self.turns.len() > 2 * self.entries.len() + 64 {
            let entries = &self.entries;
            self.turns
                .retain(|(key, turn)| entries.get(key).is_some_and(|kept| kept.turn == *turn));
        }
    }

    /// Lets the hand of the clock go round until the entries fit, at most twice: once to clear the marks.
    fn make_room(&mut self, now: Instant) {
        let mut steps = 2 * self.turns.len();
        while self.size > self.capacity && steps > 0 {
            steps -= 1;
            let Some((key, turn)) = self.turns.pop_front() else {
                return;
            };
            let Some(kept) = self.entries.get_mut(&key).filter(|kept| kept.turn == turn) else {
                continue;
            };
            let is_value = matches!(kept.slot.content, Content::Value { .. });
            let needed = if is_value { kept.visited } else { true };
            if needed && kept.slot.until > now {
                kept.visited = false;
                self.turns.push_back((key, turn));
            } else {
                self.size -= size(&key, &kept.slot);
                self.entries.remove(&key);
            }
        }
    }
}

fn size(key: &str, slot: &Slot) -> usize {
    let record = match &slot.content {
        Content::Value { record, .. } => record.len(),
        _ => 0,
    };
    OVERHEAD + key.len() + record
}
