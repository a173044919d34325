//! Invalidations that the store has not acknowledged.
//!
//! A write is never held up or failed because its invalidation could not be delivered. What was not acknowledged is
//! kept here and sent again, oldest first, until it is. Until then this process goes around the cache for those
//! keys and neither reads nor fills them: it never returns what it knows to be outdated. Other processes are
//! kept from the old value by the write's fence, where that was acknowledged, and else by the entry's time to live.
//!
//! Acknowledged is not kept: a failover may promote a replica that had not yet been told. So what was acknowledged in the last
//! while is remembered, and sent again when another primary answers.
//!
//! The journal is bounded. When it overflows the process goes around the cache for everything, until one
//! invalidation of the whole namespace has been acknowledged.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::background;
use crate::budget::Budget;
use crate::cache::{Cache, Failover, Inner};
use crate::log;
use crate::store::{Name, Store, glob};
use crate::token::random_fraction;
use crate::write::PATTERN_LIMIT;

/// How many keys and patterns are kept apart; beyond that the whole namespace is invalidated.
const CAPACITY: usize = 16_384;
/// How many keys are sent at once.
const BATCH: usize = 256;
/// How long ago an acknowledged invalidation may lie for a failover to have lost it.
const REPLAY: Duration = Duration::from_secs(30);
/// Shortest and longest pause between attempts to deliver.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// An invalidation, with full texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Key(String),
    Pattern(String),
}

/// What is still to be delivered.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Whose journal it is.
    owner: Weak<Inner>,
    state: Mutex<State>,
    /// Number of entries, so that a hit looks no further when there are none.
    depth: AtomicUsize,
    drained: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// By the order in which they were added. Added again, an invalidation moves to the end: a delivery under way may have
    /// been executed before the write that it was added for.
    entries: BTreeMap<u64, Entry>,
    places: HashMap<Entry, u64>,
    next: u64,
    patterns: usize,
    /// The longest hold-off that anything here asks for; what needs none is held off with the rest.
    hold_off: Duration,
    /// Too much was added, at last at this place: everything is bypassed.
    overflown: Option<u64>,
    delivering: bool,
    recent: Recent,
}

/// What was acknowledged of late, by one primary.
#[derive(Debug, Default)]
struct Recent {
    /// Oldest first.
    entries: VecDeque<(Instant, Entry)>,
    /// When the last one was dropped for want of room.
    dropped: Option<Instant>,
}

impl Journal {
    pub(crate) fn new(owner: Weak<Inner>) -> Self {
        Self { owner, state: Mutex::default(), depth: AtomicUsize::new(0), drained: Notify::new() }
    }

    /// How many invalidations are still to be delivered; an overflow counts as one.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Acquire)
    }

    /// Whether an entry may be outdated in the store.
    pub(crate) fn covers(&self, text: &str) -> bool {
        if self.depth() == 0 {
            return false;
        }
        let state = self.state();
        let matches = |entry: &Entry| match entry {
            Entry::Key(_) => false,
            Entry::Pattern(glob) => glob::matches(glob.as_bytes(), text.as_bytes()),
        };
        let covers = state.overflown.is_some()
            || state.places.contains_key(&Entry::Key(text.to_owned()))
            || (state.patterns > 0 && state.places.keys().any(matches));
        drop(state);
        if covers && let Some(owner) = Cache::of(&self.owner) {
            Self::deliver(&owner);
        }
        covers
    }

    /// Adds invalidations, and sees to it that they are delivered.
    pub(crate) fn add(cache: &Cache, entries: impl IntoIterator<Item = Entry>, hold_off: Duration) {
        let entries: Vec<Entry> = entries.into_iter().collect();
        if entries.is_empty() {
            return;
        }
        let journal = cache.journal();
        let mut state = journal.state();
        state.hold_off = state.hold_off.max(hold_off);
        for entry in &entries {
            state.add(entry.clone());
        }
        journal.depth.store(state.depth(), Ordering::Release);
        drop(state);
        // A flight that began since the command was sent may have looked here before, and find what is outdated by now.
        for entry in &entries {
            match entry {
                Entry::Key(key) => cache.flights().forget(&[Name::new(key)]),
                Entry::Pattern(_) => cache.flights().forget_all(),
            }
        }
        Self::deliver(cache);
    }

    /// Sees to it that somebody delivers what there is: the runtime on which somebody did may be gone.
    pub(crate) fn deliver(cache: &Cache) {
        let journal = cache.journal();
        if journal.depth() == 0 {
            return;
        }
        let mut state = journal.state();
        let idle = state.depth() > 0 && !std::mem::replace(&mut state.delivering, true);
        drop(state);
        if idle {
            let delivery = Delivery { cache: cache.clone(), announced: false, retired: false };
            background::spawn(delivery.run());
        }
    }

    /// Remembers invalidations that the present primary has acknowledged.
    pub(crate) fn acknowledged(cache: &Cache, entries: impl IntoIterator<Item = Entry>) {
        if cache.settings().failover == Failover::Replay && cache.is_remote() {
            cache.journal().state().recent.extend(entries);
        }
    }

    /// Another primary answers, which may not know what the former one had acknowledged: sends it again.
    pub(crate) fn replay(cache: &Cache) {
        let recent = std::mem::take(&mut cache.journal().state().recent);
        let since = Instant::now().checked_sub(REPLAY);
        let (entries, complete) = recent.since(since);
        if !complete {
            // More than can be told one by one.
            Self::add(cache, [Entry::Pattern(cache.everything())], Duration::ZERO);
        }
        Self::add(cache, entries, Duration::ZERO);
    }

    /// Waits until nothing is left.
    pub(crate) async fn drained(&self) {
        loop {
            let drained = self.drained.notified();
            if self.depth() == 0 {
                return;
            }
            drained.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
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

    /// The entries since then, and whether these are all.
    fn since(self, since: Option<Instant>) -> (impl Iterator<Item = Entry>, bool) {
        let late = move |when: Instant| since.is_none_or(|since| when >= since);
        let complete = !self.dropped.is_some_and(late);
        let entries = self.entries.into_iter().filter(move |(when, _)| late(*when));
        (entries.map(|(_, entry)| entry), complete)
    }
}

impl State {
    fn depth(&self) -> usize {
        self.entries.len() + usize::from(self.overflown.is_some())
    }

    fn add(&mut self, entry: Entry) {
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

    fn remove(&mut self, place: u64) {
        if let Some(entry) = self.entries.remove(&place) {
            self.patterns -= usize::from(matches!(entry, Entry::Pattern(_)));
            if self.places.get(&entry) == Some(&place) {
                self.places.remove(&entry);
            }
        }
    }

    /// What is sent next: the oldest keys, as many as go at once, or one pattern.
    fn oldest(&self) -> Batch {
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

/// Invalidations that are sent together, with their places in the journal.
enum Batch {
    Nothing,
    Keys(Vec<(u64, String)>),
    Pattern(u64, String),
    Everything(u64),
}

/// The background task that empties the journal.
struct Delivery {
    cache: Cache,
    /// The log says that invalidations are kept.
    announced: bool,
    retired: bool,
}

impl Delivery {
    async fn run(mut self) {
        let cache = self.cache.clone();
        let Some(store) = cache.store() else { return };
        let mut pause = PAUSE.0;
        loop {
            let batch = self.journal().state().oldest();
            let progress = match batch {
                Batch::Nothing => {
                    if self.retire() {
                        return;
                    }
                    true
                }
                Batch::Keys(keys) => self.send_keys(store, &keys).await,
                Batch::Pattern(place, pattern) => self.send_pattern(store, place, &pattern).await,
                Batch::Everything(place) => {
                    self.send_pattern(store, place, &self.cache.everything()).await
                }
            };
            if progress {
                pause = PAUSE.0;
            } else {
                self.announce();
                // As soon as the store is back, rather than when the pause is over.
                let longest = pause.mul_f64(0.5 + random_fraction() / 2.0);
                _ = timeout(longest, store.changed()).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }

    /// Whether any was acknowledged.
    async fn send_keys(&self, store: &Store, keys: &[(u64, String)]) -> bool {
        let names: Vec<_> = keys.iter().map(|(_, key)| Name::new(key)).collect();
        self.cache.flights().forget(&names);
        let (hold_off, by) = (self.journal().state().hold_off, self.cache.budget().deadline());
        let replies = store.invalidate(&names, hold_off, by).await;
        let acknowledged = keys.iter().zip(&replies).filter(|(_, reply)| reply.is_ok());
        let entries = acknowledged.clone().map(|((_, key), _)| Entry::Key(key.clone()));
        Journal::acknowledged(&self.cache, entries);
        self.acknowledge(acknowledged.map(|((place, _), _)| *place))
    }

    async fn send_pattern(&self, store: &Store, place: u64, pattern: &str) -> bool {
        self.cache.flights().forget_all();
        let by = Budget::new(PATTERN_LIMIT).deadline();
        let hold_off = self.journal().state().hold_off;
        let reply = store.invalidate_matching(pattern, hold_off, by).await;
        self.acknowledge(reply.is_ok().then_some(place).into_iter())
    }

    fn acknowledge(&self, places: impl Iterator<Item = u64>) -> bool {
        let mut state = self.journal().state();
        let mut any = false;
        for place in places {
            any = true;
            if state.overflown == Some(place) {
                state.overflown = None;
            }
            state.remove(place);
        }
        self.journal().depth.store(state.depth(), Ordering::Release);
        any
    }

    /// What is delivered at the first attempt is not worth a line: on a server that refuses fences, that is every write.
    fn announce(&mut self) {
        if !std::mem::replace(&mut self.announced, true) {
            log::warn(format_args!(
                "invalidations cannot be delivered for now: their entries bypass the cache until they are"
            ));
        }
    }

    /// Ends the delivery if there is still nothing to deliver.
    fn retire(&mut self) -> bool {
        {
            let mut state = self.journal().state();
            if state.depth() > 0 {
                return false;
            }
            state.delivering = false;
            state.hold_off = Duration::ZERO;
        }
        self.retired = true;
        if self.announced {
            log::info(format_args!("all invalidations have been delivered"));
        }
        self.journal().drained.notify_waiters();
        true
    }

    fn journal(&self) -> &Journal {
        self.cache.journal()
    }
}

impl Drop for Delivery {
    /// The runtime may end before the delivery does; the next read or write that it concerns starts another one.
    fn drop(&mut self) {
        if !self.retired {
            self.journal().state().delivering = false;
        }
    }
}
