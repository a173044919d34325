//! What is still to be delivered.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

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
    /// Since when each has not been delivered, by its position.
    since: HashMap<u64, Instant>,
    next: u64,
    /// The places of patterns: each read is compared with these, and keys may be thousands.
    patterns: BTreeSet<u64>,
    /// The longest hold-off that any entry needs; it is applied to all of them.
    pub(super) hold_off: Duration,
    /// The keys for which there was no room.
    pub(super) overflow: Digests,
    /// The position of the last of them, and since when the first has not been delivered.
    overflow_place: u64,
    overflow_since: Option<Instant>,
    pub(super) delivering: bool,
    pub(super) recent: Recent,
    /// How far sweeps have come that were begun, by the places of what they are for.
    sweeps: BTreeMap<u64, Arc<Sweep>>,
}

impl State {
    pub(super) fn depth(&self) -> usize {
        self.entries.len() + self.overflow.len()
    }

    /// How long the oldest has not been delivered; zero if there is none.
    pub(super) fn age(&self) -> Duration {
        let oldest = self.since.values().chain(&self.overflow_since).min();
        oldest.map_or(Duration::ZERO, Instant::elapsed)
    }

    /// The same for the invalidation at a position.
    pub(super) fn age_of(&self, place: u64) -> Option<Duration> {
        let overflow = self.overflow_since.as_ref().filter(|_| self.is_of_overflow(place));
        self.since.get(&place).or(overflow).map(Instant::elapsed)
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
        let mut since = Instant::now();
        if let Some(former) = self.places.insert(entry.clone(), place) {
            since = self.since.get(&former).copied().unwrap_or(since);
            self.remove_entry(former);
        }
        self.since.insert(place, since);
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
        self.overflow_since.get_or_insert_with(Instant::now);
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
        self.overflow_since.get_or_insert_with(Instant::now);
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
            (self.overflow, self.overflow_since) = (Digests::default(), None);
        } else {
            self.remove_entry(place);
        }
    }

    fn remove_entry(&mut self, place: u64) {
        self.since.remove(&place);
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
