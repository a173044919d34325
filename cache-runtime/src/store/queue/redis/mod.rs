//! Queues as Redis streams.
//!
//! One stream, one clock and one owner per partition, in one slot; every change is a script. Those of an owner check that it
//! still is the owner: one that was paused and lost the partition changes nothing any more.

mod call;
mod connection;
mod layout;
mod letters;
mod manage;
mod reply;
mod scripts;

use redis::Value;

use self::call::{Call, number};
pub(crate) use self::connection::Line;
use crate::store::queue::redis::scripts::{JOIN, LENGTHS, PUSH, TAKE, YIELD};
use crate::store::queue::{Added, Addition, Claim, Crew, Lane, Lengths};
use crate::store::redis::RedisStore;
use crate::store::redis::commands::encode::millis;
use crate::store::redis::topology::router::route;
use crate::store::{Name, StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::support::own_thread;

impl RedisStore {
    /// Appends items of one producer, no two of one number; what became of each.
    pub(crate) async fn queue_push(
        &self,
        lane: &Lane,
        additions: &[Addition<'_>],
        by: Deadline,
    ) -> StoreResult<Vec<Added>> {
        let (name, mut is_sent) = (Name::new(&lane.stream), false);
        let reply = route!(
            self,
            name,
            by,
            urgently | session | {
                is_sent = true;
                let call = call::push(&PUSH, lane, additions, session.origin());
                session.run(call, by)
            }
        );
        match reply {
            // There was no connection in time, so there is nothing to doubt.
            Err(StoreError::TimedOut) if !is_sent => Err(StoreError::Down),
            reply => reply::added(&reply?, additions.len()),
        }
    }

    /// Takes a partition, if nobody owns it.
    pub(crate) async fn queue_take(
        &self,
        lane: &Lane,
        claim: &Claim,
        by: Deadline,
    ) -> StoreResult<bool> {
        let call = Call::new(&TAKE)
            .key(&lane.owner)
            .key(&lane.stream)
            .arg(&claim.token)
            .arg(number(millis(claim.lease)))
            .arg(&claim.worker);
        reply::decision(&self.queue_run(&lane.owner, call, by).await?)
    }

    /// Gives a partition back.
    pub(crate) async fn queue_yield(
        &self,
        lane: &Lane,
        claim: &Claim,
        by: Deadline,
    ) -> StoreResult<bool> {
        let call = Call::new(&YIELD).key(&lane.owner).arg(&claim.token);
        reply::decision(&self.queue_run(&lane.owner, call, by).await?)
    }

    /// Says that a worker is alive for `claim.lease`.
    pub(crate) async fn queue_join(
        &self,
        (workers, layout): (&str, &str),
        claim: &Claim,
        partitions: u32,
        by: Deadline,
    ) -> StoreResult<Crew> {
        let call = Call::new(&JOIN)
            .key(workers)
            .key(layout)
            .arg(&claim.worker)
            .arg(number(millis(claim.lease)))
            .arg(number(partitions.into()));
        reply::crew(self.queue_run(workers, call, by).await?).ok_or(StoreError::Unexpected)
    }

    /// Says that a worker is gone.
    pub(crate) async fn queue_leave(
        &self,
        workers: &str,
        worker: &str,
        by: Deadline,
    ) -> StoreResult<()> {
        let mut leave = redis::cmd("HDEL");
        leave.arg(workers).arg(worker);
        route!(self, Name::new(workers), by, |session| session.ask(&leave, by)).map(|_| ())
    }

    /// Whether the server may lose what it has acknowledged, and why.
    pub(crate) async fn queue_risk(
        &self,
        workers: &str,
        by: Deadline,
    ) -> StoreResult<Option<&'static str>> {
        // One section at a time: before Redis 7 there was no asking for two.
        let mut texts = Vec::new();
        for section in ["memory", "persistence"] {
            let mut info = redis::cmd("INFO");
            info.arg(section);
            texts.push(route!(self, Name::new(workers), by, |session| session.ask(&info, by))?);
        }
        Ok(reply::risk(&texts))
    }

    /// How much a partition holds.
    pub(crate) async fn queue_lengths(&self, lane: &Lane, by: Deadline) -> StoreResult<Lengths> {
        let call = Call::new(&LENGTHS).key(&lane.stream).key(&lane.dead);
        let reply = self.queue_run(&lane.stream, call, by).await?;
        reply::lengths(&reply).ok_or(StoreError::Unexpected)
    }

    /// A connection of one's own to the server of a partition: what blocks on it holds up nobody else.
    pub(crate) async fn queue_line(&self, lane: &Lane, by: Deadline) -> StoreResult<Line> {
        let mut exists = redis::cmd("EXISTS");
        exists.arg(&lane.stream);
        // What matters is who answers: in a cluster the slot may have moved.
        let (plan, breaker) = route!(self, Name::new(&lane.stream), by, |session| async {
            // Everything on it is a script.
            session.require_scripts()?;
            session.ask(&exists, by).await?;
            Ok(session.whereabouts())
        })?;
        // An owner renews its lease on it while its sink keeps every thread of this runtime.
        let opening = own_thread::run(async move { Line::open(plan, breaker).await });
        let opened =
            tokio::time::timeout_at(by, opening).await.map_err(|_| StoreError::TimedOut)?;
        opened.unwrap_or(Err(StoreError::Down))
    }

    async fn queue_run(&self, key: &str, call: Call, by: Deadline) -> StoreResult<Value> {
        route!(self, Name::new(key), by, |session| session.run(call.clone(), by))
    }
}
