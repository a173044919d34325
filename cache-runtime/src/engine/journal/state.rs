//! What is still to be delivered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::journal::invalidation::{Batch, CAPACITY, Invalidation};
use crate::engine::journal::recent::Recent;
use crate::store::redis::Sweep;
use crate::store::{Digests, glob};
use crate::support::log;

/// How many keys are sent at once.
const BATCH: usize = 256;

#[derive(Debug, Default)]
pub(super) struct State {
    /// In the order in which they were added. An invalidation that is added again moves to the end:
    /// a delivery in progress may have been executed before the write that it was added for.
    entries: BTreeMap<u64, Invalidation>,
    pub(super) places: HashMap<Invalidation, u64>,
    next: u64,
    /// The places of patterns: each read is compared with these, and keys may be thousands.
    patterns: BTreeSet<u64>,
    /// The longest hold-off that any entry needs; it is applied to all of them.
    pub(super) hold_off: Duration,
    /// The keys for which there was no room.
    pub(super) overflow: Digests,
    /// The position of the last of them.
    overflow_place: u64,
    pub(super) delivering: bool,
    pub(super) recent: Recent,
    /// How far sweeps have come that were begun, by the places of what they are for.
    sweeps: BTreeMap<u64, Arc<Sweep>>,
}

impl State {
    pub(super) fn depth(&self) -> usize {
        self.entries.len() + self.overflow.len()
    }

    /// The patterns, however many keys there are.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().filter_map(|place| match self.entries.get(place) {
            Some(Invalidation::Pattern(pattern)) => Some(&**pattern),
            _ => None,
        })
    }

    pub(super) fn add(&mut self, entry: Invalidation) {
        let has_room = self.entries.len() < CAPACITY || self.places.contains_key(&entry);
        if !has_room && self.add_to_overflow(&entry) {
            return;
        }
        let place = self.take_place();
        if matches!(entry, Invalidation::Pattern(_)) {
            self.patterns.insert(place);
        }
        if let Some(former) = self.places.insert(entry.clone(), place) {
            self.remove_entry(former);
        }
        self.entries.insert(place, entry);
    }

    /// Whether it could be added. There are no digests of other patterns than those that are
    /// prefixes: they are kept as they are, however many. Each costs the server a scan of all its
    /// keys, so nobody sends many.
    fn add_to_overflow(&mut self, entry: &Invalidation) -> bool {
        let was_empty = self.overflow.is_empty();
        match entry {
            Invalidation::Key(key) => self.overflow.add(key),
            Invalidation::Pattern(pattern) => match glob::prefix(pattern) {
                Some(prefix) => self.overflow.add_prefix(&prefix),
                None => return false,
            },
        }
        self.overflow_place = self.take_place();
        if was_empty {
            log::warn(format_args!(
                "the journal of undelivered invalidations overflowed: those beyond {CAPACITY} \
                 bypass the cache as well, and their delivery takes a scan of the server's keys"
            ));
        }
        true
    }

    /// Adds the keys of a set.
    pub(super) fn add_digests(&mut self, digests: Digests) {
        self.overflow.append(digests);
        self.overflow_place = self.take_place();
    }

    /// Moves the invalidation at a position to the end, and what is known of its sweep with it.
    pub(super) fn postpone(&mut self, place: u64) {
        let sweep = self.sweeps.remove(&place);
        let next = self.next + 1;
        if self.is_of_overflow(place) {
            self.overflow_place = self.take_place();
        } else if let Some(entry) = self.entries.get(&place).cloned() {
            self.add(entry);
        }
        let is_there = self.entries.contains_key(&next) || self.is_of_overflow(next);
        if let Some(sweep) = sweep.filter(|_| is_there) {
            self.sweeps.insert(next, sweep);
        }
    }

    /// How far the keys of the servers were gone through for the invalidation at a position: it
    /// begins anew when that is added again.
    pub(super) fn sweep(&mut self, place: u64) -> Arc<Sweep> {
        let Self { sweeps, entries, overflow_place, .. } = self;
        sweeps.retain(|place, _| entries.contains_key(place) || place == overflow_place);
        Arc::clone(sweeps.entry(place).or_default())
    }

    /// Keys that servers have looked at for what is not delivered, more or less, and keys of these
    /// that were removed.
    pub(super) fn swept(&self) -> (u64, u64) {
        let sweeps = self.sweeps.values().map(|sweep| (sweep.looked(), sweep.removed()));
        sweeps.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }

    /// Removes the invalidation at a position, unless it was added again meanwhile.
    pub(super) fn remove(&mut self, place: u64) {
        self.sweeps.remove(&place);
        if self.is_of_overflow(place) {
            self.overflow = Digests::default();
        } else {
            self.remove_entry(place);
        }
    }

    fn remove_entry(&mut self, place: u64) {
        if let Some(entry) = self.entries.remove(&place) {
            self.patterns.remove(&place);
            if self.places.get(&entry) == Some(&place) {
                self.places.remove(&entry);
            }
        }
    }

    /// What to send next: the oldest keys, up to the limit of one command, or one pattern, or what
    /// did not fit.
    pub(super) fn oldest(&self) -> Batch {
        let oldest = self.entries.first_key_value();
        if !self.overflow.is_empty() && oldest.is_none_or(|(&place, _)| place > self.overflow_place)
        {
            return Batch::Overflow(self.overflow_place, self.overflow.clone());
        }
        match oldest {
            None => Batch::Nothing,
            Some((&place, Invalidation::Pattern(pattern))) => {
                Batch::Pattern(place, pattern.clone())
            }
            Some((_, Invalidation::Key(_))) => Batch::Keys(
                self.entries
                    .iter()
                    .map_while(|(&place, entry)| match entry {
                        Invalidation::Key(key) => Some((place, key.clone())),
                        Invalidation::Pattern(_) => None,
                    })
                    .take(BATCH)
                    .collect(),
            ),
        }
    }

    fn take_place(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn is_of_overflow(&self, place: u64) -> bool {
        !self.overflow.is_empty() && self.overflow_place == place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;

    fn key(number: usize) -> Invalidation {
        Invalidation::Key(format!("user:{number}"))
    }

    /// Delivers what is there, and returns how many keys and patterns, and how many sets.
    fn deliver(state: &mut State) -> (usize, usize) {
        let (mut kept, mut sets) = (0, 0);
        loop {
            match state.oldest() {
                Batch::Nothing => return (kept, sets),
                Batch::Keys(keys) => {
                    kept += keys.len();
                    for (place, _) in keys {
                        state.remove(place);
                    }
                }
                Batch::Pattern(place, _) => {
                    kept += 1;
                    state.remove(place);
                }
                Batch::Overflow(place, _) => {
                    sets += 1;
                    state.remove(place);
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_delivered_as_a_set() {
        let mut state = State::default();
        (0..CAPACITY + 1_000).for_each(|number| state.add(key(number)));
        state.add(Invalidation::Pattern("org:7:*".to_owned()));
        assert_eq!(state.depth(), CAPACITY + 1_001);
        assert!(state.overflow.contains("user:16384") && state.overflow.contains("org:7:name"));
        assert!(!state.overflow.contains("user:1") && !state.overflow.contains("org:8:name"));
        // No digest tells of such a pattern.
        state.add(Invalidation::Pattern("*:name".to_owned()));
        assert_eq!(state.depth(), CAPACITY + 1_002);
        assert_eq!(deliver(&mut state), (CAPACITY + 1, 1));
        assert_eq!((state.depth(), state.patterns().count()), (0, 0));
    }

    #[test]
    fn a_read_is_compared_with_patterns_and_not_with_keys() {
        let mut state = State::default();
        (0..CAPACITY - 2).for_each(|number| state.add(key(number)));
        let pattern = |text: &str| Invalidation::Pattern(text.to_owned());
        ["*:name", "*:mail", "*:name"].map(pattern).into_iter().for_each(|entry| state.add(entry));
        assert_eq!(state.patterns().collect::<Vec<_>>(), ["*:mail", "*:name"]);
        let Some(place) = state.places.get(&pattern("*:mail")).copied() else {
            panic!("it is there")
        };
        state.postpone(place);
        assert_eq!(state.patterns().collect::<Vec<_>>(), ["*:name", "*:mail"]);
        assert_eq!(deliver(&mut state), (CAPACITY, 0));
        assert_eq!(state.patterns().count(), 0);
    }

    #[test]
    fn a_sweep_goes_on_where_it_was_unless_there_is_more_to_remove() {
        let mut state = State::default();
        state.add(Invalidation::Pattern("*:name".to_owned()));
        let Batch::Pattern(place, _) = state.oldest() else { panic!("it is there") };
        state.sweep(place).note(Origin([1; 8]), 7, 512, 3);
        state.postpone(place);
        let Batch::Pattern(place, _) = state.oldest() else { panic!("it is still there") };
        assert_eq!((state.sweep(place).looked(), state.swept()), (512, (512, 3)));
        // A write has made more to remove, perhaps where the sweep has been.
        state.add(Invalidation::Pattern("*:name".to_owned()));
        let Batch::Pattern(again, _) = state.oldest() else { panic!("it is there again") };
        state.postpone(place);
        assert_eq!((state.sweep(again).looked(), state.swept()), (0, (0, 0)));
        state.remove(again);
        assert_eq!(state.depth(), 0);
    }

    /// The scan may have passed the key before the write that it was added for.
    #[test]
    fn what_is_added_during_a_delivery_is_delivered_again() {
        let mut state = State::default();
        (0..=CAPACITY).for_each(|number| state.add(key(number)));
        while let Batch::Keys(keys) = state.oldest() {
            for (place, _) in keys {
                state.postpone(place);
            }
            if state.entries.keys().all(|place| *place > state.overflow_place) {
                break;
            }
        }
        let Batch::Overflow(place, _) = state.oldest() else { panic!("it is the oldest") };
        state.add(key(CAPACITY));
        state.remove(place);
        assert_eq!(state.depth(), CAPACITY + 1);
        assert_eq!(deliver(&mut state), (CAPACITY, 1));
    }

    #[test]
    fn a_set_that_cannot_be_delivered_waits_for_the_others() {
        let mut state = State::default();
        (0..=CAPACITY).for_each(|number| state.add(key(number)));
        for _ in 0..CAPACITY.div_ceil(BATCH) {
            let Batch::Keys(keys) = state.oldest() else { panic!("keys are the oldest") };
            for (place, _) in keys {
                state.postpone(place);
            }
        }
        let Batch::Overflow(place, _) = state.oldest() else { panic!("now it is its turn") };
        state.postpone(place);
        assert!(matches!(state.oldest(), Batch::Keys(_)), "and theirs again");
        assert_eq!(state.depth(), CAPACITY + 1);
    }
}
