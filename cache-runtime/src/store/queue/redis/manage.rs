//! What operators do with a queue.

use crate::store::queue::redis::call::{Call, number};
use crate::store::queue::redis::scripts::{FORGET, KNOW, REMOVE};
use crate::store::queue::redis::{RedisQueue, reply};
use crate::store::queue::{Overview, Position, Stored};
use crate::store::redis::RedisStore;
use crate::store::redis::connection::wire::RespValue;
use crate::store::{Keyed, Name, Now, StoreError, StoreResult};
use crate::support::budget::Deadline;

impl RedisQueue {
    /// What is known of a queue.
    pub(crate) async fn overview(&self, by: Deadline) -> StoreResult<Overview> {
        let workers = &self.keys.workers;
        let mut get = redis::cmd("HMGET");
        get.arg(workers).arg("partitions").arg("paused");
        let reply = self.store.router.run(Name::new(workers), &mut get, by).await?;
        reply::known(&reply).ok_or(StoreError::Unexpected)
    }

    /// How many workers are alive.
    pub(crate) async fn workers(&self, by: Deadline) -> StoreResult<usize> {
        let name = Name::new(&self.keys.workers);
        let mut all = redis::cmd("HGETALL");
        all.arg(name.text);
        let all = self.store.router.run(name, &mut all, by);
        let now = self.store.router.send(Keyed { name, request: Now }, by);
        let (all, now_ms) = tokio::try_join!(all, now)?;
        let deadlines = reply::deadlines(all).ok_or(StoreError::Unexpected)?;
        Ok(deadlines.into_iter().filter(|deadline| *deadline > now_ms).count())
    }

    /// Makes it known that there is this queue, and that it has so many partitions; `queues` lists
    /// all.
    pub(crate) async fn register(
        &self,
        queues: &str,
        queue: &str,
        partitions: u32,
        by: Deadline,
    ) -> StoreResult<()> {
        let workers = &self.keys.workers;
        let call = Call::new(&KNOW).key(workers).arg(number(partitions.into()));
        self.run(workers, call, by).await?;
        let mut add = redis::cmd("SADD");
        add.arg(queues).arg(queue);
        self.store.router.run(Name::new(queues), &mut add, by).await.map(drop)
    }

    /// Makes partitions fewer, from the first number to the second. False: there are not as many as
    /// the first.
    pub(crate) async fn forget(&self, (known, own): (u32, u32), by: Deadline) -> StoreResult<bool> {
        let workers = &self.keys.workers;
        let call =
            Call::new(&FORGET).key(workers).arg(number(known.into())).arg(number(own.into()));
        reply::decision(&self.run(workers, call, by).await?)
    }

    /// Pauses a queue, or ends that.
    pub(crate) async fn pause(&self, pauses: bool, by: Deadline) -> StoreResult<()> {
        let workers = &self.keys.workers;
        let mut set = redis::cmd(if pauses { "HSET" } else { "HDEL" });
        set.arg(workers).arg("paused");
        if pauses {
            set.arg("1");
        }
        self.store.router.run(Name::new(workers), &mut set, by).await.map(drop)
    }

    /// The first items of a partition behind a position, whether somebody has read them or not.
    pub(crate) async fn held(
        &self,
        partition: u32,
        after: Position,
        limit: usize,
        by: Deadline,
    ) -> StoreResult<Vec<Stored>> {
        let lane = self.keys.lane(partition);
        let mut range = redis::cmd("XRANGE");
        range.arg(&lane.stream).arg(format!("({}", after.stream_id())).arg("+");
        range.arg("COUNT").arg(limit);
        let reply = self.store.router.run(Name::new(&lane.stream), &mut range, by).await?;
        reply::items(reply).ok_or(StoreError::Unexpected)
    }

    /// Removes items of a partition for good; how many there were.
    pub(crate) async fn remove(
        &self,
        partition: u32,
        items: &[Position],
        by: Deadline,
    ) -> StoreResult<u64> {
        let lane = self.keys.lane(partition);
        let call = Call::new(&REMOVE).key(&lane.stream);
        let call = items.iter().fold(call, |call, position| call.arg(position.stream_id()));
        match self.run(&lane.stream, call, by).await? {
            RespValue::Int(count) => u64::try_from(count).map_err(|_| StoreError::Unexpected),
            _ => Err(StoreError::Unexpected),
        }
    }
}

impl RedisStore {
    /// The queues that were made known.
    pub(crate) async fn queues(&self, queues: &str, by: Deadline) -> StoreResult<Vec<String>> {
        let mut members = redis::cmd("SMEMBERS");
        members.arg(queues);
        let reply = self.router.run(Name::new(queues), &mut members, by).await?;
        reply::texts(&reply).ok_or(StoreError::Unexpected)
    }
}
