//! Queues as Redis streams.
//!
//! One stream, one clock and one owner per partition, in one slot; every change is a script. Those
//! of an owner check that it still is the owner: one that was paused and lost the partition changes
//! nothing any more.

mod call;
mod connection;
mod layout;
mod letters;
mod manage;
mod reply;
mod scripts;

use std::sync::Arc;

use self::call::{Call, number};
pub(crate) use self::connection::Line;
use crate::store::queue::redis::scripts::{JOIN, LENGTHS, PUSH, TAKE, YIELD};
use crate::store::queue::{Added, Addition, Claim, Crew, Lane, Lengths, QueueKeys};
use crate::store::redis::RedisStore;
use crate::store::redis::commands::encode::millis;
use crate::store::redis::connection::breaker::Breaker;
use crate::store::redis::connection::plan::Plan;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::topology::router::Exchange;
use crate::store::{Name, StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::support::own_thread;

/// A queue on a server.
#[derive(Clone, Debug)]
pub(crate) struct RedisQueue {
    store: Arc<RedisStore>,
    keys: Arc<QueueKeys>,
}

impl RedisQueue {
    pub(crate) fn new(store: Arc<RedisStore>, keys: QueueKeys) -> Self {
        Self { store, keys: Arc::new(keys) }
    }

    pub(crate) fn store(&self) -> &RedisStore {
        &self.store
    }

    pub(crate) fn keys(&self) -> &QueueKeys {
        &self.keys
    }

    /// Appends items of one producer, no two of one number; what became of each.
    pub(crate) async fn push(
        &self,
        lane: &Lane,
        additions: &[Addition<'_>],
        by: Deadline,
    ) -> StoreResult<Vec<Added>> {
        let mut push = Push { lane, additions, is_sent: false };
        match self.store.router.run(Name::new(&lane.stream), &mut push, by).await {
            // There was no connection in time, so there is nothing to doubt.
            Err(StoreError::TimedOut) if !push.is_sent => Err(StoreError::Down),
            reply => reply::added(&reply?, additions.len()),
        }
    }

    /// Takes a partition, if nobody owns it.
    pub(crate) async fn take(
        &self,
        partition: u32,
        claim: &Claim,
        by: Deadline,
    ) -> StoreResult<bool> {
        let lane = self.keys.lane(partition);
        let call = Call::new(&TAKE)
            .key(&lane.owner)
            .key(&lane.stream)
            .arg(&claim.token)
            .arg(number(millis(claim.lease)))
            .arg(&claim.worker);
        reply::decision(&self.run(&lane.owner, call, by).await?)
    }

    /// Gives a partition back.
    pub(crate) async fn give_back(
        &self,
        partition: u32,
        claim: &Claim,
        by: Deadline,
    ) -> StoreResult<bool> {
        let lane = self.keys.lane(partition);
        let call = Call::new(&YIELD).key(&lane.owner).arg(&claim.token);
        reply::decision(&self.run(&lane.owner, call, by).await?)
    }

    /// Says that a worker is alive for `claim.lease`.
    pub(crate) async fn join(
        &self,
        claim: &Claim,
        partitions: u32,
        by: Deadline,
    ) -> StoreResult<Crew> {
        let call = Call::new(&JOIN)
            .key(&self.keys.workers)
            .key(&self.keys.layout)
            .arg(&claim.worker)
            .arg(number(millis(claim.lease)))
            .arg(number(partitions.into()));
        reply::crew(self.run(&self.keys.workers, call, by).await?).ok_or(StoreError::Unexpected)
    }

    /// Says that a worker is gone.
    pub(crate) async fn leave(&self, worker: &str, by: Deadline) -> StoreResult<()> {
        let workers = &self.keys.workers;
        let mut leave = redis::cmd("HDEL");
        leave.arg(workers).arg(worker);
        self.store.router.run(Name::new(workers), &mut leave, by).await.map(drop)
    }

    /// Whether the server may lose what it has acknowledged, and why.
    pub(crate) async fn risk(&self, by: Deadline) -> StoreResult<Option<&'static str>> {
        let workers = &self.keys.workers;
        // One section at a time: before Redis 7 there was no asking for two.
        let mut texts = Vec::new();
        for section in ["memory", "persistence"] {
            let mut info = redis::cmd("INFO");
            info.arg(section);
            texts.push(self.store.router.run(Name::new(workers), &mut info, by).await?);
        }
        Ok(reply::risk(&texts))
    }

    /// How much a partition holds.
    pub(crate) async fn lengths(&self, partition: u32, by: Deadline) -> StoreResult<Lengths> {
        let lane = self.keys.lane(partition);
        let call = Call::new(&LENGTHS).key(&lane.stream).key(&lane.dead);
        let reply = self.run(&lane.stream, call, by).await?;
        reply::lengths(&reply).ok_or(StoreError::Unexpected)
    }

    /// A connection of one's own to the server of a partition: what blocks on it holds up nobody
    /// else.
    pub(crate) async fn line(&self, lane: &Lane, by: Deadline) -> StoreResult<Line> {
        // What matters is who answers: in a cluster the slot may have moved.
        let (plan, breaker) =
            self.store.router.run(Name::new(&lane.stream), &mut Whereabouts(lane), by).await?;
        // An owner renews its lease on it while its sink keeps every thread of this runtime.
        let opening = own_thread::run(async move { Line::open(plan, breaker).await });
        let opened =
            tokio::time::timeout_at(by, opening).await.map_err(|_| StoreError::TimedOut)?;
        opened.unwrap_or(Err(StoreError::Down))
    }

    async fn run(&self, key: &str, mut call: Call, by: Deadline) -> StoreResult<RespValue> {
        self.store.router.run(Name::new(key), &mut call, by).await
    }
}

/// Appends items, with the origin of the primary that gets them.
struct Push<'a> {
    lane: &'a Lane,
    additions: &'a [Addition<'a>],
    is_sent: bool,
}

impl Exchange for Push<'_> {
    type Reply = RespValue;
    const IS_URGENT: bool = true;

    async fn run(&mut self, session: &mut Session<'_>, by: Deadline) -> StoreResult<RespValue> {
        self.is_sent = true;
        let mut call = call::push(&PUSH, self.lane, self.additions, session.origin());
        call.run(session, by).await
    }
}

/// Finds the server of a partition, for a connection of one's own.
struct Whereabouts<'a>(&'a Lane);

impl Exchange for Whereabouts<'_> {
    type Reply = (Arc<Plan>, Arc<Breaker>);

    async fn run(&mut self, session: &mut Session<'_>, by: Deadline) -> StoreResult<Self::Reply> {
        // Everything on it is a script.
        session.require_scripts()?;
        let mut exists = redis::cmd("EXISTS");
        exists.arg(&self.0.stream);
        exists.run(session, by).await?;
        Ok(session.whereabouts())
    }
}
