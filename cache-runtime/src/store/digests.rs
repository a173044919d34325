//! Sets of keys of which little more than a few bits each is kept.
//!
//! For keys that are too many to be kept themselves. A set tells whether it contains a given key,
//! but not which keys it contains: who wants to do something with each of them goes through all
//! keys of a server, and asks for each.
//!
//! A set is a series of Bloom filters, each twice as large as the one before. It contains every key
//! that was added. Of a million other keys it takes fewer than 40 for its own, until there are more
//! than 16 million in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Bits of the first filter: 1 MiB.
const FIRST: usize = 1 << 23;
/// Bits of the last one, 32 MiB. What is added after that makes it less exact, and the set no
/// larger.
const LAST: usize = 1 << 28;
/// Bits that a key sets.
const PROBES: u64 = 8;
/// Bits of a filter for each of its keys, so that it takes one of 175,000 other keys for its own.
const ROOM: usize = 32;
/// Tells prefixes from keys.
const OF_PREFIXES: u64 = 1;

/// A set of keys. A clone is the set as it is now; what is added to one of them later may be in the
/// others as well.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digests {
    filters: Vec<Filter>,
    /// The lengths in bytes of the prefixes, all keys with which are in the set.
    prefixes: BTreeSet<usize>,
    len: usize,
}

#[derive(Clone, Debug)]
struct Filter {
    bits: Arc<[AtomicU64]>,
    len: usize,
}

impl Digests {
    /// How many keys and prefixes were added, each counted once.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn add(&mut self, key: &str) {
        self.add_hash(xxh3_64(key.as_bytes()));
    }

    /// Adds all keys that begin with this.
    pub(crate) fn add_prefix(&mut self, prefix: &str) {
        self.prefixes.insert(prefix.len());
        self.add_hash(xxh3_64_with_seed(prefix.as_bytes(), OF_PREFIXES));
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        let is_prefix = |len: &usize| {
            let prefix = key.as_bytes().get(..*len);
            prefix.is_some_and(|prefix| self.has(xxh3_64_with_seed(prefix, OF_PREFIXES)))
        };
        self.has(xxh3_64(key.as_bytes())) || self.prefixes.iter().any(is_prefix)
    }

    /// Adds what another set contains.
    pub(crate) fn append(&mut self, other: Self) {
        self.len += other.len;
        self.prefixes.extend(other.prefixes);
        self.filters.extend(other.filters);
        // The smaller ones cost every look a few probes, and are full before the last one is.
        self.filters.sort_by_key(|filter| filter.bits.len());
    }

    fn has(&self, hash: u64) -> bool {
        self.filters.iter().any(|filter| filter.has(hash))
    }

    fn add_hash(&mut self, hash: u64) {
        if self.has(hash) {
            return;
        }
        let bits = self.filters.last().map_or(0, Filter::size);
        if self.filters.last().is_none_or(Filter::is_full) && bits < LAST {
            self.filters.push(Filter::new((2 * bits).max(FIRST)));
        }
        if let Some(filter) = self.filters.last_mut() {
            filter.add(hash);
            self.len += 1;
        }
    }
}

impl Filter {
    fn new(bits: usize) -> Self {
        let words = std::iter::repeat_with(AtomicU64::default).take(bits / 64);
        Self { bits: words.collect(), len: 0 }
    }

    fn size(&self) -> usize {
        64 * self.bits.len()
    }

    fn is_full(&self) -> bool {
        self.len >= self.size() / ROOM
    }

    fn has(&self, hash: u64) -> bool {
        self.places(hash).all(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn add(&mut self, hash: u64) {
        self.len += 1;
        for (word, bit) in self.places(hash) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// The words and bits of a key, by double hashing.
    fn places(&self, hash: u64) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let (first, step) = (hash >> 32, (hash & u64::from(u32::MAX)) | 1);
        let mask = self.size() as u64 - 1;
        (0..PROBES).filter_map(move |probe| {
            let place = usize::try_from((first + probe * step) & mask).unwrap_or_default();
            Some((self.bits.get(place / 64)?, 1 << (place % 64)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> String {
        format!("user:{number}")
    }

    #[test]
    fn what_was_added_is_in_it_and_next_to_nothing_else() {
        let mut set = Digests::default();
        assert!(set.is_empty() && !set.contains("user:0"));
        let count = 600_000;
        (0..count).for_each(|number| set.add(&key(number)));
        // Some are taken for others that are there.
        assert!((count - 10..=count).contains(&set.len()), "{}", set.len());
        assert!((0..count).all(|number| set.contains(&key(number))));
        let others = (count..2 * count).filter(|number| set.contains(&key(*number))).count();
        assert!(others <= 24, "{others} of {count} others");
        let sizes: Vec<_> = set.filters.iter().map(Filter::size).collect();
        assert_eq!(sizes, [FIRST, 2 * FIRST], "one would not have been enough");
    }

    #[test]
    fn a_key_that_is_added_again_takes_no_room() {
        let mut set = Digests::default();
        (0..1_000).for_each(|_| set.add("user:1"));
        assert_eq!(set.len(), 1);
    }

    #[test]
    fn a_prefix_stands_for_all_keys_that_begin_with_it() {
        let mut set = Digests::default();
        set.add_prefix("user:7:");
        set.add("user:8:");
        for (key, expected) in [
            ("user:7:", true),
            ("user:7:name", true),
            ("user:7", false),
            ("user:70:name", false),
            ("user:8:", true),
            ("user:8:name", false),
            ("usér:7:name", false),
        ] {
            assert_eq!(set.contains(key), expected, "{key}");
        }
    }

    #[test]
    fn a_set_takes_in_another() {
        let (mut one, mut other) = (Digests::default(), Digests::default());
        one.add("one");
        other.add("other");
        other.add_prefix("all:");
        one.append(other);
        assert_eq!(one.len(), 3);
        assert!(["one", "other", "all:of:these"].iter().all(|key| one.contains(key)));
    }
}
