//! What is still to be delivered, and what was delivered recently.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::log;

/// How many keys and patterns are kept individually; beyond that, the whole namespace is invalidated.
const CAPACITY: usize = 16_384;
/// How many keys are sent at once.
const BATCH: usize = 256;
/// For how long after its acknowledgement an invalidation may be lost in a failover.
const REPLAY: Duration = Duration::from_secs(30);

/// An invalidation, with full texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Key(String),
    Pattern(String),
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// In the order in which they were added. An invalidation that is added again moves to the end: a delivery in
    /// progress may have been executed before the write that it was added for.
    entries: BTreeMap<u64, Entry>,
    pub(super) places: HashMap<Entry, u64>,
    next: u64,
    pub(super) patterns: usize,
    /// The longest hold-off that any entry needs; it is applied to all of them.
    pub(super) hold_off: Duration,
    /// Set when too much was added, to the position of the last addition: everything is bypassed.
    pub(super) overflown: Option<u64>,
    pub(super) delivering: bool,
    pub(super) recent: Recent,
}

/// What one primary has acknowledged recently.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Oldest first.
    entries: VecDeque<(Instant, Entry)>,
    /// When one was last dropped because there was no room.
    dropped: Option<Instant>,
}

impl State {
    pub(super) fn depth(&self) -> usize {
        self.entries.len() + usize::from(self.overflown.is_some())
    }

    pub(super) fn add(&mut self, entry: Entry) {
        let place = self.next;
        self.next += 1;
        if self.overflown.is_some()
            || (self.entries.len() >= CAPACITY && !self.places.contains_key(&entry))
        {
            if self.overflown.is_none() {
                log::warn(format_args!(
                    "the journal of undelivered invalidations overflowed: everything bypasses the cache until the namespace has been invalidated"
                ));
            }
            let next = self.next;
            let (delivering, recent) = (self.delivering, std::mem::take(&mut self.recent));
            let (overflown, hold_off) = (Some(place), self.hold_off);
            *self = Self { next, hold_off, overflown, delivering, recent, ..Self::default() };
            return;
        }
        self.patterns += usize::from(matches!(entry, Entry::Pattern(_)));
        if let Some(former) = self.places.insert(entry.clone(), place) {
            self.remove(former);
        }
        self.entries.insert(place, entry);
    }

    /// Moves the invalidation at a position to the end.
    pub(super) fn postpone(&mut self, place: u64) {
        if let Some(entry) = self.entries.get(&place).cloned() {
            self.add(entry);
        }
    }

    pub(super) fn remove(&mut self, place: u64) {
        if let Some(entry) = self.entries.remove(&place) {
            self.patterns -= usize::from(matches!(entry, Entry::Pattern(_)));
            if self.places.get(&entry) == Some(&place) {
                self.places.remove(&entry);
            }
        }
    }

    /// What to send next: the oldest keys, up to the limit of one command, or one pattern.
    pub(super) fn oldest(&self) -> Batch {
        if let Some(place) = self.overflown {
            return Batch::Everything(place);
        }
        match self.entries.first_key_value() {
            None => Batch::Nothing,
            Some((&place, Entry::Pattern(pattern))) => Batch::Pattern(place, pattern.clone()),
            Some((_, Entry::Key(_))) => Batch::Keys(
                self.entries
                    .iter()
                    .map_while(|(&place, entry)| match entry {
                        Entry::Key(key) => Some((place, key.clone())),
                        Entry::Pattern(_) => None,
                    })
                    .take(BATCH)
                    .collect(),
            ),
        }
    }
}

impl Recent {
    pub(super) fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let now = Instant::now();
        self.entries.extend(entries.into_iter().map(|entry| (now, entry)));
        while let Some((when, _)) = self.entries.front()
            && (now.duration_since(*when) > REPLAY || self.entries.len() > CAPACITY)
        {
            if now.duration_since(*when) <= REPLAY {
                self.dropped = Some(now);
            }
            self.entries.pop_front();
        }
    }

    /// The entries that a failover may have lost, and whether these are all.
    pub(super) fn at_risk(self) -> (impl Iterator<Item = Entry>, bool) {
        let since = Instant::now().checked_sub(REPLAY);
        let late = move |when: Instant| since.is_none_or(|since| when >= since);
        let complete = !self.dropped.is_some_and(late);
        let entries = self.entries.into_iter().filter(move |(when, _)| late(*when));
        (entries.map(|(_, entry)| entry), complete)
    }
}

/// Invalidations that are sent together, with their positions in the journal.
pub(super) enum Batch {
    Nothing,
    Keys(Vec<(u64, String)>),
    Pattern(u64, String),
    Everything(u64),
}
