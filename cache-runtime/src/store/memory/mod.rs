//! The embedded store: the same protocol in this process's memory.
//!
//! For programs without Redis, for tests, and for the time before a cache is installed. The memory
//! that all entries take is bounded. Values are evicted to make room; leases, fences and tombstones
//! never are, because a value that was stored in their place could be stale.

mod guards;
#[cfg(test)]
mod image;
mod inspect;
mod requests;
mod shard;
#[cfg(test)]
mod tests;
mod transitions;
mod values;
mod weight;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::time::Instant;

pub(crate) use self::requests::Execute;
use self::shard::Shard;
use self::transitions::{Content, Entry, Slot};
use crate::metrics::EmbeddedStats;
use crate::record::token::Token;
use crate::record::{self, layout};
use crate::store::{Digests, Fill, Name, namespace};
use crate::support::span::capped;

const SHARDS: usize = 16;

/// Entries in this process's memory.
#[derive(Debug)]
pub(crate) struct MemoryStore {
    /// A hit only reads its shard, so it waits for no other hit.
    shards: [RwLock<Shard>; SHARDS],
    /// How many bytes the entries of all shards may take, and do take. The second one changes after
    /// the shards, so that callers at the same time may evict a few values too many.
    capacity: usize,
    weight: AtomicUsize,
    /// The number of values that have been evicted: each shard in turn gives one.
    turn: AtomicUsize,
    /// Ties the monotonic clock, which tests may pause, to the times in records.
    epoch: (Instant, Duration),
}

impl MemoryStore {
    /// A store whose values take at most about `capacity` bytes of memory.
    pub(crate) fn new(capacity: usize) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            capacity,
            weight: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
            epoch: (Instant::now(), since_epoch),
        }
    }

    /// The length of the longest record that is stored: a longer one would leave no room for
    /// others.
    pub(crate) fn longest_record(&self) -> usize {
        self.capacity / 2
    }

    /// The value record of a key at this time.
    pub(crate) fn read(&self, name: Name<'_>, now: Instant) -> Option<Bytes> {
        read(self.shard(name)).read(name.text, now)
    }

    /// How many entries there are, and what they take.
    pub(crate) fn stats(&self) -> EmbeddedStats {
        let entries = self.shards.iter().map(|shard| read(shard).len()).sum();
        EmbeddedStats { entries, bytes: self.weight.load(Ordering::Relaxed) }
    }

    /// Invalidates every key that a Redis glob matches; how many there were.
    pub(crate) fn invalidate_matching(&self, pattern: &str, hold_off: Duration) -> u64 {
        self.invalidate_where(|key| namespace::matches(pattern, key), hold_off)
    }

    /// The same for those that are in a set.
    pub(crate) fn invalidate_listed(&self, keys: &Digests, among: &str, hold_off: Duration) -> u64 {
        let listed = |key: &str| namespace::matches(among, key) && keys.contains(key);
        self.invalidate_where(listed, hold_off)
    }

    fn invalidate_where(&self, is_meant: impl Fn(&str) -> bool, hold_off: Duration) -> u64 {
        let now = Instant::now();
        let invalidate = |entry: &mut Entry| transitions::invalidate(entry, now, hold_off);
        let each = self.shards.iter();
        each.map(|shard| {
            self.within(shard, |shard| shard.apply_matching(now, &is_meant, invalidate))
        })
        .sum()
    }

    /// A value slot, with the times put into its record.
    fn value(&self, token: Token, fill: Fill, now: Instant) -> Slot {
        let Fill { mut record, fresh, ttl } = fill;
        let stored_at = self.since_epoch(now);
        for (at, time) in
            [(layout::STORED_AT, stored_at), (layout::FRESH_UNTIL, stored_at.saturating_add(fresh))]
        {
            if let Some(field) = record.get_mut(at..at + 8) {
                field.copy_from_slice(&millis(time).to_be_bytes());
            }
        }
        // Without the room that it has grown to have, which would be kept.
        let record = record.into_boxed_slice().into();
        Slot { content: Content::Value { token, record }, until: later(now, ttl) }
    }

    /// The slot of a value that is fresh no longer; none if it is not kept for longer.
    fn stale(&self, token: Token, record: &Bytes, until: Instant, now: Instant) -> Entry {
        let now_ms = millis(self.since_epoch(now));
        let (record, fresh_for) = record::stale(record, token, now_ms)?;
        let until = until.checked_sub(Duration::from_millis(fresh_for))?;
        let record = record.into_boxed_slice().into();
        (until > now).then_some(Slot { content: Content::Value { token, record }, until })
    }

    /// `now` as the time in records.
    fn since_epoch(&self, now: Instant) -> Duration {
        self.epoch.1 + now.saturating_duration_since(self.epoch.0)
    }

    fn apply<R>(&self, name: Name<'_>, rule: impl FnOnce(&mut Entry, Instant) -> R) -> R {
        let now = Instant::now();
        let reply = self.within(self.shard(name), |shard| {
            shard.apply(name.text, now, |entry| rule(entry, now))
        });
        self.make_room(now);
        reply
    }

    /// Works on a shard, and adds up what it takes.
    fn within<R>(&self, shard: &RwLock<Shard>, work: impl FnOnce(&mut Shard) -> R) -> R {
        let mut shard = write(shard);
        let before = shard.weight();
        let reply = work(&mut shard);
        // The difference may be negative: both wrap around.
        self.weight.fetch_add(shard.weight().wrapping_sub(before), Ordering::Relaxed);
        reply
    }

    /// Evicts values until the others fit, one shard after the other. One after whose turn there is
    /// no value left in any shard is the last.
    fn make_room(&self, now: Instant) {
        let mut without = 0;
        while self.weight.load(Ordering::Relaxed) > self.capacity && without < SHARDS {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let evicted = self.within(&self.shards[turn % SHARDS], |shard| shard.evict(now));
            without = if evicted { 0 } else { without + 1 };
        }
    }

    fn shard(&self, name: Name<'_>) -> &RwLock<Shard> {
        &self.shards[usize::try_from(name.hash.0 % SHARDS as u64).unwrap_or_default()]
    }
}

/// `now + span`, which may be the sum of several: at most the longest that counts.
fn later(now: Instant, span: Duration) -> Instant {
    now + capped(span)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}
