//! What this process remembers of entries, in bounded room.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::KeyHash;

/// Something about each of many entries. What nobody has asked for is forgotten first.
#[derive(Debug)]
pub(crate) struct Recollection<V> {
    shards: [Mutex<Shard<V>>; 16],
    /// How much room a value takes.
    weigh: fn(&V) -> usize,
    /// The most that one generation of a shard weighs, but for the value that fills it.
    most: usize,
}

/// Two generations: what nobody has asked for while the younger one filled up is forgotten.
#[derive(Debug)]
struct Shard<V> {
    young: HashMap<u64, V>,
    old: HashMap<u64, V>,
    /// That of the younger one.
    weight: usize,
}

impl<V: Clone> Recollection<V> {
    /// For values of which all together weigh at most 32 times as much as one generation.
    pub(crate) fn new(most: usize, weigh: fn(&V) -> usize) -> Self {
        let shard = || Shard { young: HashMap::new(), old: HashMap::new(), weight: 0 };
        Self { shards: std::array::from_fn(|_| Mutex::new(shard())), weigh, most }
    }

    /// What is remembered of an entry.
    pub(crate) fn of(&self, entry: KeyHash) -> Option<V> {
        let mut shard = self.shard(entry);
        if let Some(known) = shard.young.get(&entry.0) {
            return Some(known.clone());
        }
        let known = shard.old.remove(&entry.0)?;
        self.add(&mut shard, entry, known.clone());
        Some(known)
    }

    /// Remembers this of an entry, and nothing else.
    pub(crate) fn learn(&self, entry: KeyHash, known: V) {
        self.add(&mut self.shard(entry), entry, known);
    }

    fn add(&self, shard: &mut Shard<V>, entry: KeyHash, known: V) {
        shard.weight += (self.weigh)(&known);
        if let Some(former) = shard.young.insert(entry.0, known) {
            shard.weight -= (self.weigh)(&former);
        }
        if shard.weight > self.most {
            shard.old = std::mem::take(&mut shard.young);
            shard.weight = 0;
        }
    }

    fn shard(&self, entry: KeyHash) -> MutexGuard<'_, Shard<V>> {
        let [first, ..] = &self.shards;
        let shard = usize::try_from(entry.0 >> 60).ok().and_then(|it| self.shards.get(it));
        shard.unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_what_is_asked_for_stays() {
        let remembered = Recollection::new(100, |_: &u64| 1);
        remembered.learn(KeyHash(1), 1);
        for entry in 2..100_000 {
            remembered.learn(KeyHash(entry), entry);
            if entry % 100 == 0 {
                assert_eq!(remembered.of(KeyHash(1)), Some(1));
            }
        }
        assert_eq!(remembered.of(KeyHash(99_999)), Some(99_999));
        assert_eq!(remembered.of(KeyHash(2)), None);
        let shard = remembered.shard(KeyHash(1));
        assert!(shard.young.len() + shard.old.len() <= 202);
    }

    #[test]
    fn one_entry_that_changes_all_the_time_makes_nobody_forget_the_others() {
        let remembered = Recollection::new(100, |_: &u64| 1);
        remembered.learn(KeyHash(1), 1);
        (0..10_000).for_each(|value| remembered.learn(KeyHash(2), value));
        assert_eq!(remembered.of(KeyHash(1)), Some(1));
        assert_eq!(remembered.of(KeyHash(2)), Some(9_999));
    }
}
