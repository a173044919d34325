//! The embedded store: the same protocol in this process's memory.
//!
//! For programs without Redis, for tests, and for the time before a cache is installed. The size of all entries is
//! bounded in bytes. Values are evicted to make room for values; leases and fences never are, because they are small
//! and short-lived.

#[cfg(test)]
mod image;
pub(crate) mod queue;
mod rules;
mod shard;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::time::Instant;

use self::rules::{Content, Entry, Slot};
use self::shard::Shard;
use super::{Acquired, Ended, Fill, Name, Stamped, glob, kept};
use crate::record;
use crate::token::Token;

const SHARDS: usize = 16;

/// Entries in this process's memory.
#[derive(Debug)]
pub(crate) struct MemoryStore {
    shards: [Mutex<Shard>; SHARDS],
    /// Ties the monotonic clock, which tests may pause, to the times in records.
    epoch: (Instant, Duration),
}

impl MemoryStore {
    /// A store that holds at most about `capacity` bytes of values.
    pub(crate) fn new(capacity: usize) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            shards: std::array::from_fn(|_| Mutex::new(Shard::new(capacity / SHARDS))),
            epoch: (Instant::now(), since_epoch),
        }
    }

    pub(crate) fn get(&self, name: Name<'_>) -> Option<Bytes> {
        self.shard(name).read(name.text, Instant::now())
    }

    /// The time that records are given now, whichever they are.
    pub(crate) fn now_ms(&self, _: Name<'_>) -> u64 {
        millis(self.since_epoch(Instant::now()))
    }

    pub(crate) fn acquire(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
    ) -> Acquired {
        self.apply(name, |entry, now| rules::acquire(entry, now, token, lease, reject))
    }

    pub(crate) fn fill(&self, name: Name<'_>, fill: Fill) -> bool {
        let Some(token) = record::token(&fill.record) else { return false };
        self.apply(name, |entry, now| rules::fill(entry, token, || self.value(token, fill, now)))
    }

    pub(crate) fn refresh(&self, name: Name<'_>, seen: Token, fill: Fill) -> bool {
        let Some(token) = record::token(&fill.record) else { return false };
        self.apply(name, |entry, now| {
            rules::refresh(entry, token, seen, || self.value(token, fill, now))
        })
    }

    pub(crate) fn release(&self, name: Name<'_>, token: Token) -> bool {
        self.apply(name, |entry, _| rules::release(entry, token))
    }

    pub(crate) fn renew(&self, name: Name<'_>, token: Token, lease: Duration) -> bool {
        self.apply(name, |entry, now| rules::renew(entry, now, token, lease))
    }

    /// The stamp of a tag, which is made where there is none.
    pub(crate) fn stamp(&self, name: Name<'_>, need: Duration) -> Stamped {
        self.stamp_with(name, Token::random(), need)
    }

    /// The same, with this stamp where there is none.
    pub(super) fn stamp_with(&self, name: Name<'_>, token: Token, need: Duration) -> Stamped {
        self.apply(name, |entry, now| {
            rules::stamp(entry, now, token, need, || {
                let (record, ttl) = (record::stamp(name.hash, token), kept(need));
                self.value(token, Fill { record, fresh: ttl, ttl }, now)
            })
        })
    }

    pub(crate) fn invalidate(&self, name: Name<'_>, hold_off: Duration) {
        self.apply(name, |entry, now| rules::invalidate(entry, now, hold_off));
    }

    pub(crate) fn begin(&self, name: Name<'_>, writer: Token, fence: Duration) {
        self.apply(name, |entry, now| rules::begin(entry, now, writer, fence));
    }

    pub(crate) fn end(
        &self,
        name: Name<'_>,
        writer: Token,
        hold_off: Duration,
        fill: Option<Fill>,
    ) -> Ended {
        self.apply(name, |entry, now| {
            let value = fill.map(|fill| || self.value(writer, fill, now));
            rules::end(entry, now, writer, hold_off, value)
        })
    }

    /// Invalidates every key that a Redis glob matches; how many there were.
    pub(crate) fn invalidate_matching(&self, pattern: &str, hold_off: Duration) -> u64 {
        let now = Instant::now();
        let mut matched = 0;
        for shard in &self.shards {
            matched += lock(shard).apply_matching(
                now,
                |key| glob::matches(pattern.as_bytes(), key.as_bytes()),
                |entry| rules::invalidate(entry, now, hold_off),
            );
        }
        matched
    }

    /// What a key holds: `V`, `L`, `F` or `T`.
    #[cfg(test)]
    pub(crate) fn kind(&self, name: Name<'_>) -> Option<char> {
        self.apply(name, |entry, _| entry.as_ref().map(rules::kind))
    }

    /// Removes what a key holds, whatever it is, as `DEL` does.
    #[cfg(test)]
    pub(crate) fn lose(&self, name: Name<'_>) {
        self.apply(name, |entry, _| *entry = None);
    }

    /// A value slot, with the times put into its record.
    fn value(&self, token: Token, fill: Fill, now: Instant) -> Slot {
        let Fill { mut record, fresh, ttl } = fill;
        let stored_at = self.since_epoch(now);
        for (at, time) in [(36, stored_at), (44, stored_at.saturating_add(fresh))] {
            if let Some(field) = record.get_mut(at..at + 8) {
                field.copy_from_slice(&millis(time).to_be_bytes());
            }
        }
        Slot { content: Content::Value { token, record: record.into() }, until: later(now, ttl) }
    }

    /// `now` as the time in records.
    fn since_epoch(&self, now: Instant) -> Duration {
        self.epoch.1 + now.saturating_duration_since(self.epoch.0)
    }

    fn apply<R>(&self, name: Name<'_>, rule: impl FnOnce(&mut Entry, Instant) -> R) -> R {
        let now = Instant::now();
        self.shard(name).apply(name.text, now, |entry| rule(entry, now))
    }

    fn shard(&self, name: Name<'_>) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::try_from(name.hash.0 % SHARDS as u64).unwrap_or_default()])
    }
}

/// `now + span`, and thirty years where that is more than the clock can say.
fn later(now: Instant, span: Duration) -> Instant {
    const AGES: Duration = Duration::from_secs(30 * 365 * 86_400);
    now + span.min(AGES)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
