//! The embedded store at the end of a network that loses, delays and answers late: for the simulation.

mod network;
mod outage;
pub(crate) mod producers;
mod queue;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

pub(crate) use self::network::Network;
pub(crate) use self::outage::Server;
pub(crate) use self::queue::Primary;
use crate::error::cause::Refusal;
use crate::record::token::Token;
use crate::store::memory::MemoryStore;
use crate::store::{
    Acquired, Claim, Digests, End, Ended, Fill, Filling, Name, Stamped, StoreError, StoreResult,
};
use crate::support::budget::Deadline;

/// A store that several processes share, as one of them reaches it.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    memory: Arc<MemoryStore>,
    queues: Arc<Primary>,
    network: Arc<Network>,
}

impl FaultyStore {
    pub(crate) fn new(memory: Arc<MemoryStore>, network: Arc<Network>) -> Self {
        Self { memory, queues: Arc::default(), network }
    }

    /// A store whose queues others reach, too.
    pub(crate) fn of_queues(queues: Arc<Primary>, network: Arc<Network>) -> Self {
        Self { memory: Arc::new(MemoryStore::new(1 << 20)), queues, network }
    }

    /// Sends a command. What was sent is executed whether or not somebody waits for the answer.
    async fn command<R: Send + 'static>(
        &self,
        name: Name<'_>,
        by: Deadline,
        execute: impl FnOnce(&MemoryStore, Name<'_>) -> R + Send + 'static,
    ) -> StoreResult<R> {
        let (memory, text) = (Arc::clone(&self.memory), name.text.to_owned());
        self.network.send(by, move || Some(execute(&memory, Name::new(&text)))).await
    }

    /// Waits until the connection has been lost or established.
    pub(crate) async fn changed(&self) {
        self.network.link.changed().await;
    }

    /// The same for a command that changes something.
    async fn write<R: Send + 'static>(
        &self,
        name: Name<'_>,
        by: Deadline,
        execute: impl FnOnce(&MemoryStore, Name<'_>) -> R + Send + 'static,
    ) -> StoreResult<R> {
        if self.network.refuses_writes() {
            return Err(StoreError::Refused(Refusal::new("READONLY", "")));
        }
        self.command(name, by, execute).await
    }

    pub(crate) async fn get(&self, name: Name<'_>, by: Deadline) -> StoreResult<Option<Bytes>> {
        self.command(name, by, MemoryStore::get).await
    }

    pub(crate) async fn stamp(
        &self,
        names: &[Name<'_>],
        need: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Stamped>> {
        let mut replies = Vec::new();
        for name in names {
            let stamp = move |memory: &MemoryStore, name: Name<'_>| memory.stamp(name, need);
            replies.push(self.write(*name, by, stamp).await);
        }
        replies
    }

    pub(crate) async fn now_ms(&self, name: Name<'_>, by: Deadline) -> StoreResult<u64> {
        self.command(name, by, MemoryStore::now_ms).await
    }

    pub(crate) async fn acquire(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
        by: Deadline,
    ) -> StoreResult<Acquired> {
        if self.network.link.is_quiet() {
            return Ok(Acquired::Quiet);
        }
        self.write(name, by, move |memory, name| memory.acquire(name, token, lease, reject)).await
    }

    pub(crate) async fn fill(&self, name: Name<'_>, fill: Fill, by: Deadline) -> StoreResult<bool> {
        if self.network.link.is_quiet() {
            return Ok(false);
        }
        self.write(name, by, |memory, name| memory.fill(name, fill)).await
    }

    pub(crate) async fn refresh(
        &self,
        name: Name<'_>,
        seen: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        if self.network.link.is_quiet() {
            return Ok(false);
        }
        self.write(name, by, move |memory, name| memory.refresh(name, seen, fill)).await
    }

    pub(crate) async fn release(
        &self,
        name: Name<'_>,
        token: Token,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.write(name, by, move |memory, name| memory.release(name, token)).await
    }

    pub(crate) async fn renew(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.write(name, by, move |memory, name| memory.renew(name, token, lease)).await
    }

    pub(crate) async fn get_many(
        &self,
        names: &[Name<'_>],
        by: Deadline,
    ) -> Vec<StoreResult<Option<Bytes>>> {
        let mut replies = Vec::new();
        for name in names {
            replies.push(self.get(*name, by).await);
        }
        replies
    }

    pub(crate) async fn acquire_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Acquired>> {
        let mut replies = Vec::new();
        for claim in claims {
            replies.push(self.acquire(claim.name, claim.token, lease, claim.reject, by).await);
        }
        replies
    }

    pub(crate) async fn fill_many(
        &self,
        fillings: Vec<Filling<'_>>,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let mut replies = Vec::new();
        for Filling { name, seen, fill } in fillings {
            replies.push(match seen {
                None => self.fill(name, fill, by).await,
                Some(seen) => self.refresh(name, seen, fill, by).await,
            });
        }
        replies
    }

    pub(crate) async fn renew_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let mut replies = Vec::new();
        for claim in claims {
            replies.push(self.renew(claim.name, claim.token, lease, by).await);
        }
        replies
    }

    pub(crate) async fn invalidate(
        &self,
        names: &[Name<'_>],
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<()>> {
        self.network.link.hasten();
        let mut replies = Vec::new();
        for name in names {
            let invalidate =
                move |memory: &MemoryStore, name: Name<'_>| memory.invalidate(name, hold_off);
            replies.push(self.write(*name, by, invalidate).await);
        }
        replies
    }

    pub(crate) async fn begin(
        &self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        self.network.link.hasten();
        let mut replies = Vec::new();
        for name in names {
            let begin = move |memory: &MemoryStore, name: Name<'_>| {
                memory.begin(name, writer, fence);
                true
            };
            replies.push(self.write(*name, by, begin).await);
        }
        replies
    }

    pub(crate) async fn end(
        &self,
        ends: Vec<End<'_>>,
        writer: Token,
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Ended>> {
        self.network.link.hasten();
        let mut replies = Vec::new();
        for End { name, value } in ends {
            let value = value.filter(|_| !self.network.link.is_quiet());
            let end = move |memory: &MemoryStore, name: Name<'_>| {
                memory.end(name, writer, hold_off, value)
            };
            replies.push(self.write(name, by, end).await);
        }
        replies
    }

    pub(crate) async fn invalidate_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
        by: Deadline,
    ) -> StoreResult<u64> {
        self.network.link.hasten();
        let invalidate = move |memory: &MemoryStore, name: Name<'_>| {
            memory.invalidate_matching(name.text, hold_off)
        };
        self.write(Name::new(pattern), in_a_step(by), invalidate).await
    }
    pub(crate) async fn invalidate_listed(
        &self,
        keys: &Digests,
        among: &str,
        hold_off: Duration,
        by: Deadline,
    ) -> StoreResult<u64> {
        let keys = keys.clone();
        let invalidate = move |memory: &MemoryStore, name: Name<'_>| {
            memory.invalidate_listed(&keys, name.text, hold_off)
        };
        self.write(Name::new(among), in_a_step(by), invalidate).await
    }
}

/// A scan that is not answered ends with its first step.
fn in_a_step(by: Deadline) -> Deadline {
    by.min(Instant::now() + Duration::from_secs(1))
}
