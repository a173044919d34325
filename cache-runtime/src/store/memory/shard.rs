//! A part of the embedded store behind one lock.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use crate::store::memory::guards::Guards;
use crate::store::memory::transitions::{Content, Entry, Slot};
use crate::store::memory::values::Values;

/// The entries of a part: values, which make room for others, and what keeps a value out, which
/// does not.
#[derive(Debug, Default)]
pub(super) struct Shard {
    values: Values,
    guards: Guards,
}

impl Shard {
    /// How many entries there are, be they over or not.
    pub(super) fn len(&self) -> usize {
        self.values.keys().count() + self.guards.keys().count()
    }

    /// How many bytes of memory the entries take.
    pub(super) fn weight(&self) -> usize {
        self.values.weight() + self.guards.weight()
    }

    /// The value record of a key.
    pub(super) fn read(&self, key: &str, now: Instant) -> Option<Bytes> {
        self.values.read(key, now)
    }

    /// Applies a rule to a key.
    pub(super) fn apply<R>(
        &mut self,
        key: &str,
        now: Instant,
        rule: impl FnOnce(&mut Entry) -> R,
    ) -> R {
        self.guards.forget_expired(now);
        let place = self.values.place(key);
        let (key, mut entry) = match place {
            Some(place) => self.values.lift(place),
            None => match self.guards.remove(key) {
                Some((key, slot)) => (key, Some(slot)),
                None => (Arc::from(key), None),
            },
        };
        entry = entry.filter(|slot| slot.until > now);
        let reply = rule(&mut entry);
        match (place, entry) {
            (Some(place), Some(slot)) if is_value(&slot) => self.values.settle(place, slot),
            (Some(place), entry) => {
                self.values.remove(place);
                self.keep(key, entry);
            }
            (None, entry) => self.keep(key, entry),
        }
        reply
    }

    fn keep(&mut self, key: Arc<str>, entry: Entry) {
        match entry {
            Some(slot) if is_value(&slot) => self.values.add(key, slot),
            Some(slot) => self.guards.add(key, slot),
            None => {}
        }
    }

    /// All keys that match.
    pub(super) fn keys(&self, matches: impl Fn(&str) -> bool) -> Vec<Arc<str>> {
        let keys = self.values.keys().chain(self.guards.keys());
        keys.filter(|key| matches(key)).cloned().collect()
    }

    /// Applies a rule to all keys that match; how many did.
    pub(super) fn apply_matching(
        &mut self,
        now: Instant,
        matches: impl Fn(&str) -> bool,
        mut rule: impl FnMut(&mut Entry),
    ) -> u64 {
        let matching = self.keys(matches);
        for key in &matching {
            self.apply(key, now, &mut rule);
        }
        matching.len() as u64
    }

    /// Removes the value whose turn it is; whether there was one.
    pub(super) fn evict(&mut self, now: Instant) -> bool {
        self.values.evict(now)
    }
}

fn is_value(slot: &Slot) -> bool {
    matches!(slot.content, Content::Value { .. })
}
