//! The values of a shard, and the order in which they make room for others.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::time::Instant;

use crate::store::memory::transitions::{Content, Entry, Slot};
use crate::store::memory::weight::{self, allocated};

/// Values by key.
///
/// Eviction is CLOCK, the second-chance FIFO: the hand goes round, passes over a value that was
/// read since it last came by, and takes the first one that was not. A new value comes to the end,
/// or to where the hand has just made room.
#[derive(Debug, Default)]
pub(super) struct Values {
    places: HashMap<Arc<str>, usize>,
    kept: Vec<Kept>,
    hand: usize,
    weight: usize,
}

#[derive(Debug)]
struct Kept {
    key: Arc<str>,
    /// Nothing while a rule is applied to it.
    slot: Entry,
    /// Read since the hand last came by. All that a read changes, so reads exclude nobody.
    visited: AtomicBool,
}

/// What a value takes beside its key and its record: its place, itself, and the count of those who
/// read the record.
const OVERHEAD: usize =
    weight::of_table_entry::<(Arc<str>, usize)>() + weight::of_element::<Kept>() + 32;

impl Values {
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.places.keys()
    }

    pub(super) fn place(&self, key: &str) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// The value record of a key.
    pub(super) fn read(&self, key: &str, now: Instant) -> Option<Bytes> {
        let kept = self.kept.get(*self.places.get(key)?)?;
        match &kept.slot {
            Some(Slot { content: Content::Value { record, .. }, until }) if *until > now => {
                // Written only where it changes: hits share the line.
                if !kept.visited.load(Ordering::Relaxed) {
                    kept.visited.store(true, Ordering::Relaxed);
                }
                Some(record.clone())
            }
            _ => None,
        }
    }

    pub(super) fn add(&mut self, key: Arc<str>, slot: Slot) {
        self.weight += weight_of_place(&key) + weight_of_record(Some(&slot));
        if self.kept.len() == self.kept.capacity() {
            self.kept.reserve_exact(weight::spare(self.kept.len()));
        }
        self.places.insert(Arc::clone(&key), self.kept.len());
        self.kept.push(Kept { key, slot: Some(slot), visited: AtomicBool::new(false) });
    }

    /// Takes what a place holds out of it; [`settle`](Self::settle) or [`remove`](Self::remove)
    /// must follow.
    pub(super) fn lift(&mut self, place: usize) -> (Arc<str>, Entry) {
        let kept = &mut self.kept[place];
        self.weight -= weight_of_record(kept.slot.as_ref());
        (Arc::clone(&kept.key), kept.slot.take())
    }

    /// Puts a value into a place that was lifted.
    pub(super) fn settle(&mut self, place: usize, slot: Slot) {
        let kept = &mut self.kept[place];
        kept.slot = Some(slot);
        self.weight += weight_of_record(kept.slot.as_ref());
    }

    /// Gives up a place that was lifted.
    pub(super) fn remove(&mut self, place: usize) {
        let Kept { key, .. } = self.kept.swap_remove(place);
        self.places.remove(&key);
        self.weight -= weight_of_place(&key);
        if let Some(moved) = self.kept.get(place)
            && let Some(at) = self.places.get_mut(&moved.key)
        {
            *at = place;
        }
        weight::shrink_list(&mut self.kept);
        weight::shrink_table(&mut self.places);
    }

    /// Removes the value whose turn it is, after one round at most in which all have been read;
    /// whether there was one.
    pub(super) fn evict(&mut self, now: Instant) -> bool {
        let mut left = self.kept.len();
        loop {
            if self.hand >= self.kept.len() {
                self.hand = 0;
            }
            let Some(kept) = self.kept.get_mut(self.hand) else { return false };
            let visited = kept.visited.get_mut();
            let is_live = kept.slot.as_ref().is_some_and(|slot| slot.until > now);
            if !(*visited && is_live) || left == 0 {
                self.lift(self.hand);
                self.remove(self.hand);
                self.hand += 1;
                return true;
            }
            left -= 1;
            *visited = false;
            self.hand += 1;
        }
    }
}

fn weight_of_place(key: &str) -> usize {
    OVERHEAD + weight::of_key(key)
}

fn weight_of_record(slot: Option<&Slot>) -> usize {
    match slot {
        Some(Slot { content: Content::Value { record, .. }, .. }) => allocated(record.len()),
        _ => 0,
    }
}
