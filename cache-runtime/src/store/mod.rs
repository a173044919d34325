//! Where entries live: in Redis, or in this process's memory. Stores know bytes and the protocol, not value types or
//! policies.

mod coalesce;
mod digests;
mod failover;
pub(crate) mod glob;
mod many;
pub(crate) mod memory;
pub(crate) mod namespace;
mod protocol;
pub(crate) mod queue;
pub(crate) mod quiet;
pub(crate) mod redis;
mod sweeps;

use std::time::Duration;

use bytes::Bytes;

pub(crate) use self::coalesce::Convoy;
pub(crate) use self::digests::Digests;
pub use self::failover::Failover;
pub(crate) use self::many::{Claim, Filling, PIECE};
use self::memory::MemoryStore;
pub(crate) use self::protocol::error::{StoreError, StoreResult};
pub(crate) use self::protocol::reply::{Acquired, Ended, Stamped};
pub(crate) use self::protocol::request::{End, Fill, Name, kept};
use self::redis::RedisStore;
use crate::record::token::Token;
use crate::support::budget::Deadline;

/// A store of one kind or the other.
#[derive(Debug)]
pub(crate) enum Store {
    Memory(Box<MemoryStore>),
    Redis(RedisStore),
    #[cfg(test)]
    Faulty(crate::testing::faulty_store::FaultyStore),
}

/// Dispatches an operation. The embedded store always answers, and at once.
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
        if let Some(answer) = coalesce::get(name, by) {
            return answer.await;
        }
        dispatch!(self, get(name; by))
    }

    /// The same where it takes no waiting: in the embedded store.
    pub(crate) fn get_at_once(&self, name: Name<'_>) -> Option<StoreResult<Option<Bytes>>> {
        match self {
            Self::Memory(store) => Some(Ok(store.get(name))),
            Self::Redis(_) => None,
            #[cfg(test)]
            Self::Faulty(_) => None,
        }
    }

    /// The length of the longest record that is stored.
    pub(crate) fn longest_record(&self) -> usize {
        match self {
            Self::Memory(store) => store.longest_record(),
            Self::Redis(_) => usize::MAX,
            #[cfg(test)]
            Self::Faulty(_) => usize::MAX,
        }
    }

    /// The time by the clock that sets the times in an entry's record, in milliseconds since the Unix epoch.
    pub(crate) async fn now_ms(&self, name: Name<'_>, by: Deadline) -> StoreResult<u64> {
        dispatch!(self, now_ms(name; by))
    }

    /// Gets the stamps of some tags, and creates those that are missing. Unless they are invalidated or evicted, they
    /// last for at least `need` from now on. One round trip, one result per tag.
    pub(crate) async fn stamp(
        &self,
        names: &[Name<'_>],
        need: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Stamped>> {
        if let Some(answers) = coalesce::stamp(names, need, by) {
            return coalesce::all(answers).await;
        }
        match self {
            Self::Memory(store) => names.iter().map(|name| Ok(store.stamp(*name, need))).collect(),
            Self::Redis(store) => store.stamp(names, need, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.stamp(names, need, by).await,
        }
    }

    /// Gets the value, or the lease. A value with the token `reject` is useless to the caller, and makes room for the
    /// lease.
    pub(crate) async fn acquire(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
        by: Deadline,
    ) -> StoreResult<Acquired> {
        if let Some(answer) = coalesce::acquire(Claim { name, token, reject }, lease, by) {
            return answer.await;
        }
        dispatch!(self, acquire(name, token, lease, reject; by))
    }

    /// Stores a value if the key still holds the lease with its token.
    pub(crate) async fn fill(&self, name: Name<'_>, fill: Fill, by: Deadline) -> StoreResult<bool> {
        let fill = match coalesce::fill(name, None, fill, by) {
            Ok(answer) => return answer.await,
            Err(fill) => fill,
        };
        dispatch!(self, fill(name, fill; by))
    }

    /// Replaces the value with the token `seen`, and no other.
    pub(crate) async fn refresh(
        &self,
        name: Name<'_>,
        seen: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        let fill = match coalesce::fill(name, Some(seen), fill, by) {
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

    /// Renews a lease while its load is running.
    pub(crate) async fn renew(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        by: Deadline,
    ) -> StoreResult<bool> {
        if let Some(answer) = coalesce::renew(Claim { name, token, reject: None }, lease, by) {
            return answer.await;
        }
        dispatch!(self, renew(name, token, lease; by))
    }

    /// Removes values and leases; never lifts another writer's fence. One result per key.
    ///
    /// Many keys go in pieces, each one round trip. The deadline is that of the first piece, and each of the others has
    /// as much time: it is not the number of keys that makes an operation time out. The rest is not sent once a piece
    /// has not been answered.
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

    /// Puts up a writer's fence, or renews it. One result per key: whether the fence is in place. Many keys go in pieces,
    /// as in [`invalidate`](Self::invalidate), for as long as the first of them certainly has its fence.
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

    /// Waits until the connection has been lost or established.
    pub(crate) async fn changed(&self) {
        match self {
            Self::Redis(store) => {
                store.changed(store.snapshot()).await;
            }
            #[cfg(test)]
            Self::Faulty(store) => store.changed().await,
            Self::Memory(_) => std::future::pending().await,
        }
    }

    /// Lifts a writer's fences, and stores each value if no other writer of its key overlapped. One result per key. Many
    /// keys go in pieces, as in [`invalidate`](Self::invalidate).
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

    /// Lifts a writer's fence, and stores its value if no other writer overlapped.
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
}
