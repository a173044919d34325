//! Which values are large, and which keys are known to hold one.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use arc_swap::ArcSwap;

use crate::record::{self, KeyHash};

/// In bytes: as much as a link of 1 Gbit/s takes in 10 ms.
pub(in crate::store) const LARGE: usize = 1 << 20;
/// The same for a script.
pub(in crate::store) const LARGEST: &[u8] = b"1048576";
/// The most keys that are remembered as large.
const REMEMBERED: usize = 4096;

/// The keys that are known to hold large values. A key that is taken for one costs a detour, no
/// more.
///
/// Every hit looks here, so looking takes no lock; a change, which is rare, copies the set.
#[derive(Debug, Default)]
pub(in crate::store) struct LargeKeys {
    keys: ArcSwap<HashSet<u64>>,
    /// Whether there has ever been one. In most programs there is none, and hits look no further.
    are_expected: AtomicBool,
}

impl LargeKeys {
    /// Whether a key that nothing is known of may hold a large value.
    pub(in crate::store) fn are_expected(&self) -> bool {
        self.are_expected.load(Relaxed)
    }

    /// From now on, keys that nothing is known of may hold large values.
    pub(in crate::store) fn expect(&self) {
        self.are_expected.store(true, Relaxed);
    }

    /// Whether a key is one of them.
    pub(in crate::store) fn contain(&self, KeyHash(key): KeyHash) -> bool {
        self.are_expected() && self.keys.load().contains(&key)
    }

    /// Takes note of what was found in a key. A lease or a fence says nothing of the values before
    /// and after it.
    pub(in crate::store) fn note_record(&self, key: KeyHash, record: &[u8]) {
        if record.len() > LARGE || (self.are_expected() && record::holds_value(record)) {
            self.note(key, record.len());
        }
    }

    /// Takes note of the size of the value that a key holds, or is to hold.
    pub(in crate::store) fn note(&self, key: KeyHash, size: usize) {
        let is_large = size > LARGE;
        if self.contain(key) == is_large {
            return;
        }
        let KeyHash(key) = key;
        self.expect();
        self.keys.rcu(|keys| {
            let mut keys = HashSet::clone(keys);
            if is_large {
                if keys.len() >= REMEMBERED
                    && let Some(other) = keys.iter().next().copied()
                {
                    keys.remove(&other);
                }
                keys.insert(key);
            } else {
                keys.remove(&key);
            }
            keys
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_know_the_same_bound() {
        assert_eq!(str::from_utf8(LARGEST).ok(), Some(&*LARGE.to_string()));
    }
}
