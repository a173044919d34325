//! Where entries live: Redis, or this process's memory. Bytes and rules only; no value type, no policy.

#[cfg(test)]
pub(crate) mod agreement;
mod convoy;
#[cfg(test)]
pub(crate) mod faulty;
pub(crate) mod glob;
mod many;
pub(crate) mod memory;
pub(crate) mod queue;
pub(crate) mod redis;

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

pub(crate) use self::convoy::Convoy;
pub(crate) use self::many::{Claim, Filling};
use self::memory::MemoryStore;
use self::redis::{Redirection, RedisStore};
use crate::record::{self, KeyHash};
use crate::token::Token;

/// A full key (namespace and all) with its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) hash: KeyHash,
}

impl<'a> Name<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, hash: KeyHash::of(text) }
    }
}

/// Reply of `acquire`.
#[derive(Clone, Debug)]
pub(crate) enum Acquired {
    /// A value is there; its whole record.
    Value(Bytes),
    /// The lease is ours.
    Leased,
    /// Somebody else holds it, for at most this long.
    Held(Duration),
    /// A fence or a tombstone: load, store nothing.
    Fenced,
    /// Somebody else's data: load, store nothing, touch nothing.
    Foreign,
}

/// Reply of `stamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamped {
    /// The stamp that stands there now.
    Stamp(Token),
    /// A fence or a tombstone: what is loaded now must not be stored under this tag.
    Fenced,
    /// Somebody else's data.
    Foreign,
}

/// How long a stamp is kept that is needed for so long: twice, so that not every load has to prolong it.
pub(crate) fn kept(need: Duration) -> Duration {
    need.saturating_mul(2)
}

/// A value to be stored: the record from [`record::value`](crate::record::value) with its payload, and for how long.
#[derive(Debug)]
pub(crate) struct Fill {
    pub(crate) record: Vec<u8>,
    /// Served as fresh for this long.
    pub(crate) fresh: Duration,
    /// Kept for this long; at least `fresh`.
    pub(crate) ttl: Duration,
}

/// One key of a writer that ends, and what it stores there if no other writer ever overlapped.
#[derive(Debug)]
pub(crate) struct End<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) value: Option<Fill>,
}

impl Fill {
    /// A value that is fresh for so long, and may be served for `stale` after that.
    pub(crate) fn new(mut record: Vec<u8>, fresh: Duration, stale: Duration) -> Self {
        if !stale.is_zero() {
            record::set_kept(&mut record);
        }
        Self { record, fresh, ttl: fresh.saturating_add(stale) }
    }
}

/// Reply of `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing is left in the key (or the tombstone is).
    Removed,
    /// Other writers' fences still stand.
    Standing,
    /// The value was stored.
    Stored,
}

/// Why an operation was not acknowledged. It may have been executed all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// No connection, or the breaker is open: refused at once.
    Down,
    /// No answer before the deadline.
    TimedOut,
    /// The connection was lost underway.
    Lost,
    /// The server refused: the first word of its error (`OOM`, `READONLY`, `NOPERM`, …).
    Refused(String),
    /// The server has not executed it: another node of its cluster has the key.
    Redirected(Box<Redirection>),
    /// A reply that the command does not give.
    Unexpected,
}

/// When an operation must have been answered.
pub(crate) type Deadline = Instant;

/// The result of a store operation.
pub(crate) type StoreResult<T> = Result<T, StoreError>;

/// A store of one kind or the other.
#[derive(Debug)]
pub(crate) enum Store {
    Memory(Box<MemoryStore>),
    Redis(RedisStore),
    #[cfg(test)]
    Faulty(faulty::FaultyStore),
}

/// Dispatches an operation; the embedded store always answers, at once.
macro_rules! dispatch {
    ($self:ident, $operation:ident($($argument:expr),*; $deadline:expr)) => {
        match $self {
            Self::Memory(store) => Ok(store.$operation($($argument),*)),
            Self::Redis(store) => store.$operation($($argument,)* $deadline).await,
            #[cfg(test)]
            Self::Faulty(store) => store.$operation($($argument,)* $deadline).await,
        }
    };
}

impl Store {
    /// Reads a record: one command.
    pub(crate) async fn get(&self, name: Name<'_>, by: Deadline) -> StoreResult<Option<Bytes>> {
        if let Some(answer) = convoy::get(name, by) {
            return answer.await;
        }
        dispatch!(self, get(name; by))
    }

    /// The time by the clock that the times in an entry's record are of, in milliseconds since the Unix epoch.
    pub(crate) async fn now_ms(&self, name: Name<'_>, by: Deadline) -> StoreResult<u64> {
        dispatch!(self, now_ms(name; by))
    }

    /// Gets the stamps of some tags, and makes those that are missing. They last for at least `need` from now on, if
    /// nobody invalidates or evicts them. One round trip, one result per tag.
    pub(crate) async fn stamp(
        &self,
        names: &[Name<'_>],
        need: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Stamped>> {
        if let Some(answers) = convoy::stamp(names, need, by) {
            return convoy::all(answers).await;
        }
        match self {
            Self::Memory(store) => names.iter().map(|name| Ok(store.stamp(*name, need))).collect(),
            Self::Redis(store) => store.stamp(names, need, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.stamp(names, need, by).await,
        }
    }

    /// Gets the value, or the lease. A value with the token `reject` is of no use to the caller and gives way.
    pub(crate) async fn acquire(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
        by: Deadline,
    ) -> StoreResult<Acquired> {
        if let Some(answer) = convoy::acquire(Claim { name, token, reject }, lease, by) {
            return answer.await;
        }
        dispatch!(self, acquire(name, token, lease, reject; by))
    }

    /// Stores a value where the lease of its token still stands.
    pub(crate) async fn fill(&self, name: Name<'_>, fill: Fill, by: Deadline) -> StoreResult<bool> {
        let fill = match convoy::fill(name, None, fill, by) {
            Ok(answer) => return answer.await,
            Err(fill) => fill,
        };
        dispatch!(self, fill(name, fill; by))
    }

    /// Replaces the value that carries the token `seen`, and only that one.
    pub(crate) async fn refresh(
        &self,
        name: Name<'_>,
        seen: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        let fill = match convoy::fill(name, Some(seen), fill, by) {
            Ok(answer) => return answer.await,
            Err(fill) => fill,
        };
        dispatch!(self, refresh(name, seen, fill; by))
    }

    /// Gives up a lease.
    pub(crate) async fn release(
        &self,
        name: Name<'_>,
        token: Token,
        by: Deadline,
    ) -> StoreResult<bool> {
        dispatch!(self, release(name, token; by))
    }

    /// Keeps a lease while its load goes on.
    pub(crate) async fn renew(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        by: Deadline,
    ) -> StoreResult<bool> {
        if let Some(answer) = convoy::renew(Claim { name, token, reject: None }, lease, by) {
            return answer.await;
        }
        dispatch!(self, renew(name, token, lease; by))
    }

    /// Removes values and leases; never lifts another writer's fence. One round trip, one result per key.
    pub(crate) async fn invalidate(
        &self,
        names: &[Name<'_>],
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<()>> {
        match self {
            Self::Memory(store) => {
                let invalidate = |name: &Name<'_>| {
                    store.invalidate(*name, hold_off);
                    Ok(())
                };
                names.iter().map(invalidate).collect()
            }
            Self::Redis(store) => store.invalidate(names, hold_off, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.invalidate(names, hold_off, by).await,
        }
    }

    /// Puts up a writer's fence, or keeps it up. One round trip, one result per key: whether the fence stands.
    pub(crate) async fn begin(
        &self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        match self {
            Self::Memory(store) => names
                .iter()
                .map(|name| {
                    store.begin(*name, writer, fence);
                    Ok(true)
                })
                .collect(),
            Self::Redis(store) => store.begin(names, writer, fence, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.begin(names, writer, fence, by).await,
        }
    }

    /// Waits until the connection has been lost or made.
    pub(crate) async fn changed(&self) {
        match self {
            Self::Redis(store) => {
                store.changed(store.snapshot()).await;
            }
            #[cfg(test)]
            Self::Faulty(_) => std::future::pending().await,
            Self::Memory(_) => std::future::pending().await,
        }
    }

    /// Lifts a writer's fence, and stores its values, each if no other writer ever overlapped. One round trip, one result
    /// per key.
    pub(crate) async fn end(
        &self,
        ends: Vec<End<'_>>,
        writer: Token,
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Ended>> {
        match self {
            Self::Memory(store) => ends
                .into_iter()
                .map(|end| Ok(store.end(end.name, writer, hold_off, end.value)))
                .collect(),
            Self::Redis(store) => store.end(ends, writer, hold_off, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.end(ends, writer, hold_off, by).await,
        }
    }

    /// Lifts a writer's fence and stores its value, if no other writer ever overlapped.
    pub(crate) async fn end_with(
        &self,
        name: Name<'_>,
        writer: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<Ended> {
        let end = End { name, value: Some(fill) };
        let replies = self.end(vec![end], writer, Duration::ZERO, by).await;
        replies.into_iter().next().unwrap_or(Err(StoreError::Unexpected))
    }

    /// Invalidates all keys that a glob matches; how many there were.
    pub(crate) async fn invalidate_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
        by: Deadline,
    ) -> StoreResult<u64> {
        match self {
            Self::Memory(store) => Ok(store.invalidate_matching(pattern, hold_off)),
            Self::Redis(store) => store.invalidate_matching(pattern, hold_off, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.invalidate_matching(pattern, hold_off, by).await,
        }
    }
}
