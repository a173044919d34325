//! What this process knows of the tags that values tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::record::KeyHash;

/// What the values of entries told when this process saw them last: a guess which tags they will
/// tell next. It is allowed to be wrong.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    shards: [Mutex<Shard>; 16],
}

/// Two generations: what nobody has asked for while the younger one filled up is forgotten.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<u64, Arc<[String]>>,
    old: HashMap<u64, Arc<[String]>>,
    /// The size of the younger one.
    bytes: usize,
}

/// The most bytes of one generation of a shard: 4 MiB in all.
const GENERATION: usize = 128 * 1024;

impl Guesses {
    /// The keys of the tags that the value of this entry told.
    pub(crate) fn of(&self, entry: KeyHash) -> Vec<String> {
        let mut shard = self.shard(entry);
        if let Some(texts) = shard.young.get(&entry.0) {
            return texts.to_vec();
        }
        let Some(texts) = shard.old.remove(&entry.0) else { return Vec::new() };
        let guess = texts.to_vec();
        shard.add(entry, texts);
        guess
    }

    /// Remembers what it has told.
    pub(crate) fn learn(&self, entry: KeyHash, texts: &[String]) {
        self.shard(entry).add(entry, texts.into());
    }

    fn shard(&self, entry: KeyHash) -> MutexGuard<'_, Shard> {
        let [first, ..] = &self.shards;
        let shard = usize::try_from(entry.0 >> 60).ok().and_then(|it| self.shards.get(it));
        shard.unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn add(&mut self, entry: KeyHash, texts: Arc<[String]>) {
        self.bytes += 64 + texts.iter().map(|text| 24 + text.len()).sum::<usize>();
        self.young.insert(entry.0, texts);
        if self.bytes > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_are_bounded_and_what_is_asked_for_stays() {
        let guesses = Guesses::default();
        let texts = ["~tag:author:7".to_owned()];
        guesses.learn(KeyHash(1), &texts);
        for entry in 2..1_000_000 {
            guesses.learn(KeyHash(entry), &texts);
            if entry % 100 == 0 {
                assert_eq!(guesses.of(KeyHash(1)), texts);
            }
        }
        assert_eq!(guesses.of(KeyHash(2)), [""; 0]);
        let shard = guesses.shard(KeyHash(1));
        assert!((shard.young.len() + shard.old.len()) * 100 < 4 * GENERATION);
    }
}
